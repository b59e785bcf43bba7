"""Read tables of a database, whole or only what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from care_sources.connection import Connection, SourceError
from care_sources.dialects import Database, clamped, open_database
from carewatch.spec.problems import nearest
from carewatch.spec.sources import DatabaseSource
from carewatch.spec.stream_plan import Feed
from carewatch.spec.streams import DatabaseStream

if TYPE_CHECKING:
    import pyarrow

State = dict[str, Any]


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

    database = open_database(source_name, connection.uri)
    cleanup.callback(database.engine.dispose)
    try:
        inspector = sa.inspect(database.engine)
        problems = [
            problem for feed in feeds for problem in _missing(inspector, source_name, source.schema_, feed)
        ]
    except sa.exc.SQLAlchemyError as error:
        raise SourceError([f"{source_name}: the database does not answer: {_first_line(error)}"]) from None
    if problems:
        raise SourceError(problems)

    def reader(feed: Feed) -> Any:
        return lambda state: _read(source_name, source, feed, database, state=state, zone=zone, now=now)

    return {feed.name: reader(feed) for feed in feeds}


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
    database: Database,
    *,
    state: State,
    zone: ZoneInfo,
    now: datetime,
) -> Iterator[pyarrow.Table]:
    import sqlalchemy as sa
    from adbc_driver_manager import Error as DriverError

    stream = cast(DatabaseStream, feed.stream)
    try:
        table = sa.Table(stream.from_, sa.MetaData(schema=source.schema_), autoload_with=database.engine)
        select = sa.select(*(database.text(table.c[name]) for name in feed.columns))
        if stream.cursor is not None:
            column = table.c[stream.cursor]
            condition = _changed(column, state, stream.reread, where=f"{source_name}.{feed.name}")
            select = select if condition is None else select.where(condition)
            # Asked before the rows, so that what is committed meanwhile is read again by the next load.
            with database.engine.connect() as session:
                newest = session.execute(sa.select(sa.func.max(column))).scalar()
            if newest is not None:
                state["cursor"] = clamped(newest, zone=database.zone_of(column, zone), now=now).isoformat()
        yield from database.read(select, feed.columns)
    except (sa.exc.SQLAlchemyError, DriverError) as error:
        raise SourceError(
            [f"{source_name}: {feed.stream.from_} cannot be read: {_first_line(error)}"]
        ) from None


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


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
