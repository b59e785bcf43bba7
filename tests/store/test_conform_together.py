"""Conforming beside others: another process on the same source, a night that reads its knowledge cut."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from tests.store.landed import FIRM, MASTER, ORDERS, Landing, sources

from carewatch.store.conform import conform
from carewatch.store.database import connect
from carewatch.store.locks import Lock, hold

C1 = {"code": "C1", "since": "2026-01-01"}
SALES = sources(sales=MASTER + ORDERS)


def order(no: str) -> dict[str, Any]:
    return {"no": no, "code": "C1", "at": "2026-05-01 09:00", "amount": "1"}


@pytest.fixture
def landing(migrated: str) -> Any:
    with connect(migrated) as connection:
        yield Landing(connection, SALES)


def test_two_processes_take_each_load_once(landing: Landing, migrated: str) -> None:
    landing.land("sales", customers=[C1], orders=[order(str(number)) for number in range(50)])
    landing.land("sales", orders=[order("A")])

    def take(_: int) -> int:
        with connect(migrated) as connection:
            return sum(result.new for result in conform(connection, "sales", SALES["sales"], FIRM))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(take, range(4))) == 52
    assert landing.rows("select count(*) from care.load") == [(4,)]
    assert len(landing.open_facts("order")) == 51


def test_a_load_waits_for_a_night_that_reads_its_knowledge_cut(landing: Landing, migrated: str) -> None:
    landing.take("sales", customers=[C1], orders=[order("Z")])
    landing.rows("delete from care.pinned_clock returning 1")
    landing.land("sales", orders=[order("A")])
    with connect(migrated) as night, connect(migrated) as loader, ThreadPoolExecutor(1) as pool:
        hold(night, Lock.FACTS)
        taken = pool.submit(conform, loader, "sales", SALES["sales"], FIRM)
        while not landing.rows("select 1 from pg_locks where locktype = 'advisory' and not granted"):
            assert not taken.done()
        cut = night.execute("select care.clock()").fetchone()
        night.commit()
        taken.result()
    assert cut is not None
    assert landing.rows("select known_from > %s from care.fact_order where source_key = 'A'", cut[0]) == [
        (True,)
    ]


def test_a_connection_inside_a_transaction_is_left_to_its_owner(landing: Landing, migrated: str) -> None:
    landing.land("sales", customers=[C1], orders=[order("A")])
    with connect(migrated) as connection, connection.transaction():
        conform(connection, "sales", SALES["sales"], FIRM)
        with psycopg.connect(migrated) as other:
            assert other.execute("select count(*) from care.fact_order").fetchone() == (0,)
    assert list(landing.open_facts("order")) == ["A"]
