"""From a landing to two-time facts: bad rows wait with their reason, good rows go on, and the counts add up."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from tests.store.landed import MASTER, NOW, ORDERS, Landing, sources

Connection = psycopg.Connection[Any]
GOOD = {"no": "A", "amount": "10", "at": "2026-05-01 09:00", "code": "C1"}
C1 = {"code": "C1", "since": "2026-01-01", "name": "Firm"}


@pytest.fixture
def landing(connection: Connection) -> Landing:
    return Landing(connection, sources(sales=MASTER + ORDERS))


def bad(**changes: str | None) -> dict[str, Any]:
    return {**GOOD, "no": "B", **changes}


@pytest.mark.parametrize(
    ("row", "reason", "field", "value"),
    [
        (bad(no=None), "no key", "key", None),
        (bad(no=" \u3000"), "no key", "key", None),
        (bad(code=""), "no customer", "customer", None),
        (bad(code="C9"), "unknown customer", "customer", "C9"),
        (bad(at=None), "no event time", "event_at", None),
        (bad(at="昨天"), "not a time", "at", "昨天"),
        (bad(at="2026-02-30"), "not a time", "at", "2026-02-30"),
        (bad(at="0000-00-00 00:00:00"), "not a time", "at", "0000-00-00 00:00:00"),
        (bad(at="1900-01-01"), "event time in the future or before 1900", "event_at", "1899-12-31 15:54:17+00"),
        (bad(amount="12,3O0.00"), "not a number", "amount", "12,3O0.00"),
        (bad(amount="NaN"), "not a number", "amount", "NaN"),
        (bad(amount=None), "a needed value is missing", "amount", None),
        (bad(amount="1000.01"), "absurd value: outside its bounds", "amount", "1000.01"),
        (bad(amount="-1000.01"), "absurd value: outside its bounds", "amount", "-1000.01"),
        (bad(no="x" * 401), "a key this long is none", "key", "x" * 100),
        (bad(kind="spares"), "unknown word", "kind", "spares"),
        ({"_fault": "3 fields where the header has 5", "_raw": "B;1;2"}, "3 fields where the header has 5", None, None),
    ],
)  # fmt: skip
def test_a_bad_row_waits_and_the_good_one_goes_on(
    landing: Landing, row: dict[str, Any], reason: str, field: str | None, value: str | None
) -> None:
    placed = {**row, "_file": "orders.csv", "_line": 7}
    result = landing.take("sales", customers=[C1], orders=[GOOD, placed])["sales.orders"]
    assert (result.landed, result.new, result.quarantined) == (2, 1, 1)
    assert list(landing.open_facts("order")) == ["A"]
    assert landing.waiting("reason", "field", "value", "place") == [(reason, field, value, "orders.csv:7")]
    kept = landing.waiting("data")[0][0]
    assert {name: kept.get(name) for name in row if row[name] is not None and not name.startswith("_f")} == {
        name: text for name, text in row.items() if text is not None and not name.startswith("_f")
    }


@pytest.mark.parametrize(("amount", "good"), [("1000", True), ("-1000", True), ("1000.01", False)])
def test_bounds_include_their_ends(landing: Landing, amount: str, good: bool) -> None:
    landing.take("sales", customers=[C1], orders=[{**GOOD, "amount": amount}])
    assert (landing.open_facts("order") != {}) is good


@pytest.mark.parametrize(("hours", "good"), [(24, True), (25, False)])
def test_an_event_may_lie_one_day_ahead(landing: Landing, hours: int, good: bool) -> None:
    from datetime import timedelta

    at = (NOW + timedelta(hours=hours)).isoformat()
    landing.take("sales", customers=[C1], orders=[{**GOOD, "at": at}])
    assert (landing.open_facts("order") != {}) is good


def test_a_value_that_cannot_be_read_in_where_is_a_fault_and_not_filtered(connection: Connection) -> None:
    text = MASTER + ORDERS.replace("columns:", "where: amount > 5\n    columns:")
    landing = Landing(connection, sources(sales=text))
    result = landing.take("sales", customers=[C1], orders=[GOOD, bad(amount="x"), bad(no="D", amount="5")])[
        "sales.orders"
    ]
    assert (result.new, result.quarantined, result.filtered) == (1, 1, 1)
    assert landing.waiting("reason", "value") == [("not a number", "x")]


def test_what_an_expression_cannot_read_is_named_by_the_facts_column(connection: Connection) -> None:
    text = MASTER + ORDERS.replace("amount: amount,", "amount: \"replace(amount, '¥', '')\",")
    landing = Landing(connection, sources(sales=text))
    landing.take("sales", customers=[C1], orders=[{**GOOD, "amount": "¥8.50"}, bad(amount="¥x")])
    assert [str(row[0]) for row in landing.open_facts("order", "amount").values()] == ["8.5"]
    assert landing.waiting("reason", "field", "value") == [("not a number", "amount", "x")]


def test_whole_numbers_are_whole(connection: Connection) -> None:
    text = """
      usage:
        from: usage
        fact: usage_day
        key: no
        customer: code
        event_at: day
        columns: {logins: logins}
    """
    landing = Landing(connection, sources(sales=MASTER + _below_streams(text)))
    rows = [
        {"no": str(n), "code": "C1", "day": "2026-05-01", "logins": text}
        for n, text in enumerate(["7", "7.0", "7.5", "1e30"])
    ]
    landing.take("sales", customers=[C1], usage=rows)
    assert landing.open_facts("usage_day", "logins") == {"0": (7,), "1": (7,)}
    assert landing.waiting("reason", "value") == [
        ("not a whole number", "7.5"),
        ("not a whole number", "1" + "0" * 30),
    ]


def _below_streams(text: str) -> str:
    from textwrap import dedent, indent

    return indent(dedent(text), "  ")


def test_two_different_rows_of_one_file_with_one_key_keep_the_last_and_show_the_other(
    landing: Landing,
) -> None:
    rows = [
        {**GOOD, "amount": "1", "_file": "a.csv", "_line": 2},
        {**GOOD, "amount": "2", "_file": "a.csv", "_line": 3},
        {**GOOD, "amount": "2", "_file": "a.csv", "_line": 4},
    ]
    result = landing.take("sales", customers=[C1], orders=rows)["sales.orders"]
    assert (result.new, result.repeated, result.quarantined) == (1, 1, 1)
    assert landing.open_facts("order", "amount") == {"A": (2,)}
    assert landing.waiting("reason", "place", "source_key") == [("duplicate key", "a.csv:2", "A")]


def test_a_later_file_replaces_an_earlier_one_without_a_fault(landing: Landing) -> None:
    rows = [{**GOOD, "amount": "1", "_file": "2026-04.csv"}, {**GOOD, "amount": "2", "_file": "2026-05.csv"}]
    result = landing.take("sales", customers=[C1], orders=rows)["sales.orders"]
    assert (result.new, result.repeated, result.quarantined) == (1, 1, 0)
    assert landing.open_facts("order", "amount") == {"A": (2,)}


def test_a_bad_row_that_comes_again_waits_once(landing: Landing) -> None:
    landing.take("sales", customers=[C1], orders=[GOOD, bad(amount="x", _file="a.csv", _line="3")])
    landing.later(hours=1)
    again = landing.take("sales", orders=[GOOD, bad(amount="x", _file="a.csv", _line="4")])["sales.orders"]
    assert (again.unchanged, again.repeated, again.quarantined) == (1, 1, 0)
    assert len(landing.waiting()) == 1


def test_a_mended_row_loads_and_the_bad_one_no_longer_waits(landing: Landing) -> None:
    landing.take("sales", customers=[C1], orders=[GOOD, bad(amount="x")])
    landing.later(hours=1)
    landing.take("sales", orders=[bad(amount="9", updated="2026-05-09")])
    assert landing.open_facts("order", "amount")["B"] == (9,)
    assert landing.waiting() == []
    assert landing.rows("select state, settled_at from quarantine.row") == [("dropped", landing.now)]


def test_a_bad_row_mended_in_the_same_load_is_kept_but_does_not_wait(landing: Landing) -> None:
    result = landing.take("sales", customers=[C1], orders=[bad(amount="x"), bad(amount="9")])["sales.orders"]
    assert (result.new, result.quarantined) == (1, 1)
    assert landing.waiting() == []
    assert landing.rows("select state from quarantine.row") == [("dropped",)]


def test_a_corrected_file_settles_what_it_corrects(landing: Landing) -> None:
    def file(*rows: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**row, "_file": "a.csv", "_line": line} for line, row in enumerate(rows, start=2)]

    other = {**bad(no=None, amount="1"), "_file": "b.csv", "_line": 2}
    landing.take("sales", customers=[C1], orders=[*file(GOOD, bad(no=None), bad(no=None, amount="7")), other])
    assert len(landing.waiting()) == 3
    landing.take("sales", orders=file(GOOD, bad(), bad(no=None, amount="7")))
    assert landing.waiting("place", "data ->> 'amount'") == [("a.csv:4", "7"), ("b.csv:2", "1")]
    assert sorted(landing.open_facts("order")) == ["A", "B"]


def test_a_newest_version_that_is_bad_leaves_the_last_good_one_in_force(landing: Landing) -> None:
    landing.take("sales", customers=[C1], orders=[{**GOOD, "updated": "2026-05-02"}])
    landing.take("sales", orders=[{**GOOD, "amount": "x", "updated": "2026-05-03"}])
    assert landing.open_facts("order", "amount") == {"A": (10,)}
    assert landing.waiting() == [("not a number",)]
