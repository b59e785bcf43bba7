"""Working time: adding hours to an instant and counting hours between two."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from zoneinfo import ZoneInfo

from carewatch.spec.calendar.model import CalendarSpec
from carewatch.spec.calendar.spans import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_HOUR = 3_600_000_000


class OutsideCalendar(ValueError):
    """A day or an instant that the calendar's years do not cover."""


class WorkCalendar:
    """A calendar in a time zone. Instants are aware datetimes, results UTC; opening hours are [open, close).

    Every method raises `OutsideCalendar` for a day or instant beyond the calendar's years.
    """

    def __init__(self, spec: CalendarSpec, zone: ZoneInfo, *, on_duty: bool = False) -> None:
        self.spec = spec
        self.zone = zone
        self._days = _duty_days(spec) if on_duty else _work_days(spec)
        open_times = _open_times(self._days, zone)
        self._starts = [start for start, _ in open_times]
        self._ends = [end for _, end in open_times]
        self._worked = [0, *accumulate(end - start for start, end in open_times)]
        first, last = spec.years
        self._begin = _ticks(datetime(first, 1, 1, tzinfo=zone))
        self._finish = _ticks(datetime(last + 1, 1, 1, tzinfo=zone))

    @cached_property
    def _duty(self) -> WorkCalendar:
        return WorkCalendar(self.spec, self.zone, on_duty=True)

    def duty(self) -> WorkCalendar:
        """Return the calendar of the duty rota: its hours every day, holidays included."""
        return self._duty

    def days(self) -> dict[str, list[str]]:
        """Return every covered day with its spans, as plain data: what a fingerprint is made of."""
        return {day.isoformat(): [str(span) for span in spans] for day, spans in self._days.items()}

    def closed_days(self) -> list[str]:
        """Return every covered day without work, weekends included, as ISO dates."""
        return [day.isoformat() for day, spans in self._days.items() if not spans]

    def is_workday(self, day: date) -> bool:
        """Say whether there is work on a local day."""
        if day not in self._days:
            raise self._outside(day)
        return bool(self._days[day])

    def is_open(self, at: datetime) -> bool:
        """Say whether an instant falls into opening hours; the closing instant does not."""
        ticks = self._within(at)
        index = bisect_right(self._starts, ticks) - 1
        return index >= 0 and ticks < self._ends[index]

    def next_open(self, at: datetime) -> datetime:
        """Return the instant itself when open, else the next opening."""
        if self.is_open(at):
            return at.astimezone(UTC)
        index = bisect_right(self._starts, self._within(at))
        if index == len(self._starts):
            raise self._outside(at)
        return _instant(self._starts[index])

    def add_working_hours(self, start: datetime, hours: float) -> datetime:
        """Return when so many working hours (0 or more) have passed since `start`.

        Outside opening hours the count begins with the next opening; hours that fill a day end at its close.
        No hours at all give the start itself.
        """
        if hours < 0:
            raise ValueError(f"{hours} working hours cannot be added")
        amount = round(hours * _HOUR)
        done = self._worked_until(self._within(start))
        if amount == 0:
            return start.astimezone(UTC)
        index = bisect_left(self._worked, done + amount)
        if index == len(self._worked):
            raise self._outside(start, f"{hours:g} working hours after ")
        return _instant(self._ends[index - 1] - (self._worked[index] - done - amount))

    def working_hours_between(self, start: datetime, end: datetime) -> float:
        """Return the working hours from `start` to `end`; negative when `end` comes first."""
        return (self._worked_until(self._within(end)) - self._worked_until(self._within(start))) / _HOUR

    def _worked_until(self, ticks: int) -> int:
        index = bisect_right(self._starts, ticks) - 1
        if index < 0:
            return 0
        return self._worked[index] + min(ticks, self._ends[index]) - self._starts[index]

    def _within(self, at: datetime) -> int:
        if at.tzinfo is None:
            raise ValueError(f"{at} has no time zone")
        ticks = _ticks(at)
        if not self._begin <= ticks <= self._finish:
            raise self._outside(at)
        return ticks

    def _outside(self, what: date, before: str = "") -> OutsideCalendar:
        first, last = self.spec.years
        where = f"lies outside the calendar's years {first} to {last}"
        return OutsideCalendar(f"{before}{what} {where}; extend 'years' in calendar.yaml")


def _open_times(days: dict[date, tuple[Span, ...]], zone: ZoneInfo) -> list[tuple[int, int]]:
    """Return the opening hours as instants, ascending and apart."""
    times: list[tuple[int, int]] = []
    last = _ticks(datetime(1, 1, 2, tzinfo=UTC))
    for day, spans in days.items():
        for span in spans:
            opens, closes = span.on(day, zone)
            # a clock change may shorten a span, swallow it or push it into the next one
            start, end = max(_ticks(opens), last), _ticks(closes)
            if start < end:
                times.append((start, end))
                last = end
    return times


def _work_days(spec: CalendarSpec) -> dict[date, tuple[Span, ...]]:
    """Return every day of the calendar's years with its spans, the country's and the firm's days applied."""
    spec, week = spec.resolved(), spec.week()
    usual = next(spans for spans in week if spans)
    days = {day: week[day.weekday()] for day in _every_day(spec)}
    for closed in spec.closed:
        days.update(dict.fromkeys(closed.days(), ()))
    for opened in spec.open:
        days[opened.day] = tuple(opened.hours) if opened.hours else week[opened.day.weekday()] or usual
    return days


def _duty_days(spec: CalendarSpec) -> dict[date, tuple[Span, ...]]:
    return dict.fromkeys(_every_day(spec), tuple(spec.duty))


def _every_day(spec: CalendarSpec) -> list[date]:
    first, last = date(spec.years[0], 1, 1), date(spec.years[1], 12, 31)
    return [first + timedelta(days=past) for past in range((last - first).days + 1)]


def _ticks(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _instant(ticks: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ticks)
