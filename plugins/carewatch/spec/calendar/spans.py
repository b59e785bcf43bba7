"""Opening hours within a day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from carewatch.spec.fullwidth import to_ascii
from carewatch.spec.problems import SpecProblem
from carewatch.spec.saying import said

_FORM = re.compile(r"([0-9]{1,2}):([0-5][0-9])\s*-\s*([0-9]{1,2}):([0-5][0-9])")
_DASHES = str.maketrans("–—~～至到", "------")
_DAY = 24 * 60


@dataclass(frozen=True, order=True)
class Span:
    """Opening hours [opens, closes) in minutes after local midnight, within one day."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return f"{_clock(self.opens)}-{_clock(self.closes)}"

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return the instants of opening and closing on a day, in the zone."""
        return _instant(day, self.opens, zone), _instant(day, self.closes, zone)

    @classmethod
    def parse(cls, data: object) -> Span:
        """Read `09:00-12:00`; the end may be 24:00; raises `SpecProblem`."""
        if isinstance(data, Span):
            return data
        match = _FORM.fullmatch(data.strip()) if isinstance(data, str) else None
        if match is None:
            meant = to_ascii(str(data).translate(_DASHES)).strip()
            near = f"'{meant}'" if meant != data and _FORM.fullmatch(meant) else None
            raise SpecProblem(
                said("'{data}' is not a span of hours", data=data), expected="'09:00-12:00'", nearest=near
            )
        hour, minute, last_hour, last_minute = (int(part) for part in match.groups())
        span = cls(hour * 60 + minute, last_hour * 60 + last_minute)
        if span.closes > _DAY or span.opens >= _DAY:
            raise SpecProblem(
                said("'{data}' goes beyond the day", data=data), expected="hours from 00:00 to 24:00"
            )
        if span.opens >= span.closes:
            raise SpecProblem(
                said("'{data}' ends before it begins", data=data),
                expected="two spans, one per day, over midnight",
            )
        return span

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.plain_serializer_function_ser_schema(str)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        clock = "[0-9]{1,2}:[0-5][0-9]"
        return {"type": "string", "pattern": f"^ *{clock} *- *{clock} *$", "examples": ["09:00-12:00"]}


def overlaps(spans: Sequence[Span]) -> SpecProblem | None:
    """Return the problem of the first span that begins before the one above it ends."""
    for index, (earlier, later) in enumerate(pairwise(spans)):
        if later.opens < earlier.closes:
            what = said("'{later}' begins before '{earlier}' ends", later=later, earlier=earlier)
            return SpecProblem(what, expected="spans in order, without overlap", loc=(index + 1,))
    return None


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    days, rest = divmod(minutes, _DAY)
    return datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)
