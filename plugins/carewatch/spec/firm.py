"""Answer the question: whose system is this, in which time zone, currency and languages?"""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import cache
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator

from carewatch.spec.document import SpecProblem, Strict, Text, unknown
from carewatch.spec.saying import said

_CODE_OF: Final = {
    "RMB": "CNY",
    "CNH": "CNY",
    "¥": "CNY",
    "元": "CNY",
    "人民币": "CNY",
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
}

_time_zones = cache(available_timezones)

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: Final = get_args(Weekday)


class Firm(Strict):
    """`firm.yaml`: what holds for the whole firm."""

    version: Literal[1]
    name: Text = Field(description="the firm's name 公司名称")
    time_zone: str = Field(
        default="UTC", description="days begin at its midnight 时区, such as Asia/Shanghai"
    )
    currency: str = Field(default="CNY", description="what amounts are counted in 币种, such as CNY")
    language: Literal["en", "zh-CN"] = Field(
        default="en", description="language of messages to people who have none of their own 语言"
    )

    approval: Literal["required"] | None = Field(
        default=None,
        description="required: nights keep the rules that were approved last until somebody approves the new ones 规则变更须批准",
    )
    approvers: list[str] | None = Field(
        default=None, description="roles of people.yaml that may approve 批准角色; executive when not given"
    )

    nights: Weekday | None = Field(
        default=None,
        description="the weekday of the one night a week 每周运行日, such as monday; every night when not given",
    )

    @field_validator("time_zone")
    @classmethod
    def _exists(cls, value: str) -> str:
        if value not in _time_zones():
            expected = "a name such as Asia/Shanghai"
            raise unknown("time zone", value, _time_zones(), expected=expected)
        return value

    @field_validator("currency")
    @classmethod
    def _is_a_code(cls, value: str) -> str:
        if not re.fullmatch("[A-Z]{3}", value) or value in _CODE_OF:
            near = _CODE_OF.get(value.upper()) or (value.upper() if len(value) == 3 else None)
            expected = "three capital letters such as CNY"
            raise SpecProblem(
                said("'{value}' is not a currency code", value=value), expected=expected, nearest=near
            )
        return value

    @property
    def approving_roles(self) -> tuple[str, ...]:
        """The roles that may approve a change of the rules."""
        return tuple(self.approvers or ("executive",))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def days_between_nights(self) -> int:
        return 1 if self.nights is None else 7

    def next_night(self, day: date) -> date:
        """Return the first day from `day` on that has a night."""
        if self.nights is None:
            return day
        return day + timedelta(days=(WEEKDAYS.index(self.nights) - day.weekday()) % 7)

    def missed_nights(self, last: date, day: date) -> int:
        """Return how many nights lie between the night of `last` and that of `day`, neither of them counted."""
        first = self.next_night(last + timedelta(days=1))
        return max(-((first - day).days // self.days_between_nights), 0)
