"""Answer the question: is this number of rows what the feed usually brings on such a day?

Usual is the median of the same weekday, because feeds breathe with the week; a day off is compared with days off. The
median, and the median distance from it, do not mind that some of the days compared with were broken themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Final

from carewatch.spec.calendar import OutsideCalendar, WorkCalendar

LOOK_BACK: Final = timedelta(weeks=8)
"""How far back days are compared with."""
SHARE: Final = 0.5
"""By how much of the usual number a day may differ, where nobody said otherwise."""
_ENOUGH = 4
_WIDTHS = 3.0
_SIGMA_PER_MAD = 1.4826


@dataclass(frozen=True)
class Usual:
    """The usual number of rows, how much it swings, and how many days say so; `weekday`: all of them the same weekday."""

    rows: float
    swing: float
    days: int
    weekday: bool

    def range(self, share: float = SHARE) -> tuple[float, float]:
        """Return the smallest and largest number that is still usual.

        It is at least `share` of the usual number wide on each side, wider where the feed's own days swing more or
        where so few rows come that chance alone explains it (three standard deviations of either).
        """
        chance = _WIDTHS * self.rows**0.5
        width = max(share * self.rows, _WIDTHS * self.swing, chance)
        return max(0.0, self.rows - width), self.rows + width

    def fits(self, count: int, share: float = SHARE) -> bool:
        """Say whether the number of rows is a usual one."""
        low, high = self.range(share)
        return low <= count <= high


def monday_to_friday(day: date) -> bool:
    """Say whether a day is a workday where nobody keeps a calendar."""
    return day.weekday() < 5


def workdays(calendar: WorkCalendar) -> Callable[[date], bool]:
    """Return what says whether a day is one of the calendar's workdays; beyond its years Monday to Friday are."""

    def is_workday(day: date) -> bool:
        try:
            return calendar.is_workday(day)
        except OutsideCalendar:
            return monday_to_friday(day)

    return is_workday


def usual_rows(
    history: Iterable[tuple[date, int]], day: date, is_workday: Callable[[date], bool] = monday_to_friday
) -> Usual | None:
    """Return what is usual on a day, from the rows of earlier days; None while too few days are known to say.

    Of several counts of one day the largest counts. Four days of the same weekday are enough, else four days that are
    workdays, or days off, as this one is. A Tuesday that is a holiday is compared with days off.
    """
    rows: dict[date, int] = {}
    for one, count in history:
        if day - LOOK_BACK <= one < day and is_workday(one) is is_workday(day):
            rows[one] = max(count, rows.get(one, 0))
    same_weekday = [count for one, count in rows.items() if one.weekday() == day.weekday()]
    weekday = len(same_weekday) >= _ENOUGH
    counts = same_weekday if weekday else list(rows.values())
    if len(counts) < _ENOUGH:
        return None
    middle = median(counts)
    swing = _SIGMA_PER_MAD * median(abs(count - middle) for count in counts)
    return Usual(middle, swing, len(counts), weekday)
