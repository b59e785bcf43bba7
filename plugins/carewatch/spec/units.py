"""Answer the question: which unit is this, and how much of another one is it?

A literal may carry a unit (`60 days`, `2个月`, `4工时`, `200万元`, `30%`); it is turned into the unit that the compared
number is counted in. A month counts 30 days, a year 365, and a year 12 months; hours of work are hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from carewatch.spec.problems import SpecProblem
from carewatch.spec.saying import said


@dataclass(frozen=True)
class Unit:
    """What a word counts: its quantity, and how many of the quantity's base unit one of it is."""

    name: str
    quantity: str
    factor: float = 1


_HOUR = Unit("hours", "time", 1 / 24)
_DAY = Unit("days", "time", 1)
_WEEK = Unit("weeks", "time", 7)
_MONTH = Unit("months", "time", 30)
_YEAR = Unit("years", "time", 365)
_MONEY = Unit("money", "money")
_COUNT = Unit("a number of things", "count")
_PERCENT = Unit("%", "share")

UNITS: Final = {
    **dict.fromkeys(("hour", "hours", "h", "小时", "个小时", "工时", "个工时"), _HOUR),
    **dict.fromkeys(("day", "days", "d", "天", "日"), _DAY),
    **dict.fromkeys(("week", "weeks", "w", "周", "个星期"), _WEEK),
    **dict.fromkeys(("month", "months", "个月", "月"), _MONTH),
    **dict.fromkeys(("year", "years", "年"), _YEAR),
    **dict.fromkeys(("元", "块", "cny", "usd", "eur", "gbp", "hkd", "jpy"), _MONEY),
    **dict.fromkeys(("次", "个", "人", "单", "件", "笔", "张", "家", "times", "orders"), _COUNT),
    "%": _PERCENT,
}
"""Every unit word, lower case."""

MULTIPLES: Final = {"千": 1e3, "万": 1e4, "亿": 1e8}
"""Words between a number and its unit."""


def unit_of(word: str | None) -> Unit | None:
    """Return the unit that a word names, None for no word and for one that is no unit."""
    return UNITS.get(word.strip().lower()) if word else None


def converted(number: float, unit: Unit | None, counted_in: str | None, *, name: str) -> float:
    """Return a literal in the unit that `name` is counted in; raise SpecProblem where the two do not go together.

    A literal without unit, or a number whose own unit is none of the known ones, stays as it is; time then is in days.
    """
    own = unit_of(counted_in)
    if unit is None:
        return number
    if own is None:
        return number * unit.factor if unit.quantity == "time" else number
    if own.quantity != unit.quantity:
        what = said(
            "'{name}' is counted in {counted_in}, not in {name2}",
            name=name,
            counted_in=counted_in,
            name2=unit.name,
        )
        raise SpecProblem(what, expected=said("a number of {counted_in}", counted_in=counted_in))
    if {own, unit} == {_MONTH, _YEAR}:
        return number * 12 if unit is _YEAR else number / 12
    return round(number * unit.factor / own.factor, 9)
