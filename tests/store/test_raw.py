"""The landing is emptied of what was taken long ago, and of what was never finished."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
from tests.store.landed import FIRM, MASTER, NOW, ORDERS, Landing, sources

from carewatch.store.raw import pending_loads, purge_landing

C1 = {"code": "C1", "since": "2023-01-01"}


def purge(landing: Landing) -> int:
    return purge_landing(landing.connection, "sales", landing.sources["sales"], FIRM, now=landing.now)


def test_old_rows_go_when_they_were_taken_or_never_finished(connection: psycopg.Connection[Any]) -> None:
    # Load ids are the loader's wall clock in seconds; the landing helper makes them in 2023.
    old = datetime(2023, 11, 1, tzinfo=UTC)
    landing = Landing(connection, sources(sales="keep_landed: 7 days\n" + MASTER + ORDERS), now=old)
    bad = {"no": "B", "code": "C1", "at": "2023-01-01", "amount": "x"}
    landing.take("sales", customers=[C1], orders=[bad])
    landing.land("sales", finished=False, customers=[C1])
    pending = landing.land("sales", customers=[C1])
    landing.later(days=30)
    landing.take("sales", orders=[bad])
    connection.execute("delete from care.load where load_id = %s and origin = 'sales.customers'", (pending,))
    assert purge(landing) == 3
    assert landing.rows("select _dlt_load_id from raw_sales.customers") == [(pending,)]
    assert landing.rows("select count(*) from raw_sales.orders") == [(1,)]
    assert [load.load_id for load in pending_loads(connection, "sales", "customers", "sales.customers")] == [
        pending
    ]
    assert len(landing.waiting()) == 1
    assert purge(landing) == 0


def test_a_source_that_never_landed_has_nothing_to_take_or_purge(connection: psycopg.Connection[Any]) -> None:
    landing = Landing(connection, sources(sales=MASTER))
    assert pending_loads(connection, "nobody", "x", "nobody.x") == []
    assert purge_landing(connection, "nobody", landing.sources["sales"], FIRM, now=NOW) == 0
