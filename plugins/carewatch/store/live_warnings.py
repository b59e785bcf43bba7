"""Answer the question: which warnings live, and how did a night move them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from carewatch.store.database import Connection
from carewatch.store.nights import Night
from carewatch.warn.life import Move, Standing

WORST_FIRST = "array_position(array['high', 'medium', 'low'], w.priority), w.level desc, w.risk * w.value::float8 desc nulls last"
"""The order of every list of warnings `w`: priority, level, then risk x value at stake."""


@dataclass(frozen=True)
class LiveWarning:
    """A warning that has not closed."""

    warning_no: int
    customer_no: int
    standing: Standing
    transition: int
    changed_day: date
    rules: frozenset[str]
    """The rules that its reasons name."""


@dataclass(frozen=True)
class Moved:
    """One customer's transition, ready to be stored."""

    customer_no: int
    warning_no: int | None
    move: Move
    owner_id: str
    tier: str
    priority: str
    risk: float
    value: float | None
    reasons: list[dict[str, Any]]


def live_warnings(connection: Connection) -> dict[int, LiveWarning]:
    """Return the live warnings by customer number."""
    rows = connection.execute(
        "select warning_no, customer_no, state, w.level, peak_level, "
        "array_position(array['low', 'medium', 'high'], w.priority) - 1, w.transition, e.day, "
        "array(select r ->> 'rule' from jsonb_array_elements(w.reasons) r) "
        "from care.warning w join care.warning_event e using (warning_no, transition) where closed_at is null"
    ).fetchall()
    return {
        row[1]: LiveWarning(row[0], row[1], Standing(*row[2:6]), row[6], row[7], frozenset(row[8]))
        for row in rows
    }


def open_signals(
    connection: Connection, customers: Sequence[int], day: date
) -> dict[int, list[dict[str, Any]]]:
    """Return the open signals of customers that count on a day, the worst first."""
    rows = connection.execute(
        "select customer_no, signal_no, rule, severity, counts_as, dimension, opened_day, evidence from care.signal "
        "where state = 'open' and customer_no = any(%s) and coalesce(settled_until, '-infinity') < %s order by customer_no, "
        "array_position(array['critical','severe','moderate','mild','watch'], severity), rule",
        (list(customers), day),
    ).fetchall()
    result: dict[int, list[dict[str, Any]]] = {}
    for customer_no, signal_no, rule, severity, counts_as, dimension, opened_day, evidence in rows:
        result.setdefault(customer_no, []).append(
            {
                "signal": signal_no, "rule": rule, "severity": severity, "counts_as": counts_as,
                "dimension": dimension, "since": opened_day.isoformat(), "evidence": evidence,
            }
        )  # fmt: skip
    return result


@dataclass(frozen=True)
class StoredTransition:
    """One transition that the system made, as it was stored."""

    warning_no: int
    customer_no: int
    customer_id: str
    transition: int
    day: date
    between_nights: bool
    level: int
    reasons: list[dict[str, Any]]


def stored_transitions(connection: Connection, wanted: Sequence[int] | None = None) -> list[StoredTransition]:
    """Return what nights and ticks did to warnings (all, or the wanted ones), in order; what people did is not theirs."""
    rows = connection.execute(
        "select e.warning_no, w.customer_no, c.customer_id, e.transition, e.day, e.between_nights, e.level, e.reasons "
        "from care.warning_event e join care.warning w using (warning_no) join care.customer c using (customer_no) "
        "where e.by = 'carewatch' and e.what in ('opened', 'rose', 'fell', 'cleared', 'returned', 'changed') "
        "and (%(wanted)s::bigint[] is null or e.warning_no = any(%(wanted)s)) order by 1, 4",
        {"wanted": None if wanted is None else list(wanted)},
    ).fetchall()
    return [StoredTransition(*row) for row in rows]


def store_moves(
    connection: Connection,
    night: Night,
    moves: Sequence[Moved],
    *,
    day: date,
    rest: int,
    now: datetime,
    between_nights: bool = False,
) -> None:
    """Store transitions: warnings opened, moved and closed on a day, each with its event.

    `night` is the one that moves them, or between nights the one whose numbers they rest on.
    """
    opened = [moved for moved in moves if moved.warning_no is None]
    others = [moved for moved in moves if moved.warning_no is not None]
    stamp = {"now": now, "day": day, "between_nights": between_nights}
    _open(connection, night, opened, stamp | {"rest": rest})
    connection.execute(
        """
        with move as (select * from jsonb_to_recordset(%(moves)s) as m(
            warning_no bigint, what text, state text, level integer, peak_level integer, tier text, priority text,
            risk float8, value numeric, reasons jsonb, closes boolean)),
        moved as (
            update care.warning w set state = m.state, level = m.level, peak_level = m.peak_level,
                tier = m.tier, priority = m.priority, risk = m.risk, value = m.value, reasons = m.reasons,
                transition = w.transition + 1, changed_at = %(now)s,
                cleared_day = case when m.what = 'cleared' then %(day)s::date when m.what = 'returned' then null
                    else w.cleared_day end,
                closed_at = case when m.closes then %(now)s::timestamptz end
            from move m where w.warning_no = m.warning_no
            returning w.warning_no, w.transition, m.what, m.level, m.priority, m.reasons)
        insert into care.warning_event (warning_no, transition, what, at, day, level, priority, reasons, by, between_nights)
        select warning_no, transition, what, %(now)s, %(day)s, level, priority, reasons, 'carewatch', %(between_nights)s
        from moved
        """,
        stamp | {"moves": Jsonb([_record(moved) for moved in others])},
    )
    outlived = [moved.warning_no for moved in others if moved.move.state == "expired" and moved.warning_no]
    if outlived:
        # What still lasts is not told anew tomorrow.
        connection.execute(
            "update care.signal s set settled_until = %s from care.warning w where w.warning_no = any(%s) "
            "and w.customer_no = s.customer_no and s.state = 'open'",
            (day + timedelta(days=rest), outlived),
        )
    end_cases(connection, now)


