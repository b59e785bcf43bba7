"""Answer the question: for which customers and indicators is a reasonable reason on record?

The register says that odd numbers have a good cause for a while: a low season, stocktaking, a move. A reason that names
indicators excuses their rules by itself; one that names none excuses the rules that ask for a reason in `unless`. So does a
long holiday of the firm's calendar, for everybody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Texts
from carewatch.spec.rules import REASON, Rule
from carewatch.warn.hits import reason_column

_BETWEEN = re.compile(r"[\s,;，、；]+")


@dataclass(frozen=True)
class Excuse:
    """A reason in force for one customer; without indicators it is for any rule that asks; `until` None has no end."""

    customer_no: int
    what: str
    indicators: frozenset[str]
    until: date | None


def indicators_named(covers: str | None) -> frozenset[str]:
    """Return the indicators that the register's text names."""
    return frozenset(filter(None, _BETWEEN.split(covers or "")))


def _last_to_end(excuses: Iterable[Excuse]) -> list[Excuse]:
    """Return the excuses so that of several the one that ends last comes last."""
    return sorted(excuses, key=lambda one: (one.until or date.max, one.what))


HOLIDAY: Final = "holiday"
"""The reason that a long holiday is for everybody: it excuses the rules that ask for a reason."""
LONG_HOLIDAY: Final = 5
"""Days without work in a row that make a holiday a long one, the weekends in it included."""
AFTERWARDS: Final = timedelta(days=14)
"""So long after its last day a long holiday still explains odd numbers."""


def long_holiday(closed_days: Sequence[str], day: date) -> date | None:
    """Return the last day that a long holiday covers when it covers this one, else None.

    It covers from its first day without work to two weeks after its last. `closed_days` are ISO dates.
    """
    closed = {date.fromisoformat(one) for one in closed_days}
    last = next(
        (
            one
            for one in (day - timedelta(days=back) for back in range(AFTERWARDS.days + 1))
            if _ends_long(closed, one)
        ),
        None,
    )
    return None if last is None else _last_of(closed, last) + AFTERWARDS


def _ends_long(closed: Collection[date], day: date) -> bool:
    """Return whether a day belongs to a long run of days without work."""
    if day not in closed:
        return False
    first = day
    while first - timedelta(days=1) in closed:
        first -= timedelta(days=1)
    return (_last_of(closed, day) - first).days + 1 >= LONG_HOLIDAY


def _last_of(closed: Collection[date], day: date) -> date:
    while day + timedelta(days=1) in closed:
        day += timedelta(days=1)
    return day


def reason_columns(
    excuses: Iterable[Excuse], customers: NDArray[np.int32], everybody: str | None = None
) -> dict[str, Texts]:
    """Return the columns that rules read: `reason` for any, and one for each indicator that an excuse names.

    `everybody` is a reason that all have who have none of their own.
    """
    columns: dict[str, Texts] = {}
    if everybody is not None:
        columns[REASON] = np.full(len(customers), everybody, dtype=object)
    for excuse in _last_to_end(excuses):
        at = int(np.searchsorted(customers, excuse.customer_no))
        if at == len(customers) or customers[at] != excuse.customer_no:
            continue
        for name in map(reason_column, excuse.indicators) if excuse.indicators else (REASON,):
            columns.setdefault(name, np.full(len(customers), None, dtype=object))[at] = excuse.what
    return columns


def excuse_for(rule: Rule, excuses: Iterable[Excuse]) -> Excuse | None:
    """Return which of one customer's excuses covers a rule: one that names its indicator before one for any."""
    fitting = [one for one in _last_to_end(excuses) if rule.counts_as in one.indicators]
    fitting = fitting or [one for one in _last_to_end(excuses) if not one.indicators]
    return fitting[-1] if fitting else None
