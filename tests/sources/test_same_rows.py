"""The same data by every kind of source gives the same facts."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from tests.sources.conftest import MakeLoader
from tests.sources.desk import TOKEN, desk
from tests.sources.test_workbooks import book

from care_sources.connection import Connection
from carewatch.spec.facts import COMMON, FACTS

OWN = ("fact_no", "party_no", "origin", "load_id")
"""What says whose the row is and where it came from; everything else must be equal."""

CUSTOMERS = [
    ("C1", date(2024, 1, 31), "华兴", True, Decimal("123456.78"), datetime(2026, 5, 1, 9, 30)),
    ("C2", date(2025, 2, 28), "Smith & Söhne, \"Ltd\"", False, None, datetime(2026, 5, 2)),
]  # fmt: skip
ORDERS = [
    (1, "C1", datetime(2026, 5, 1, 23, 30, 15), datetime(2026, 5, 2, 9), Decimal("10.50"), "水泵"),
    (2, "C2", datetime(2026, 5, 2), datetime(2026, 5, 3, 9, 0, 1), Decimal("-3.00"), None),
    (3, "C1", datetime(2026, 5, 3, 0, 0, 0), datetime(2026, 5, 3, 9), Decimal("1234567.89"), "阀门"),
]
NAMES = {
    "customers": ["code", "since", "name", "benchmark", "credit", "updated"],
    "orders": ["no", "code", "at", "updated", "amount", "line"],
}
ROWS: dict[str, list[Any]] = {"customers": CUSTOMERS, "orders": ORDERS}
TABLES = {
    "customers": "code varchar(9), since date, name varchar(99), benchmark boolean, credit decimal(14, 2), updated {time}",
    "orders": "no int, code varchar(9), at {time}, updated {time}, amount decimal(14, 2), line varchar(99)",
}
TEXT = """
customers: master
time_zone: Asia/Shanghai
{more}
streams:
  customers:
    from: {customers}
    fact: customer
    key: code
    event_at: since
    changed_at: updated
    columns: {{name: name, benchmark: benchmark, credit_limit: credit}}
  orders:
    from: {orders}
    fact: order
    key: no
    customer: code
    event_at: at
    changed_at: updated
    columns: {{order_no: no, amount: amount, line: line}}
"""


def plain(value: Any) -> str:
    """Return a value as an export in CSV writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, datetime):
        return value.strftime("%Y/%m/%d %H:%M:%S")
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"') else text


def csv_text(table: str) -> str:
    lines = [NAMES[table], *([plain(value) for value in row] for row in ROWS[table])]
    return "".join(",".join(line) + "\r\n" for line in lines)


def by_csv(folder: Path) -> None:
    for table in ROWS:
        (folder / f"{table}.csv").write_bytes(csv_text(table).encode("gb18030"))


def by_gzip(folder: Path) -> None:
    for table in ROWS:
        (folder / f"{table}.csv.gz").write_bytes(gzip.compress(csv_text(table).encode("utf-8-sig")))


def by_excel(folder: Path) -> None:
    for table, rows in ROWS.items():
        book(folder / f"{table}.xlsx", NAMES[table], *rows)


def by_parquet(folder: Path) -> None:
    for table, rows in ROWS.items():
        columns = dict(zip(NAMES[table], map(list, zip(*rows, strict=True)), strict=True))
        pq.write_table(pa.table(columns), folder / f"{table}.parquet")


def by_database(uri: str, time: str) -> None:
    engine = sa.create_engine(uri)
    with engine.begin() as session:
        for table, rows in ROWS.items():
            session.execute(sa.text(f"create table {table} ({TABLES[table].format(time=time)})"))
            names = NAMES[table]
            for row in rows:
                statement = f"insert into {table} values ({', '.join(f':{name}' for name in names)})"
                session.execute(sa.text(statement), dict(zip(names, row, strict=True)))
    engine.dispose()


