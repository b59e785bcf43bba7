"""Answer the question: what did people do with warnings?

Each act is a transition of the warning and a row of the audit trail, by the person who did it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from carewatch.store.database import Connection
from carewatch.store.live_warnings import WORST_FIRST, end_cases
from carewatch.warn.acts import Case


def case_of(connection: Connection, warning_no: int) -> Case | None:
    """Return what matters of a warning when a person acts on it, locked until the transaction ends."""
    row = connection.execute(
        "select warning_no, state, peak_level, plan is not null, closed_at is not null from care.warning "
        "where warning_no = %s for update",
        (warning_no,),
    ).fetchone()
    return Case(*row) if row is not None else None


def active_people(connection: Connection) -> list[str]:
    """Return the ids of our people who are active."""
    rows = connection.execute("select person_id from care.person where active order by 1").fetchall()
    return [row[0] for row in rows]


def judgement_of(connection: Connection, warning_no: int) -> str:
    """Return the fingerprint of the judgement that opened a warning."""
    row = connection.execute(
        "select judgement from care.warning where warning_no = %s", (warning_no,)
    ).fetchone()
    assert row is not None
    return str(row[0])


@dataclass(frozen=True)
class Act:
    """What one person did with one warning."""

    warning_no: int
    what: str
    by: str
    at: datetime
    day: date


def acknowledged(connection: Connection, act: Act, state: str) -> None:
    """Store that somebody is on it."""
    connection.execute("update care.warning set state = %s where warning_no = %s", (state, act.warning_no))
    _trace(connection, act, {})


def planned(connection: Connection, act: Act, state: str, *, text: str, next_date: date | None) -> None:
    """Store a plan; the open task that asks for it is done, and the next date is the case's."""
    connection.execute(
        "update care.warning set state = %s, plan = %s, planned_at = %s, planned_by = %s where warning_no = %s",
        (state, text, act.at, act.by, act.warning_no),
    )
    connection.execute(
        "update care.care_case set next_date = coalesce(%s, next_date) where warning_no = %s",
        (next_date, act.warning_no),
    )
    connection.execute(
        "update care.care_task t set state = 'done', settled_at = %s, next_step_at = null, result = %s "
        "from care.care_case c where c.case_no = t.case_no and c.warning_no = %s and t.step = 'plan' and t.state = 'open'",
        (act.at, Jsonb({"plan": text, "by": act.by}), act.warning_no),
    )
    _trace(connection, act, {"plan": text, "next_date": next_date and next_date.isoformat()})


def closed(connection: Connection, act: Act, state: str, *, note: str, rests_until: date) -> None:
    """Store a result: the case ends, and what signals the customer still has count for nothing for a while."""
    connection.execute(
        "update care.warning set state = %s, level = 0, closed_at = %s, result_note = nullif(%s, '') where warning_no = %s",
        (state, act.at, note, act.warning_no),
    )
    settle(connection, [act.warning_no], rests_until)
    end_cases(connection, act.at)
    _trace(connection, act, {"result": state, "note": note})


def settle(connection: Connection, warning_nos: Sequence[int], until: date) -> None:
    """Let the open signals of the warnings' customers count for no level up to a day."""
    connection.execute(
        "update care.signal s set settled_until = %s from care.warning w "
        "where w.warning_no = any(%s) and w.customer_no = s.customer_no and s.state = 'open'",
        (until, list(warning_nos)),
    )


def _trace(connection: Connection, act: Act, detail: dict[str, Any]) -> None:
    connection.execute(
        "with moved as (update care.warning set transition = transition + 1, changed_at = %(at)s "
        "where warning_no = %(warning_no)s returning *) "
        "insert into care.warning_event (warning_no, transition, what, at, day, level, priority, reasons, by, between_nights) "
        "select warning_no, transition, %(what)s, %(at)s, %(day)s, level, priority, reasons, %(by)s, true from moved",
        asdict(act),
    )
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) values (%s, %s, %s, %s, %s)",
        (act.at, act.by, act.what, f"warning:{act.warning_no}", Jsonb(detail)),
    )


def listing(connection: Connection, owner: str | None) -> list[dict[str, Any]]:
    """Return the live warnings, of everybody or of one owner, the most urgent first."""
    return _rows(
        connection,
        "select w.warning_no, c.customer_id, w.level, w.priority, w.state, w.tier, w.owner_id, w.manager_id, "
        "w.value::float8 as value, w.risk, w.opened_day from care.warning w join care.customer c using (customer_no) "
        "where w.closed_at is null and (%(owner)s::text is null or w.owner_id = %(owner)s) "
        f"order by {WORST_FIRST}, w.warning_no",
        {"owner": owner},
    )


def shown(connection: Connection, warning_no: int) -> dict[str, Any] | None:
    """Return everything about one warning: itself, its history and its tasks."""
    found = _rows(
        connection,
        "select w.warning_no, c.customer_id, w.state, w.level, w.peak_level, w.priority, w.tier, w.owner_id, w.manager_id, "
        "w.value::float8 as value, w.risk, w.follows, w.opened_day, w.plan, w.planned_by, w.result_note, w.reasons "
        "from care.warning w join care.customer c using (customer_no) where w.warning_no = %(no)s",
        {"no": warning_no},
    )
    if not found:
        return None
    history = "select what, at, day, level, priority, by from care.warning_event where warning_no = %(no)s order by transition"
    tasks = (
        "select t.step, t.title, t.owner_id, t.state, t.due_at from care.care_task t join care.care_case c using (case_no) "
        "where c.warning_no = %(no)s order by t.due_at, t.task_no"
    )
    numbers = {"no": warning_no}
    return {
        **found[0],
        "history": _rows(connection, history, numbers),
        "tasks": _rows(connection, tasks, numbers),
    }


def delays(connection: Connection, first: date, last: date) -> list[dict[str, Any]]:
    """Return how long it took to tell of events that were known from the first to the last day (server's days)."""
    return _rows(
        connection,
        "select customer_id, rule, known_at, decided_at, extract(epoch from delay)::float8 / 60 as minutes "
        "from care.notice_delay where known_at >= %(first)s and known_at < %(last)s::date + 1 order by delay desc, signal_no",
        {"first": first, "last": last},
    )


def _rows(connection: Connection, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query.encode(), values).fetchall()
