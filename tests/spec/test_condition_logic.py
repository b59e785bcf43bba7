"""Whether a condition can be true or false at all agrees with what evaluation says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carewatch.spec.condition import (
    FALSE,
    TRUE,
    All,
    Any_,
    Comparison,
    Condition,
    NoneOf,
    evaluate,
    names,
    parse,
)
from carewatch.spec.condition.logic import covers, ways
from carewatch.spec.condition.tree import Op, Ref

NUMBERS = (0.0, 1.0, 2.0)
BETWEEN = (-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, np.nan)
"""Every place that a value can have between the numbers that conditions compare with."""

lines = st.one_of(
    st.builds(
        Comparison, st.sampled_from("xy"), st.sampled_from([Op.LT, Op.LE, Op.GT, Op.GE, Op.IS, Op.IS_NOT]),
        st.sampled_from(NUMBERS),
    ),
    st.builds(Comparison, st.sampled_from("xy"), st.sampled_from([Op.IS_MISSING, Op.IS_NOT_MISSING]), st.none()),
    st.builds(
        Comparison, st.sampled_from("xy"), st.sampled_from([Op.IN, Op.NOT_IN]),
        st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=2, unique=True).map(tuple),
    ),
)  # fmt: skip
conditions = st.recursive(
    lines,
    lambda inner: st.builds(
        lambda group, items: group(tuple(items)),
        st.sampled_from([All, Any_, NoneOf]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


def everywhere(condition: Condition) -> np.ndarray:
    """Return how a condition comes out at every place that matters."""
    x, y = np.meshgrid(BETWEEN, BETWEEN)
    return np.asarray(evaluate(condition, {"x": x.ravel(), "y": y.ravel()}))


@pytest.mark.req("D14")
@settings(deadline=None, max_examples=150)
@given(conditions)
def test_a_condition_can_come_out_as_it_does_somewhere(condition: Condition) -> None:
    came = everywhere(condition)
    assert bool(ways(condition, True)) == bool((came == TRUE).any())
    assert bool(ways(condition, False)) == bool((came == FALSE).any())


@pytest.mark.req("D14")
@settings(deadline=None, max_examples=150)
@given(conditions, conditions)
def test_what_covers_another_is_true_wherever_the_other_is(wide: Condition, narrow: Condition) -> None:
    if covers(wide, narrow):
        where = everywhere(narrow) == TRUE
        assert where.any()
        assert (everywhere(wide)[where] == TRUE).all()


@pytest.mark.parametrize(
    ("wide", "narrow", "holds"),
    [
        ("x >= 30", "x >= 60", True),
        ("x >= 60", "x >= 30", False),
        ("x >= 30", "x > 30", True),
        ("x > 30", "x >= 30", False),
        ("x >= 30", "y >= 60", False),
        ("x is missing", "x is missing", False),
    ],
)
def test_a_line_covers_what_asks_for_more(wide: str, narrow: str, holds: bool) -> None:
    assert covers(parse(wide), parse(narrow)) is holds


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("<", ">", False),
        ("<", ">=", False),
        ("<=", ">=", True),
        ("is", "is not", False),
        ("<", "is not", True),
    ],
)
def test_names_compared_with_one_another_are_followed_by_pairs(one: str, other: str, together: bool) -> None:
    lines = (Comparison("x", Op(one), Ref("y")), Comparison("x", Op(other), Ref("y")))
    assert bool(ways(All(lines))) is together
    turned = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}
    swapped = Comparison("y", turned.get(Op(other), Op(other)), Ref("x"))
    assert bool(ways(All((lines[0], swapped)))) is together
    assert names(swapped) == {"x", "y"}
