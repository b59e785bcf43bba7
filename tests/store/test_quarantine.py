"""Rows that wait: those that a check holds back, and what becomes of them."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from tests.store.landed import MASTER, ORDERS, Landing, sources

from carewatch.store.quarantine import HeldRow, hold_back

Connection = psycopg.Connection[Any]
C1 = {"code": "C1", "since": "2026-01-01"}


def order(no: str | None, amount: str = "10", **more: Any) -> dict[str, Any]:
    return {"no": no, "amount": amount, "at": "2026-05-01 09:00", "code": "C1", **more}


@pytest.fixture
def landing(connection: Connection) -> Landing:
    return Landing(connection, sources(sales=MASTER + ORDERS))


def test_a_row_that_a_check_holds_back_waits_with_the_checks_reason(landing: Landing) -> None:
    load_id = landing.land(
        "sales", customers=[C1], orders=[order("A"), order("B", "1"), order(None), order("C", "x")]
    )
    rows = [HeldRow(row, "amount below 5", "amount", "1") for row in (1, 2, 3)]
    assert hold_back(landing.connection, "sales.orders", load_id, rows) == 3
    assert hold_back(landing.connection, "sales.orders", load_id, [HeldRow(1, "another reason")]) == 3
    result = landing.conform("sales")["sales.orders"]
    assert (result.new, result.quarantined) == (1, 3)
    assert list(landing.open_facts("order")) == ["A"]
    assert landing.waiting("reason", "field", "value", "by_check", "source_key") == [
        ("amount below 5", "amount", "1", True, "B"),
        ("no key", "key", None, False, None),
        ("not a number", "amount", "x", False, "C"),
    ]
    assert landing.rows("select count(*) from quarantine.held") == [(0,)]
    assert hold_back(landing.connection, "sales.orders", load_id, rows) == 0, "it was conformed already"


def test_a_row_held_for_one_stream_goes_on_in_another_and_where_comes_first(connection: Connection) -> None:
    both = ORDERS + ORDERS.replace("orders:", "big_orders:").replace(
        "columns:", "where: amount > 5\n    columns:"
    )
    landing = Landing(connection, sources(sales=MASTER + both))
    load_id = landing.land("sales", customers=[C1], orders=[order("A"), order("B", "1")])
    hold_back(connection, "sales.big_orders", load_id, [HeldRow(0, "odd"), HeldRow(1, "odd")])
    results = landing.conform("sales")
    assert results["sales.orders"].new == 2
    assert (results["sales.big_orders"].quarantined, results["sales.big_orders"].filtered) == (1, 1)
