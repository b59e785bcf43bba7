"""Answer the question: of which transitions has nobody decided yet who hears, and what was decided?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from carewatch.store.database import Connection
from carewatch.store.live_warnings import WORST_FIRST


@dataclass(frozen=True)
class Transition:
    """A transition of a warning that no notice decision names yet."""

    warning_no: int
    transition: int
    what: str
    day: date
    at: datetime
    level: int
    reasons: list[dict[str, Any]]
    customer_no: int
    owner_id: str
    tier: str
    priority: str
    manager_id: str | None
    value: float | None
    notifies: bool
    waits: str | None


def undecided(connection: Connection) -> list[Transition]:
    """Return the transitions without a decision, the most urgent first, among equals by risk x value at stake.

    What a night moved is told when that night may notify; what happened by day (an event, a hand-over) always.
    """
    rows = connection.execute(
        "select e.warning_no, e.transition, e.what, e.day, e.at, e.level, e.reasons, w.customer_no, w.owner_id, w.tier, "
        "w.priority, w.manager_id, w.value::float8, e.between_nights or e.what in ('handed_over', 'released') or coalesce("
        "(select n.notifies from care.night n where n.day = e.day and n.revision = 0), true), w.waits "
        "from care.warning_event e join care.warning w using (warning_no) where not exists "
        "(select from care.notice_decision d where d.subject = 'warning:' || e.warning_no and d.transition = e.transition) "
        f"order by {WORST_FIRST}, e.warning_no, e.transition"
    ).fetchall()
    return [Transition(*row) for row in rows]


@dataclass(frozen=True)
class Decided:
    """One decision, ready to be stored."""

    subject: str
    transition: int
    receiver: str
    send: bool
    reason: str
    outbox_key: str | None = None


@dataclass(frozen=True)
class Message:
    """One outbox row, ready to be stored."""

    key: str
    kind: str
    receiver: str
    channel: str
    body: dict[str, Any]
    not_before: datetime


def store(
    connection: Connection, decisions: list[Decided], messages: list[Message], *, now: datetime
) -> None:
    """Store decisions and their messages; a key that exists already is left alone."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into care.notice_decision (subject, transition, receiver, send, reason, decided_at, outbox_key) "
            "values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            [(d.subject, d.transition, d.receiver, d.send, d.reason, now, d.outbox_key) for d in decisions],
        )
        cursor.executemany(
            "insert into care.outbox (key, kind, receiver, channel, message, not_before, created_at) "
            "values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            [(m.key, m.kind, m.receiver, m.channel, Jsonb(m.body), m.not_before, now) for m in messages],
        )


def tasks_of(connection: Connection, warning_nos: list[int]) -> dict[int, list[dict[str, Any]]]:
    """Return the open tasks of warnings, next due first."""
    rows = connection.execute(
        "select c.warning_no, t.step, t.title, t.owner_id, t.due_at from care.care_task t join care.care_case c using (case_no) "
        "where c.warning_no = any(%s) and t.state = 'open' order by t.due_at, t.task_no",
        (warning_nos,),
    ).fetchall()
    result: dict[int, list[dict[str, Any]]] = {}
    for warning_no, step, title, owner, due_at in rows:
        result.setdefault(warning_no, []).append(
            {"step": step, "title": title, "owner": owner, "due_at": due_at}
        )
    return result


@dataclass(frozen=True)
class Background:
    """Where a warned customer stands: the score (None: unknown) and colour of the last night, and the warnings before."""

    score: float | None
    colour: str
    opened_day: date
    earlier: list[dict[str, Any]]


def backgrounds(connection: Connection, warning_nos: list[int]) -> dict[int, Background]:
    """Return the background of warnings; the earlier ones of the same customer are newest first."""
    rows = connection.execute(
        "select w.warning_no, nullif(h.score, 'NaN'), care.colour_name(coalesce(h.colour, 0::smallint)), w.opened_day, "
        "(select coalesce(jsonb_agg(jsonb_build_object('opened', p.opened_day, 'closed', e.day, 'level', p.peak_level, "
        "'result', p.state) order by p.warning_no desc), '[]') from care.warning p "
        "join care.warning_event e on e.warning_no = p.warning_no and e.transition = p.transition "
        "where p.customer_no = w.customer_no and p.warning_no < w.warning_no and p.closed_at is not null) "
        "from care.warning w left join care.health_night h on h.customer_no = w.customer_no and h.revision = 0 "
        "and h.day = (select applied_through from care.progress) where w.warning_no = any(%s)",
        (warning_nos,),
    ).fetchall()
    return {row[0]: Background(*row[1:]) for row in rows}


def digests(connection: Connection) -> set[str]:
    """Return the keys of the digests that are written already."""
    return {
        row[0] for row in connection.execute("select key from care.outbox where kind = 'digest'").fetchall()
    }
