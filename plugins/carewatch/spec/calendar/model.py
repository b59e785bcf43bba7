"""`calendar.yaml`: when the firm works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from carewatch.spec.calendar.holiday import check_country, public_holidays
from carewatch.spec.calendar.spans import Span, overlaps
from carewatch.spec.document.model import Strict, Text
from carewatch.spec.problems import SpecProblem, nearest, raise_all
from carewatch.spec.saying import joined, said

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_YEARS: Final = 50
_MADE_UP: Final = Text.of({"en": "Make-up workday", "zh-CN": "调休上班"})
_ALWAYS: Final = [Span(9 * 60, 21 * 60)]

Week = tuple[tuple[Span, ...], ...]


def weekdays_of(key: str) -> list[int]:
    """Return the weekdays (0 = Monday) of a key like `mon` or `mon-fri`; raises `SpecProblem`."""
    first, _, last = key.partition("-")
    for name in (first, last or first):
        if name not in WEEKDAYS:
            expected = said("{weekdays}, or a range like mon-fri", weekdays=joined(", ", WEEKDAYS))
            near = nearest(name[:3], WEEKDAYS)
            raise SpecProblem(
                said("unknown weekday '{name}'", name=name), expected=expected, nearest=near, at_key=True
            )
    start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    if end < start:
        raise SpecProblem(said("'{key}' runs over Sunday", key=key), expected="two keys", at_key=True)
    return list(range(start, end + 1))


def _weekday_key(key: str) -> str:
    weekdays_of(key)
    return key


WeekdayKey = Annotated[str, AfterValidator(_weekday_key)]


class ClosedDays(Strict):
    """A day without work of the firm's own, or several up to and including `until`."""

    day: date = Field(description="the day, or the first of several, such as 2026-02-16")
    until: date | None = Field(default=None, description="the last day, this one included")
    label: Text = Field(description="why there is no work 放假")

    def days(self) -> Iterator[date]:
        """Yield every day meant."""
        last = self.until or self.day
        yield from (self.day + timedelta(days=past) for past in range((last - self.day).days + 1))


class OpenDay(Strict):
    """A day of work where there would be none.

    Without `hours` it has those of its weekday or, where that is free, of the first working weekday.
    """

    day: date = Field(description="the day, such as 2026-02-14")
    label: Text = Field(description="why there is work 调休")
    hours: list[Span] | None = Field(
        default=None, min_length=1, description="its opening hours when they are not the usual ones"
    )


