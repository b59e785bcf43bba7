"""What excuses a rule: `unless`, and the register of reasonable reasons."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.warn.book import book_of, rule

from carewatch.warn.excuses import Excuse, excuse_for, indicators_named, reason_columns
from carewatch.warn.fold import Memory, Phase, fold
from carewatch.warn.hits import State, rule_state

NAN = float("nan")
U, C, H, X = State.UNKNOWN, State.CLEAR, State.HIT, State.COVERED
CUSTOMERS = np.array([3, 5, 9], np.int32)


def reason(
    customer: int, what: str = "low_season", covers: str | None = None, until: date | None = None
) -> Excuse:
    return Excuse(customer, what, indicators_named(covers), until)


def states(one: dict[str, object], excuses: list[Excuse], **columns: list[float]) -> list[int]:
    arrays = {name: np.array(values) for name, values in columns.items()}
    return rule_state(rule(**one), {**arrays, **reason_columns(excuses, CUSTOMERS)}).tolist()


def test_unless_covers_what_would_have_fired_and_nothing_else() -> None:
    one = {"when": "x >= 1", "unless": "y >= 5"}
    assert states(one, [], x=[1, 1, 0], y=[5, 4.9, 5]) == [X, H, C]


def test_an_excuse_that_cannot_be_told_excuses_nothing() -> None:
    assert states({"unless": "y >= 5"}, [], x=[1, NAN, 0], y=[NAN, NAN, NAN]) == [H, U, C]


@pytest.mark.req("S27", "D10")
def test_a_reason_that_names_the_indicator_covers_its_rules_by_itself() -> None:
    excuses = [reason(3, covers="x, y"), reason(5, covers="y")]
    assert states({}, excuses, x=[1, 1, 1]) == [X, H, H]


@pytest.mark.req("S27", "D10")
def test_a_reason_for_any_indicator_covers_only_rules_that_ask_for_one() -> None:
    excuses = [reason(3), reason(5, "relocation")]
    assert states({}, excuses, x=[1, 1, 1]) == [H, H, H]
    assert states({"unless": "reason"}, excuses, x=[1, 1, 1]) == [X, X, H]
    assert states({"unless": "reason is low_season"}, excuses, x=[1, 1, 1]) == [X, H, H]
    assert states({"unless": "reason in [relocation, holiday]"}, excuses, x=[1, 1, 1]) == [H, X, H]


def test_of_several_reasons_the_one_that_ends_last_is_named() -> None:
    soon, late, open_end = (
        reason(3, what, until=until)
        for what, until in (("holiday", date(2026, 6, 2)), ("stocktaking", date(2026, 7, 1)), ("other", None))
    )
    for order in ([soon, late], [late, soon]):
        assert excuse_for(rule(), order) == late
        assert reason_columns(order, CUSTOMERS)["reason"].tolist() == ["stocktaking", None, None]
    assert excuse_for(rule(), [open_end, late]) == open_end
    named = reason(3, covers="x", until=date(2026, 6, 1))
    assert excuse_for(rule(), [open_end, named]) == named
    assert excuse_for(rule(), []) is None


def test_a_reason_of_somebody_who_is_not_asked_about_is_nobodys() -> None:
    assert reason_columns([reason(4), reason(99)], CUSTOMERS) == {}


@pytest.mark.parametrize(
    ("covers", "named"),
    [
        (None, []),
        ("  ", []),
        ("order_value", ["order_value"]),
        ("order_value order_silence", ["order_silence", "order_value"]),
        ("order_value,order_silence；inquiries、tone", ["inquiries", "order_silence", "order_value", "tone"]),
    ],
)
def test_indicators_are_separated_by_blanks_or_commas(covers: str | None, named: list[str]) -> None:
    assert sorted(indicators_named(covers)) == named


@pytest.mark.req("D10")
@given(st.lists(st.sampled_from([U, C, H, X]), max_size=30))
def test_an_excused_night_pauses_both_counts_like_an_unknown_one(nights: list[State]) -> None:
    book = book_of({"one": rule(holds_for=2, clears_after=2)})
    nobody = np.zeros(1, bool)
    excused = unknown = Memory.empty(1, 3)
    for state in nights:
        night = np.array([[state, C, C]], np.int16)
        excused = fold(excused, night, book, dormant=nobody, missed=0)
        as_unknown = np.where(night == X, U, night)
        unknown = fold(unknown, as_unknown, book, dormant=nobody, missed=0)
        for field in ("phase", "true_nights", "clear_nights"):
            assert np.array_equal(getattr(excused, field), getattr(unknown, field))
    if H not in nights:
        assert excused.phase[0, 0] != Phase.OPEN
