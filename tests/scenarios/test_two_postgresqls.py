"""The warehouse on the PostgreSQL that Debian ships and on the embedded one: the same rows, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests import servers
from tests.conftest import _fresh_database, _migrate
from tests.firm import MONDAY, TinyFirm, configure, empty
from tests.scenarios.small_firm import NIGHT, K, SmallFirm, configuration, different, run_night, stored
from tests.store.landed import MASTER, ORDERS, Landing, sources

from carewatch.flow.explain import explain
from carewatch.store.database import connect
from carewatch.store.migrations import migrate


@dataclass
class Two:
    """A migrated warehouse on each server, by the server's major version."""

    dsns: dict[int, str]


@pytest.fixture(scope="module")
def old_server() -> Iterator[str]:
    with servers.postgresql_15() as uri:
        yield uri


@pytest.fixture(scope="module")
def two(old_server: str, warehouse_server: str) -> Iterator[Two]:
    dsns = {}
    made = [_fresh_database(server) for server in (old_server, warehouse_server)]
    for database in made:
        dsn = _migrate(next(database))
        with connect(dsn) as connection:
            dsns[connection.info.server_version // 10_000] = dsn
    yield Two(dsns)
    for database in made:
        next(database, None)


def test_the_servers_are_two_and_migrating_again_changes_nothing(two: Two) -> None:
    assert min(two.dsns) == 15 and len(two.dsns) == 2
    for dsn in two.dsns.values():
        with connect(dsn, autocommit=True) as connection:
            assert migrate(connection) == []


def test_landed_rows_become_the_same_facts(two: Two) -> None:
    outcomes = []
    for dsn in two.dsns.values():
        with connect(dsn) as connection, connection.transaction(force_rollback=True):
            landing = Landing(connection, sources(crm=MASTER + ORDERS))
            customer = {
                "code": "C1",
                "since": "2020-01-01",
                "updated": "2026-01-01",
                "name": "华兴",
                "credit": "86万元",
            }
            landing.take(
                "crm", customers=[customer], orders=[order("1", "10"), order("2", "ten"), order("3", "5000")]
            )
            landing.later(days=1)
            landing.take(
                "crm", orders=[order("1", "11", updated="2026-06-02"), order("1", "11", updated="2026-06-02")]
            )
            query = (
                "select source_key, event_at, known_from, known_to, known_assumed, row_hash, amount, currency "
                "from care.fact_order order by 1, 3"
            )
            outcomes.append(
                (landing.rows(query), landing.waiting("source_key", "reason"), len(landing.taken))
            )
    first, second = outcomes
    assert first == second
    assert len(first[0]) == 2 and len(first[1]) == 2


def order(no: str, amount: str, updated: str = "2026-05-02") -> dict[str, Any]:
    return {
        "no": no, "code": "C1", "at": "2026-05-01", "updated": updated, "amount": amount, "currency": None, "kind": "regular",
    }  # fmt: skip


def test_a_night_is_the_same_to_the_last_bit(two: Two) -> None:
    given, outcomes, told = configuration(), [], []
    for dsn in two.dsns.values():
        with connect(dsn, autocommit=True) as connection, connection.transaction(force_rollback=True):
            empty(connection)
            SmallFirm(seed=7).write(connection)
            run_night(connection, given, NIGHT, K)
            outcomes.append(stored(connection, given.judgement, NIGHT))
            told.append(str(explain(connection, "C005", NIGHT)))
    assert different(*outcomes) == []
    assert len(outcomes[0]["customers"]) > 20 and told[0] == told[1]


def test_a_warning_opens_and_its_case_begins_on_both(two: Two, tmp_path: Path) -> None:
    outcomes = []
    for version, dsn in two.dsns.items():
        with connect(dsn, autocommit=True) as connection:
            empty(connection)
            firm = TinyFirm(connection, configure(tmp_path / str(version), None))
            firm.customer("C1")
            for number in range(3):
                firm.dial("C1", MONDAY + timedelta(days=number), quiet=1, strain=1, halt=1, mood=90)
                firm.night(MONDAY + timedelta(days=number))
            outcomes.append(
                (
                    firm.rows("select state, level, peak_level from care.warning"),
                    firm.rows("select title, state, due_at from care.care_task order by due_at, 1"),
                    firm.rows("select kind, receiver, channel, key from care.outbox order by key"),
                )
            )
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] and outcomes[0][1]
