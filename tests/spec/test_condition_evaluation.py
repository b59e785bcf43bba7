"""Three-valued evaluation over columns, checked against a plain scalar reading of the same rules."""

from __future__ import annotations

import math
import operator
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.spec.condition import (
    FALSE,
    TRUE,
    UNKNOWN,
    All,
    Any_,
    Comparison,
    Condition,
    NoneOf,
    Op,
    Ref,
    clauses,
    evaluate,
    judge,
    parse,
)

NAN = math.nan
COLUMNS = {
    "n": np.array([29.0, 30.0, 31.0, NAN]),
    "m": np.array([30.0, NAN, 30.0, NAN]),
    "t": np.array(["A", "B", None, ""], dtype=object),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n < 30", [1, 0, 0, -1]),
        ("n <= 30", [1, 1, 0, -1]),
        ("n > 30", [0, 0, 1, -1]),
        ("n >= 30", [0, 1, 1, -1]),
        ("n is 30", [0, 1, 0, -1]),
        ("n is not 30", [1, 0, 1, -1]),
        ("n in [29, 31]", [1, 0, 1, -1]),
        ("n not in [29, 31]", [0, 1, 0, -1]),
        ("n is missing", [0, 0, 0, 1]),
        ("n is not missing", [1, 1, 1, 0]),
        ("n < {m}", [1, -1, 0, -1]),
        ("t is A", [1, 0, -1, 0]),
        ("t is not A", [0, 1, -1, 1]),
        ("t in [A, '']", [1, 0, -1, 1]),
        ("t not in [A]", [0, 1, -1, 1]),
        ("t is missing", [0, 0, 1, 0]),
        ("t is {t}", [1, 1, -1, 1]),
    ],
)
def test_comparisons_on_both_sides_of_the_boundary(text: str, expected: list[int]) -> None:
    result = evaluate(parse(text), COLUMNS)
    assert result.dtype == np.int8
    assert result.tolist() == expected


def test_groups_follow_the_three_valued_tables() -> None:
    pairs = list(product([TRUE, FALSE, UNKNOWN], repeat=2))
    number = {TRUE: 1.0, FALSE: 0.0, UNKNOWN: NAN}
    columns = {
        "a": np.array([number[a] for a, _ in pairs]),
        "b": np.array([number[b] for _, b in pairs]),
    }
    both = {
        word: evaluate(parse({word: ["a is 1", "b is 1"]}), columns).tolist()
        for word in ("all", "any", "none")
    }
    assert both["all"] == [1, 0, -1, 0, 0, 0, -1, 0, -1]
    assert both["any"] == [1, 1, 1, 1, 0, -1, 1, -1, -1]
    assert both["none"] == [0, 0, 0, 0, 1, -1, 0, -1, -1]


def test_no_rows_give_no_truths() -> None:
    assert evaluate(parse("n > 3"), {"n": np.array([], dtype=np.float64)}).tolist() == []


@pytest.mark.parametrize("text", ["n is A", "t > 3", "t is 3", "n in [A]", "n is {t}"])
def test_a_number_against_a_text_is_an_error(text: str) -> None:
    with pytest.raises(TypeError, match="compares"):
        evaluate(parse(text), COLUMNS)


def test_a_name_without_column_is_an_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        evaluate(parse("nothing > 3"), COLUMNS)


def test_clauses_show_each_comparison_with_its_own_truth_and_values() -> None:
    condition = parse({"all": ["n > 30", {"none": ["t is A", "n < {m}", "m is missing"]}]})
    found = clauses(condition, {"n": 31.0, "m": None, "t": "B"})
    assert [(one.text, one.truth, one.actual, one.other) for one in found] == [
        ("n > 30", TRUE, 31.0, None),
        ("t is 'A'", FALSE, "B", None),
        ("n < {m}", UNKNOWN, 31.0, None),
        ("m is missing", TRUE, None, None),
    ]
    assert judge(condition, {"n": 31.0, "m": None, "t": "B"}) == FALSE


def test_missing_cells_take_the_kind_they_are_compared_with() -> None:
    condition = parse({"all": ["a is {b}", "a is 'x'"]})
    assert judge(condition, {"a": None, "b": None}) == UNKNOWN


NUMERIC = st.sampled_from(["n", "m"])
NUMBER = st.sampled_from([-1.0, 0.0, 1.0, 2.0])
TEXT = st.sampled_from(["A", "B", ""])


@st.composite
def lines(draw: st.DrawFn) -> Comparison:
    op = draw(st.sampled_from(Op))
    if op in (Op.IS_MISSING, Op.IS_NOT_MISSING):
        return Comparison(draw(NUMERIC | st.just("t")), op, None)
    textual = op in (Op.IS, Op.IS_NOT, Op.IN, Op.NOT_IN) and draw(st.booleans())
    name, one = (st.just("t"), TEXT) if textual else (NUMERIC, NUMBER)
    if op in (Op.IN, Op.NOT_IN):
        return Comparison(draw(name), op, tuple(draw(st.lists(one, min_size=1, max_size=3))))  # type: ignore[arg-type]
    return Comparison(draw(name), op, draw(one | name.map(Ref)))


CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    lines(),
    lambda inner: st.tuples(
        st.sampled_from([All, Any_, NoneOf]), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ).map(lambda pair: pair[0](pair[1])),
    max_leaves=8,
)
Row = dict[str, float | str | None]
ROW = st.fixed_dictionaries({"n": NUMBER | st.none(), "m": NUMBER | st.none(), "t": TEXT | st.none()})

PLAIN = {
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.IS: operator.eq,
    Op.IS_NOT: operator.ne,
}


def plain_truth(condition: Condition, row: Row) -> int:
    """Read a condition for one row without arrays: the oracle."""
    if isinstance(condition, Comparison):
        return plain_comparison(condition, row)
    truths = [plain_truth(item, row) for item in condition.items]
    if isinstance(condition, All):
        return FALSE if FALSE in truths else UNKNOWN if UNKNOWN in truths else TRUE
    held = TRUE if TRUE in truths else UNKNOWN if UNKNOWN in truths else FALSE
    return held if isinstance(condition, Any_) else {TRUE: FALSE, FALSE: TRUE, UNKNOWN: UNKNOWN}[held]


def plain_comparison(comparison: Comparison, row: Row) -> int:
    left, right = row[comparison.name], comparison.value
    if comparison.op is Op.IS_MISSING:
        return int(left is None)
    if comparison.op is Op.IS_NOT_MISSING:
        return int(left is not None)
    other = row[right.name] if isinstance(right, Ref) else right
    if left is None or other is None:
        return UNKNOWN
    if isinstance(other, tuple):
        return int((left in other) == (comparison.op is Op.IN))
    return int(PLAIN[comparison.op](left, other))


@given(CONDITIONS, st.lists(ROW, min_size=1, max_size=5))
def test_columns_rows_and_the_oracle_agree(condition: Condition, rows: list[Row]) -> None:
    columns = {
        "n": np.array([row["n"] for row in rows], dtype=np.float64),
        "m": np.array([row["m"] for row in rows], dtype=np.float64),
        "t": np.array([row["t"] for row in rows], dtype=object),
    }
    expected = [plain_truth(condition, row) for row in rows]
    assert evaluate(condition, columns).tolist() == expected
    assert [judge(condition, row) for row in rows] == expected
    for row in rows:
        for clause in clauses(condition, row):
            assert clause.truth == plain_truth(clause.comparison, row)
