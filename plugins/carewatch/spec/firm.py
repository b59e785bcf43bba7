"""Answer the question: whose system is this, in which time zone, currency and languages?"""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import field_validator

from carewatch.spec.document import SpecProblem, Strict, Text, nearest


class Firm(Strict):
    """`firm.yaml`: what holds for the whole firm."""

    version: Literal[1]
    name: Text
    time_zone: str = "UTC"
    currency: str = "CNY"
    language: Literal["en", "zh-CN"] = "en"

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise SpecProblem(
                f"unknown time zone '{value}'",
                expected="a name such as Asia/Shanghai",
                nearest=nearest(value, available_timezones()),
            )
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
