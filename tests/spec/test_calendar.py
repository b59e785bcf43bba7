"""The working calendar: China's make-up workdays, hours over nights and holidays, duty, clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.spec.calendar import CalendarSpec, OutsideCalendar, Span, WorkCalendar
from carewatch.spec.document import parse_document, validate

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
CHINA = """
version: 1
country: CN
years: [2024, 2027]
hours:
  mon-fri: ["09:00-12:00", "13:00-18:00"]
closed:
  - {day: 2025-12-24, label: 盘点}
  - {day: 2025-06-03, until: 2025-06-04, label: Move}
  - {day: 2026-02-14, label: No make-up here}
open:
  - {day: 2025-12-27, label: 加班, hours: ["10:00-12:00"]}
  - {day: 2024-10-01, label: Stocktaking on the national day}
"""


def spec_of(text: str) -> CalendarSpec:
    spec, problems = validate(parse_document(text, file="f"), CalendarSpec)
    assert not problems
    assert spec is not None
    return spec


@cache
def china() -> WorkCalendar:
    return WorkCalendar(spec_of(CHINA), SHANGHAI)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[arg-type,misc]


@pytest.mark.req("D10")
@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2024, 2, 4), True),  # a Sunday, worked for the Spring Festival
        (date(2024, 2, 18), True),  # a Sunday, worked for the Spring Festival
        (date(2024, 2, 11), False),  # an ordinary Sunday
        (date(2024, 2, 9), True),
        (date(2024, 2, 12), False),
        (date(2024, 2, 16), False),
        (date(2024, 2, 17), False),
        (date(2024, 2, 19), True),
        (date(2024, 10, 1), True),  # the firm's own open day wins over the holiday
        (date(2024, 10, 2), False),
        (date(2025, 12, 24), False),
        (date(2025, 6, 2), False),  # Dragon Boat Festival
        (date(2025, 6, 3), False),
        (date(2025, 6, 4), False),
        (date(2025, 6, 5), True),
        (date(2025, 12, 27), True),
        (date(2026, 2, 14), False),  # the firm's own closed day wins over the make-up workday
        (date(2026, 2, 28), True),
        (date(2024, 1, 1), False),
        (date(2027, 12, 31), True),
    ],
)
def test_workdays_of_china_and_of_the_firm(day: date, works: bool) -> None:
    assert china().is_workday(day) is works


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (at(2024, 3, 4, 9), 8, at(2024, 3, 4, 18)),  # a whole day ends at its closing
        (at(2024, 3, 4, 9), 8.25, at(2024, 3, 5, 9, 15)),
        (at(2024, 3, 4, 9), 3, at(2024, 3, 4, 12)),
        (at(2024, 3, 4, 9), 3.5, at(2024, 3, 4, 13, 30)),
        (at(2024, 3, 4, 18), 1, at(2024, 3, 5, 10)),
        (at(2024, 3, 4, 12, 30), 1, at(2024, 3, 4, 14)),
        (at(2024, 3, 8, 17), 2, at(2024, 3, 11, 10)),  # over a weekend
        (at(2024, 2, 9, 17), 2, at(2024, 2, 18, 10)),  # over the Spring Festival to the make-up Sunday
        (at(2024, 2, 10, 3), 16, at(2024, 2, 19, 18)),
        (at(2025, 12, 26, 17), 3, at(2025, 12, 27, 12)),  # own hours of an own open day
        (at(2024, 3, 4, 11, 59, 59), 0, at(2024, 3, 4, 11, 59, 59)),
        (at(2024, 3, 4, 20), 0, at(2024, 3, 4, 20)),
    ],
)
def test_working_hours_are_added(start: datetime, hours: float, end: datetime) -> None:
    result = china().add_working_hours(start, hours)
    assert result == end
    assert result.tzinfo is UTC
    assert china().working_hours_between(start, end) == hours


def test_opening_and_closing_instants() -> None:
    calendar = china()
    opened = [at(2024, 3, 4, 9), at(2024, 3, 4, 11, 59, 59), at(2024, 3, 4, 13)]
    shut = [at(2024, 3, 4, 8, 59, 59), at(2024, 3, 4, 12), at(2024, 3, 4, 18), at(2024, 3, 3, 10)]
    assert [calendar.is_open(instant) for instant in opened + shut] == [True] * 3 + [False] * 4
    assert calendar.next_open(at(2024, 3, 4, 10)) == at(2024, 3, 4, 10)
    assert calendar.next_open(at(2024, 3, 4, 12)) == at(2024, 3, 4, 13)
    assert calendar.next_open(at(2024, 2, 9, 18)) == at(2024, 2, 18, 9)


def test_the_duty_rota_works_every_day() -> None:
    duty = china().duty()
    assert duty.is_workday(date(2024, 2, 10))
    assert duty.add_working_hours(at(2024, 2, 10, 20), 2) == at(2024, 2, 11, 10)
    assert duty.add_working_hours(at(2024, 2, 10, 9), 12) == at(2024, 2, 10, 21)
    assert duty is china().duty()


def test_instants_of_any_zone_are_understood_and_naive_ones_refused() -> None:
    assert china().add_working_hours(datetime(2024, 3, 4, 1, tzinfo=UTC), 8) == datetime(
        2024, 3, 4, 10, tzinfo=UTC
    )
    with pytest.raises(ValueError, match="no time zone"):
        china().is_open(datetime(2024, 3, 4, 9))
    with pytest.raises(ValueError, match="cannot be added"):
        china().add_working_hours(at(2024, 3, 4, 9), -1)


def test_beyond_its_years_the_calendar_says_so() -> None:
    calendar = china()
    for call in (
        lambda: calendar.is_workday(date(2028, 1, 1)),
        lambda: calendar.is_workday(date(2023, 12, 31)),
        lambda: calendar.is_open(at(2023, 12, 31, 23, 59, 59)),
        lambda: calendar.next_open(at(2027, 12, 31, 18)),
        lambda: calendar.add_working_hours(at(2027, 12, 31, 9), 8.1),
    ):
        with pytest.raises(OutsideCalendar, match=r"2024 to 2027; extend 'years' in calendar\.yaml"):
            call()
    assert calendar.add_working_hours(at(2027, 12, 31, 9), 8) == at(2027, 12, 31, 18)
    assert calendar.is_open(at(2024, 1, 1)) is False


@pytest.mark.req("D10")
def test_the_days_are_plain_data_and_the_resolved_calendar_needs_no_list_of_holidays() -> None:
    calendar = china()
    days = calendar.days()
    assert len(days) == 366 + 3 * 365
    assert days["2024-02-04"] == ["09:00-12:00", "13:00-18:00"]
    assert days["2024-02-12"] == []
    assert "2024-02-12" in calendar.closed_days()
    assert "2024-02-18" not in calendar.closed_days()

    resolved = calendar.spec.resolved()
    data: dict[str, Any] = resolved.model_dump(mode="json")
    assert data["country"] is None
    assert CalendarSpec.model_validate(data) == resolved
    assert resolved.resolved() is resolved
    assert WorkCalendar(resolved, SHANGHAI).days() == days
    spring = next(one for one in resolved.closed if one.day == date(2024, 2, 12))
    assert spring.label.in_("zh-CN") == "春节"


def test_years_whose_make_up_workdays_are_not_announced_are_named() -> None:
    assert spec_of(CHINA.replace("[2024, 2027]", "[2024, 2060]")).unannounced_years()[-1] == 2060
    assert 2024 not in spec_of(CHINA).unannounced_years()
    assert (
        spec_of('version: 1\nyears: [2024, 2024]\nhours: {mon: ["09:00-10:00"]}\n').unannounced_years() == []
    )


def test_hours_pass_over_a_change_of_the_clocks() -> None:
    calendar = WorkCalendar(
        spec_of('version: 1\nyears: [2024, 2024]\nhours: {mon-sun: ["00:00-24:00"]}\n'), BERLIN
    )
    spring = datetime(2024, 3, 31, tzinfo=BERLIN)
    assert calendar.working_hours_between(spring, datetime(2024, 4, 1, tzinfo=BERLIN)) == 23
    assert calendar.add_working_hours(spring, 3) == datetime(2024, 3, 31, 4, tzinfo=BERLIN)
    swallowed = WorkCalendar(
        spec_of('version: 1\nyears: [2024, 2024]\nhours: {mon-sun: ["02:00-02:30", "03:00-04:00"]}\n'), BERLIN
    )
    assert swallowed.working_hours_between(spring, datetime(2024, 4, 1, tzinfo=BERLIN)) == 1


def problems(text: str) -> list[str]:
    return [str(one) for one in validate(parse_document(text, file="f"), CalendarSpec)[1]]


BASE = 'version: 1\nyears: [2024, 2027]\nhours: {mon: ["09:00-10:00"]}\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            BASE.replace("mon", "monday"),
            [
                "f:3:9: unknown weekday 'monday'; expected mon, tue, wed, thu, fri, sat, sun, "
                "or a range like mon-fri; did you mean mon?"
            ],
        ),
        (BASE.replace("mon", "fri-mon"), ["f:3:9: 'fri-mon' runs over Sunday; expected two keys"]),
        (
            'version: 1\nyears: [2024, 2024]\nhours:\n  mon-fri: ["09:00-10:00"]\n  tue: []\n',
            ["f:5:3: 'tue' and 'mon-fri' share a weekday"],
        ),
        (BASE.replace('"09:00-10:00"', ""), ["f:3:1: no weekday has hours; expected '09:00-18:00'"]),
        (
            BASE.replace("09:00-10:00", "9-10"),
            ["f:3:15: '9-10' is not a span of hours; expected '09:00-12:00'"],
        ),
        (
            BASE.replace("09:00-10:00", "09：00至10：00"),
            [
                "f:3:15: '09：00至10：00' is not a span of hours; expected '09:00-12:00'; did you mean '09:00-10:00'?"
            ],
        ),
        (
            BASE.replace("09:00-10:00", "22:00-02:00"),
            ["f:3:15: '22:00-02:00' ends before it begins; expected two spans, one per day, over midnight"],
        ),
        (
            BASE.replace("09:00-10:00", "09:00-24:01"),
            ["f:3:15: '09:00-24:01' goes beyond the day; expected hours from 00:00 to 24:00"],
        ),
        (
            BASE.replace('"09:00-10:00"', '"09:00-12:00", "11:00-13:00"'),
            [
                "f:3:30: '11:00-13:00' begins before '09:00-12:00' ends; "
                "expected spans in order, without overlap"
            ],
        ),
        (
            BASE.replace("2027]", "2023]"),
            ["f:2:8: years from 2024 to 2023; expected [first, last], at most 50 years"],
        ),
        (
            BASE + "country: China\nsubdivision: XX\n",
            ["f:4:10: unknown country 'China'; expected a code like CN; did you mean CN?"],
        ),
        (BASE + "country: cn\n", ["f:4:10: unknown country 'cn'; expected a code like CN; did you mean CN?"]),
        (BASE + "subdivision: BY\n", ["f:4:1: a subdivision without its country"]),
        (
            BASE + "country: CN\nsubdivision: BY\n",
            ["f:5:14: unknown subdivision 'BY'; expected none; CN has none"],
        ),
        (
            BASE
            + "closed:\n  - {day: 2028-01-01, label: x}\n  - {day: 2025-01-02, until: 2025-01-01, label: y}\n"
            + "  - {day: 2025-02-01, label: z}\nopen:\n  - {day: 2025-02-01, label: a}\n  - {day: 2025-02-01, label: b}\n",
            [
                "f:5:11: 2028-01-01 lies outside the calendar; expected a day of 2024 to 2027",
                "f:6:30: 2025-01-01 is before 2025-01-02",
                "f:7:11: 2025-02-01 is both open and closed",
                "f:10:11: 2025-02-01 is named twice",
            ],
        ),
    ],
)
def test_a_calendar_file_is_judged_at_the_place(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_a_span_may_end_at_midnight_and_adjoin_another() -> None:
    assert str(Span.parse("9:00-24:00")) == "09:00-24:00"
    assert problems(BASE.replace('"09:00-10:00"', '"09:00-12:00", "12:00-13:00"')) == []


INSTANTS = st.integers(0, 3 * 365 * 24 * 60).map(lambda minutes: at(2024, 1, 1) + timedelta(minutes=minutes))
HOURS = st.integers(0, 200 * 60).map(lambda minutes: minutes / 60)


@given(INSTANTS, HOURS, HOURS)
def test_adding_is_monotone_and_additive(start: datetime, first: float, second: float) -> None:
    calendar = china()
    once = calendar.add_working_hours(start, first)
    assert calendar.add_working_hours(once, second) == calendar.add_working_hours(start, first + second)
    if second > 0:
        assert calendar.add_working_hours(start, first + second) > once


@given(INSTANTS, st.integers(0, 7 * 24 * 60), HOURS)
def test_a_later_start_never_ends_earlier(start: datetime, later: int, hours: float) -> None:
    calendar = china()
    delayed = start + timedelta(minutes=later)
    assert calendar.add_working_hours(delayed, hours) >= calendar.add_working_hours(start, hours)


@given(INSTANTS, HOURS)
def test_counting_undoes_adding(start: datetime, hours: float) -> None:
    calendar = china()
    end = calendar.add_working_hours(start, hours)
    assert calendar.working_hours_between(start, end) == pytest.approx(hours, abs=1e-9)
    assert calendar.working_hours_between(end, start) == -calendar.working_hours_between(start, end)


@given(INSTANTS, INSTANTS, INSTANTS)
def test_hours_between_add_up(one: datetime, two: datetime, three: datetime) -> None:
    between = china().working_hours_between
    assert between(one, two) + between(two, three) == pytest.approx(between(one, three), abs=1e-9)


@given(INSTANTS)
def test_the_next_opening_is_open_and_no_work_lies_before_it(start: datetime) -> None:
    calendar = china()
    opening = calendar.next_open(start)
    assert opening >= start
    assert calendar.is_open(opening)
    assert calendar.working_hours_between(start, opening) == 0
