"""A stored night is what its facts give again, whatever arrived since, in whatever order and by whatever plan."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from tests.scenarios.small_firm import (
    NIGHT,
    ZONE,
    A,
    Columns,
    K,
    SmallFirm,
    configuration,
    different,
    insert_facts,
    pin,
    run_night,
    stored,
)  # fmt: skip

from carewatch.flow import night as nights
from carewatch.flow.backtest import replay, replay_day
from carewatch.flow.explain import explain
from carewatch.spec.facts import FACTS
from carewatch.store import tiers as tier_store
from carewatch.store.configurations import judgement
from carewatch.store.database import Connection, connect
from carewatch.store.locks import Lock, hold
from carewatch.store.metrics import metrics_at
from carewatch.store.nights import knowledge_now, night_of
from carewatch.store.readings import readings_at
from carewatch.warn.judge import judge

CONFIGURATION = configuration()
SPEC = CONFIGURATION.judgement
NEXT = NIGHT + timedelta(days=1)
NEXT_K = K + timedelta(days=1)
BETWEEN = K + timedelta(hours=9)


@pytest.fixture(scope="module")
def firm(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as connection:
        SmallFirm(seed=11).write(connection)
        run_night(connection, CONFIGURATION, NIGHT, K)
        yield connection


@pytest.fixture
def connection(firm: Connection) -> Iterator[Connection]:
    with firm.transaction(force_rollback=True):
        yield firm


def recomputed(connection: Connection, day: date) -> Columns:
    """Compute a night again from the facts, by nothing but its row: its two cuts and the configuration it names."""
    night = night_of(connection, day)
    spec = judgement(connection, night.judgement)
    cut = night.cut(spec.firm.zone)
    customers, metrics = metrics_at(
        connection, spec.metrics, list(spec.metrics), cut, closed_days=spec.closed_days
    )
    tier = tier_store.stored(connection, spec, tier_store.tier_day(day)).tier_of(customers)
    judged = judge(spec, metrics | readings_at(connection, spec, cut, customers), tier)
    count = len(customers)
    return {"customers": customers} | {f"metric {name}": column for name, column in metrics.items()} | {
        "day": np.full(count, (day - date(2000, 1, 1)).days, dtype=np.int32),
        "revision": np.full(count, night.revision, dtype=np.int32),
        "customer_no": customers, "model": judged.scores.model,
        "override": judged.scores.override, "tier": judged.tier, "dormant": judged.dormant, "stage": judged.stage,
        "colour": judged.scores.colour, "score": judged.scores.score, "known_share": judged.scores.known_share,
        "dimensions": judged.scores.dimensions,
        "rules": judged.states,
    }  # fmt: skip


def order(connection: Connection, party: int, at: datetime, amount: int, **version: object) -> None:
    row = {
        "party_no": party, "event_at": at, "event_day": at.astimezone(ZONE).date(), "kind": "regular", "amount": amount,
        "source_key": f"late-{amount}", "known_from": BETWEEN, "known_to": None,
    }  # fmt: skip
    with connection.cursor() as cursor:
        insert_facts(cursor, "order", [row | version])


def things_arrive_late(connection: Connection) -> None:
    """Between two nights: a late order, a corrected and a withdrawn one, a new master version, a merge."""
    order(connection, 9, A - timedelta(days=40), 777_000)
    for party, amount in ((11, 1), (14, None)):
        found = connection.execute(
            "update care.fact_order set known_to = %s where fact_no = (select max(fact_no) from care.fact_order where party_no = %s "
            "and known_to is null and known_from <= %s and event_at between %s and %s) returning event_at, source_key",
            (BETWEEN, party, K, A - timedelta(days=89), A),
        ).fetchone()
        assert found is not None
        if amount is not None:
            order(connection, party, found[0], amount, source_key=found[1], origin="firm.order")
    connection.execute(
        "update care.fact_customer set known_to = %s where party_no = 13 and known_to is null", (BETWEEN,)
    )
    connection.execute(
        "insert into care.fact_customer (party_no, origin, source_key, event_at, event_day, known_from, row_hash, load_id, industry, "
        "owner, profit_rate) values (13, 'firm.customer', 'new-13', %s, %s, %s, '', '2', 'export', 'am09', 39)",
        (A - timedelta(days=500), (A - timedelta(days=500)).date(), BETWEEN),
    )
    connection.execute(
        "update care.identity set known_to = %s where party_no = 16 and known_to is null", (BETWEEN,)
    )
    connection.execute("insert into care.identity values (16, 17, %s, null)", (BETWEEN,))


@pytest.mark.req("D1", "S5")
def test_a_stored_night_is_its_recomputation_bit_by_bit(connection: Connection) -> None:
    assert different(stored(connection, SPEC, NIGHT), recomputed(connection, NIGHT)) == []


@pytest.mark.req("D1", "S5")
def test_a_history_that_is_loaded_later_leaves_the_past_night(connection: Connection) -> None:
    """A source that is added later brings rows that are assumed known long ago: the night had not seen them."""
    before = recomputed(connection, NIGHT)
    day = A - timedelta(days=20)
    order(
        connection, 9, day, 888_000, known_from=day, known_assumed=True, load_id="later", origin="new.order"
    )
    assert different(before, recomputed(connection, NIGHT)) != [], "a load that was there is seen"
    connection.execute(
        "insert into care.load (origin, load_id, loaded_at, landed, new, changed, unchanged, repeated, filtered, quarantined, "
        "history) values ('new.order', 'later', %s, 1, 1, 0, 0, 0, 0, 0, true)",
        (BETWEEN,),
    )
    assert different(before, recomputed(connection, NIGHT)) == []
    connection.execute("update care.load set loaded_at = %s where load_id = 'later'", (K,))
    assert different(before, recomputed(connection, NIGHT)) != [], "a load up to the very moment is seen"
    assert replay_day(connection, SPEC, NIGHT).customers.size, "a backtest asks what could have been known"


@pytest.mark.req("D1", "S5")
def test_late_and_corrected_rows_leave_the_past_night_and_change_the_next(connection: Connection) -> None:
    before = stored(connection, SPEC, NIGHT)
    with connection.transaction(force_rollback=True):
        run_night(connection, CONFIGURATION, NEXT, NEXT_K)
        undisturbed = stored(connection, SPEC, NEXT)
    things_arrive_late(connection)
    assert different(stored(connection, SPEC, NIGHT), before) == []
    assert different(recomputed(connection, NIGHT), before) == []
    run_night(connection, CONFIGURATION, NEXT, NEXT_K)
    after = stored(connection, SPEC, NEXT)
    assert different(recomputed(connection, NEXT), after) == []

    def of(columns: Columns, name: str, customer: int) -> float:
        return float(columns[name][columns["customers"] == customer][0])

    assert of(after, "metric amount_90d", 9) == of(undisturbed, "metric amount_90d", 9) + 777_000
    assert of(after, "metric amount_90d", 11) != of(undisturbed, "metric amount_90d", 11)
    assert of(after, "metric orders_365d", 11) >= of(undisturbed, "metric orders_365d", 11), (
        "corrected, not doubled"
    )
    assert of(after, "metric amount_90d", 14) != of(undisturbed, "metric amount_90d", 14)
    assert of(after, "metric profit_rate", 13) == 39
    exporter = list(SPEC.rules).index("exporter")
    assert after["rules"][after["customers"] == 13][0, exporter] == 1
    assert 16 in undisturbed["customers"] and 16 not in after["customers"], "merged into 17"
    both = [of(undisturbed, "metric interactions_90d", customer) for customer in (16, 17)]
    assert of(after, "metric interactions_90d", 17) == sum(both) and min(both) > 0


@pytest.mark.req("S5")
def test_a_rerun_changes_no_row(connection: Connection) -> None:
    def rows() -> list[tuple[object, ...]]:
        query = "select md5(string_agg(t::text, ';' order by t::text)) from {} t"  # a digest of every column of every row
        tables = (
            "care.night",
            "care.metric_night",
            "care.health_night",
            "care.tier_day",
            "care.customer_tier",
            "care.configuration",
        )
        return [connection.execute(query.format(table).encode()).fetchone() or () for table in tables]

    before = rows()
    things_arrive_late(connection)
    pin(connection, NEXT_K)
    again = nights.open_night(connection, CONFIGURATION, NIGHT, now=NEXT_K)
    nights.measure(connection, NIGHT)
    nights.judge(connection, NIGHT)
    nights.seal(connection, NIGHT)
    assert again.night.knowledge_cut == K and rows() == before


def test_every_customer_is_explained_by_the_same_numbers_after_late_rows(connection: Connection) -> None:
    customers = stored(connection, SPEC, NIGHT)["customers"]
    things_arrive_late(connection)
    for customer in customers[::3].tolist():
        assert explain(connection, f"C{customer:03}", NIGHT).equals_stored, customer


@pytest.mark.req("D1")
def test_late_rows_change_no_backtest_and_a_night_is_not_a_backtest(connection: Connection) -> None:
    def replayed() -> list[tuple[bytes, ...]]:
        days = replay(connection, SPEC, NIGHT - timedelta(days=60), NIGHT, "month", lambda _: None)
        return [
            (one.customers.tobytes(), one.level.tobytes(), one.judged.states.tobytes(), one.judged.scores.score.tobytes(),
             *(np.asarray(one.judged.columns[name]).tobytes() for name in SPEC.metrics))
            for one in days
        ]  # fmt: skip

    before = replayed()
    assert len(before) == 2
    things_arrive_late(connection)
    order(connection, 19, A - timedelta(days=100), 888_000)
    assert replayed() == before
    told_in_time = A - timedelta(days=99)
    order(connection, 19, A - timedelta(days=100), 999_000, known_from=told_in_time)
    assert replayed() != before


def test_a_backtest_of_the_nights_day_differs_from_the_night_only_by_what_was_learnt_after_midnight(
    connection: Connection,
) -> None:
    for table in (*(fact.table for fact in FACTS.values()), "care.identity"):
        connection.execute(f"delete from {table} where known_from > '{A}' and known_from <= '{K}'".encode())
        connection.execute(
            f"update {table} set known_to = '{K}'::timestamptz + interval '1 s' "
            f"where known_to > '{A}' and known_to <= '{K}'".encode()
        )
    connection.execute("delete from care.health_night; delete from care.metric_night; delete from care.night")
    run_night(connection, CONFIGURATION, NIGHT, K)
    night, day = stored(connection, SPEC, NIGHT), replay_day(connection, SPEC, NIGHT)
    assert day.customers.tolist() == night["customers"].tolist()
    assert all(
        day.judged.columns[name].tobytes() == night[f"metric {name}"].tobytes() for name in SPEC.metrics
    )


PLANS = {
    "no hash aggregate": "set local enable_hashagg = off",
    "no sort": "set local enable_sort = off",
    "nested loops only": "set local enable_hashjoin = off; set local enable_mergejoin = off",
    "merge joins only": "set local enable_hashjoin = off; set local enable_nestloop = off",
    "hash joins only": "set local enable_mergejoin = off; set local enable_nestloop = off",
    "no index": "set local enable_indexscan = off; set local enable_bitmapscan = off; set local enable_indexonlyscan = off",
    "no sequential scan": "set local enable_seqscan = off",
    "little memory": "set local work_mem = '64kB'; set local hash_mem_multiplier = 1",
    "parallel": "set local max_parallel_workers_per_gather = 2; set local parallel_setup_cost = 0; "
    "set local parallel_tuple_cost = 0; set local min_parallel_table_scan_size = 0; set local min_parallel_index_scan_size = 0; "
    "set local debug_parallel_query = on",
    "just in time": "set local jit = on; set local jit_above_cost = 0",
    "another zone": "set local timezone = 'America/Havana'",
    "fewer digits shown": "set local extra_float_digits = 0",
}  # fmt: skip


@pytest.mark.parametrize("plan", PLANS)
def test_no_plan_changes_a_bit(connection: Connection, plan: str) -> None:
    before = stored(connection, SPEC, NIGHT)
    connection.execute(PLANS[plan].encode())
    assert different(recomputed(connection, NIGHT), before) == []


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_no_order_of_rows_changes_a_bit(connection: Connection, direction: str) -> None:
    before = stored(connection, SPEC, NIGHT)
    for fact in FACTS.values():
        connection.execute(
            f"create temp table shuffled on commit drop as select * from {fact.table}; delete from {fact.table}; "
            f"insert into {fact.table} overriding system value select * from shuffled order by md5(fact_no::text) {direction}; "
            "drop table shuffled".encode()
        )
    connection.execute("create temp table shuffled on commit drop as select * from care.identity")
    connection.execute("delete from care.identity")
    connection.execute(
        f"insert into care.identity select * from shuffled order by md5(party_no::text) {direction}".encode()
    )
    assert different(recomputed(connection, NIGHT), before) == []


@pytest.mark.req("D1")
def test_a_load_that_commits_late_is_not_half_seen(migrated: str) -> None:
    """A night opened while a load is being written waits for it, so that no row stamped before K appears after K."""
    with connect(migrated, autocommit=True) as reader, connect(migrated) as load:
        load.execute("insert into care.party (key_space, customer_key) values ('x', 'x')")
        load.commit()
        hold(load, Lock.FACTS)
        load.execute(
            "insert into care.fact_order (party_no, origin, source_key, event_at, event_day, known_from, row_hash, load_id, amount) "
            "values (1, 'x', 'x', '2026-01-01', '2026-01-01', care.clock(), '', '1', 1)"
        )
        found: list[datetime] = []
        opening = threading.Thread(target=lambda: found.append(knowledge_now(reader)))
        opening.start()
        opening.join(0.3)
        assert opening.is_alive() and not found, "K waits for the load"
        load.commit()
        opening.join(10)
        seen = reader.execute(
            "select count(*) from care.fact_order where known_from <= %s", (found[0],)
        ).fetchone()
    assert seen == (1,)
