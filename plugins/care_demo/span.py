"""The simulated period: firm-local days, working days, and the pace of business through the year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import holidays
import numpy as np
from numpy.typing import NDArray

FIRM_ZONE = ZoneInfo("Asia/Shanghai")
DAYS_PER_MONTH = 30.44
AHEAD_DAYS = 31
SHORTEST_DAYS = 365

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Span:
    """Days 0 .. `days - 1` of the simulation, both ends included; `today` is the demo's present.

    `pace` has mean 1 and is 0 on days the firm's customers do not work.
    """

    start: date
    days: int
    working: NDArray[np.bool_]
    pace: Floats
    day_of_year: Floats
    midnight: datetime

    @property
    def today(self) -> int:
        return self.days - 1 - AHEAD_DAYS

    def at(self, day: int, minute: float) -> datetime:
        """Return the UTC instant `minute` minutes after firm-local midnight of a day."""
        # China has kept one offset since 1991, so plain arithmetic on UTC is right.
        return self.midnight + timedelta(days=int(day), seconds=int(minute * 60))

    def date_of(self, day: int) -> date:
        """Return the firm-local date of a day number; it may lie outside the simulated period."""
        return self.start + timedelta(days=int(day))

    def day_of(self, on: date) -> int:
        """Return the day number of a firm-local date."""
        return (on - self.start).days

    def working_day_near(self, day: int) -> int:
        """Return the nearest working day, the earlier of two; days outside the period count as working."""
        for step in range(self.days):
            for candidate in (day - step, day + step):
                if not 0 <= candidate < self.days or self.working[candidate]:
                    return candidate
        return day


def make_span(start: date, end: date) -> Span:
    """Lay out the period from `start` to `end`, both included.

    Raises ValueError when it is shorter than a year: the planted stories would not fit.
    """
    days = (end - start).days + 1
    if days < SHORTEST_DAYS:
        raise ValueError(f"the demo firm needs at least {SHORTEST_DAYS} days; {start} to {end} has {days}")
    dates = [start + timedelta(days=n) for n in range(days)]
    china = holidays.country_holidays("CN", years=range(start.year, end.year + 2), language="en_US")
    working = np.array([china.is_working_day(on) for on in dates])
    lull = np.ones(days)
    for festival in spring_festivals(china):
        offset = np.arange(days) - (festival - start).days
        lull[(offset >= -24) & (offset < -8)] = 1.25
        lull[(offset >= -8) & (offset <= 12)] = 0.3
    lull[[on.month == 10 and on.day <= 14 for on in dates]] = 0.5
    pace = np.where(working, lull, 0.0)
    midnight = datetime.combine(start, datetime.min.time(), FIRM_ZONE).astimezone(UTC)
    day_of_year = np.array([float(on.timetuple().tm_yday) for on in dates])
    return Span(start, days, working, pace / pace.mean(), day_of_year, midnight)


def spring_festivals(china: holidays.HolidayBase) -> list[date]:
    """Return the first day of each Spring Festival the calendar knows."""
    first: dict[int, date] = {}
    for on, name in sorted(china.items()):
        if "Spring Festival" in name:
            first.setdefault(on.year, on)
    return list(first.values())


def season(span: Span, *, peak_month: int, depth: float) -> Floats:
    """Return a yearly wave around 1, highest in the peak month; a depth above 1 silences the low ones."""
    wave = np.cos(2 * np.pi * (span.day_of_year - 30.4 * (peak_month - 0.5)) / 365.25)
    return np.maximum(1 + depth * wave, 0.0)


def money(value: float) -> Decimal:
    """Round to the cent, exactly representable."""
    return Decimal(round(value * 100)).scaleb(-2)
