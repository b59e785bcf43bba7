"""Answer the question: for which customers and indicators is a reasonable reason on record?

The register says that odd numbers have a good cause for a while: a low season, stocktaking, a move. A reason that names
indicators excuses their rules by itself; one that names none excuses the rules that ask for a reason in `unless`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

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


def reason_columns(excuses: Iterable[Excuse], customers: NDArray[np.int32]) -> dict[str, Texts]:
    """Return the columns that rules read: `reason` for any, and one for each indicator that an excuse names."""
    columns: dict[str, Texts] = {}
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
