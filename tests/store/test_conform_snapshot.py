"""Sources that show all their rows each time: what is missing was deleted, unless it is the snapshot that is wrong."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from tests.store.landed import MASTER, ORDERS, Landing, sources

Connection = psycopg.Connection[Any]
C1 = {"code": "C1", "since": "2026-01-01"}
SNAPSHOT = ORDERS.replace("columns:", "snapshot: true\n    where: kind <> 'draft'\n    columns:")


def order(no: str | None, amount: str = "10", kind: str = "spare", **more: Any) -> dict[str, Any]:
    return {"no": no, "amount": amount, "at": "2026-05-01 09:00", "code": "C1", "kind": kind, **more}


def orders(count: int, **more: Any) -> list[dict[str, Any]]:
    return [order(f"{number:03}", **more) for number in range(count)]


@pytest.fixture
def landing(connection: Connection) -> Landing:
    made = Landing(connection, sources(sales="kind: database\n" + MASTER + SNAPSHOT))
    made.take("sales", customers=[C1], orders=orders(10))
    made.later(hours=1)
    return made


@pytest.mark.req("S5")
def test_a_key_that_is_missing_ends_at_the_load_and_returns_with_its_row(landing: Landing) -> None:
    gone = landing.now
    result = landing.take("sales", orders=orders(9))["sales.orders"]
    assert (result.unchanged, result.ended) == (9, 1)
    assert landing.rows("select source_key, known_to from care.fact_order where known_to is not null") == [
        ("009", gone)
    ]
    assert landing.rows("select ended from care.load where origin = 'sales.orders' order by load_id") == [
        (0,),
        (1,),
    ]
    landing.later(hours=1)
    result = landing.take("sales", orders=orders(10))["sales.orders"]
    assert (result.new, result.unchanged, result.ended) == (1, 9, 0)
    assert landing.rows(
        "select known_from from care.fact_order where source_key = '009' and known_to is null"
    ) == [(landing.now,)]
    assert landing.rows("select count(*) from care.ended") == [(0,)]


@pytest.mark.parametrize(
    ("percent", "left", "ended"), [(20, 8, 2), (20, 7, 0), (19.9, 8, 0), (100, 0, 10), (99, 0, 0)]
)
def test_a_snapshot_that_lacks_too_much_ends_nothing_and_waits(
    landing: Landing, percent: float, left: int, ended: int
) -> None:
    text = SNAPSHOT.replace("snapshot: true", f"snapshot: true\n    ends_at_most: {percent}")
    landing.sources = sources(sales="kind: database\n" + MASTER + text)
    result = landing.take("sales", orders=[*orders(left), *([order("new")] if left else [])])["sales.orders"]
    assert (result.ended, result.new) == (ended, 1 if left else 0), "good rows go on"
    assert len(landing.open_facts("order")) == 10 - ended + (1 if left else 0)
    missing = [] if ended else [("suspicious snapshot", f"{10 - left} of 10 keys are missing")]
    assert landing.waiting("reason", "value") == missing


def test_a_suspicious_snapshot_is_told_once_and_settled_by_a_whole_one(landing: Landing) -> None:
    for left in (3, 2):
        landing.take("sales", orders=orders(left))
    assert landing.waiting("value", "load_id") == [("8 of 10 keys are missing", "1700000003.5")]
    landing.take("sales", orders=orders(10))
    assert landing.waiting() == []
    assert landing.rows("select state, settled_why from quarantine.row") == [
        ("dropped", "a later row, file or snapshot put it right")
    ]


def test_a_faulty_row_shows_that_its_key_is_there_and_a_filtered_one_does_not(landing: Landing) -> None:
    rows = [*orders(8), order("008", "x"), order("009", kind="draft")]
    result = landing.take("sales", orders=rows)["sales.orders"]
    assert (result.ended, result.quarantined, result.filtered) == (1, 1, 1)
    assert sorted(landing.open_facts("order"))[-1] == "008"


def test_a_line_that_nobody_can_read_may_be_the_missing_one(landing: Landing) -> None:
    fault = {"_fault": "3 fields where the header has 5", "_raw": "x", "_file": "a.csv", "_line": 4}
    result = landing.take("sales", orders=[*orders(9), fault])["sales.orders"]
    assert (result.ended, result.quarantined) == (0, 1)
    assert landing.waiting("value") == [
        (None,),
        ("1 of 10 keys are missing, and 1 of its lines cannot be read",),
    ]
    result = landing.take("sales", orders=[*orders(10), fault])["sales.orders"]
    assert landing.waiting("reason") == [("3 fields where the header has 5",)], "nothing is missing"


def test_what_a_snapshot_no_longer_shows_does_not_wait_either(landing: Landing) -> None:
    landing.take("sales", orders=[*orders(10), order("A", "x"), order("B", code="C9"), order(None)])
    assert len(landing.waiting()) == 3
    landing.take("sales", orders=[*orders(10), order("A", "x")])
    assert landing.waiting("source_key") == [("A",)]


def test_an_older_snapshot_that_is_taken_later_says_nothing(landing: Landing) -> None:
    old = landing.land("sales", orders=[*orders(8), order("A"), order("000", "99")])
    landing.take_only("sales", landing.land("sales", orders=orders(9)))
    result = landing.take_only("sales", old)["sales.orders"]
    assert (result.repeated, result.ended) == (10, 0)
    assert sorted(landing.open_facts("order", "amount").items())[0] == ("000", (10,))
    assert len(landing.open_facts("order")) == 9


def test_files_that_did_not_change_are_no_empty_snapshot(connection: Connection) -> None:
    landing = Landing(connection, sources(sales=MASTER + SNAPSHOT))
    landing.take("sales", customers=[C1], orders=orders(10))
    assert landing.take("sales")["sales.orders"].ended == 0
    assert len(landing.open_facts("order")) == 10
    assert landing.waiting() == []


def test_combined_rows_are_missing_together(connection: Connection) -> None:
    text = SNAPSHOT.replace("amount: amount", "amount: sum(amount)").replace(
        "snapshot:", "combine: per_load\n    snapshot:"
    )
    text = text.replace("kind: kind", "kind: max(kind)").replace(
        "currency: currency", "currency: max(currency)"
    )
    landing = Landing(connection, sources(sales="kind: database\n" + MASTER + text))
    landing.take("sales", customers=[C1], orders=[*orders(5), *orders(5)])
    rows = [*orders(4), order("003", "x")]
    result = landing.take("sales", orders=rows)["sales.orders"]
    assert (result.ended, sorted(landing.open_facts("order"))) == (1, ["000", "001", "002", "003"])