def end_cases(connection: Connection, now: datetime) -> None:
    """End the cases of closed warnings, and cancel what was still to be done."""
    connection.execute(
        "update care.care_case c set closed_at = %s from care.warning w "
        "where w.warning_no = c.warning_no and w.closed_at is not null and c.closed_at is null",
        (now,),
    )
    connection.execute(
        "update care.care_task t set state = 'cancelled', settled_at = %s, next_step_at = null from care.care_case c "
        "where c.case_no = t.case_no and c.closed_at is not null and t.state = 'open'",
        (now,),
    )


def _record(moved: Moved) -> dict[str, Any]:
    move = moved.move
    return {
        "warning_no": moved.warning_no,
        "customer_no": moved.customer_no,
        "what": move.what,
        "state": move.state,
        "level": move.level,
        "peak_level": move.peak_level,
        "owner_id": moved.owner_id,
        "tier": moved.tier,
        "priority": moved.priority,
        "risk": moved.risk,
        "value": moved.value,
        "reasons": moved.reasons,
        "closes": move.what == "closed",
    }


def _open(connection: Connection, night: Night, moves: Sequence[Moved], stamp: dict[str, Any]) -> None:
    connection.execute(
        """
        with move as (select * from jsonb_to_recordset(%(moves)s) as m(
            customer_no integer, level integer, peak_level integer, owner_id text, tier text, priority text, risk float8,
            value numeric, reasons jsonb)),
        earlier as (
            select distinct on (w.customer_no) w.customer_no, w.warning_no
            from care.warning w join care.warning_event e using (warning_no, transition)
            where w.closed_at is not null and e.day >= %(day)s::date - %(rest)s
                and w.customer_no in (select customer_no from move)
            order by w.customer_no, e.day desc, w.warning_no desc),
        opened as (
            insert into care.warning (customer_no, state, level, peak_level, owner_id, tier, priority, risk, value, follows, opened_day,
                opened_at, changed_at, transition, reasons, judgement, code_version)
            select m.customer_no, 'open', m.level, m.peak_level, m.owner_id, m.tier, m.priority, m.risk, m.value,
                earlier.warning_no,
                %(day)s, %(now)s, %(now)s, 1, m.reasons, %(judgement)s, %(code)s
            from move m left join earlier using (customer_no) order by m.customer_no
            returning warning_no, level, priority, reasons)
        insert into care.warning_event (warning_no, transition, what, at, day, level, priority, reasons, by, between_nights)
        select warning_no, 1, 'opened', %(now)s, %(day)s, level, priority, reasons, 'carewatch', %(between_nights)s
        from opened
        """,
        stamp
        | {
            "moves": Jsonb([_record(moved) for moved in moves]),
            "judgement": night.judgement,
            "code": night.code_version,
        },
    )


@dataclass(frozen=True)
class Seen:
    """What of a customer's master record the care room needs."""

    customer_id: str
    name: str | None
    owner: str | None


def masters(connection: Connection, customers: Sequence[int], known_at: datetime) -> dict[int, Seen]:
    """Return id, name and named owner of customers as believed at a moment; without name and owner when nothing was."""
    rows = connection.execute(
        "select c.customer_no, c.customer_id, m.name, m.owner from care.customer c "
        "left join (select customer_no, name, owner from care.masters_at('infinity', %(at)s) "
        "where customer_no = any(%(customers)s)) m using (customer_no) where c.customer_no = any(%(customers)s)",
        {"at": known_at, "customers": list(customers)},
    ).fetchall()
    return {row[0]: Seen(*row[1:]) for row in rows}


def unrouted_levels(connection: Connection) -> list[int]:
    """Return the levels that some live warning stands at without a playbook of it or above in its case."""
    rows = connection.execute(
        "select distinct w.level from care.warning w where w.closed_at is null and w.level > 0 and not exists "
        "(select from care.care_case c join care.case_playbook p using (case_no) "
        "where c.warning_no = w.warning_no and p.level >= w.level) order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def warnings_on(connection: Connection, day: date) -> dict[int, int]:
    """Return how many warnings stand at each level at the end of a day's night."""
    rows = connection.execute(
        "select level, count(*) from (select distinct on (warning_no) warning_no, level, what from care.warning_event "
        "where day <= %s order by warning_no, transition desc) e where level > 0 group by 1 order by 1",
        (day,),
    ).fetchall()
    return dict(rows)
