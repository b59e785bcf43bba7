"""Real invoice lines become orders and order lines, against sums made by hand."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest
from tests.sources.conftest import MakeLoader

from care_sources.connection import Connection

DATA = (
    Path(__file__).resolve().parents[3] / "shared" / "data" / "online_retail_ii_dev" / "invoice_lines.csv.gz"
)
LINES = 30_000
SHOP = """
customers: derived
time_zone: Europe/London
streams:
  orders:
    from: "invoice_lines*.csv*"
    fact: order
    key: invoice
    customer: customer_id
    event_at: invoice_ts
    combine: per_file
    where: "stock_code ~ '^[0-9]{5}' and unit_price > 0 and (quantity > 0 or starts_with(invoice, 'C'))"
    columns:
      amount: sum(quantity * unit_price)
      kind: "case when invoice like 'C%' then 'credit' else 'regular' end"
      currency: "'GBP'"
  lines:
    from: "invoice_lines*.csv*"
    fact: order_line
    key: [invoice, _line]
    customer: customer_id
    event_at: invoice_ts
    where: "stock_code ~ '^[0-9]{5}' and unit_price > 0"
    columns: {product: stock_code, quantity: quantity, amount: quantity * unit_price}
"""


@pytest.mark.skipif(not DATA.exists(), reason="the real invoice lines are not on this machine")
def test_lines_become_orders_with_their_sums(make_loader: MakeLoader, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as stream:
        header, *rows = islice(csv.reader(stream), LINES + 1)
    with gzip.open(folder / "invoice_lines.csv.gz", "wt", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    loader = make_loader(SHOP, Connection(str(folder)))
    results = loader.load()
    assert results["src.orders"].landed == LINES

    sums: dict[str, Decimal] = defaultdict(Decimal)
    lines = 0
    for invoice, _, _, _, code, quantity, price in rows:
        if code[:5].isdigit() and len(code[:5]) == 5 and Decimal(price) > 0:
            lines += 1
            if int(quantity) > 0 or invoice.startswith("C"):
                sums[invoice] += int(quantity) * Decimal(price)
    orders = loader.rows(
        "select source_key, amount_original, kind from care.fact_order where known_to is null"
    )
    assert {key: amount for key, amount, _ in orders} == dict(sums)
    assert {key for key, _, kind in orders if kind == "credit"} == {
        key for key in sums if key.startswith("C")
    }
    assert loader.rows("select count(*) from care.fact_order_line") == [(lines,)]
    assert loader.rows("select count(*) from quarantine.row") == [(0,)]
    customers = {row[2] for row in rows if row[4][:5].isdigit()}
    assert loader.rows("select count(*) from care.fact_customer where known_to is null") == [
        (len(customers),)
    ]
