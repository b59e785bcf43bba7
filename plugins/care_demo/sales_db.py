"""Show the firm's sales system: a PostgreSQL database with the schema `crm`.

Like many a real one it has no foreign keys, so that an order can arrive before its customer does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from .model import COLUMNS, SALES_TABLES, Firm, Table, key_columns

SCHEMA = "crm"
# What the publisher remembers about its own work; not a part of the sales system.
_PUBLISHER = "demo_publisher"

_TYPES = {
    "numeric(14,2)": {"credit_limit", "annual_value", "unit_price", "amount"},
    "numeric(5,2)": {"profit_rate"},
    "numeric(5,1)": {"price_gap_pct"},
    "integer": {"payment_terms_days", "line_no", "quantity", "duration_s"},
    "boolean": {
        "benchmark", "is_main", "is_decision_maker", "sms_consent", "decision_maker", "invited", "attended",
        "answered",
    },
    "date": {"customer_since", "birthday", "signed_on", "starts_on", "ends_on", "notice_by", "expires_on"},
    "timestamptz": {"updated_at", "happened_at", "ordered_at"},
}  # fmt: skip


def publish_sales(firm: Firm, dsn: str, upto: datetime) -> dict[str, int]:
    """Bring the sales database to what the system shows at `upto`; return the rows written per table.

    Creates the database and the schema when missing. Later versions overwrite earlier ones. A second call
    with a later moment writes only what became visible in between; an earlier moment or another firm loads
    everything anew. One transaction. Raises ValueError for a naive moment and psycopg.Error as it comes.
    """
    if upto.tzinfo is None:
        raise ValueError(f"publish needs an aware moment, got {upto.isoformat()} without an offset")
    _create_database(dsn)
    with psycopg.connect(dsn) as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext(%s))", [_PUBLISHER])
        _create_tables(connection)
        before = _published_upto(connection, firm)
        if before is not None and before > upto:
            before = None
        if before is None:
            _empty_tables(connection)
        written = {}
        for name in SALES_TABLES:
            table = firm.tables[name]
            rows = table.state(upto, after=before)
            (_copy if before is None else _upsert)(connection, table, rows)
            written[name] = len(rows)
        _remember(connection, firm, upto)
    return written


def _create_database(dsn: str) -> None:
    """Create the database the DSN names, when the server does not have it yet."""
    settings = conninfo_to_dict(dsn)
    name = settings.get("dbname")
    if not name:
        return
    with psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
        if known is None:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(str(name))))


def _type_of(column: str) -> str:
    return next((kind for kind, columns in _TYPES.items() if column in columns), "text")


def _qualified(table: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, table)


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))


def _create_tables(connection: psycopg.Connection[Any]) -> None:
    for schema in (SCHEMA, _PUBLISHER):
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    for name in SALES_TABLES:
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(_type_of(column)))
            for column in COLUMNS[name]
        )
        connection.execute(
            sql.SQL("create table if not exists {} ({}, primary key ({}))").format(
                _qualified(name), columns, _names(key_columns(name))
            )
        )
        index = sql.Identifier(f"{name}_updated_at")
        connection.execute(
            sql.SQL("create index if not exists {} on {} (updated_at)").format(index, _qualified(name))
        )
    connection.execute(
        sql.SQL("create table if not exists {} (firm text not null, upto timestamptz not null)").format(
            sql.Identifier(_PUBLISHER, "published")
        )
    )


def _published_upto(connection: psycopg.Connection[Any], firm: Firm) -> datetime | None:
    row = connection.execute(
        sql.SQL("select upto from {} where firm = %s").format(sql.Identifier(_PUBLISHER, "published")),
        [firm.identity],
    ).fetchone()
    return row[0] if row else None


def _remember(connection: psycopg.Connection[Any], firm: Firm, upto: datetime) -> None:
    published = sql.Identifier(_PUBLISHER, "published")
    connection.execute(sql.SQL("delete from {}").format(published))
    connection.execute(sql.SQL("insert into {} values (%s, %s)").format(published), [firm.identity, upto])


def _empty_tables(connection: psycopg.Connection[Any]) -> None:
    tables = sql.SQL(", ").join(_qualified(name) for name in SALES_TABLES)
    connection.execute(sql.SQL("truncate {}").format(tables))


def _copy(
    connection: psycopg.Connection[Any],
    table: Table,
    rows: list[tuple[Any, ...]],
    target: sql.Identifier | None = None,
) -> None:
    statement = sql.SQL("copy {} ({}) from stdin").format(
        target or _qualified(table.name), _names(table.columns)
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _upsert(connection: psycopg.Connection[Any], table: Table, rows: list[tuple[Any, ...]]) -> None:
    if not rows:
        return
    staged = sql.Identifier(f"staged_{table.name}")
    connection.execute(
        sql.SQL("create temporary table {} (like {}) on commit drop").format(staged, _qualified(table.name))
    )
    _copy(connection, table, rows, target=staged)
    keys = key_columns(table.name)
    changes = sql.SQL(", ").join(
        sql.SQL("{0} = excluded.{0}").format(sql.Identifier(column))
        for column in table.columns
        if column not in keys
    )
    connection.execute(
        sql.SQL("insert into {0} ({1}) select {1} from {2} on conflict ({3}) do update set {4}").format(
            _qualified(table.name), _names(table.columns), staged, _names(keys), changes
        )
    )
