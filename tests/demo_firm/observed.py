"""What an observer of the source systems alone can count, for the tests to hold against the truth."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from statistics import mean
from typing import Any

from care_demo.model import COLUMNS, Firm, Truth
from care_demo.span import FIRM_ZONE

FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
BEFORE_DAYS = 180


def rows(firm: Firm, table: str) -> list[dict[str, Any]]:
    """Return the final state of a table, without the records that carry planted dirt."""
    flawed = {flaw.key for flaw in firm.dirt if flaw.table == table and flaw.group != "duplicate"}
    named = (dict(zip(COLUMNS[table], row, strict=True)) for row in firm.tables[table].state(FOREVER))
    return [row for row in named if str(row[COLUMNS[table][0]]) not in flawed]


def by_customer(firm: Firm, table: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows(firm, table):
        found[row["customer_code"]].append(row)
    return found


def local_day(moment: datetime) -> date:
    return moment.astimezone(FIRM_ZONE).date()


def finished(firm: Firm, cause: str) -> list[Truth]:
    """Return the leavers of one cause whose whole story lies in the period, with a settled time before."""
    return [
        entry
        for entry in firm.truth
        if entry.cause == cause
        and entry.churned_at is not None
        and entry.churned_at <= firm.end
        and entry.first_symptom_on is not None
    ]


def before(entry: Truth) -> tuple[date, date]:
    assert entry.first_symptom_on is not None
    return entry.first_symptom_on - timedelta(days=BEFORE_DAYS), entry.first_symptom_on


def during(entry: Truth, start: float = 0.0, end: float = 1.0) -> tuple[date, date]:
    """Return the part of a story between two shares of the time from first symptom to last order."""
    assert entry.first_symptom_on is not None and entry.last_order_on is not None
    days = (entry.last_order_on - entry.first_symptom_on).days
    first = entry.first_symptom_on
    return first + timedelta(days=int(days * start)), first + timedelta(days=int(days * end))


def within(events: Iterable[dict[str, Any]], column: str, window: tuple[date, date]) -> list[dict[str, Any]]:
    return [event for event in events if window[0] <= _day(event[column]) < window[1]]


def _day(value: date) -> date:
    return local_day(value) if isinstance(value, datetime) else value


def rate(events: Iterable[dict[str, Any]], column: str, window: tuple[date, date], since: date) -> float:
    """Count events per 30 days in a window, of which the time before `since` does not count."""
    window = (max(window[0], since), window[1])
    return len(within(events, column, window)) / max((window[1] - window[0]).days, 1) * 30


def pooled(values: Iterable[float]) -> float:
    return mean(list(values))
