"""Which source is due, and which breaks its promise?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from tests.store.landed import MASTER, NOW, ORDERS, Landing, sources

from carewatch.store.freshness import due_sources, freshness, unreliable_sources

Connection = psycopg.Connection[Any]
C1 = {"code": "C1", "since": "2026-01-01"}
DATABASE = (
    "kind: database\nowner: sales operations\nevery: 2 hours\nfresh_within: 26 hours\nsilent_after: 3 days\n"
)
FILES = "every: 1 day\nfresh_within: 5 days\n"


def stand(landing: Landing, **later: int) -> Any:
    moment = NOW + timedelta(**later)
    return freshness(landing.connection, landing.sources, moment)[0]


@pytest.fixture
def database(connection: Connection) -> Landing:
    landing = Landing(connection, sources(sales=DATABASE + MASTER + ORDERS))
    landing.take("sales", customers=[C1])
    return landing


def test_a_source_that_was_never_loaded_is_due_and_late(connection: Connection) -> None:
    landing = Landing(connection, sources(sales=DATABASE + MASTER))
    one = stand(landing)
    assert (one.due, one.late, one.reason, one.read_at) == (True, True, "never loaded", None)


@pytest.mark.parametrize(("minutes", "due"), [(0, False), (109, False), (110, True), (120, True)])
def test_a_source_is_due_a_little_before_its_time(database: Landing, minutes: int, due: bool) -> None:
    assert stand(database, minutes=minutes).due is due
    assert (
        due_sources(database.connection, database.sources, NOW + timedelta(minutes=minutes))
        == ["sales"] * due
    )


@pytest.mark.req("S8")
@pytest.mark.parametrize(("hours", "late"), [(26, False), (27, True)])
def test_a_source_that_was_not_read_in_time_is_late_and_names_its_owner(
    database: Landing, hours: int, late: bool
) -> None:
    found = unreliable_sources(database.connection, database.sources, NOW + timedelta(hours=hours))
    assert [one.owner for one in found] == ["sales operations"] * late


def test_reading_without_new_rows_keeps_a_database_fresh_until_it_was_silent_too_long(
    database: Landing,
) -> None:
    database.later(days=2)
    database.take("sales")
    assert stand(database, days=3).reason is None
    assert stand(database, days=3).rows_at == NOW
    database.later(days=2)
    database.take("sales", customers=[C1])
    assert stand(database, days=4).reason == "no new row since 2026-06-01 04:00 UTC"


def test_files_are_as_fresh_as_the_last_file_that_came(connection: Connection) -> None:
    landing = Landing(connection, sources(shop=FILES + MASTER))
    landing.take("shop", customers=[C1])
    landing.later(days=5)
    landing.take("shop")
    assert stand(landing, days=5).late is False
    landing.later(hours=1)
    landing.take("shop")
    assert stand(landing, days=5, hours=1).reason == "last new file 2026-06-01 04:00 UTC"


def test_a_source_is_as_fresh_as_its_stalest_stream(database: Landing) -> None:
    database.later(days=1)
    database.take("sales")
    database.rows("delete from care.load where origin = 'sales.orders' and read_at > %s returning 1", NOW)
    assert stand(database, days=1).read_at == NOW


def test_what_was_read_after_the_moment_does_not_count(database: Landing) -> None:
    assert stand(database, hours=-1).reason == "never loaded"
