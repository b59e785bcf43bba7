"""Laws of conforming: the order and the number of times in which batches arrive decide nothing about what is believed."""

from __future__ import annotations

from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.landed import MASTER, ORDERS, Landing, sources

Batch = tuple[str, tuple[Any, ...]]

LATE_CUSTOMER: Batch = ("customers", ("C2",))

_versions = st.tuples(st.sampled_from("ABC"), st.integers(1, 4))
_orders = st.tuples(st.just("orders"), st.lists(_versions, min_size=1, max_size=4).map(tuple))
_batches = st.lists(_orders, min_size=1, max_size=3).map(lambda batches: [*batches, LATE_CUSTOMER])


def _rows(batch: Batch) -> dict[str, list[dict[str, Any]]]:
    kind, content = batch
    if kind == "customers":
        return {"customers": [{"code": code, "since": "2026-01-01"} for code in content]}
    return {
        "orders": [
            {
                "no": key,
                "amount": str(written * 10 + ord(key)),
                "at": f"2026-05-0{written}",
                "updated": f"2026-05-1{written}",
                # A key belongs to the late customer or not, whatever its version.
                "code": "C2" if key == "C" else "C1",
            }
            for key, written in content
        ]
    }


def _believed(connection: psycopg.Connection[Any], batches: list[Batch]) -> dict[str, tuple[Any, ...]]:
    """Return what is believed after the batches; the warehouse is as before afterwards."""
    with connection.transaction(force_rollback=True):
        landing = Landing(connection, sources(sales=MASTER + ORDERS))
        landing.take("sales", customers=[{"code": "C1", "since": "2026-01-01"}])
        for batch in batches:
            landing.later(hours=1)
            landing.take("sales", **_rows(batch))
        landing.later(hours=1)
        landing.conform("sales")
        overlaps = landing.rows(
            "select count(*) from care.fact_order a join care.fact_order b on a.source_key = b.source_key "
            "and a.fact_no < b.fact_no and tstzrange(a.known_from, a.known_to) && tstzrange(b.known_from, b.known_to)"
        )
        assert overlaps == [(0,)]
        assert landing.waiting() == []
        return landing.open_facts("order", "amount", "event_at", "changed_at", "party_no is not null")


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_any_order_and_repetition_gives_the_same_open_facts(
    connection: psycopg.Connection[Any], data: st.DataObject
) -> None:
    batches = data.draw(_batches)
    shuffled = data.draw(st.permutations(batches))
    repeated = data.draw(st.lists(st.sampled_from(batches), max_size=2))
    newest: dict[str, int] = {}
    for _, content in batches[:-1]:
        for key, written in content:
            newest[key] = max(written, newest.get(key, 0))
    once = _believed(connection, batches)
    assert once == _believed(connection, [*shuffled, *repeated])
    assert {key: int(row[0]) for key, row in once.items()} == {
        key: written * 10 + ord(key) for key, written in newest.items()
    }
