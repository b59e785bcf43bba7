"""Public holidays and make-up workdays of a country, as the `holidays` package knows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from carewatch.spec.document.model import Text
from carewatch.spec.problems import SpecProblem, nearest
from carewatch.spec.saying import joined, said

_LANGUAGES = {"en": "en_US", "zh-CN": "zh_CN"}


@dataclass(frozen=True)
class Holidays:
    """Days off and days on, by date, within the years asked for."""

    off: dict[date, Text]
    on: frozenset[date]


def check_country(country: str, subdivision: str | None) -> Iterator[SpecProblem]:
    """Yield what is wrong with a country code and its subdivision."""
    import holidays
    from holidays.registry import COUNTRIES

    known: dict[str, list[str]] = holidays.list_supported_countries()
    if country not in known:
        by_name = {name: codes[1] for name, codes in COUNTRIES.items()}
        near = country.upper() if country.upper() in known else by_name.get(nearest(country, by_name) or "")
        yield SpecProblem(
            said("unknown country '{country}'", country=country),
            expected="a code like CN",
            nearest=near,
            loc=("country",),
        )
    elif subdivision is not None and subdivision not in known[country]:
        expected = (
            said("one of {country}", country=joined(", ", known[country]))
            if known[country]
            else said("none; {country} has none", country=country)
        )
        near = nearest(subdivision, known[country])
        what = said("unknown subdivision '{subdivision}'", subdivision=subdivision)
        yield SpecProblem(what, expected=expected, nearest=near, loc=("subdivision",))


def public_holidays(country: str, subdivision: str | None, years: tuple[int, int]) -> Holidays:
    """Return the holidays and make-up workdays from the first to the last year, both included.

    A neighbouring year may move a day into these (New Year's make-up day in December), so both are asked too.
    """
    import holidays

    first, last = years
    asked: dict[str, Any] = {"subdiv": subdivision, "years": range(first - 1, last + 2)}
    known: Any = holidays.country_holidays(country, **asked)
    named: dict[str, Any] = {
        language: holidays.country_holidays(country, language=code, **asked)
        for language, code in _LANGUAGES.items()
        if code in known.supported_languages
    }
    off = {
        day: Text.of({language: names[day] for language, names in named.items()} or name)
        for day, name in sorted(known.items())
        if first <= day.year <= last
    }
    return Holidays(off, frozenset(day for day in known.weekend_workdays if first <= day.year <= last))
