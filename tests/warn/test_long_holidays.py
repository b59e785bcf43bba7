"""A long holiday is a reason for everybody, from its first day to two weeks after its last; a weekend is none."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from carewatch.warn.excuses import HOLIDAY, Excuse, long_holiday, reason_columns

FIRST, LAST = date(2026, 2, 15), date(2026, 2, 23)


def closed(first: date, last: date) -> list[str]:
    return [(first + timedelta(days=at)).isoformat() for at in range((last - first).days + 1)]


@pytest.mark.req("D10")
@pytest.mark.parametrize(
    ("day", "until"),
    [
        (FIRST - timedelta(days=1), None),
        (FIRST, date(2026, 3, 9)),
        (LAST, date(2026, 3, 9)),
        (date(2026, 3, 9), date(2026, 3, 9)),
        (date(2026, 3, 10), None),
    ],
)
def test_it_covers_two_weeks_after_its_last_day(day: date, until: date | None) -> None:
    weekend = closed(date(2026, 3, 14), date(2026, 3, 15))
    assert long_holiday([*closed(FIRST, LAST), *weekend], day) == until


@pytest.mark.req("D10")
def test_four_days_are_no_long_holiday_and_five_are() -> None:
    assert long_holiday(closed(FIRST, FIRST + timedelta(days=3)), FIRST) is None
    assert long_holiday(closed(FIRST, FIRST + timedelta(days=4)), FIRST) is not None


@pytest.mark.req("D10")
def test_a_reason_of_the_customers_own_comes_first() -> None:
    customers = np.array([3, 5], dtype=np.int32)
    columns = reason_columns([Excuse(5, "relocation", frozenset(), None)], customers, HOLIDAY)
    assert columns["reason"].tolist() == [HOLIDAY, "relocation"]
    assert reason_columns([], customers) == {}