def by_sqlite(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        for table, rows in ROWS.items():
            connection.execute(f"create table {table} ({TABLES[table].format(time='timestamp')})")
            for row in rows:
                marks = ", ".join("?" * len(row))
                connection.execute(
                    f"insert into {table} values ({marks})",
                    [
                        float(one) if isinstance(one, Decimal) else str(one) if isinstance(one, date) else one
                        for one in row
                    ],
                )


def items(table: str) -> list[dict[str, Any]]:
    def shown(value: Any) -> Any:
        if isinstance(value, Decimal):
            return float(value)
        return value.isoformat() if isinstance(value, date) else value

    return [dict(zip(NAMES[table], map(shown, row), strict=True)) for row in ROWS[table]]


@pytest.mark.req("S11", "S1")
def test_eight_ways_give_identical_facts(
    make_loader: MakeLoader, tmp_path: Path, mariadb: str, database: str, warehouse_server: str
) -> None:
    files: dict[str, tuple[Callable[[Path], None], str]] = {
        "csv": (by_csv, ".csv"), "gzip": (by_gzip, ".csv.gz"), "excel": (by_excel, ".xlsx"), "parquet": (by_parquet, ".parquet"),
    }  # fmt: skip
    found: dict[str, Any] = {}
    reading: Any = None

    def load(
        name: str, way: Connection, suffix: str = "", prefix: str = "", more: str = "kind: database"
    ) -> None:
        nonlocal reading
        text = TEXT.format(
            customers=f"{prefix}customers{suffix}", orders=f"{prefix}orders{suffix}", more=more
        )
        reading = make_loader(text, way, name=f"by_{name}")
        results = reading.load()
        assert {one.new for one in results.values()} == {2, 3}, (name, results)

    for name, (write, suffix) in files.items():
        (tmp_path / name).mkdir()
        write(tmp_path / name)
        load(name, Connection(str(tmp_path / name)), suffix, more="kind: files")
    by_database(mariadb.replace("mysql:", "mysql+pymysql:"), "datetime(6)")
    load("mariadb", Connection(mariadb))
    by_sqlite(tmp_path / "shop.db")
    load("sqlite", Connection(f"sqlite:///{tmp_path / 'shop.db'}"))
    # `database` is the warehouse of this test as well: the source's tables lie in its schema `public`.
    by_database(database.replace("postgresql:", "postgresql+psycopg:"), "timestamp")
    load("postgresql", Connection(database))
    with desk() as served:
        served.allowed = lambda handler, query: handler.path.startswith("/api/")
        served.answer = lambda query: {"items": items(query["of"][0])}
        text = TEXT.format(
            customers="api/tickets", orders="api/tickets", more="kind: rest\npaging: {by: none}"
        )
        text = text.replace("fact: customer\n", "fact: customer\n    parameters: {of: customers}\n")
        text = text.replace("fact: order\n", "fact: order\n    parameters: {of: orders}\n")
        reading = make_loader(text, Connection(served.url, token=TOKEN), name="by_rest")
        reading.load()
    for fact in ("customer", "order"):
        columns = [
            name for name in (*COMMON, *(column.name for column in FACTS[fact].columns)) if name not in OWN
        ]
        listed = ", ".join(f'f."{name}"' for name in columns)
        for name in (*files, "mariadb", "sqlite", "postgresql", "rest"):
            found[name] = reading.rows(
                f"select p.customer_key, {listed} from care.fact_{fact} f join care.party p using (party_no) "
                f"where f.origin like 'by_{name}.%' order by f.source_key"
            )
            assert len(found[name]) == len(ROWS[f"{fact}s"]), name
            assert found[name] == found["csv"], name


def test_what_is_compared_is_all_a_fact_has(database: str, make_loader: MakeLoader) -> None:
    with psycopg.connect(database) as connection:
        stored = connection.execute(
            "select column_name from information_schema.columns where table_schema = 'care' and table_name = 'fact_order'"
        ).fetchall()
    assert {name for (name,) in stored} <= {*COMMON, *(column.name for column in FACTS["order"].columns)} | {
        "fact_no"
    }
