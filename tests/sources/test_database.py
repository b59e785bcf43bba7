"""Landing tables of a real PostgreSQL, and of SQLite as a database of another kind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.sources.conftest import Loader, MakeLoader

from care_sources.connection import Connection, SourceError

TEXT = """
kind: database
schema: crm
customers: master
time_zone: Asia/Shanghai
streams:
  customers:
    from: customers
    fact: customer
    key: code
    event_at: since
    columns: {name: name, benchmark: benchmark, credit_limit: credit}
  orders:
    from: orders
    fact: order
    key: no
    customer: code
    event_at: at
    changed_at: updated
    cursor: updated
    reread: 2 days
    columns: {amount: amount}
"""


@pytest.fixture
def crm(database: str) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection to the sales system's own database."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "create schema crm;"
            "create table crm.customers (code text, since date, name text, benchmark boolean, credit numeric, secret text);"
            "create table crm.orders (no integer, code text, at timestamp, updated timestamptz, amount numeric(12, 2));"
            "insert into crm.customers values ('C1', '2026-01-01', '华兴', true, 1.123456789012, 'never landed')"
        )
        yield connection


@pytest.fixture
def loader(
    make_loader: MakeLoader, crm: psycopg.Connection[Any], warehouse_server: str, database: str
) -> Loader:
    # The warehouse and the sales system are two databases: `database` is the sales system's here.
    return make_loader(TEXT, Connection(database))


@pytest.fixture
def migrated(warehouse_server: str) -> Iterator[str]:
    """Return a warehouse beside the sales system's database."""
    from tests.conftest import _fresh_database, _migrate

    for dsn in _fresh_database(warehouse_server):
        yield _migrate(dsn)


def order(crm: psycopg.Connection[Any], no: int, updated: str, amount: str = "10.50") -> None:
    crm.execute("delete from crm.orders where no = %s", (no,))
    crm.execute("insert into crm.orders values (%s, 'C1', '2026-05-01 09:00', %s, %s)", (no, updated, amount))


def test_a_table_lands_as_text_and_every_type_is_read_again(
    loader: Loader, crm: psycopg.Connection[Any]
) -> None:
    order(crm, 1, "2026-05-02 09:00+08")
    assert dict(loader.land().rows) == {"customers": 1, "orders": 1}
    columns = "select column_name from information_schema.columns where table_schema = 'raw_src' and table_name = 'customers'"
    assert ("secret",) not in loader.rows(columns), "a column nobody maps is not copied"
    loader.conform()
    assert loader.rows("select name, benchmark, credit_limit::text from care.fact_customer") == [
        ("华兴", True, "1.123456789012")
    ]
    assert loader.rows("select amount::text, event_at::text, changed_at::text from care.fact_order") == [
        ("10.5", "2026-05-01 01:00:00+00", "2026-05-02 01:00:00+00")
    ]


def test_only_what_changed_is_read_again_with_a_window_behind(
    loader: Loader, crm: psycopg.Connection[Any]
) -> None:
    for no, updated in enumerate(("2026-05-01 00:00+08", "2026-05-08 00:00+08", "2026-05-10 00:00+08")):
        order(crm, no, updated)
    loader.load()
    assert loader.land().rows["orders"] == 2
    order(crm, 3, "2026-05-08 12:00+08")
    order(crm, 4, "2026-05-07 12:00+08")
    order(crm, 2, "2026-05-11 00:00+08", amount="11")
    assert loader.land().rows["orders"] == 3
    loader.conform()
    assert loader.rows("select source_key, amount::text from care.fact_order where known_to is null order by 1") == [
        ("0", "10.5"), ("1", "10.5"), ("2", "11"), ("3", "10.5"),
    ]  # fmt: skip


def test_a_change_time_in_the_future_does_not_hide_later_changes(
    loader: Loader, crm: psycopg.Connection[Any]
) -> None:
    order(crm, 1, "2099-01-01 00:00+08")
    loader.load()
    loader.now += timedelta(days=10)
    order(crm, 2, (loader.now - timedelta(hours=1)).isoformat())
    loader.load()
    assert loader.rows("select count(*) from care.fact_order where source_key = '2'") == [(1,)]


