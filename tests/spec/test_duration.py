"""Windows and working hours as people write them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.spec.document import SpecProblem, Strict, parse_document, validate
from carewatch.spec.duration import HoursField, Unit, Window, WindowField, parse_hours


class Model(Strict):
    window: WindowField | None = None
    hours: HoursField | None = None


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("30 days", "30 days"),
        ("1 day", "1 day"),
        ("30d", "30 days"),
        ("60天", "60 days"),
        ("2 weeks", "2 weeks"),
        ("2周", "2 weeks"),
        ("3 months", "3 months"),
        ("3个月", "3 months"),
        ("1 year", "1 year"),
        ("1年", "1 year"),
    ],
)
def test_windows_are_read_and_written_in_one_way(text: str, canonical: str) -> None:
    window = Window.parse(text)
    assert str(window) == canonical
    assert Window.parse(canonical) == window


@pytest.mark.parametrize(
    ("text", "end", "start"),
    [
        ("30 days", date(2024, 3, 1), date(2024, 1, 31)),
        ("2 weeks", date(2024, 3, 1), date(2024, 2, 16)),
        ("1 month", date(2024, 3, 31), date(2024, 2, 29)),
        ("1 month", date(2023, 3, 31), date(2023, 2, 28)),
        ("1 month", date(2024, 3, 28), date(2024, 2, 28)),
        ("3 months", date(2024, 1, 15), date(2023, 10, 15)),
        ("12 months", date(2024, 12, 31), date(2023, 12, 31)),
        ("1 year", date(2024, 2, 29), date(2023, 2, 28)),
        ("1 year", date(2025, 2, 28), date(2024, 2, 28)),
    ],
)
def test_a_window_starts_by_the_calendar(text: str, end: date, start: date) -> None:
    assert Window.parse(text).start(end) == start


@given(
    st.integers(1, 60),
    st.sampled_from(Unit),
    st.dates(min_value=date(1900, 1, 1), max_value=date(2199, 12, 31)),
)
def test_a_window_never_exceeds_its_most_days_and_moves_with_its_end(
    count: int, unit: Unit, end: date
) -> None:
    window = Window(count, unit)
    start = window.start(end)
    assert timedelta(0) < end - start <= timedelta(days=window.max_days())
    assert window.start(end + timedelta(days=1)) >= start


@pytest.mark.parametrize(
    ("data", "hours"), [(4, 4.0), (0.5, 0.5), ("4 h", 4.0), ("4工时", 4.0), ("1.5 hours", 1.5)]
)
def test_working_hours_are_numbers_or_text(data: object, hours: float) -> None:
    assert parse_hours(data) == hours


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "window: 30",
            "f:1:9: 30 has no unit; expected a window like '30 days', '2 weeks', '3 months' or '1 year'; "
            "did you mean 30 days?",
        ),
        (
            "window: 3 moths",
            "f:1:11: unknown unit 'moths'; expected a window like '30 days', '2 weeks', '3 months' or '1 year'; "
            "did you mean 3 months?",
        ),
        (
            "window: soon",
            "f:1:9: 'soon' is not a length of time; "
            "expected a window like '30 days', '2 weeks', '3 months' or '1 year'",
        ),
        ("window: 1.5 days", "f:1:9: '1.5 days' is not a whole number of days; expected 1 or more"),
        ("window: 0 days", "f:1:9: '0 days' is not a whole number of days; expected 1 or more"),
        ("window: 101 years", "f:1:9: '101 years' is longer than any history; expected at most 100 years"),
        (
            "window: ３０天",
            "f:1:9: full-width '３' in '３０天'; expected the ASCII character '3'; did you mean 30天?",
        ),
        ("hours: 0", "f:1:8: 0 working hours; expected more than 0 and at most 10000"),
        ("hours: 10001", "f:1:8: 10001 working hours; expected more than 0 and at most 10000"),
        (
            "hours: 4 hurs",
            "f:1:10: unknown unit 'hurs'; expected working hours like 4 or '4 h'; did you mean 4 hours?",
        ),
        ("hours: true", "f:1:8: True is not a length of time; expected working hours like 4 or '4 h'"),
    ],
)
def test_errors_say_what_to_write(line: str, expected: str) -> None:
    found = validate(parse_document(line, file="f"), Model)[1]
    assert [str(problem) for problem in found] == [expected]


def test_the_longest_window_is_allowed() -> None:
    assert Window.parse("100 years").start(date(2024, 6, 1)) == date(1924, 6, 1)


def test_fields_write_what_they_read() -> None:
    model = Model.model_validate({"window": "3个月", "hours": "4 h"})
    data = model.model_dump(mode="json")
    assert data == {"window": "3 months", "hours": 4.0}
    assert Model.model_validate(data) == model
    with pytest.raises(SpecProblem):
        Window.parse(None)


def test_the_schema_for_editors_describes_both() -> None:
    schema = Model.model_json_schema()["properties"]
    assert schema["window"]["anyOf"][0]["type"] == "string"
    assert [form["type"] for form in schema["hours"]["anyOf"][0]["oneOf"]] == ["number", "string"]
