"""Answer the question: which warnings are live, which are only recorded, and when did a person say go?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb

from carewatch.care.backlog import Recorded
from carewatch.store.database import Connection
from carewatch.store.live_warnings import WORST_FIRST

_RECORDED = "w.warning_no, w.customer_no, w.owner_id, w.level, w.tier"


def unsettled(connection: Connection) -> list[Recorded]:
    """Return the warnings that opened since the last look: nobody has said yet whether they are live."""
    rows = connection.execute(
        f"select {_RECORDED} from care.warning w where w.live_at is null and w.waits is null order by w.customer_no"
    ).fetchall()
    return [Recorded(*row) for row in rows]


def bring_live(connection: Connection, warnings: Sequence[Recorded], now: datetime) -> None:
    """Make warnings live."""
    connection.execute(
        "update care.warning set live_at = %s where warning_no = any(%s)",
        (now, [one.warning_no for one in warnings]),
    )


def let_wait(connection: Connection, warnings: Sequence[Recorded], why: Literal["warm_up", "pilot"]) -> None:
    """Record warnings without making them live."""
    connection.execute(
        "update care.warning set waits = %s where warning_no = any(%s)",
        (why, [one.warning_no for one in warnings]),
    )


def said(connection: Connection) -> datetime | None:
    """Return when a person last said that what was recorded goes live."""
    row = connection.execute("select max(at) from care.go_live").fetchone()
    return row[0] if row else None


def say(connection: Connection, by: str, now: datetime) -> None:
    """Record that a person says so."""
    connection.execute("insert into care.go_live (at, by) values (%s, %s) on conflict do nothing", (now, by))
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) values (%s, %s, 'go_live', 'launch', %s)",
        (now, by, Jsonb({})),
    )


def backlog(connection: Connection, until: datetime) -> list[Recorded]:
    """Return what was recorded by a moment and still stands at a level, the worst first."""
    rows = connection.execute(
        f"select {_RECORDED} from care.warning w where w.waits is not null and w.closed_at is null and w.level > 0 "
        f"and w.opened_at <= %s order by {WORST_FIRST}, w.warning_no",
        (until,),
    ).fetchall()
    return [Recorded(*row) for row in rows]


def released(connection: Connection, since: datetime) -> list[Recorded]:
    """Return what has been released since a moment."""
    rows = connection.execute(
        f"select {_RECORDED} from care.warning w join care.warning_event e using (warning_no) "
        "where e.what = 'released' and e.at >= %s",
        (since,),
    ).fetchall()
    return [Recorded(*row) for row in rows]


def release(connection: Connection, warnings: Sequence[Recorded], now: datetime, day: date) -> None:
    """Make recorded warnings live: a transition of its own, from which on promises count."""
    connection.execute(
        "with moved as (update care.warning set live_at = %(now)s, waits = null, transition = transition + 1, "
        "changed_at = %(now)s where warning_no = any(%(nos)s) returning *) "
        "insert into care.warning_event (warning_no, transition, what, at, day, level, priority, reasons, by) "
        "select warning_no, transition, 'released', %(now)s, %(day)s, level, priority, reasons, 'carewatch' from moved",
        {"now": now, "day": day, "nos": [one.warning_no for one in warnings]},
    )


def recorded_between(connection: Connection, first: date, end: date) -> list[dict[str, Any]]:
    """Return the warnings that opened in [first, end) and are not live, the worst first."""
    rows = connection.execute(
        "select w.customer_no, w.level, w.peak_level, w.tier, w.owner_id, w.reasons, w.closed_at is null "
        "from care.warning w where w.waits is not null and w.opened_day >= %s and w.opened_day < %s "
        f"order by {WORST_FIRST}, w.warning_no",
        (first, end),
    ).fetchall()
    names = ("customer_no", "level", "peak_level", "tier", "owner_id", "reasons", "open")
    return [dict(zip(names, row, strict=True)) for row in rows]


def told(connection: Connection, subject: str) -> bool:
    """Return whether anybody has been told of a subject."""
    row = connection.execute("select 1 from care.notice_decision where subject = %s", (subject,)).fetchone()
    return row is not None