class CalendarSpec(Strict):
    """Opening hours by weekday, the country's holidays with make-up workdays, and the firm's own days.

    `hours` has keys like `mon` or `mon-fri`; a weekday that is not named is free. `years` are the first and
    the last year that the calendar covers. The firm's own days win over the country's.
    """

    version: Literal[1]
    years: tuple[int, int] = Field(
        description="the first and the last year that are covered, such as [2024, 2027]"
    )
    hours: dict[WeekdayKey, list[Span]] = Field(
        min_length=1,
        description="opening hours 工作时间 by weekday, such as mon-fri: ['09:00-12:00', '13:00-18:00']",
    )
    duty: list[Span] = Field(default=_ALWAYS, min_length=1, description="hours of the duty rota, every day")
    country: str | None = Field(
        default=None, description="code of the country whose public holidays 节假日 hold, such as CN"
    )
    subdivision: str | None = Field(default=None, description="code of its part, where holidays differ")
    closed: list[ClosedDays] = Field(default_factory=list, description="the firm's own days without work")
    open: list[OpenDay] = Field(default_factory=list, description="the firm's own days of work")

    @field_validator("years")
    @classmethod
    def _in_order(cls, years: tuple[int, int]) -> tuple[int, int]:
        first, last = years
        if not 1900 <= first <= last <= 2199 or last - first >= _MOST_YEARS:
            raise SpecProblem(
                said("years from {first} to {last}", first=first, last=last),
                expected=said("[first, last], at most {most_years} years", most_years=_MOST_YEARS),
            )
        return years

    @field_validator("hours")
    @classmethod
    def _weekdays(cls, hours: dict[str, list[Span]]) -> dict[str, list[Span]]:
        problems: list[SpecProblem] = []
        taken: dict[int, str] = {}
        for key, spans in hours.items():
            weekdays = weekdays_of(key)
            shared = next((taken[weekday] for weekday in weekdays if weekday in taken), None)
            if shared is not None:
                what = said("'{key}' and '{shared}' share a weekday", key=key, shared=shared)
                problems.append(SpecProblem(what, loc=(key,), at_key=True))
            taken.update(dict.fromkeys(weekdays, key))
            if (crossing := overlaps(spans)) is not None:
                problems.append(crossing.under(key))
        raise_all(problems)
        return hours

    @field_validator("duty")
    @classmethod
    def _no_overlap(cls, spans: list[Span]) -> list[Span]:
        if (crossing := overlaps(spans)) is not None:
            raise crossing
        return spans

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        problems = [*self._open_problems(), *self._closed_problems()]
        if self.country is not None:
            problems += check_country(self.country, self.subdivision)
        elif self.subdivision is not None:
            what = "a subdivision without its country"
            problems.append(SpecProblem(what, loc=("subdivision",), at_key=True))
        if not any(self.hours.values()):
            what = "no weekday has hours"
            problems.append(SpecProblem(what, expected="'09:00-18:00'", loc=("hours",), at_key=True))
        raise_all(problems)
        return self

    def _open_problems(self) -> Iterator[SpecProblem]:
        seen: set[date] = set()
        for index, one in enumerate(self.open):
            yield from self._out_of_range(one.day, "open", index, "day")
            if one.day in seen:
                yield SpecProblem(said("{day} is named twice", day=one.day), loc=("open", index, "day"))
            seen.add(one.day)
            if one.hours is not None and (crossing := overlaps(one.hours)) is not None:
                yield crossing.under("open", index, "hours")

    def _closed_problems(self) -> Iterator[SpecProblem]:
        opened = {one.day for one in self.open}
        for index, one in enumerate(self.closed):
            yield from self._out_of_range(one.day, "closed", index, "day")
            if one.until is not None:
                yield from self._out_of_range(one.until, "closed", index, "until")
                if one.until < one.day:
                    yield SpecProblem(
                        said("{until} is before {day}", until=one.until, day=one.day),
                        loc=("closed", index, "until"),
                    )
            for both in sorted(opened.intersection(one.days())):
                yield SpecProblem(
                    said("{both} is both open and closed", both=both), loc=("closed", index, "day")
                )

    def _out_of_range(self, day: date, *loc: str | int) -> Iterator[SpecProblem]:
        first, last = self.years
        if not first <= day.year <= last:
            yield SpecProblem(
                said("{day} lies outside the calendar", day=day),
                expected=said("a day of {first} to {last}", first=first, last=last),
                loc=loc,
            )

    def week(self) -> Week:
        """Return the spans of each weekday from Monday on."""
        by_day: dict[int, tuple[Span, ...]] = {}
        for key, spans in self.hours.items():
            by_day.update(dict.fromkeys(weekdays_of(key), tuple(spans)))
        return tuple(by_day.get(weekday, ()) for weekday in range(7))

    def resolved(self) -> CalendarSpec:
        """Return the same calendar with every holiday and make-up workday written out and no country.

        It needs no list of holidays any more and stays as it is when one is revised: the form to store.
        """
        if self.country is None:
            return self
        public, week = public_holidays(self.country, self.subdivision, self.years), self.week()
        own = {one.day for one in self.open} | {day for one in self.closed for day in one.days()}
        made_up = public.on - own
        closed = [
            ClosedDays(day=day, label=label)
            for day, label in public.off.items()
            if week[day.weekday()] and day not in own | made_up
        ]
        opened = [OpenDay(day=day, label=_MADE_UP) for day in made_up if not week[day.weekday()]]
        return self.model_copy(
            update={
                "country": None,
                "subdivision": None,
                "closed": sorted([*self.closed, *closed], key=lambda one: one.day),
                "open": sorted([*self.open, *opened], key=lambda one: one.day),
            }
        )

    def unannounced_years(self) -> list[int]:
        """Return the last years without known make-up workdays, where earlier years have some.

        Such a country announces them year by year; until then its holidays in these years are a guess.
        """
        if self.country is None:
            return []
        first, last = self.years
        announced = {
            day.year for day in public_holidays(self.country, self.subdivision, (first - 3, last)).on
        }
        return [year for year in range(first, last + 1) if announced and year > max(announced)]
