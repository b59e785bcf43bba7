"""Read tables of a database, whole or only what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import date, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from care_sources.connection import Connection, SourceError
from care_sources.rows import BATCH, rows_of_items, tables
from carewatch.spec.problems import nearest
from carewatch.spec.sources import DatabaseSource
from carewatch.spec.stream_plan import Feed
from carewatch.spec.streams import DatabaseStream

if TYPE_CHECKING:
    import pyarrow
    import sqlalchemy

State = dict[str, Any]

# Values are read as text: in one form, and times that know their zone in UTC with an offset.
_POSTGRESQL_SESSION = (
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c bytea_output=hex "
    "-c default_transaction_read_only=on"
)


def read_tables(
    source_name: str,
    source: DatabaseSource,
    feeds: list[Feed],
    connection: Connection,
    *,
    zone: ZoneInfo,
    now: datetime,
    cleanup: ExitStack,
) -> Mapping[str, Any]:
    """Return for each feed a function of its state that yields its tables of text; `cleanup` disconnects.

    Raises SourceError at once when the database does not answer or a table or column is missing.
    """
    import sqlalchemy as sa

    engine = _engine(connection.uri)
    cleanup.callback(engine.dispose)
    try:
        inspector = sa.inspect(engine)
        problems = [
            problem for feed in feeds for problem in _missing(inspector, source_name, source.schema_, feed)
        ]
    except sa.exc.SQLAlchemyError as error:
        raise SourceError([f"{source_name}: the database does not answer: {_first_line(error)}"]) from None
    if problems:
        raise SourceError(problems)

    def reader(feed: Feed) -> Any:
        return lambda state: _read(source_name, source, feed, engine, state=state, zone=zone, now=now)

    return {feed.name: reader(feed) for feed in feeds}


def _engine(uri: str) -> sqlalchemy.Engine:
    import sqlalchemy as sa

    scheme, _, rest = uri.partition("://")
    if scheme.split("+")[0] in ("postgres", "postgresql"):
        options = {"options": _POSTGRESQL_SESSION, "application_name": "carewatch"}
        return sa.create_engine(f"postgresql+psycopg://{_without_extras(rest)}", connect_args=options)
    return sa.create_engine(uri)


def _without_extras(rest: str) -> str:
    """Drop what Airflow adds to a connection's URI and PostgreSQL does not know, such as `__extra__`."""
    address, _, query = rest.partition("?")
    known = [option for option in query.split("&") if option and not option.startswith("__")]
    return f"{address}?{'&'.join(known)}" if known else address


def _missing(inspector: Any, source_name: str, schema: str | None, feed: Feed) -> Iterator[str]:
    table = feed.stream.from_
    shown = f"{schema}.{table}" if schema else table
    tables = {*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)}
    if table not in tables:
        near = nearest(table, tables)
        yield f"{source_name}: there is no table {shown}" + (f"; did you mean {near}?" if near else "")
        return
    columns = [column["name"] for column in inspector.get_columns(table, schema=schema)]
    for name in feed.columns:
        if name not in columns:
            near = nearest(name, columns)
            yield f"{source_name}: table {shown} has no column {name}" + (
                f"; did you mean {near}?" if near else ""
            )


def _read(
    source_name: str,
    source: DatabaseSource,
    feed: Feed,
    engine: sqlalchemy.Engine,
    *,
    state: State,
    zone: ZoneInfo,
    now: datetime,
) -> Iterator[pyarrow.Table]:
    import sqlalchemy as sa

    stream = cast(DatabaseStream, feed.stream)
    table = sa.Table(stream.from_, sa.MetaData(schema=source.schema_), autoload_with=engine)
    try:
        condition = None
        if stream.cursor is not None:
            condition = _changed(
                table.c[stream.cursor], state, stream.reread, where=f"{source_name}.{feed.name}"
            )
            # Asked before the rows, so that what is committed meanwhile is read again by the next load.
            with engine.connect() as session:
                newest = session.execute(sa.select(sa.func.max(table.c[stream.cursor]))).scalar()
            if newest is not None:
                state["cursor"] = _clamped(newest, zone=zone, now=now).isoformat()
        yield from _rows(engine, table, feed, condition)
    except sa.exc.SQLAlchemyError as error:
        raise SourceError(
            [f"{source_name}: {feed.stream.from_} cannot be read: {_first_line(error)}"]
        ) from None


def _clamped(newest: date, *, zone: ZoneInfo, now: datetime) -> date:
    """Return the newest change, but never one in the future: it would make every later change look old."""
    if not isinstance(newest, datetime):
        return min(newest, now.astimezone(zone).date())
    here = now if newest.tzinfo else now.astimezone(zone).replace(tzinfo=None)
    return min(newest, here)


def _changed(column: Any, state: State, reread: timedelta, *, where: str) -> Any:
    """Return the condition for rows changed since the stored cursor less `reread`; None for all rows."""
    import sqlalchemy as sa

    stored = state.get("cursor")
    try:
        kind = column.type.python_type
    except NotImplementedError:
        kind = str
    if not issubclass(kind, date):
        # A growing number hides rows that are committed late: there is no window that reads them again.
        raise SourceError(
            [f"{where}: cursor {column.name} is no time; without a cursor the table is read whole"]
        )
    if stored is None:
        return None
    # A row without a change time has no place in the order and is read every time.
    return sa.or_(column >= kind.fromisoformat(stored) - reread, column.is_(None))


def _rows(engine: sqlalchemy.Engine, table: Any, feed: Feed, condition: Any) -> Iterator[pyarrow.Table]:
    import sqlalchemy as sa
    from dlt.sources.sql_database.helpers import TableLoader

    casts = engine.dialect.name == "postgresql"
    columns = [table.c[name] for name in feed.columns]
    select = sa.select(*(sa.cast(one, sa.Text).label(one.name) if casts else one for one in columns))
    rows: Any = TableLoader(
        engine,
        "pyarrow" if casts else "sqlalchemy",
        table,
        {name: {"name": name, "data_type": "text"} for name in feed.columns},
        chunk_size=BATCH,
        query_adapter_callback=lambda *_: select if condition is None else select.where(condition),
    ).load_rows()
    # A load that fails elsewhere must not leave this one's connection open.
    with closing(rows):
        if casts:
            yield from _numbered(rows)
        else:
            yield from tables(rows_of_items(chain.from_iterable(rows), feed.columns), feed.columns)


def _numbered(tables: Any) -> Iterator[pyarrow.Table]:
    import pyarrow as pa

    done = 0
    for table in tables:
        count = table.num_rows
        table = table.append_column("_row", pa.array(range(done, done + count), pa.int64()))
        for name, kind in (
            ("_file", pa.string()),
            ("_line", pa.int64()),
            ("_fault", pa.string()),
            ("_raw", pa.string()),
        ):
            table = table.append_column(name, pa.nulls(count, kind))
        done += count
        yield table


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
