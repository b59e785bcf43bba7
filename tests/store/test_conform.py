"""From a landing to two-time facts: what becomes of good rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from tests.store.landed import FIRM, MASTER, NOW, ORDERS, Landing, sources

from carewatch.store.conform import conform

Connection = psycopg.Connection[Any]


@pytest.fixture
def landing(connection: Connection) -> Landing:
    return Landing(connection, sources(sales=MASTER + ORDERS))


def customer(code: str, since: str = "2026-01-01", updated: str | None = None, **more: str) -> dict[str, Any]:
    return {"code": code, "since": since, "updated": updated, "name": f"Firm {code}", **more}


def order(
    no: str, amount: str | None = "10", at: str = "2026-05-01 09:00", code: str = "C1", **more: Any
) -> dict[str, Any]:
    return {"no": no, "amount": amount, "at": at, "code": code, **more}


def test_rows_become_facts_of_one_customer(landing: Landing) -> None:
    results = landing.take(
        "sales", customers=[customer("C1", credit="1,500.00")], orders=[order("A"), order("B", "-3.50")]
    )
    assert (results["sales.orders"].new, results["sales.customers"].new) == (2, 1)
    assert landing.open_facts("order", "amount", "event_day::text") == {
        "A": (Decimal(10), "2026-05-01"),
        "B": (Decimal("-3.5"), "2026-05-01"),
    }
    assert landing.open_facts("customer", "name", "credit_limit") == {"C1": ("Firm C1", Decimal(1500))}
    assert landing.rows(
        "select c.customer_id, count(*) from care.fact_order f join care.identity using (party_no) "
        "join care.customer c using (customer_no) group by 1"
    ) == [("C1", 2)]


def test_a_local_time_is_of_the_sources_zone_and_its_day_is_the_firms(connection: Connection) -> None:
    text = (MASTER + ORDERS).replace("customers: master", "time_zone: America/New_York\ncustomers: master")
    landing = Landing(connection, sources(sales=text))
    landing.take(
        "sales",
        customers=[customer("C1")],
        orders=[order("A", at="2026-05-01 13:00"), order("B", at="2026-05-01T13:00:00Z")],
    )
    assert landing.open_facts("order", "event_at", "event_day::text") == {
        "A": (datetime(2026, 5, 1, 17, tzinfo=UTC), "2026-05-02"),
        "B": (datetime(2026, 5, 1, 13, tzinfo=UTC), "2026-05-01"),
    }


def test_taking_again_changes_nothing(landing: Landing) -> None:
    landing.take("sales", customers=[customer("C1")], orders=[order("A")])
    before = landing.rows("select * from care.fact_order")
    assert landing.conform("sales") == {}
    landing.later(hours=1)
    again = landing.take("sales", customers=[customer("C1")], orders=[order("A"), order("A")])
    assert (
        again["sales.orders"].unchanged,
        again["sales.orders"].repeated,
        again["sales.customers"].unchanged,
    ) == (1, 1, 1)
    assert landing.rows("select * from care.fact_order") == before


def test_a_load_that_was_not_finished_is_not_read(landing: Landing) -> None:
    landing.land("sales", finished=False, customers=[customer("C1")], orders=[order("A")])
    assert landing.conform("sales") == {}
    landing.take("sales", customers=[customer("C1")], orders=[order("B")])
    assert list(landing.open_facts("order")) == ["B"]


def test_a_kill_before_the_commit_leaves_the_load_to_be_taken(landing: Landing) -> None:
    landing.land("sales", customers=[customer("C1")], orders=[order("A")])
    with pytest.raises(RuntimeError), landing.connection.transaction():
        conform(landing.connection, "sales", landing.sources["sales"], FIRM)
        raise RuntimeError("killed")
    assert landing.open_facts("order") == {}
    assert landing.conform("sales")["sales.orders"].new == 1


def test_a_correction_closes_the_old_version_when_it_becomes_known(landing: Landing) -> None:
    landing.take("sales", customers=[customer("C1")], orders=[order("Z")])
    landing.later(hours=1)
    first = landing.now
    landing.take("sales", orders=[order("A", "10", updated="2026-06-01 10:00")])
    landing.later(hours=1)
    result = landing.take("sales", orders=[order("A", "12", updated="2026-06-01 11:00")])
    assert result["sales.orders"].changed == 1
    versions = landing.rows(
        "select amount, known_from, known_to from care.fact_order where source_key = 'A' order by known_from"
    )
    assert versions == [(10, first, landing.now), (12, landing.now, None)]


def test_a_late_row_is_known_when_it_came_and_happened_when_it_happened(landing: Landing) -> None:
    landing.take("sales", customers=[customer("C1")], orders=[order("A")])
    landing.later(days=1)
    landing.take("sales", orders=[order("B", at="2026-01-15 09:00")])
    assert landing.rows(
        "select event_at, known_from, known_assumed from care.fact_order where source_key = 'B'"
    ) == [(datetime(2026, 1, 15, 1, tzinfo=UTC), landing.now, False)]


def test_the_first_load_is_believed_from_its_own_time_plus_the_delay(landing: Landing) -> None:
    landing.take(
        "sales",
        customers=[customer("C1", updated="2026-05-30 08:00")],
        orders=[
            order("A", at="2026-05-01 09:00"),
            order("B", at="2026-05-01 09:00", updated="2026-05-03 09:00"),
            order("C", at=(NOW - timedelta(hours=1)).isoformat()),
        ],
    )
    known = {key: row[0] for key, row in landing.open_facts("order", "known_from").items()}
    assert known == {
        "A": datetime(2026, 5, 1, 3, tzinfo=UTC),
        "B": datetime(2026, 5, 3, 3, tzinfo=UTC),
        "C": NOW,
    }
    assert landing.rows("select distinct known_assumed from care.fact_order") == [(True,)]
    start = datetime(2025, 12, 31, 18, tzinfo=UTC)
    assert landing.rows("select known_from from care.fact_customer") == [(start,)], (
        "not unknown until it last changed"
    )
    assert landing.rows("select known_from from care.identity") == [(start,)]


@pytest.mark.parametrize(("kind", "history"), [("files", True), ("database", False)])
def test_an_empty_folder_is_no_reading_but_an_empty_table_is(
    connection: Connection, kind: str, history: bool
) -> None:
    landing = Landing(connection, sources(sales=f"kind: {kind}\n" + MASTER + ORDERS))
    landing.take("sales")
    landing.later(days=1)
    result = landing.take("sales", customers=[customer("C1")], orders=[order("A")])
    assert result["sales.orders"].history is history
    assert landing.rows("select known_assumed from care.fact_order") == [(history,)]


def test_versions_of_one_first_load_follow_one_another(landing: Landing) -> None:
    result = landing.take(
        "sales",
        customers=[customer("C1")],
        orders=[
            order("A", "3", updated="2026-05-04 09:00"),
            order("A", "1", updated="2026-05-02 09:00"),
            order("A", "1", updated="2026-05-03 09:00"),
            order("A", "1", updated="2026-05-02 09:00"),
        ],
    )
    assert (result["sales.orders"].new, result["sales.orders"].changed, result["sales.orders"].repeated) == (
        1,
        1,
        2,
    )
    first, second = datetime(2026, 5, 2, 3, tzinfo=UTC), datetime(2026, 5, 4, 3, tzinfo=UTC)
    assert landing.rows("select amount, known_from, known_to from care.fact_order order by known_from") == [
        (1, first, second),
        (3, second, None),
    ]


def test_an_older_version_that_comes_later_changes_nothing(landing: Landing) -> None:
    landing.take("sales", customers=[customer("C1")], orders=[order("A", "5", updated="2026-05-05 09:00")])
    landing.later(hours=1)
    result = landing.take("sales", orders=[order("A", "4", updated="2026-05-04 09:00")])
    assert result["sales.orders"].repeated == 1
    assert landing.open_facts("order", "amount") == {"A": (5,)}


def test_an_unchanged_row_with_a_newer_change_time_overrules_what_lies_between(landing: Landing) -> None:
    landing.take("sales", customers=[customer("C1")], orders=[order("A", "1", updated="2026-05-01 09:00")])
    landing.take("sales", orders=[order("A", "1", updated="2026-05-03 09:00")])
    result = landing.take("sales", orders=[order("A", "2", updated="2026-05-02 09:00")])
    assert result["sales.orders"].repeated == 1
    assert landing.open_facts("order", "amount") == {"A": (1,)}


def test_a_clock_that_stands_still_or_steps_back_makes_no_negative_interval(landing: Landing) -> None:
    landing.take("sales", customers=[customer("C1")], orders=[order("A", "1")])
    landing.take("sales", orders=[order("A", "2", updated="2026-05-02")])
    landing.later(hours=-5)
    landing.take("sales", orders=[order("A", "3", updated="2026-05-03")])
    assert landing.open_facts("order", "amount") == {"A": (3,)}
    assert landing.rows("select count(*) from care.fact_order where known_to < known_from") == [(0,)]


def test_nothing_becomes_known_before_a_knowledge_cut_that_was_taken(landing: Landing) -> None:
    landing.take("sales", customers=[customer("C1")], orders=[order("Z")])
    landing.rows("insert into care.configuration values ('f', 'judgement', '{}', now()) returning 1")
    landing.rows(
        "insert into care.night (day, event_cut, knowledge_cut, judgement, care, code_version, opened_at) "
        "values ('2026-06-01', %s, %s, 'f', 'f', '1', now()) returning 1",
        NOW,
        NOW,
    )
    landing.take("sales", orders=[order("A")])
    landing.take("sales", orders=[order("B")])
    assert landing.rows(
        "select bool_and(known_from > %s) from care.fact_order where not known_assumed", NOW
    ) == [(True,)]


def test_amounts_in_another_currency_are_counted_until_their_rate_is_known(landing: Landing) -> None:
    result = landing.take(
        "sales",
        customers=[customer("C1")],
        orders=[order("B", currency="eur"), order("C", currency="CNY"), order("D")],
    )
    assert result["sales.orders"].unconverted == 1
    assert landing.open_facts("order", "amount", "amount_original", "currency") == {
        "B": (None, 10, "EUR"),
        "C": (10, 10, "CNY"),
        "D": (10, 10, None),
    }


def test_a_withdrawn_row_ends_its_fact(connection: Connection) -> None:
    text = MASTER + ORDERS.replace("columns:", "withdrawn_when: kind = 'void'\n    columns:")
    landing = Landing(connection, sources(sales=text))
    landing.take("sales", customers=[customer("C1")], orders=[order("A"), order("B", kind="void")])
    landing.later(hours=1)
    result = landing.take(
        "sales", orders=[order("A", None, kind="void", updated="2026-05-09"), order("B", kind="void")]
    )
    assert (result["sales.orders"].changed, result["sales.orders"].filtered) == (1, 1)
    assert landing.open_facts("order") == {}
    assert landing.rows("select known_to from care.fact_order") == [(landing.now,)]
    landing.take("sales", orders=[order("A", "11", updated="2026-05-10")])
    assert landing.open_facts("order", "amount") == {"A": (11,)}


def test_rows_that_fail_where_are_counted_and_left(connection: Connection) -> None:
    text = MASTER + ORDERS.replace("columns:", "where: kind <> 'draft' and amount > 0\n    columns:")
    landing = Landing(connection, sources(sales=text))
    result = landing.take(
        "sales",
        customers=[customer("C1")],
        orders=[order("A", kind="draft"), order("B", "0", kind="spare"), order("C", kind="spare")],
    )
    assert (result["sales.orders"].filtered, result["sales.orders"].new) == (2, 1)
    assert landing.waiting() == []


def test_a_key_of_several_columns_keeps_its_parts_apart(connection: Connection) -> None:
    text = MASTER + ORDERS.replace("key: no", "key: [no, code]")
    landing = Landing(connection, sources(sales=text))
    landing.take(
        "sales",
        customers=[customer("b/c"), customer("c")],
        orders=[order("a", code="b/c"), order("a/b", code="c")],
    )
    assert list(landing.open_facts("order")) == ["a/b\\/c", "a\\/b/c"]


def test_a_mapping_that_changed_after_the_load_waits_for_the_next_one(connection: Connection) -> None:
    landing = Landing(connection, sources(sales=MASTER + ORDERS))
    landing.land("sales", customers=[customer("C1")], orders=[order("A")])
    landing.sources = sources(sales=MASTER + ORDERS.replace("amount: amount", "amount: amount * 2"))
    result = landing.conform("sales")["sales.orders"]
    assert (result.repeated, landing.open_facts("order")) == (1, {})
    result = landing.take("sales", orders=[order("A")])["sales.orders"]
    assert (result.history, landing.open_facts("order", "amount")) == (True, {"A": (20,)})
