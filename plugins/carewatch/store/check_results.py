"""Answer the question: what did checks find in a load, and may it become facts?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from psycopg import sql
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from carewatch.spec.firm import Firm
from carewatch.spec.sources import BaseSource, FilesSource, feeds, plans
from carewatch.spec.stream_plan import Feed, StreamPlan
from carewatch.store import raw
from carewatch.store.check_tables import SCHEMA, Subject
from carewatch.store.database import Connection

Outcome = Literal["passed", "failed", "unknown"]
KEEP_REPORTS: Final = timedelta(days=90)


@dataclass(frozen=True)
class Result:
    """One check of one load: see `care.check_result`."""

    source: str
    load_id: str
    stream: str
    position: int
    check_text: str
    severity: str
    outcome: Outcome
    stops: bool
    evaluated: int
    unexpected: int
    held: int
    samples: list[dict[str, Any]]
    message: Mapping[str, str]


@dataclass(frozen=True)
class Pending:
    """A load that a stream has still to take, under the mapping of today."""

    plan: StreamPlan
    feed: Feed
    load: raw.PendingLoad


@dataclass(frozen=True)
class Admission:
    """Which loads of a source may be taken: `taken` of None means all; `waiting` ones were stopped or never checked."""

    taken: tuple[str, ...] | None
    waiting: tuple[str, ...] = ()


def pending(connection: Connection, source_name: str, source: BaseSource, firm: Firm) -> list[Pending]:
    """Return what the streams of a source have still to take."""
    feed_of = {name: feed for feed in feeds(source_name, source, firm) for name in feed.streams}
    return [
        Pending(plan, feed_of[plan.name], load)
        for plan in plans(source_name, source, firm)
        for load in raw.pending_loads(connection, source_name, feed_of[plan.name].name, plan.origin)
        if load.digest == feed_of[plan.name].digest
    ]


def loads_to_check(connection: Connection, source_name: str, load_ids: Iterable[str]) -> list[str]:
    """Return which of the pending loads to check: those without a verdict, and the newest again unless it was released."""
    waiting = sorted(set(load_ids))
    states = _states(connection, source_name)
    return [
        load_id
        for load_id in waiting
        if load_id not in states or (load_id == waiting[-1] and states[load_id] != "released")
    ]


def _states(connection: Connection, source_name: str) -> dict[str, str]:
    query = "select load_id, state from care.source_check where source = %s"
    return dict(connection.execute(query, (source_name,)).fetchall())


def admission(connection: Connection, source_name: str, source: BaseSource, firm: Firm) -> Admission:
    """Return which loads may become facts: up to the newest that passed or was released, in a source that can be stopped.

    A load that was never checked waits as well: an unknown is not a pass.
    """
    if not any(check.severity == "stop" for name in source.all_streams() for check in source.checks_of(name)):
        return Admission(None)
    states = _states(connection, source_name)
    loads = sorted({one.load.load_id for one in pending(connection, source_name, source, firm)})
    open_ones = [load_id for load_id in loads if states.get(load_id) in ("passed", "released")]
    newest = open_ones[-1] if open_ones else ""
    return Admission(
        tuple(load_id for load_id in loads if load_id <= newest),
        tuple(load_id for load_id in loads if load_id > newest),
    )


def save(
    connection: Connection,
    source_name: str,
    load_id: str,
    results: Sequence[Result],
    *,
    run_id: str,
    now: datetime,
) -> str:
    """Write a load's results in place of earlier ones and return its state, inside the caller's transaction."""
    state = "stopped" if any(result.stops for result in results) else "passed"
    connection.execute(
        "insert into care.source_check (source, load_id, state, run_id, checked_at) values (%s, %s, %s, %s, %s) "
        "on conflict (source, load_id) do update set state = excluded.state, run_id = excluded.run_id, "
        "checked_at = excluded.checked_at where source_check.state <> 'released'",
        (source_name, load_id, state, run_id, now),
    )
    connection.execute(
        "delete from care.check_result where source = %s and load_id = %s", (source_name, load_id)
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into care.check_result (source, load_id, stream, position, check_text, severity, outcome, stops, "
            "evaluated, unexpected, held, samples, message) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (one.source, one.load_id, one.stream, one.position, one.check_text, one.severity, one.outcome,
                 one.stops, one.evaluated, one.unexpected, one.held, Jsonb(one.samples), Jsonb(one.message))
                for one in results
            ],
        )  # fmt: skip
    return state


@dataclass(frozen=True)
class Checked:
    """A load's verdict: see `care.source_check`."""

    source: str
    load_id: str
    state: str
    run_id: str
    checked_at: datetime
    released_by: str | None
    released_why: str | None