def test_a_row_without_a_change_time_is_read_every_time(loader: Loader, crm: psycopg.Connection[Any]) -> None:
    order(crm, 1, "2026-05-10 00:00+08")
    loader.load()
    crm.execute("insert into crm.orders values (7, 'C1', '2026-05-01', null, 1)")
    assert loader.load()["src.orders"].new == 1


def test_a_run_that_fails_lands_nothing_and_the_next_one_reads_it_all(
    loader: Loader, crm: psycopg.Connection[Any]
) -> None:
    order(crm, 1, "2026-05-10 00:00+08")
    good, loader.dsn = loader.dsn, loader.dsn.replace(loader.dsn.rsplit("/", 1)[1], "no_such_database")
    with pytest.raises(Exception, match="no_such_database"):
        loader.land()
    loader.dsn = good
    assert loader.land().rows["orders"] == 1


def test_what_is_missing_is_named_with_the_nearest_all_at_once(
    make_loader: MakeLoader, crm: Any, database: str
) -> None:
    text = TEXT.replace("from: customers", "from: custmers").replace("amount: amount", "amount: amont")
    with pytest.raises(SourceError) as raised:
        make_loader(text, Connection(database)).land()
    assert raised.value.problems == (
        "src: there is no table crm.custmers; did you mean customers?",
        "src: table crm.orders has no column amont; did you mean amount?",
    )


def test_a_database_that_does_not_answer_is_one_line_without_its_password(make_loader: MakeLoader) -> None:
    with pytest.raises(SourceError) as raised:
        make_loader(TEXT, Connection("postgresql://me:secret@127.0.0.1:1/x")).land()
    assert str(raised.value).startswith("src: the database does not answer") and "secret" not in str(
        raised.value
    )


def test_a_number_is_no_cursor(make_loader: MakeLoader, crm: Any, database: str) -> None:
    loader = make_loader(TEXT.replace("cursor: updated", "cursor: no"), Connection(database))
    with pytest.raises(
        SourceError, match=r"src\.orders: cursor no is no time; without a cursor the table is read whole"
    ):
        loader.land()


def test_an_airflow_uri_with_extras_is_understood(make_loader: MakeLoader, crm: Any, database: str) -> None:
    uri = database.replace("postgresql://", "postgres://") + "?__extra__=%7B%7D&connect_timeout=5"
    assert make_loader(TEXT, Connection(uri)).land().rows["customers"] == 1


def test_the_source_is_only_read(loader: Loader, crm: psycopg.Connection[Any], database: str) -> None:
    import sqlalchemy as sa

    from care_sources.dialects import open_database

    with (
        open_database("src", database).engine.connect() as session,
        pytest.raises(sa.exc.DBAPIError, match="read-only"),
    ):
        session.execute(sa.text("delete from crm.orders"))


