"""Make orders of many customers as a file of Parquet, of CSV and as a table, and the source that reads each."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from carewatch.spec.document import parse_document, validate
from carewatch.spec.sources import SourcesFile

COLUMNS = "order_no text, customer text, ordered_at timestamp, amount numeric(14, 2), line text"
NAMES = ("order_no", "customer", "ordered_at", "amount", "line")
BATCH = 250_000
YEARS_SECONDS = 2 * 365 * 86_400

_SOURCES = """
version: 1
sources:
  shop:
    label: Shop
    owner: bench
    kind: {kind}
    connection: shop
    every: 1 day
    fresh_within: 2 days
    time_zone: Asia/Shanghai
    customers: derived
    streams:
      orders:
        from: "{name}"
        fact: order
        key: order_no
        customer: customer
        event_at: ordered_at
        columns: {{order_no: order_no, amount: amount, line: line}}
"""
_FROM = {
    "parquet": ("files", "*.parquet"),
    "csv": ("files", "*.csv"),
    "sql": ("database", "orders"),
}


def source(kind: str) -> Any:
    """Return the source that reads the orders from `parquet`, `csv` or `sql`."""
    origin, name = _FROM[kind]
    file, problems = validate(
        parse_document(_SOURCES.format(kind=origin, name=name), file="sources.yaml"), SourcesFile
    )
    assert file is not None, problems
    return file.sources["shop"]


def write(folder: Path, rows: int, customers: int) -> tuple[Path, Path]:
    """Write the same orders, in the order of their time, as Parquet and as CSV; return both files."""
    parquet, csv = folder / "orders.parquet", folder / "orders.csv"
    schema = _batch(0, 1, rows, customers).schema
    with pq.ParquetWriter(parquet, schema) as as_parquet, pa.csv.CSVWriter(csv, schema) as as_csv:
        for first in range(0, rows, BATCH):
            batch = _batch(first, min(BATCH, rows - first), rows, customers)
            as_parquet.write_table(batch)
            as_csv.write_table(batch)
    return parquet, csv


def _batch(first: int, count: int, rows: int, customers: int) -> pa.Table:
    chance = np.random.default_rng(first)
    numbers = np.arange(first, first + count)
    seconds = numbers * YEARS_SECONDS // rows + np.datetime64("2024-01-01", "s").astype(int)
    cents = pa.array(chance.integers(100, 10_000_000, count)).cast(pa.decimal128(19, 0))
    amounts = pc.multiply(cents, pa.scalar(Decimal("0.01"))).cast(pa.decimal128(14, 2))
    return pa.table(
        {
            "order_no": [f"O{number:09}" for number in numbers],
            "customer": [f"C{number:07}" for number in chance.integers(0, customers, count)],
            "ordered_at": pa.array(seconds.astype("datetime64[s]")),
            "amount": amounts,
            "line": np.array(["pumps", "valves", "service"])[chance.integers(0, 3, count)],
        }
    )
