"""Answer the question: what lies in a source's landing, which of it is whole, and which has not been taken yet?

The landing `raw_<source>` is written by the loader: one table of text a feed, `_dlt_loads` with the loads
that came to their end (status 0), and `_reads` with what each of them read. Rows of a load that is not there
were never finished.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from carewatch.spec.firm import Firm
from carewatch.spec.source_reading import identifier, literal
from carewatch.spec.sources import BaseSource, feeds
from carewatch.store.database import Connection

NOT_HELD = "null::text as held, null::text as held_field, null::text as held_value"
_REPLACED = str.maketrans("\n\r'\"▶", "_____")


@dataclass(frozen=True)
class PendingLoad:
    """A finished load that a stream has not taken yet."""

    load_id: str
    read_at: datetime
    digest: str


def schema_of(source_name: str) -> str:
    return f"raw_{source_name}"


def table_exists(connection: Connection, source_name: str, table: str) -> bool:
    row = connection.execute(
        "select 1 from pg_tables where schemaname = %s and tablename = %s", (schema_of(source_name), table)
    ).fetchone()
    return row is not None


def pending_loads(
    connection: Connection, source_name: str, feed: str, origin: str, load_ids: Sequence[str] | None = None
) -> list[PendingLoad]:
    """Return the finished loads of a feed that the stream has not taken, oldest first."""
    if not (
        table_exists(connection, source_name, "_dlt_loads")
        and table_exists(connection, source_name, "_reads")
    ):
        return []
    query = sql.SQL(
        "select l.load_id, r.read_at::timestamptz, r.digest from {schema}._dlt_loads l "
        "join {schema}._reads r on r._dlt_load_id = l.load_id "
        "where l.status = 0 and r.feed = %(feed)s and (%(ids)s::text[] is null or l.load_id = any(%(ids)s)) "
        "and not exists (select from care.load t where t.origin = %(origin)s and t.load_id = l.load_id) "
        'order by l.load_id collate "C"'
    ).format(schema=sql.Identifier(schema_of(source_name)))
    wanted = None if load_ids is None else list(load_ids)
    rows = connection.execute(query, {"feed": feed, "origin": origin, "ids": wanted}).fetchall()
    return [PendingLoad(*row) for row in rows]


def newer_loads(
    connection: Connection, source_name: str, feed: str, origin: str, load_id: str, digest: str
) -> list[str]:
    """Return the loads with rows that the stream took although they are newer than this one, oldest first."""
    query = sql.SQL(
        "select t.load_id from care.load t join {}._reads r on r._dlt_load_id = t.load_id and r.feed = %s "
        'where t.origin = %s and t.load_id collate "C" > %s and t.landed > 0 and r.digest = %s '
        'order by t.load_id collate "C"'
    ).format(sql.Identifier(schema_of(source_name)))
    return [row[0] for row in connection.execute(query, (feed, origin, load_id, digest)).fetchall()]


def landed_name(column: str) -> str:
    """Return the name of a source's column in the landing: the loader writes quotes and line ends as _."""
    return column.translate(_REPLACED)


def landed_rows(
    source_name: str, feed: str, load_id: str, aliases: Mapping[str, str], *, held_from: str | None = None
) -> str:
    """Return a query of one load's rows of a feed, the columns under their aliases.

    `held_from` is the stream for which checks hold some of them back; `held` then says why.
    """
    held, joined = NOT_HELD, ""
    if held_from is not None:
        held = "h.reason as held, h.field as held_field, h.value as held_value"
        joined = (
            f" left join quarantine.held h on h.origin = {literal(held_from)} and h.load_id = {literal(load_id)} "
            "and h.landed_row = _row"
        )
    columns = "".join(
        f", {identifier(landed_name(name))}::text as {alias}" for name, alias in aliases.items()
    )
    return (
        f"select _row as row_no, _dlt_load_id as load_id, _file as file, _line as line, _fault as fault, _raw as raw, {held}{columns} "
        f"from {identifier(schema_of(source_name))}.{identifier(feed)}{joined} where _dlt_load_id = {literal(load_id)}"
    )


def no_rows(aliases: Mapping[str, str]) -> str:
    """Return a query of no row, in the shape of landed rows."""
    columns = "".join(f", null::text as {alias}" for alias in aliases.values())
    return (
        "select null::bigint as row_no, null::text as load_id, null::text as file, null::bigint as line, "
        f"null::text as fault, null::text as raw, {NOT_HELD}{columns} where false"
    )


