"""Answer the question: how does each kind of database give its rows, as text, without holding them all?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from care_sources.connection import SourceError
from care_sources.rows import BATCH, Row, as_text, tables

if TYPE_CHECKING:
    import pyarrow
    import sqlalchemy

# Values are read as text: in one form, and times that know their zone in UTC with an offset.
_POSTGRESQL_SESSION = (
    "-c timezone=UTC -c datestyle=ISO -c intervalstyle=iso_8601 -c bytea_output=hex "
    "-c default_transaction_read_only=on"
)
_MYSQL_SESSION = ("set session time_zone = '+00:00'", "set session transaction read only")
_CONNECT_SECONDS = 30
_POSTGRESQL, _MYSQL = ("postgres", "postgresql"), ("mysql", "mariadb")


class Database:
    """A database that is only read: everything as its driver gives it, each value then written as text."""

    def __init__(self, engine: sqlalchemy.Engine) -> None:
        self.engine = engine

    def zone_of(self, column: Any, zone: tzinfo) -> tzinfo:
        """Return the zone in which the driver gives a column's times; `zone` is the source's own."""
        return zone

    def text(self, column: Any) -> Any:
        """Return the SQL of a column's value, as text wherever the server can write it exactly."""
        import sqlalchemy as sa

        # Values stay as the driver gives them: SQLAlchemy would fail on a date it cannot read.
        return sa.type_coerce(column, sa.types.NullType())

    def read(self, select: Any, columns: Sequence[str]) -> Iterator[pyarrow.Table]:
        """Yield the rows of a query as tables of text while the server sends them."""
        with (
            self.engine.connect() as session,
            # A load that fails elsewhere must not leave this one's rows coming.
            closing(
                session.execution_options(stream_results=True, max_row_buffer=BATCH).execute(select)
            ) as rows,
        ):
            yield from tables((Row([as_text(value) for value in row]) for row in rows), columns)


class PostgreSQL(Database):
    """Rows come by the binary COPY protocol as Arrow batches."""

    def __init__(self, rest: str) -> None:
        import sqlalchemy as sa

        known = _options(rest)
        options = {"application_name": "carewatch", "connect_timeout": str(_CONNECT_SECONDS), **known}
        options["options"] = f"{known.get('options', '')} {_POSTGRESQL_SESSION}".strip()
        address = rest.partition("?")[0]
        self.uri = f"postgresql://{address}?{urlencode(options, quote_via=quote)}"
        super().__init__(sa.create_engine(f"postgresql+psycopg://{address}", connect_args=options))

    def text(self, column: Any) -> Any:
        import sqlalchemy as sa

        return sa.cast(column, sa.Text).label(column.name)

    def read(self, select: Any, columns: Sequence[str]) -> Iterator[pyarrow.Table]:
        import pyarrow as pa
        from adbc_driver_postgresql import dbapi
        from sqlalchemy.dialects import postgresql

        # Named parameters: the other styles would double every percent sign of a name.
        dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
        text = str(select.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        with dbapi.connect(self.uri) as session, session.cursor() as cursor:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(8 << 20)})
            cursor.execute(text)
            batches = (pa.Table.from_batches([batch]) for batch in cursor.fetch_record_batch())
            yield from tables(batches, columns)


class MySQL(Database):
    """MySQL and MariaDB: the server writes the text, so that decimals and odd dates stay what they are."""

    def zone_of(self, column: Any, zone: tzinfo) -> tzinfo:
        return UTC if _is_timestamp(column) else zone

    def text(self, column: Any) -> Any:
        import sqlalchemy as sa
        from sqlalchemy.dialects import mysql

        name = type(column.type).__name__.upper()
        if _is_timestamp(column):
            written: Any = sa.func.concat(sa.func.date_format(column, "%Y-%m-%dT%H:%i:%s.%f"), "+00:00")
        elif name == "BIT":
            written = sa.cast(sa.cast(column, mysql.INTEGER(unsigned=True)), sa.CHAR)
        elif isinstance(column.type, sa.types.LargeBinary | sa.types.BINARY | sa.types.VARBINARY):
            written = sa.func.lower(sa.func.hex(column))
        else:
            written = sa.cast(column, sa.CHAR)
        return sa.type_coerce(written, sa.Text).label(column.name)


class SQLite(Database):
    """A file, opened to be read; a column may hold values of any type."""


def open_database(source_name: str, uri: str) -> Database:
    """Return the database that a URI means: PostgreSQL, MySQL and MariaDB, SQLite, or another that SQLAlchemy knows.

    Raises SourceError when the driver is not installed or a SQLite file is not there.
    """
    import sqlalchemy as sa

    scheme, _, rest = uri.partition("://")
    kind = scheme.split("+")[0]
    try:
        if kind in _POSTGRESQL:
            return PostgreSQL(rest)
        if kind in _MYSQL:
            return MySQL(_mysql(rest))
        if kind == "sqlite":
            return SQLite(_sqlite(source_name, uri))
        return Database(sa.create_engine(uri))
    except (sa.exc.NoSuchModuleError, ImportError) as error:
        raise SourceError(
            [
                f"{source_name}: no driver for a database of the kind '{scheme}' is installed ({error}); "
                "PostgreSQL, MySQL, MariaDB and SQLite are there, another kind needs its SQLAlchemy package"
            ]
        ) from None
    except (sa.exc.ArgumentError, ValueError):
        raise SourceError(
            [
                f"{source_name}: its connection is no address of a database; expected kind://user:password@host/name"
            ]
        ) from None


def _options(rest: str) -> dict[str, str]:
    """Return the options of a URI, without what Airflow adds and the database does not know, such as `__extra__`."""
    query = rest.partition("?")[2]
    return {name: value for name, value in parse_qsl(query) if not name.startswith("__")}


def _mysql(rest: str) -> sqlalchemy.Engine:
    import sqlalchemy as sa

    url = sa.make_url(f"mysql+pymysql://{rest.partition('?')[0]}")
    options: Mapping[str, str] = _options(rest)
    files = {name: options[name] for name in ("ssl_ca", "ssl_cert", "ssl_key") if name in options}
    arguments: dict[str, Any] = {
        **files,
        "charset": "utf8mb4",
        "connect_timeout": _CONNECT_SECONDS,
    }
    engine = sa.create_engine(url.set(query={}), connect_args=arguments)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            for statement in _MYSQL_SESSION:
                cursor.execute(statement)

    return engine


def _sqlite(source_name: str, uri: str) -> sqlalchemy.Engine:
    import sqlalchemy as sa

    path = Path(unquote(uri.partition("://")[2].partition("?")[0])[1:])
    if not path.is_file():
        raise SourceError(
            [
                f"{source_name}: there is no file {path}; correct the connection's host, the path of the SQLite file"
            ]
        )
    address = path.resolve().as_uri()
    return sa.create_engine(f"sqlite:///{address}?mode=ro&uri=true")


def _is_timestamp(column: Any) -> bool:
    return type(column.type).__name__.upper() == "TIMESTAMP"


def clamped(newest: Any, *, zone: tzinfo, now: datetime) -> Any:
    """Return the newest change, but never one in the future: it would make every later change look old."""
    if not isinstance(newest, datetime):
        return min(newest, now.astimezone(zone).date())
    here = now if newest.tzinfo else now.astimezone(zone).replace(tzinfo=None)
    return min(newest, here)
