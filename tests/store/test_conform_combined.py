"""From a landing to two-time facts: all rows of a key become one fact."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from tests.store.landed import Landing, sources

Connection = psycopg.Connection[Any]
SHOP = """
customers: derived
streams:
  orders:
    from: lines
    fact: order
    key: invoice
    customer: code
    event_at: at
    combine: per_file
    where: product <> 'POST'
    columns:
      amount: sum(quantity * price)
      kind: case when invoice like 'C%' then 'credit' else 'regular' end
      line: last(product)
    bounds: {amount: [-100, 100]}
"""


def line(invoice: str, quantity: str = "1", price: str = "1", **more: Any) -> dict[str, Any]:
    row = {
        "invoice": invoice,
        "quantity": quantity,
        "price": price,
        "code": "C1",
        "at": "2026-05-01 09:00",
        "product": "P",
    }
    return {**row, "_file": "a.csv", **more}


@pytest.fixture
def landing(connection: Connection) -> Landing:
    return Landing(connection, sources(shop=SHOP))


def test_the_rows_of_a_key_are_one_fact_and_each_counts_as_it(landing: Landing) -> None:
    rows = [
        line("1", "2", "1.50", at="2026-05-01 10:00", product="P1"),
        line("1", "1", "2", product="P2"),
        line("C2", "-1", "4"),
        line("1", "1", "50", product="POST"),
        line("3", "1", "50", product="POST"),
    ]
    result = landing.take("shop", orders=rows)["shop.orders"]
    assert (result.landed, result.new, result.filtered) == (5, 3, 2)
    assert landing.open_facts("order", "amount", "kind", "line", "event_at::text") == {
        "1": (5, "regular", "P2", "2026-05-01 01:00:00+00"),
        "C2": (-4, "credit", "P", "2026-05-01 01:00:00+00"),
    }
    again = landing.take("shop", orders=rows)["shop.orders"]
    assert (again.unchanged, again.filtered) == (3, 2)


def test_one_bad_row_keeps_the_whole_key_back(landing: Landing) -> None:
    rows = [line("1", "x", _line=2), line("1", "3", _line=3), line("2", "3", _line=4)]
    result = landing.take("shop", orders=rows)["shop.orders"]
    assert (result.new, result.quarantined) == (1, 2)
    assert landing.waiting("place", "reason") == [
        ("a.csv:2", "not a number"),
        ("a.csv:3", "another row of this key is faulty"),
    ]
    mended = [line("1", "2", _line=2), line("1", "3", _line=3), line("2", "3", _line=4)]
    assert landing.take("shop", orders=mended)["shop.orders"].new == 2
    assert landing.waiting() == []


def test_rows_of_one_key_must_agree_on_the_customer(landing: Landing) -> None:
    result = landing.take("shop", orders=[line("1"), line("1", code="C2")])["shop.orders"]
    assert result.quarantined == 2
    assert set(landing.waiting()) == {("rows of one key name different customers",)}


def test_an_absurd_sum_holds_all_its_rows(landing: Landing) -> None:
    result = landing.take("shop", orders=[line("1", "60"), line("1", "41"), line("2", "100")])["shop.orders"]
    assert (result.new, result.quarantined) == (1, 2)
    assert landing.waiting("value") == [("101",), ("101",)]


def test_a_later_file_replaces_what_an_earlier_one_summed(landing: Landing) -> None:
    rows = [line("1", "1"), line("1", "2"), line("1", "5", _file="b.csv")]
    result = landing.take("shop", orders=rows)["shop.orders"]
    assert (result.new, result.repeated) == (1, 2)
    assert landing.open_facts("order", "amount") == {"1": (5,)}


def test_per_load_sums_over_all_files(connection: Connection) -> None:
    landing = Landing(connection, sources(shop=SHOP.replace("per_file", "per_load")))
    landing.take("shop", orders=[line("1", "1"), line("1", "2"), line("1", "5", _file="b.csv")])
    assert landing.open_facts("order", "amount") == {"1": (8,)}


def test_combined_rows_wait_for_their_customer_together(connection: Connection) -> None:
    text = SHOP.replace("customers: derived", "customers: as in crm")
    master = "customers: master\nstreams:\n  people:\n    from: p\n    fact: customer\n    key: code\n    event_at: since\n"
    landing = Landing(connection, sources(shop=text, crm=master))
    landing.take("crm")
    result = landing.take("shop", orders=[line("1", "1"), line("1", "2"), line("2", "x")])["shop.orders"]
    assert result.quarantined == 3
    landing.take("crm", people=[{"code": "C1", "since": "2026-01-01"}])
    assert landing.conform("shop")["shop.orders released"].new == 2
    assert landing.open_facts("order", "amount") == {"1": (3,)}
    assert landing.rows("select state, count(*) from quarantine.row group by 1 order by 1") == [
        ("loaded", 2),
        ("waiting", 1),
    ]


def test_a_column_in_the_landing_may_have_any_name(connection: Connection) -> None:
    text = """
    customers: derived
    streams:
      orders:
        from: lines
        fact: order
        key: '"row_no"'
        customer: '"客户 编号"'
        event_at: '"Key"'
        columns: {amount: '"file"', kind: "case when \\"it's\\" = 'r' then 'regular' end"}
    """
    landing = Landing(connection, sources(shop=text))
    landing.take(
        "shop", orders=[{"row_no": "1", "客户 编号": "C1", "Key": "2026-05-01", "file": "3", "it's": "r"}]
    )
    assert landing.open_facts("order", "amount", "kind") == {"1": (3, "regular")}