def count_rows(connection: Connection, source_name: str, feed: str, load_id: str) -> int:
    """Return how many rows a load brought to a feed."""
    if not table_exists(connection, source_name, feed):
        return 0
    query = sql.SQL("select count(*) from {} where _dlt_load_id = %s")
    table = sql.Identifier(schema_of(source_name), feed)
    row = connection.execute(query.format(table), (load_id,)).fetchone()
    return int(row[0]) if row else 0


def value_columns(connection: Connection, source_name: str, table: str) -> list[str]:
    """Return the columns of a landed table that hold what the source said; none when there is no such table."""
    rows = connection.execute(
        "select column_name from information_schema.columns where table_schema = %s and table_name = %s "
        "and left(column_name, 1) <> '_' order by ordinal_position",
        (schema_of(source_name), table),
    ).fetchall()
    return [row[0] for row in rows]


def ensure_index(connection: Connection, source_name: str, feed: str) -> None:
    """Make the index that finds one load's rows: they lie together, so one entry a block range is enough."""
    if table_exists(connection, source_name, feed):
        connection.execute(
            sql.SQL(
                "create index if not exists {} on {} using brin (_dlt_load_id) with (pages_per_range = 32)"
            ).format(sql.Identifier(f"{feed[:40]}_load"), sql.Identifier(schema_of(source_name), feed))
        )


def tell_planner(connection: Connection, source_name: str, feed: str) -> None:
    """Let the planner know how much of a feed is of which load: it would take a large new one for a few rows."""
    table = sql.Identifier(schema_of(source_name), feed)
    connection.execute(sql.SQL("analyze {} (_dlt_load_id)").format(table))


def purge_landing(
    connection: Connection, source_name: str, source: BaseSource, firm: Firm, *, now: datetime
) -> int:
    """Delete landed rows older than the source's `keep_landed` that all their streams have taken, or of unfinished loads.

    Rows that wait in quarantine keep their values there. Returns the number of rows deleted.
    """
    if not (
        table_exists(connection, source_name, "_dlt_loads")
        and table_exists(connection, source_name, "_reads")
    ):
        return 0
    schema = sql.Identifier(schema_of(source_name))
    readers = {feed.name: feed.streams for feed in feeds(source_name, source, firm)}
    before = now - source.keep_landed
    with connection.transaction():
        landed = connection.execute(sql.SQL("select distinct feed from {}._reads").format(schema)).fetchall()
        deleted = 0
        for (feed,) in landed:
            origins = [f"{source_name}.{stream}" for stream in readers.get(feed, ())]
            deleted += _purge_feed(connection, source_name, feed, origins, before)
        if table_exists(connection, source_name, "_dlt_pipeline_state"):
            _purge_memory(connection, schema, before)
    return deleted


def _purge_feed(
    connection: Connection, source_name: str, feed: str, origins: Sequence[str], before: datetime
) -> int:
    if not table_exists(connection, source_name, feed):
        return 0
    # A load's number is the loader's wall clock, so that a load being landed right now is never old.
    query = sql.SQL(
        "delete from {table} where _dlt_load_id < %(oldest)s and _dlt_load_id not in ("
        "select l.load_id from {schema}._dlt_loads l where l.status = 0 and (l.inserted_at >= %(before)s or exists ("
        "select from unnest(%(origins)s::text[]) o (origin) where not exists ("
        "select from care.load t where t.origin = o.origin and t.load_id = l.load_id))))"
    ).format(
        schema=sql.Identifier(schema_of(source_name)), table=sql.Identifier(schema_of(source_name), feed)
    )
    parameters = {"before": before, "oldest": str(before.timestamp()), "origins": list(origins)}
    return connection.execute(query, parameters).rowcount


def _purge_memory(connection: Connection, schema: sql.Identifier, before: datetime) -> None:
    """Delete old states of the loader, but never the one that the next load begins from."""
    query = sql.SQL(
        "delete from {schema}._dlt_pipeline_state where _dlt_load_id in ("
        "select load_id from {schema}._dlt_loads where inserted_at < %(before)s) and _dlt_load_id < ("
        "select max(s._dlt_load_id) from {schema}._dlt_pipeline_state s "
        "join {schema}._dlt_loads l on l.load_id = s._dlt_load_id where l.status = 0)"
    )
    connection.execute(query.format(schema=schema), {"before": before})
