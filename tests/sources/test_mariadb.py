"""Landing tables of a real MariaDB: every type exactly, times in their zone, row by row off the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.sources.conftest import NOW, Loader, MakeLoader
from tests.sources.test_database import TEXT
from tests.store.landed import FIRM, sources

from care_sources.connection import Connection, SourceError
from care_sources.database import read_tables
from care_sources.dialects import open_database
from carewatch.spec.sources import feeds

SHANGHAI = TEXT.replace("schema: crm\n", "")


@pytest.fixture
def crm(mariadb: str) -> Iterator[Any]:
    """Return a cursor on the sales system's own database."""
    import pymysql
    from sqlalchemy import make_url

    url = make_url(mariadb)
    with (
        pymysql.connect(
            host=url.host, port=url.port, user=url.username, password=url.password, database=url.database,
            charset="utf8mb4", autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):  # fmt: skip
        cursor.execute(
            "create table customers (code varchar(20), since date, name text, benchmark boolean, credit decimal(30, 12), secret text)"
        )
        cursor.execute(
            "create table orders (no int, code varchar(20), at datetime(6), updated timestamp(6) null, amount decimal(12, 2))"
        )
        cursor.execute(
            "insert into customers values ('C1', '2026-01-01', '华兴🙂', true, 1.123456789012, 'never landed')"
        )
        cursor.execute("set time_zone = '+08:00'")
        yield cursor


@pytest.fixture
def loader(make_loader: MakeLoader, crm: Any, mariadb: str) -> Loader:
    return make_loader(SHANGHAI, Connection(mariadb))


def order(crm: Any, no: int, updated: str | None, at: str = "2026-05-01 09:00:00.25") -> None:
    crm.execute("insert into orders values (%s, 'C1', %s, %s, 10.50)", (no, at, updated))


def test_a_time_of_the_wall_is_the_sources_and_a_timestamp_is_a_moment(loader: Loader, crm: Any) -> None:
    order(crm, 1, "2026-05-02 09:00:00")
    loader.load()
    assert loader.rows("select amount::text, event_at::text, changed_at::text from care.fact_order") == [
        ("10.5", "2026-05-01 01:00:00.25+00", "2026-05-02 01:00:00+00")
    ]
    assert loader.rows("select name, benchmark, credit_limit::text from care.fact_customer") == [
        ("华兴🙂", True, "1.123456789012")
    ]


@pytest.mark.req("S5")
def test_only_what_changed_is_read_again_with_a_window_behind(loader: Loader, crm: Any) -> None:
    for no, updated in enumerate(("2026-05-01", "2026-05-08", "2026-05-10")):
        order(crm, no, updated)
    loader.load()
    assert loader.land().rows["orders"] == 2
    order(crm, 3, "2026-05-08 12:00:00")
    order(crm, 4, "2026-05-07 12:00:00")
    order(crm, 5, None)
    assert loader.land().rows["orders"] == 4


def test_a_change_time_in_the_future_does_not_hide_later_changes(loader: Loader, crm: Any) -> None:
    order(crm, 1, "2037-01-01 00:00:00")
    loader.load()
    loader.now += timedelta(days=10)
    order(crm, 2, (loader.now - timedelta(hours=1)).astimezone(ZoneInfo("Asia/Shanghai")).strftime("%F %T"))
    loader.load()
    assert loader.rows("select count(*) from care.fact_order where source_key = '2'") == [(1,)]


def test_every_type_is_text_that_means_the_same(crm: Any, mariadb: str) -> None:
    crm.execute(
        "create table odd (a bigint unsigned, b double, c float, d decimal(38, 10), e bit(3), f date, g time(3), h year,"
        " i json, j enum('x', 'y'), k varbinary(4), l tinyint(1), m char(3), n datetime, o text)"
    )
    crm.execute("set sql_mode = ''")
    crm.execute(
        "insert into odd values (18446744073709551615, 0.1, 0.5, 1234567890123456789012345678.0123456789, b'101', '2026-02-28',"
        " '12:00:00.5', 2026, '{\"a\": 1}', 'y', x'00ff', 1, ' x', '0000-00-00', '100%')"
    )
    assert landed(mariadb, "odd", "abcdefghijklmno") == [
        ["18446744073709551615", "0.1", "0.5", "1234567890123456789012345678.0123456789", "5", "2026-02-28",
         "12:00:00.500", "2026", '{"a": 1}', "y", "00ff", "1", " x", "0000-00-00 00:00:00", "100%"]
    ]  # fmt: skip


def landed(uri: str, table: str, columns: str) -> list[list[str | None]]:
    """Return the rows of a table as they are landed."""
    source: Any = sources(
        src=f"""
kind: database
customers: derived
streams:
  {table}:
    from: {table}
    fact: document
    key: {columns[0]}
    customer: {columns[1]}
    event_at: {columns[2]}
    columns: {{title: "concat({", ".join(columns)})", reference: {columns[0]}}}
"""
    )["src"]
    with ExitStack() as cleanup:
        [feed] = feeds("src", source, FIRM)
        readers = read_tables(
            "src", source, [feed], Connection(uri), zone=ZoneInfo("UTC"), now=NOW, cleanup=cleanup
        )
        [table_] = readers[feed.name]({})
    return [[row[name] for name in columns] for row in table_.to_pylist()]


def test_rows_come_off_the_server_one_by_one(crm: Any, mariadb: str) -> None:
    crm.execute("create table many (a int, b varchar(2000))")
    crm.execute("insert into many select seq, repeat('x', 2000) from seq_1_to_120000")
    import sqlalchemy as sa

    database = open_database("src", mariadb)
    table = sa.Table("many", sa.MetaData(), autoload_with=database.engine)
    batches = database.read(sa.select(*(database.text(column) for column in table.c)), ["a", "b"])
    first = next(batches)
    assert first.num_rows == 50_000
    crm.execute("select state from information_schema.processlist where info like 'SELECT CAST(many%%'")
    assert [state for (state,) in crm.fetchall()] == ["Writing to net"]
    assert sum(batch.num_rows for batch in batches) == 70_000
    database.engine.dispose()


def test_the_source_is_only_read(crm: Any, mariadb: str) -> None:
    import sqlalchemy as sa

    with (
        open_database("src", mariadb).engine.connect() as session,
        pytest.raises(sa.exc.DBAPIError, match="READ ONLY"),
    ):
        session.execute(sa.text("delete from customers"))


def test_what_is_missing_is_named_with_the_nearest(make_loader: MakeLoader, crm: Any, mariadb: str) -> None:
    with pytest.raises(SourceError, match=r"src: there is no table custmers; did you mean customers\?"):
        make_loader(SHANGHAI.replace("from: customers", "from: custmers"), Connection(mariadb)).land()


def test_a_wrong_password_is_one_line_without_it(make_loader: MakeLoader, mariadb: str) -> None:
    wrong = mariadb.replace("p%40ss%3Aw%2F%25rd", "not-the-password")
    with pytest.raises(SourceError) as raised:
        make_loader(SHANGHAI, Connection(wrong)).land()
    told = str(raised.value)
    assert told.startswith("src: the database does not answer: ") and "Access denied" in told
    assert "not-the-password" not in told and "\n" not in told


def test_airflows_uri_with_extras_is_understood(make_loader: MakeLoader, crm: Any, mariadb: str) -> None:
    uri = mariadb + "?charset=utf8&__extra__=%7B%22cursor%22%3A%22SSCursor%22%7D"
    loader = make_loader(SHANGHAI, Connection(uri))
    loader.load()
    assert loader.rows("select name from care.fact_customer") == [("华兴🙂",)]


def test_a_timestamp_is_read_in_utc_whatever_the_zone(mariadb: str) -> None:
    import sqlalchemy as sa

    database = open_database("src", mariadb)
    column = sa.Column("x", sa.TIMESTAMP)
    assert database.zone_of(column, ZoneInfo("Asia/Shanghai")) is UTC
    assert database.zone_of(sa.Column("x", sa.DATETIME), UTC) is UTC