def test_a_database_of_another_kind_gives_the_same_rows(make_loader: MakeLoader, tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as crm:
        crm.executescript(
            "create table customers (code text, since date, name text, benchmark boolean, credit numeric);"
            "create table orders (no integer, code text, at timestamp, updated timestamp, amount numeric);"
            "insert into customers values ('C1', '2026-01-01', '华兴', 1, 1.5);"
            "insert into orders values (1, 'C1', '2026-05-01 09:00:00', '2026-05-02 09:00:00', 10.5);"
        )
    loader = make_loader(TEXT.replace("schema: crm\n", ""), Connection(f"sqlite:///{path}"))
    loader.load()
    assert loader.rows("select name, benchmark, credit_limit::text from care.fact_customer") == [
        ("华兴", True, "1.5")
    ]
    assert loader.rows("select amount::text, event_at::text, changed_at::text from care.fact_order") == [
        ("10.5", "2026-05-01 01:00:00+00", "2026-05-02 01:00:00+00")
    ]
    assert loader.land().rows["orders"] == 1


def sqlite(path: Path, script: str) -> Connection:
    with sqlite3.connect(path) as crm:
        crm.executescript(script)
    return Connection(f"sqlite:///{path}")


def test_a_value_that_is_not_of_its_columns_type_spoils_its_row_only(
    make_loader: MakeLoader, tmp_path: Path
) -> None:
    way = sqlite(
        tmp_path / "crm.db",
        "create table customers (code text, since date, name text, benchmark boolean, credit numeric);"
        "create table orders (no integer, code text, at timestamp, updated timestamp, amount numeric);"
        "insert into customers values ('C1', '2026年1月1日', '华兴', 'yes', 100.0), ('C2', 'long ago', 'x', 0, 1);"
        "insert into orders values (1, 'C1', '2026/5/1', null, 0.1), (2, 'C1', '2026-05-01', null, 'ten');",
    )
    loader = make_loader(TEXT.replace("schema: crm\n", ""), way)
    results = loader.load()
    assert (results["src.customers"].new, results["src.customers"].quarantined) == (1, 1)
    assert (results["src.orders"].new, results["src.orders"].quarantined) == (1, 1)
    assert loader.rows("select amount::text, event_day::text from care.fact_order") == [("0.1", "2026-05-01")]


def test_a_sqlite_file_is_only_read_and_never_made(make_loader: MakeLoader, tmp_path: Path) -> None:
    import sqlalchemy as sa

    from care_sources.dialects import open_database

    path = tmp_path / "crm 1.db"
    with pytest.raises(SourceError, match=r"src: there is no file .*crm 1\.db"):
        make_loader(TEXT, Connection(f"sqlite:///{path}")).land()
    assert not path.exists()
    way = sqlite(path, "create table t (a int)")
    with (
        open_database("src", way.uri).engine.connect() as session,
        pytest.raises(sa.exc.DBAPIError, match="readonly"),
    ):
        session.execute(sa.text("insert into t values (1)"))


@pytest.mark.parametrize(
    ("uri", "told"),
    [("oracle://me:hush@127.0.0.1/x", "no driver for a database of the kind 'oracle' is installed"),
     ("nonsense://me:hush@x/y", "no driver for a database of the kind 'nonsense' is installed"),
     ("hush", "its connection is no address of a database")],
)  # fmt: skip
def test_a_database_nobody_can_reach_is_one_line(make_loader: MakeLoader, uri: str, told: str) -> None:
    with pytest.raises(SourceError) as raised:
        make_loader(TEXT, Connection(uri)).land()
    assert told in str(raised.value) and "hush" not in str(raised.value)


@pytest.mark.req("S11")
def test_the_same_data_by_csv_and_by_database_gives_identical_facts(
    make_loader: MakeLoader, crm: psycopg.Connection[Any], database: str, tmp_path: Path
) -> None:
    order(crm, 1, "2026-05-02 09:00:00+08", "10.50")
    order(crm, 2, "2026-05-03 09:00:00+08", "-3")
    by_database = make_loader(TEXT, Connection(database), name="first")
    by_database.load()
    folder = tmp_path / "csv"
    folder.mkdir()
    (folder / "customers").write_text(
        "code,since,name,benchmark,credit\nC1,2026/1/1,华兴,是,1.123456789012\n", encoding="gb18030"
    )
    (folder / "orders").write_text(
        "no,code,at,updated,amount\n1,C1,2026-05-01 09:00,2026-05-02 09:00,10.5\n2,C1,2026-05-01 09:00:00,2026-05-03T09:00,-3.00\n"
    )
    text = TEXT.replace("kind: database\nschema: crm\n", "").replace(
        "    cursor: updated\n    reread: 2 days\n", ""
    )
    by_files = make_loader(text, Connection(str(folder)), name="second")
    by_files.load()
    for fact, columns in (
        ("customer", "source_key, event_at, event_day, known_from, row_hash, name, benchmark, credit_limit"),
        (
            "order",
            "source_key, event_at, event_day, known_from, changed_at, row_hash, amount, amount_original",
        ),
    ):
        first, second = (
            by_files.rows(f"select {columns} from care.fact_{fact} where origin like '{name}.%' order by 1")
            for name in ("first", "second")
        )
        assert first == second and first


def test_times_keep_their_moment(loader: Loader, crm: psycopg.Connection[Any]) -> None:
    crm.execute("alter table crm.orders alter column at type timestamptz using at at time zone 'UTC'")
    order(crm, 1, "2026-05-02 09:00+08")
    crm.execute("update crm.orders set at = '2026-05-01 23:30:00.25-04'")
    loader.load()
    [(at, day)] = loader.rows("select event_at, event_day::text from care.fact_order")
    assert (at, day) == (datetime.fromisoformat("2026-05-02T03:30:00.250000+00:00"), "2026-05-02")
