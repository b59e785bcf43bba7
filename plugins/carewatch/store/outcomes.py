"""Answer the question: what really happened to customers afterwards?"""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.cut import Cut
from carewatch.measure.passes import visible
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import canonical
from carewatch.spec.stages import Lost
from carewatch.store.database import Connection
from carewatch.store.metrics import gather_population


def facts_of(lost: Lost) -> tuple[str, str]:
    """Return the table of the facts that `lost` names and the condition, ` and ...`, of those of them that count."""
    where = f" and ({canonical(lost.where, table='f')})" if lost.where else ""
    return FACTS[lost.fact].table, where


def event_days(
    connection: Connection, spec: JudgementSpec, until: Cut
) -> tuple[NDArray[np.int32], NDArray[np.datetime64]]:
    """Return customer and day of every fact that `lost` names, as known at `until`, by customer and day."""
    table, where = facts_of(spec.stages.lost)
    with connection.transaction():
        gather_population(connection, until, erased=True)
        rows = connection.execute(
            f"select distinct who.customer_no, f.event_day from {table} f join who using (party_no) "
            f"where {visible(until)}{where} order by 1, 2".encode()
        ).fetchall()
    customers = np.array([row[0] for row in rows], dtype=np.int32)
    days = np.array([row[1] for row in rows], dtype="datetime64[D]")
    return customers, days


def last_fact_day(connection: Connection, lost: Lost) -> date | None:
    """Return the last firm-local day of any fact of the kind that `lost` reads, the end of what can be judged."""
    table, _ = facts_of(lost)
    row = connection.execute(f"select max(event_day) from {table} where known_to is null".encode()).fetchone()
    return row[0] if row else None


def customer_ids(connection: Connection) -> dict[int, str]:
    """Return the id of every customer by number."""
    return dict(connection.execute("select customer_no, customer_id from care.customer").fetchall())


def erased_days(connection: Connection, zone: ZoneInfo) -> dict[int, date]:
    """Return the firm-local day on which customers were erased: what they did afterwards is not known."""
    rows = connection.execute(
        "select customer_no, (erased_at at time zone %s)::date from care.customer where erased_at is not null",
        (zone.key,),
    ).fetchall()
    return dict(rows)


def warned_between(connection: Connection, first: date, end: date) -> list[dict[str, Any]]:
    """Return the episodes of warnings that opened in [first, end): chains of following warnings count once.

    `treated` says that somebody finished a care task in the chain.
    """
    rows = connection.execute(
        """
        with recursive chain as (
            select warning_no, warning_no as episode from care.warning w
            where opened_day >= %(first)s and opened_day < %(end)s
                and not exists (select from care.warning p where p.warning_no = w.follows
                    and p.opened_day >= %(first)s and p.opened_day < %(end)s)
            union all
            select w.warning_no, chain.episode from care.warning w join chain on w.follows = chain.warning_no
            where w.opened_day < %(end)s
        )
        select f.customer_no, c.customer_id, f.opened_day, f.tier, max(w.peak_level) as peak_level,
            bool_or(exists (select from care.care_case k join care.care_task t using (case_no)
                where k.warning_no = w.warning_no and t.state = 'done')) as treated,
            min(f.reasons::text)::jsonb as reasons, bool_or(w.state = 'false_alarm') as denied
        from chain join care.warning w using (warning_no) join care.warning f on f.warning_no = chain.episode
        join care.customer c on c.customer_no = f.customer_no
        group by f.customer_no, c.customer_id, f.opened_day, f.tier order by f.opened_day, c.customer_id
        """,
        {"first": first, "end": end},
    ).fetchall()
    names = ("customer_no", "customer_id", "opened_day", "tier", "peak_level", "treated", "reasons", "denied")
    return [dict(zip(names, row, strict=True)) for row in rows]


def warned_before(
    connection: Connection, customer_nos: list[int]
) -> dict[int, list[tuple[date, date | None]]]:
    """Return the days on which customers' warnings opened and closed."""
    rows = connection.execute(
        "select customer_no, opened_day, closed_at::date from care.warning where customer_no = any(%s) order by opened_day",
        (customer_nos,),
    ).fetchall()
    result: dict[int, list[tuple[date, date | None]]] = {}
    for customer_no, opened, closed in rows:
        result.setdefault(customer_no, []).append((opened, closed))
    return result
