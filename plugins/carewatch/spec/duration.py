"""Stretches of time as people write them: windows of days, weeks, months, years, and working hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from carewatch.spec.amount import count_and_unit
from carewatch.spec.problems import SpecProblem
from carewatch.spec.saying import said


class Unit(StrEnum):
    """What a window is counted in; months and years are those of the calendar."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


_UNIT_OF: Final = {
    "d": Unit.DAY, "day": Unit.DAY, "days": Unit.DAY, "天": Unit.DAY, "日": Unit.DAY,
    "w": Unit.WEEK, "week": Unit.WEEK, "weeks": Unit.WEEK, "周": Unit.WEEK, "个星期": Unit.WEEK,
    "month": Unit.MONTH, "months": Unit.MONTH, "个月": Unit.MONTH, "月": Unit.MONTH,
    "y": Unit.YEAR, "year": Unit.YEAR, "years": Unit.YEAR, "年": Unit.YEAR,
}  # fmt: skip
_MOST_DAYS: Final = {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31, Unit.YEAR: 366}
_LONGEST_DAYS: Final = 36_600
_HOUR_UNITS: Final = ("h", "hour", "hours", "工时", "小时", "个工时", "个小时")
_LONGEST_HOURS: Final = 10_000.0
_WINDOW_FORM = "a window like '30 days', '2 weeks', '3 months' or '1 year'"
_HOURS_FORM = "working hours like 4 or '4 h'"


@dataclass(frozen=True)
class Window:
    """A stretch of time that ends where it is asked about."""

    count: int
    unit: Unit

    def start(self, end: date) -> date:
        """Return the first day of the window [start, end); calendar months clip to the end of the month."""
        if self.unit in (Unit.DAY, Unit.WEEK):
            return end - timedelta(days=self.max_days())
        months = self.count * (12 if self.unit is Unit.YEAR else 1)
        year, month = divmod(end.year * 12 + end.month - 1 - months, 12)
        return date(year, month + 1, min(end.day, _days_in(year, month + 1)))

    def max_days(self) -> int:
        """Return a number of days that the window never exceeds, wherever it ends."""
        return self.count * _MOST_DAYS[self.unit]

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @classmethod
    def parse(cls, data: object) -> Window:
        """Read `30 days`, `30d`, `60天`, `3个月` and the like; raises `SpecProblem`."""
        if isinstance(data, Window):
            return data
        count, unit = count_and_unit(data, _UNIT_OF, _WINDOW_FORM, "days")
        if not count.is_integer() or count < 1:
            raise SpecProblem(
                said("'{data}' is not a whole number of {unit_of}s", data=data, unit_of=_UNIT_OF[unit]),
                expected="1 or more",
            )
        window = cls(int(count), _UNIT_OF[unit])
        if window.max_days() > _LONGEST_DAYS:
            raise SpecProblem(
                said("'{data}' is longer than any history", data=data), expected="at most 100 years"
            )
        return window

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _text_schema(cls.parse, str)

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        units = "|".join(sorted(_UNIT_OF))
        return {"type": "string", "pattern": f"^[0-9]+ ?({units})$", "examples": ["30 days", "3 months"]}


WindowField = Window
"""A model field that holds a window, written as text."""


def parse_hours(data: object) -> float:
    """Read working hours: a number, `4 h` or `4工时`; above 0, at most 10,000; raises `SpecProblem`."""
    if isinstance(data, int | float) and not isinstance(data, bool):
        hours = float(data)
    else:
        hours, _ = count_and_unit(data, _HOUR_UNITS, _HOURS_FORM, "h")
    if not 0 < hours <= _LONGEST_HOURS:
        raise SpecProblem(said("{data} working hours", data=data), expected="more than 0 and at most 10000")
    return hours


class _AsHours:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return _text_schema(parse_hours, float)

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        units = "|".join(_HOUR_UNITS)
        number = {"type": "number", "exclusiveMinimum": 0, "maximum": _LONGEST_HOURS}
        return {"oneOf": [number, {"type": "string", "pattern": rf"^[0-9]+(\.[0-9]+)? ?({units})$"}]}


HoursField = Annotated[float, _AsHours]
"""A model field that holds working hours, written as a number or as text with a unit."""


def _text_schema(read: Callable[[object], Any], write: Callable[[Any], Any]) -> CoreSchema:
    return core_schema.no_info_plain_validator_function(
        read, serialization=core_schema.plain_serializer_function_ser_schema(write)
    )


def _days_in(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - date(year, month, 1)).days
