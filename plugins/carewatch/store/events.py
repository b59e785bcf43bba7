"""Answer the question: which events that rules wait for are in force, at whom?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import dict_row

from carewatch.measure.cut import Cut
from carewatch.measure.events import event_query
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.event import DAYS_SINCE_EVENT, SEVERITY, shown
from carewatch.spec.facts import FACTS
from carewatch.spec.rules import Rule
from carewatch.store.database import Connection
from carewatch.warn.hits import event_column, severity_column

FEW: Final = 50
"""So many customers are asked about one by one; of more it is cheaper to look at every event."""


def says_severity(rule: Rule) -> bool:
    """Return whether events of the rule may say their own severity."""
    return rule.fact is not None and FACTS[rule.fact].column(SEVERITY) is not None


def columns_at(
    connection: Connection, spec: JudgementSpec, cut: Cut, customers: NDArray[np.int32]
) -> dict[str, NDArray[np.float64]]:
    """Return what all event rules read: days since the newest event, NaN without one, and severities events say."""
    return columns_of(connection, spec.event_rules(), cut, customers)


def columns_of(
    connection: Connection, rules: Mapping[str, Rule], cut: Cut, customers: NDArray[np.int32]
) -> dict[str, NDArray[np.float64]]:
    """Return the same for some rules."""
    few = _array(customers.tolist()) if len(customers) <= FEW else None
    columns: dict[str, NDArray[np.float64]] = {}
    for name, rule in rules.items():
        days = columns[event_column(name)] = np.full(len(customers), np.nan)
        said = np.full(len(customers), np.nan)
        if says_severity(rule):
            columns[severity_column(name)] = said
        rows = connection.execute(event_query(rule, cut, customers=few).encode()).fetchall()
        if not rows or not len(customers):
            continue
        found = np.array([row[0] for row in rows])
        at = np.minimum(np.searchsorted(customers, found), len(customers) - 1)
        fits = customers[at] == found
        days[at[fits]] = np.array([(cut.next_day - row[2]).days for row in rows])[fits]
        said[at[fits]] = np.array([np.nan if row[5] is None else row[5] for row in rows])[fits]
    return columns


def anything_new(connection: Connection, facts: Iterable[str], since: datetime, until: datetime) -> bool:
    """Return whether such a fact became known, or a known one came to pass, after `since` and up to `until`."""
    asked = " union all ".join(
        f"(select 1 from care.fact_{fact} f where f.known_from > %(since)s and f.known_from <= %(until)s limit 1) union all "
        f"(select 1 from care.fact_{fact} f where f.event_at > %(since)s and f.event_at < %(until)s limit 1)"
        for fact in sorted({*facts} & {*FACTS})
    )
    row = connection.execute(f"{asked} limit 1".encode(), {"since": since, "until": until}).fetchone()
    return row is not None


@dataclass(frozen=True)
class Event:
    """The newest event in force of one customer and rule: which fact, when it happened and was known, what it says."""

    customer_no: int
    rule: str
    fact_key: str
    event_at: datetime
    known_at: datetime
    says: dict[str, Any]


def events_of(
    connection: Connection, name: str, rule: Rule, cut: Cut, customers: Iterable[int]
) -> list[Event]:
    """Return the newest event in force of each of these customers for one rule; nothing personal of it is said."""
    assert rule.fact is not None
    columns = [column for column in shown(FACTS[rule.fact]) if column != "event_day"]
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(
            event_query(rule, cut, columns=columns, customers=_array(customers)).encode()
        ).fetchall()
    return [
        Event(
            row["customer_no"],
            name,
            row["fact_key"],
            row["event_at"],
            row["known_from"],
            {column: _plain(row[column]) for column in ("event_day", *columns)}
            | {DAYS_SINCE_EVENT: (cut.next_day - row["event_day"]).days},
        )
        for row in rows
    ]


def _array(customers: Iterable[int]) -> str:
    return f"'{{{','.join(str(int(one)) for one in customers)}}}'::integer[]"


def _plain(value: Any) -> Any:
    """Return a value as evidence keeps it."""
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
