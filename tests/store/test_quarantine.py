"""Rows that wait: those that a check holds back, and what becomes of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from tests.store.landed import FIRM, MASTER, ORDERS, Landing, sources

from carewatch.store.conform import CannotReplay, StreamResult, replay
from carewatch.store.quarantine import HeldRow, drop, hold_back

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


def replay_all(landing: Landing, *, reason: str | None = None) -> list[StreamResult]:
    where = "" if reason is None else f" and reason = '{reason}'"
    rows = landing.rows(f"select row_no from quarantine.row where state = 'waiting'{where} order by 1")
    return replay(
        landing.connection, "sales", landing.sources["sales"], FIRM, [row[0] for row in rows], by="ann"
    )


@pytest.mark.req("S10")
def test_a_corrected_bound_lets_a_row_load_with_its_own_event_time_known_from_now(landing: Landing) -> None:
    landing.take("sales", customers=[C1], orders=[order("A"), order("B", "2000"), order("C", "x")])
    landing.later(days=3)
    landing.sources = sources(sales=MASTER + ORDERS.replace("1000]", "2000]"))
    assert [result.new for result in replay_all(landing)] == [1]
    assert landing.rows(
        "select event_at, known_from, known_assumed from care.fact_order where source_key = 'B'"
    ) == [(datetime(2026, 5, 1, 1, tzinfo=UTC), landing.now, False)]
    assert landing.waiting("source_key", "reason") == [("C", "not a number")]
    assert landing.rows(
        "select state, settled_by, settled_why from quarantine.row where state <> 'waiting'"
    ) == [("loaded", "ann", "replayed")]
    assert replay_all(landing)[0].quarantined == 1, "what is still wrong goes on waiting"


def test_a_replayed_row_does_not_overrule_what_came_after_it(connection: Connection) -> None:
    landing = Landing(connection, sources(sales=MASTER + ORDERS))
    landing.take("sales", customers=[C1], orders=[order("A", "2000", updated="2026-05-02")])
    landing.take("sales", orders=[order("A", "5", updated="2026-05-03")])
    landing.take("sales", orders=[order("A", "3000", updated="2026-05-02")])
    landing.sources = sources(sales=MASTER + ORDERS.replace("1000]", "9000]"))
    replay_all(landing)
    assert landing.open_facts("order", "amount") == {"A": (5,)}
    assert landing.waiting() == []


def test_a_mapping_that_reads_more_than_the_row_was_landed_with_is_refused(landing: Landing) -> None:
    landing.take("sales", customers=[C1], orders=[order("A", "x")])
    landing.sources = sources(
        sales=MASTER + ORDERS.replace("amount: amount,", "amount: total, line: product,")
    )
    with pytest.raises(
        CannotReplay, match=r"reads product, total, which row \d+ or another was landed without"
    ):
        replay_all(landing)
    assert landing.waiting() == [("not a number",)]


def test_a_line_that_nobody_could_read_stays_one(landing: Landing) -> None:
    fault = {"_fault": "3 fields where the header has 5", "_raw": "B;1;2", "_file": "a.csv", "_line": 3}
    landing.take("sales", customers=[C1], orders=[order("A"), fault])
    replay_all(landing)
    assert landing.waiting() == [("3 fields where the header has 5",)]


def test_a_duplicate_is_believed_when_a_person_says_so(landing: Landing) -> None:
    landing.take("sales", customers=[C1], orders=[order("A", "1"), order("A", "2")])
    landing.later(hours=1)
    replay_all(landing)
    assert landing.open_facts("order", "amount", "known_from") == {"A": (1, landing.now)}
    assert landing.waiting() == []


def test_what_a_person_has_settled_is_not_caught_again(landing: Landing) -> None:
    rows = [order("A"), order("B", "x"), order("C", "7")]
    load_id = landing.land("sales", customers=[C1], orders=rows)
    hold_back(landing.connection, "sales.orders", load_id, [HeldRow(2, "odd")])
    landing.conform("sales")
    replay_all(landing, reason="odd")
    ((number,),) = landing.waiting("row_no")
    assert drop(landing.connection, [number], by="ann", why="test data") == 1
    assert drop(landing.connection, [number], by="ann", why="again") == 0
    load_id = landing.land("sales", orders=rows)
    hold_back(landing.connection, "sales.orders", load_id, [HeldRow(2, "odd")])
    result = landing.conform("sales")["sales.orders"]
    assert (result.unchanged, result.repeated, result.quarantined) == (1, 2, 0)
    assert list(landing.open_facts("order")) == ["A", "C"]
    assert landing.rows("select state, settled_by, settled_why from quarantine.row order by row_no") == [
        ("dropped", "ann", "test data"),
        ("loaded", "ann", "replayed"),
    ]
    assert landing.rows("select by, what, subject, detail ->> 'why' from care.audit") == [
        ("ann", "quarantine_drop", f"quarantine:{number}", "test data")
    ]


def test_rows_of_one_fact_are_replayed_together_or_not_at_all(connection: Connection) -> None:
    text = ORDERS.replace("amount: amount", "amount: sum(amount)").replace(
        "bounds:", "combine: per_file\n    bounds:"
    )
    text = text.replace("kind: kind", "kind: max(kind)").replace(
        "currency: currency", "currency: max(currency)"
    )
    landing = Landing(connection, sources(sales=MASTER + text))
    landing.take("sales", customers=[C1], orders=[order("A", "600"), order("A", "600"), order("B", "1")])
    landing.sources = sources(sales=MASTER + text.replace("1000]", "2000]"))
    first = landing.waiting("row_no")[0]
    with pytest.raises(CannotReplay, match="not all rows of a key are chosen"):
        replay(connection, "sales", landing.sources["sales"], FIRM, first, by="ann")
    assert sum(result.new for result in replay_all(landing)) == 2
    assert landing.open_facts("order", "amount") == {"A": (1200,), "B": (1,)}


def test_a_suspicious_snapshot_is_believed_when_a_person_says_so(connection: Connection) -> None:
    text = "kind: database\n" + MASTER + ORDERS.replace("columns:", "snapshot: true\n    columns:")
    landing = Landing(connection, sources(sales=text))
    landing.take("sales", customers=[C1], orders=[order(str(number)) for number in range(5)])
    landing.take("sales", orders=[order("0"), order("1", "x")])
    landing.later(hours=1)
    assert landing.waiting() == [("not a number",), ("suspicious snapshot",)]
    (result,) = replay_all(landing, reason="suspicious snapshot")
    assert result.ended == 3
    assert landing.open_facts("order", "amount") == {"0": (10,), "1": (10,)}
    assert landing.rows("select distinct known_to from care.fact_order where known_to is not null") == [
        (landing.now,)
    ]
    assert landing.rows("select ended from care.load where origin = 'sales.orders' order by load_id") == [
        (0,),
        (3,),
    ]
    landing.take("sales", orders=[])
    connection.execute("delete from raw_sales.orders")
    landing.take("sales", orders=[order("0")])
    connection.execute("delete from raw_sales.orders")
    with pytest.raises(CannotReplay, match="load the source again, then replay"):
        replay_all(landing, reason="suspicious snapshot")
