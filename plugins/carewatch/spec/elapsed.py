"""Elapsed time as people write it: `30 minutes`, `2 hours`, `26 h`, `7 days`, `1 周`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from carewatch.spec.amount import count_and_unit
from carewatch.spec.problems import SpecProblem
from carewatch.spec.saying import said

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_UNITS: Final = {
    "min": _MINUTE, "minute": _MINUTE, "minutes": _MINUTE, "分钟": _MINUTE,
    "h": _HOUR, "hour": _HOUR, "hours": _HOUR, "小时": _HOUR, "个小时": _HOUR,
    "d": _DAY, "day": _DAY, "days": _DAY, "天": _DAY, "日": _DAY,
    "w": 7 * _DAY, "week": 7 * _DAY, "weeks": 7 * _DAY, "周": 7 * _DAY, "个星期": 7 * _DAY,
}  # fmt: skip
_LONGEST: Final = timedelta(days=3660)
_FORM: Final = "elapsed time like '30 minutes', '2 hours' or '7 days'"


def parse_elapsed(data: object) -> timedelta:
    """Read elapsed time with its unit, from 0 to ten years; raises `SpecProblem`."""
    if isinstance(data, timedelta):
        return data
    count, unit = count_and_unit(data, _UNITS, _FORM, "hours")
    if count * _UNITS[unit] > _LONGEST:
        raise SpecProblem(
            said("'{data}' is longer than any feed waits", data=data), expected="at most ten years"
        )
    return count * _UNITS[unit]


def in_words(elapsed: timedelta) -> str:
    """Return elapsed time in its largest whole unit: `2 hours`, `7 days`, `90 minutes`."""
    for name, unit in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
        if elapsed % unit == timedelta(0) and elapsed >= unit:
            return f"{elapsed // unit} {name}{'' if elapsed == unit else 's'}"
    return f"{elapsed.total_seconds():g} seconds"


class _AsElapsed:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            parse_elapsed, serialization=core_schema.plain_serializer_function_ser_schema(in_words)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        units = "|".join(sorted(_UNITS))
        return {
            "type": "string",
            "pattern": rf"^[0-9]+(\.[0-9]+)? ?({units})$",
            "examples": ["2 hours", "7 days"],
        }


ElapsedField = Annotated[timedelta, _AsElapsed]
"""A model field that holds elapsed time, written as text."""