def runs(connection: Connection, *, limit: int) -> list[tuple[str, datetime]]:
    """Return the newest runs that checked something, the newest first."""
    query = (
        "select run_id, max(checked_at) from care.source_check group by 1 order by 2 desc, 1 desc limit %s"
    )
    return connection.execute(query, (limit,)).fetchall()


def checked_in(connection: Connection, run_id: str) -> list[Checked]:
    """Return the loads that a run checked last."""
    with connection.cursor(row_factory=class_row(Checked)) as cursor:
        return cursor.execute(
            "select source, load_id, state, run_id, checked_at, released_by, released_why from care.source_check "
            "where run_id = %s order by source, load_id",
            (run_id,),
        ).fetchall()


def results_of(connection: Connection, run_id: str) -> list[Result]:
    """Return what a run found: what failed first."""
    with connection.cursor(row_factory=class_row(Result)) as cursor:
        return cursor.execute(
            "select r.* from care.check_result r join care.source_check c using (source, load_id) where c.run_id = %s "
            "order by source, load_id, outcome = 'passed', stops desc, severity = 'warn', stream, position",
            (run_id,),
        ).fetchall()


def release(connection: Connection, source_name: str, *, by: str, why: str) -> list[str]:
    """Let the stopped loads of a source through; return them. Nobody's checks stop them again."""
    rows = connection.execute(
        "update care.source_check set state = 'released', released_by = %s, released_why = %s, released_at = care.clock() "
        "where source = %s and state = 'stopped' returning load_id",
        (by, why, source_name),
    ).fetchall()
    return sorted(load_id for (load_id,) in rows)


def keep_report(connection: Connection, run_id: str, html: str, now: datetime) -> None:
    """Keep a run's page, and drop those that are old."""
    with connection.transaction():
        connection.execute("delete from care.check_report where made_at < %s", (now - KEEP_REPORTS,))
        connection.execute(
            "insert into care.check_report (run_id, made_at, html) values (%s, %s, %s) "
            "on conflict (run_id) do update set made_at = excluded.made_at, html = excluded.html",
            (run_id, now, html),
        )


def rows_by_day(
    connection: Connection, subject: Subject, firm: Firm, since: datetime
) -> list[tuple[date, int]]:
    """Return the rows that earlier loads of a stream brought, by firm-local day; first loads of history do not count."""
    nonempty = "and landed > 0" if isinstance(subject.source, FilesSource) else ""
    return connection.execute(
        "select (read_at at time zone %s)::date, landed - filtered from care.load "
        f"where origin = %s and read_at >= %s and not history {nonempty}".encode(),
        (firm.time_zone, subject.plan.origin, since),
    ).fetchall()


def any_value(connection: Connection, table: str, column: str) -> bool:
    """Return whether any row has a value in a column."""
    query = sql.SQL("select exists (select from {} where {} is not null)")
    return bool(_first(connection, query.format(sql.Identifier(SCHEMA, table), sql.Identifier(column))))


def total(connection: Connection, table: str, column: str) -> Decimal:
    """Return the sum of a column of numbers."""
    query = sql.SQL("select coalesce(sum({}), 0) from {}")
    return Decimal(_first(connection, query.format(sql.Identifier(column), sql.Identifier(SCHEMA, table))))


def _first(connection: Connection, query: sql.Composed) -> Any:
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def failed_rows(
    connection: Connection, table: str, condition: str, columns: Sequence[str], limit: int
) -> list[tuple[str | None, str, list[str | None]]]:
    """Return key, place and values of the first rows that fail."""
    shown = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in columns)
    query = sql.SQL("select key, place, array[{shown}] from {failed} order by row_no limit {limit}").format(
        shown=shown, failed=_failed(table, condition), limit=sql.Literal(limit)
    )
    return connection.execute(query, ()).fetchall()


def hold_failed(
    connection: Connection, table: str, condition: str, column: str,
    *, origin: str, load_id: str, reason: str, field: str,
) -> int:  # fmt: skip
    """Let the rows that fail wait in quarantine (see `quarantine.hold_back`); return how many were not held yet."""
    query = sql.SQL(
        "insert into quarantine.held (origin, load_id, landed_row, reason, field, value) "
        "select %(origin)s, %(load)s, row_no, %(reason)s, %(field)s, {}::text from {} "
        "where not exists (select from care.load where origin = %(origin)s and load_id = %(load)s) on conflict do nothing"
    ).format(sql.Identifier(column), _failed(table, condition))
    return connection.execute(
        query, {"origin": origin, "load": load_id, "reason": reason, "field": field}
    ).rowcount


def _failed(table: str, condition: str) -> sql.Composed:
    """Return the rows that fail as a table; the condition may look at other rows."""
    escaped = condition.replace("%", "%%")
    return sql.SQL("(select f.* from (select l.*, ({}) as fails from {} l) f where f.fails) failed").format(
        sql.SQL(escaped), sql.Identifier(SCHEMA, table)
    )  # fmt: skip
