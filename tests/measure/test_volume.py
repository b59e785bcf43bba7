"""How many rows are usual: the same weekday, robust against broken days, both sides of every boundary."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.measure.volume import Usual, usual_rows

MONDAY = date(2026, 6, 1)


def weeks_before(day: date, counts: Sequence[int]) -> list[tuple[date, int]]:
    """Return counts of the same weekday, the newest a week before the day."""
    return [(day - timedelta(weeks=1 + back), count) for back, count in enumerate(counts)]


def days_before(day: date, counts: Sequence[int]) -> list[tuple[date, int]]:
    return [(day - timedelta(days=1 + back), count) for back, count in enumerate(counts)]


def usual(history: list[tuple[date, int]], day: date = MONDAY) -> Usual:
    found = usual_rows(history, day)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("count", "fits"), [(49_999, False), (50_000, True), (150_000, True), (150_001, False)]
)
def test_half_of_the_usual_number_more_or_less_is_still_usual(count: int, fits: bool) -> None:
    assert usual(weeks_before(MONDAY, [100_000] * 4)).fits(count, 0.5) is fits


@pytest.mark.parametrize(("count", "fits"), [(89_999, False), (90_000, True)])
def test_the_share_is_what_was_asked_for(count: int, fits: bool) -> None:
    assert usual(weeks_before(MONDAY, [100_000] * 4)).fits(count, 0.1) is fits


def test_three_percent_of_its_rows_is_a_dead_feed_whatever_its_size() -> None:
    for size in (20, 1_000, 1_000_000):
        assert not usual(weeks_before(MONDAY, [size] * 8)).fits(round(size * 0.03))


def test_a_weekday_is_compared_with_its_own_kind() -> None:
    history = [(MONDAY - timedelta(days=back), 10 if (MONDAY - timedelta(days=back)).weekday() >= 5 else 5_000)
               for back in range(1, 57)]  # fmt: skip
    assert usual(history, MONDAY).rows == 5_000
    assert usual(history, MONDAY + timedelta(days=5)).rows == 10


def test_broken_days_among_those_compared_with_do_not_move_it() -> None:
    found = usual(weeks_before(MONDAY, [1_000, 0, 1_010, 990, 1_000, 30, 1_005, 9_999_999]))
    assert found.rows == pytest.approx(1_000, abs=5)
    assert not found.fits(30) and not found.fits(3_000)


def test_a_feed_that_swings_by_itself_may_swing() -> None:
    found = usual(weeks_before(MONDAY, [200, 1_800, 400, 1_600, 600, 1_400, 800, 1_200]))
    assert found.range() == (0.0, pytest.approx(1_000 + 3 * 1.4826 * 500))


def test_few_rows_may_fall_by_chance() -> None:
    assert usual(weeks_before(MONDAY, [9] * 4)).fits(0)
    assert not usual(weeks_before(MONDAY, [10] * 4)).fits(0)


def test_three_days_are_not_enough_four_are() -> None:
    assert usual_rows(weeks_before(MONDAY, [100] * 3), MONDAY) is None
    assert usual_rows(days_before(MONDAY, [100] * 5), MONDAY) is None, "of the five days two were days off"
    found = usual(days_before(MONDAY, [100] * 6))
    assert (found.days, found.weekday) == (4, False)
    assert usual(weeks_before(MONDAY, [100] * 4)).weekday


def test_days_long_ago_and_days_to_come_tell_nothing() -> None:
    assert usual(weeks_before(MONDAY, [100] * 8 + [9_000] * 30)).days == 8
    later = [(MONDAY + timedelta(weeks=ahead), 9_000) for ahead in range(9)]
    assert usual_rows(later, MONDAY) is None, "its own count does not vouch for a day"


def test_a_holiday_is_compared_with_days_off() -> None:
    history = [(MONDAY - timedelta(days=back), 0 if (MONDAY - timedelta(days=back)).weekday() >= 5 else 5_000)
               for back in range(1, 57)]  # fmt: skip
    found = usual_rows(history, MONDAY, lambda day: day.weekday() < 5 and day != MONDAY)
    assert found is not None and found.rows == 0 and not found.weekday and found.fits(0)


def test_of_several_loads_of_a_day_the_largest_counts() -> None:
    assert usual([*weeks_before(MONDAY, [700] * 4), *weeks_before(MONDAY, [0] * 4)]).rows == 700


@given(st.lists(st.integers(0, 10**7), min_size=4, max_size=8), st.integers(0, 10**7), st.integers(2, 50))
def test_what_is_usual_stays_so_when_more_is_allowed(counts: list[int], count: int, percent: int) -> None:
    found = usual(weeks_before(MONDAY, counts))
    assert found.fits(round(found.rows), 0.01) or found.rows % 1
    assert not found.fits(count, percent / 100) or found.fits(count, percent / 50)
    low, high = found.range(percent / 100)
    assert 0 <= low <= found.rows <= high
