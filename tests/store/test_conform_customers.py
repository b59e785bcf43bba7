"""From a landing to two-time facts: whose rows are they?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from tests.store.landed import MASTER, ORDERS, Landing, sources

Connection = psycopg.Connection[Any]
TICKETS = """
customers: as in sales
streams:
  tickets:
    from: tickets
    fact: ticket
    key: no
    customer: code
    event_at: at
    changed_at: updated
    columns: {ticket_no: no, priority: priority}
"""
DERIVED = "customers: derived\nstreams:" + ORDERS
OTHER = ORDERS.replace("orders:", "returns:", 1).replace("from: orders", "from: returns")
C1 = {"code": "C1", "since": "2026-01-01", "name": "Firm"}


def ticket(no: str, code: str = "C1", at: str = "2026-05-01 09:00", **more: str) -> dict[str, Any]:
    return {"no": no, "code": code, "at": at, **more}


def order(
    no: str, code: str = "C1", at: str = "2026-05-01 09:00", amount: str = "1", **more: str
) -> dict[str, Any]:
    return {"no": no, "code": code, "at": at, "amount": amount, **more}


@pytest.fixture
def landing(connection: Connection) -> Landing:
    return Landing(connection, sources(sales=MASTER + ORDERS, service=TICKETS))


def test_two_systems_share_one_customer(landing: Landing) -> None:
    landing.take("sales", customers=[C1], orders=[order("A")])
    landing.take("service", tickets=[ticket("T")])
    assert landing.rows(
        "select count(distinct party_no) from (select party_no from care.fact_order union all select party_no from care.fact_ticket) f"
    ) == [(1,)]


def test_rows_of_an_unknown_customer_load_when_the_master_has_arrived(landing: Landing) -> None:
    landing.take("sales", customers=[C1])
    landing.take("service", tickets=[ticket("Z")])
    landing.later(hours=1)
    held = landing.take("service", tickets=[ticket("T", "C2"), ticket("U", "C3")])["service.tickets"]
    assert (held.new, held.quarantined) == (0, 2)
    landing.later(days=1)
    landing.take("sales", customers=[{**C1, "code": "C2"}])
    landing.later(hours=1)
    released = landing.conform("service")["service.tickets released"]
    assert (released.landed, released.new) == (1, 1)
    assert landing.rows(
        "select event_at, known_from, known_assumed from care.fact_ticket where source_key = 'T'"
    ) == [(datetime(2026, 5, 1, 1, tzinfo=UTC), landing.now, False)]
    assert landing.rows("select source_key, state from quarantine.row order by 1") == [
        ("T", "loaded"),
        ("U", "waiting"),
    ]
    assert landing.conform("service") == {}


@pytest.mark.parametrize("first", ["sales", "service"])
def test_the_history_is_the_same_whichever_system_is_loaded_first(landing: Landing, first: str) -> None:
    landing.land("sales", customers=[C1])
    landing.land("service", tickets=[ticket("T"), ticket("T", priority="high", updated="2026-05-03 09:00")])
    for source in (first, "sales", "service"):
        landing.conform(source)
        landing.later(hours=1)
    assert landing.rows(
        "select priority, known_from, known_to, known_assumed from care.fact_ticket order by 2"
    ) == [
        (None, datetime(2026, 5, 1, 3, tzinfo=UTC), datetime(2026, 5, 3, 3, tzinfo=UTC), True),
        ("high", datetime(2026, 5, 3, 3, tzinfo=UTC), None, True),
    ]


def test_a_master_in_the_same_load_is_in_time(landing: Landing) -> None:
    result = landing.take("sales", orders=[order("A", "C5")], customers=[{**C1, "code": "C5"}])
    assert result["sales.orders"].new == 1


def test_a_waiting_row_does_not_overrule_a_later_one(connection: Connection) -> None:
    plain = sources(sales=MASTER, service=TICKETS.replace("    changed_at: updated\n", ""))
    landing = Landing(connection, plain)
    landing.take("sales", customers=[C1])
    landing.take("service", tickets=[ticket("Z")])
    landing.take("service", tickets=[ticket("T", "C2", priority="low")])
    landing.take("service", tickets=[ticket("T", "C1", priority="high")])
    landing.take("sales", customers=[{**C1, "code": "C2"}])
    landing.conform("service")
    assert landing.open_facts("ticket", "priority")["T"] == ("high",)
    assert landing.rows("select state from quarantine.row") == [("dropped",)]


def test_customers_are_derived_from_the_keys_of_facts(connection: Connection) -> None:
    landing = Landing(connection, sources(shop=DERIVED))
    landing.take("shop", orders=[order("A", at="2026-05-02 09:00"), order("B"), order("C", "C2")])
    assert landing.open_facts("customer", "origin", "event_at", "known_from", "known_assumed", "name") == {
        "C1": (
            "shop.derived",
            datetime(2026, 5, 1, 1, tzinfo=UTC),
            datetime(2026, 5, 1, 3, tzinfo=UTC),
            True,
            None,
        ),
        "C2": (
            "shop.derived",
            datetime(2026, 5, 1, 1, tzinfo=UTC),
            datetime(2026, 5, 1, 3, tzinfo=UTC),
            True,
            None,
        ),
    }
    assert landing.rows("select customer_id from care.customer order by 1") == [("C1",), ("C2",)]


def test_a_derived_customer_begins_earlier_when_an_earlier_event_arrives(connection: Connection) -> None:
    landing = Landing(connection, sources(shop=DERIVED))
    landing.take("shop", orders=[order("A", at="2026-05-02 09:00")])
    landing.later(hours=1)
    landing.take("shop", orders=[order("B", at="2026-04-02 09:00"), order("C", at="2026-05-20 09:00")])
    versions = landing.rows(
        "select event_day::text, known_from, known_to from care.fact_customer order by known_from"
    )
    assert versions == [
        ("2026-05-02", datetime(2026, 5, 2, 3, tzinfo=UTC), landing.now),
        ("2026-04-02", landing.now, None),
    ]


def test_a_second_streams_history_makes_a_derived_customer_known_earlier(connection: Connection) -> None:
    landing = Landing(connection, sources(shop=DERIVED + OTHER))
    landing.take(
        "shop", orders=[order("A", at="2026-05-02 09:00")], returns=[order("R", at="2026-03-02 09:00")]
    )
    known = datetime(2026, 3, 2, 3, tzinfo=UTC)
    assert landing.open_facts("customer", "event_at", "known_from") == {
        "C1": (datetime(2026, 3, 2, 1, tzinfo=UTC), known)
    }
    assert landing.rows("select known_from from care.identity") == [(known,)]


def test_the_same_key_in_two_key_spaces_is_two_customers(connection: Connection) -> None:
    landing = Landing(connection, sources(sales=MASTER, shop=DERIVED))
    landing.take("sales", customers=[C1])
    landing.take("shop", orders=[order("A")])
    assert landing.rows("select customer_id from care.customer order by 1") == [("C1",), ("shop:C1",)]


def test_a_market_event_needs_no_customer_but_knows_one_that_it_names(connection: Connection) -> None:
    text = (
        MASTER
        + """
  market:
    from: market
    fact: market_event
    key: no
    customer: code
    event_at: at
    columns: {what: what, industry: industry}
"""
    )
    landing = Landing(connection, sources(sales=text))
    row = {"at": "2026-05-01", "what": "policy"}
    landing.take(
        "sales",
        customers=[C1],
        market=[{"no": "1", **row}, {"no": "2", "code": "C1", **row}, {"no": "3", "code": "C7", **row}],
    )
    assert landing.open_facts("market_event", "party_no is null") == {"1": (True,), "2": (False,)}
    assert landing.waiting() == [("unknown customer",)]


def test_a_row_that_moves_to_another_customer_is_a_correction(landing: Landing) -> None:
    landing.take("sales", customers=[C1, {**C1, "code": "C2"}], orders=[order("A", "C1")])
    result = landing.take("sales", orders=[order("A", "C2", updated="2026-05-04")])["sales.orders"]
    assert result.changed == 1
    assert landing.rows(
        "select p.customer_key from care.fact_order join care.party p using (party_no) where known_to is null"
    ) == [("C2",)]
