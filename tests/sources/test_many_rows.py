"""A load of many rows, as a firm of 100,000 customers brings it, made smaller."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sources.conftest import Loader, MakeLoader

from care_sources.connection import Connection
from carewatch.store.conform_stream import MANY

CUSTOMERS = 3_000
ROWS = 4 * CUSTOMERS
SOURCE = """
kind: files
customers: derived
streams:
  orders:
    from: "*.parquet"
    fact: order
    key: no
    customer: code
    event_at: at
    columns: {order_no: no, amount: amount}
"""
DEFINITIONS = """
select c.conrelid::regclass || ' ' || c.conname, pg_get_constraintdef(c.oid)
from pg_constraint c where c.connamespace = 'care'::regnamespace
union all
select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index
where indrelid in (select oid from pg_class where relnamespace = 'care'::regnamespace)
order by 1, 2
"""
INDEX = "select 'care.fact_order_party'::regclass::oid"
SUMS = "select count(*), count(*) filter (where known_to is null), sum(amount) from care.fact_order"


def write(path: Path, *, amount_of_first: int = 0) -> None:
    begin = datetime(2025, 1, 1)
    orders = pa.table(
        {
            "no": [f"O{number}" for number in range(ROWS)],
            "code": [f"C{number % CUSTOMERS}" for number in range(ROWS)],
            "at": [begin + timedelta(minutes=40 * number) for number in range(ROWS)],
            "amount": [Decimal(amount_of_first if number == 0 else number) for number in range(ROWS)],
        }
    )
    pq.write_table(orders, path)


@pytest.fixture
def loader(make_loader: MakeLoader, tmp_path: Path) -> Loader:
    """Return a loader of a folder with one file of many orders."""
    assert ROWS >= MANY, "so many rows that indexes are made after them"
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder / "january.parquet")
    return make_loader(SOURCE, Connection(str(folder)))


@pytest.mark.req("S160")
def test_customers_by_the_thousand_and_the_same_rows_again(loader: Loader) -> None:
    before, index = loader.rows(DEFINITIONS), loader.rows(INDEX)
    assert loader.load()["src.orders"].new == ROWS
    assert loader.rows(DEFINITIONS) == before and loader.rows(INDEX) != index, "made anew, after the rows"
    assert loader.rows("select count(*) from care.customer") == [(CUSTOMERS,)]
    assert loader.rows("select count(*) from care.fact_customer") == [(CUSTOMERS,)]
    assert loader.rows(SUMS) == [(ROWS, ROWS, sum(range(ROWS)))]

    folder = Path(loader.way.uri)
    assert loader.land().rows == {"orders": 0}, "the file is known by the digest of its bytes"
    shutil.copy(folder / "january.parquet", folder / "again.parquet")
    again = loader.load()["src.orders"]
    assert (again.landed, again.unchanged) == (ROWS, ROWS)
    assert loader.rows(SUMS) == [(ROWS, ROWS, sum(range(ROWS)))]

    write(folder / "corrected.parquet", amount_of_first=7)
    corrected = loader.load()["src.orders"]
    assert (corrected.changed, corrected.unchanged) == (1, ROWS - 1)
    assert loader.rows(SUMS) == [(ROWS + 1, ROWS, 7 + sum(range(ROWS)))]


def test_a_first_load_does_not_wait_for_who_reads(loader: Loader) -> None:
    before, index = loader.rows(DEFINITIONS), loader.rows(INDEX)
    loader.connection.execute("set lock_timeout = '20s'")
    with psycopg.connect(loader.dsn) as reader:
        reader.execute("select from care.fact_order, care.party")
        assert loader.load()["src.orders"].new == ROWS
    assert (loader.rows(DEFINITIONS), loader.rows(INDEX)) == (before, index)
    assert loader.rows(SUMS) == [(ROWS, ROWS, sum(range(ROWS)))]
