"""Which nights a firm has: every one, or one a week."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.spec.document import parse_document, validate
from carewatch.spec.firm import WEEKDAYS, Firm

DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 1, 1))


def firm(nights: str | None) -> Firm:
    return Firm.model_validate({"version": 1, "name": "x", "nights": nights})


@pytest.mark.req("S12")
@given(nights=st.sampled_from([None, *WEEKDAYS]), last=DAYS, later=st.integers(min_value=0, max_value=60))
def test_missed_nights_are_the_scheduled_ones_in_between(nights: str | None, last: date, later: int) -> None:
    day = last + timedelta(days=later)
    between = [last + timedelta(days=step) for step in range(1, later)]
    expected = [one for one in between if nights is None or WEEKDAYS[one.weekday()] == nights]
    assert firm(nights).missed_nights(last, day) == len(expected)


@pytest.mark.req("S12")
@given(nights=st.sampled_from(WEEKDAYS), day=DAYS)
def test_the_next_night_is_at_most_six_days_away_and_on_its_weekday(nights: str, day: date) -> None:
    found = firm(nights).next_night(day)
    assert WEEKDAYS[found.weekday()] == nights and 0 <= (found - day).days <= 6
    assert firm(None).next_night(day) == day


def test_a_firm_with_a_night_every_day_keeps_its_fingerprint() -> None:
    assert "nights" not in firm(None).model_dump(exclude_none=True)


def test_a_weekday_that_is_none_is_told() -> None:
    text = "version: 1\nname: x\nnights: mondays\n"
    _, problems = validate(parse_document(text, file="firm.yaml"), Firm)
    assert len(problems) == 1 and str(problems[0]).startswith("firm.yaml:3:9: 'mondays' is not")
    assert problems[0].nearest == "monday"
