"""Nothing that had not happened or was not known changes a night: not deleted, not scrambled, not added."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from tests.scenarios.small_firm import (
    NIGHT,
    A,
    Columns,
    K,
    SmallFirm,
    configuration,
    different,
    run_night,
    stored,
)  # fmt: skip

from carewatch.flow.backtest import replay_day
from carewatch.spec.facts import FACTS, Fact, Kind
from carewatch.spec.metrics import facts_read
from carewatch.store.database import Connection, connect

CONFIGURATION = configuration()
SPEC = CONFIGURATION.judgement
UNSEEN = f"(event_at >= '{A}' or known_from > '{K}')"
SCRAMBLED = {
    Kind.TEXT: "'scrambled' || (random() * 3)::int",
    Kind.INTEGER: "(random() * 1e6)::bigint",
    Kind.NUMBER: "(random() * 100)::numeric",
    Kind.AMOUNT: "(random() * 1e7 - 1e6)::numeric",
    Kind.FLAG: "random() < 0.5",
    Kind.DAY: "event_day + (random() * 90)::int",
    Kind.INSTANT: "event_at",
}
MEASURED = {fact for name in SPEC.metrics for fact in facts_read(SPEC.metrics, name)}
READ = {
    fact: FACTS[fact] for fact in sorted(MEASURED | {rule.fact for rule in SPEC.rules.values() if rule.fact})
}
"""The facts that some metric or rule reads."""


@pytest.fixture(scope="module")
def firm(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as connection:
        SmallFirm(seed=7).write(connection)
        yield connection


@pytest.fixture
def connection(firm: Connection) -> Iterator[Connection]:
    with firm.transaction(force_rollback=True):
        firm.execute("select setseed(0.5)")
        yield firm


@pytest.fixture(scope="module")
def baseline(firm: Connection) -> Columns:
    return night(firm)


@pytest.fixture(scope="module")
def backtested(firm: Connection) -> Columns:
    return backtest(firm)


def night(connection: Connection) -> Columns:
    with connection.transaction(force_rollback=True):
        run_night(connection, CONFIGURATION, NIGHT, K)
        return stored(connection, SPEC, NIGHT)


def backtest(connection: Connection) -> Columns:
    with connection.transaction(force_rollback=True):
        replayed = replay_day(connection, SPEC, NIGHT)
    columns = {name: column for name, column in replayed.judged.columns.items() if column.dtype != object}
    texts = {
        name: np.array([str(value) for value in column])
        for name, column in replayed.judged.columns.items()
        if column.dtype == object
    }
    scores = replayed.judged.scores
    return {
        "customers": replayed.customers, "tier": replayed.judged.tier, "rules": replayed.judged.states, "level": replayed.level,
        "score": scores.score, "colour": scores.colour, "dimensions": scores.dimensions, **columns, **texts,
    }  # fmt: skip


def delete(connection: Connection, unseen: str) -> int:
    count = sum(
        connection.execute(f"delete from {fact.table} where {unseen}".encode()).rowcount
        for fact in FACTS.values()
    )
    return count


def scramble(connection: Connection, fact: Fact, unseen: str, knowledge_cut: object) -> int:
    """Give rows that are out of sight other values, customers and times; they stay out of sight."""
    values = [f"{column.name} = {SCRAMBLED[column.kind]}" for column in fact.columns if column.name != "what"]
    values += [
        "party_no = 1 + floor(random() * 60)::int",
        f"event_at = case when known_from > '{knowledge_cut}' then event_at + (random() * 1000 - 900) * interval '1 day' "
        "else event_at + random() * 90 * interval '1 day' end",
        "event_day = event_day + (random() * 200 - 100)::int",
    ]
    return connection.execute(f"update {fact.table} set {', '.join(values)} where {unseen}".encode()).rowcount


def test_the_firm_has_something_to_hide_in_every_fact(connection: Connection, baseline: Columns) -> None:
    for fact in READ.values():
        counts = connection.execute(
            f"select count(*) filter (where not {UNSEEN}), count(*) filter (where event_at >= '{A}'), "
            f"count(*) filter (where event_at < '{A}' and known_from > '{K}'), "
            f"count(*) filter (where not {UNSEEN} and known_to > '{K}'), "
            f"count(*) filter (where known_to <= '{K}') from {fact.table}".encode()
        ).fetchone()
        assert counts is not None
        assert min(counts) > 0, f"{fact.name}: {counts}"
    varied = {name for name, column in baseline.items() if len(np.unique(column, axis=0)) > 1}
    telling = [name for name in SPEC.metrics if f"metric {name}" in varied]
    assert len(telling) >= 0.9 * len(SPEC.metrics), "nearly every metric tells customers apart"
    assert {fact for name in telling for fact in facts_read(SPEC.metrics, name)} == MEASURED
    assert {"score", "colour", "tier", "rules"} <= varied
    assert (baseline["rules"] == 1).any(axis=0).sum() >= 8, "many rules hit somebody"


@pytest.mark.req("D1")
def test_deleting_what_is_out_of_sight_changes_no_bit(connection: Connection, baseline: Columns) -> None:
    assert delete(connection, UNSEEN) > 500
    for table in (*(fact.table for fact in FACTS.values()), "care.identity"):
        connection.execute(f"delete from {table} where known_from > '{K}'".encode())
        connection.execute(f"update {table} set known_to = null where known_to > '{K}'".encode())
    assert different(night(connection), baseline) == []


@pytest.mark.req("D1")
def test_scrambling_what_is_out_of_sight_changes_no_bit(connection: Connection, baseline: Columns) -> None:
    assert sum(scramble(connection, fact, UNSEEN, K) for fact in FACTS.values()) > 500
    for table in (*(fact.table for fact in FACTS.values()), "care.identity"):
        connection.execute(
            f"update {table} set known_to = known_to + random() * interval '90 days' where known_to > '{K}'".encode()
        )
    moved = connection.execute(
        f"update care.identity set customer_no = 1 + floor(random() * 30)::int where known_from > '{K}'".encode()
    )
    assert moved.rowcount > 0
    assert different(night(connection), baseline) == []


@pytest.mark.req("D1")
def test_a_flood_of_rows_that_are_out_of_sight_changes_no_bit(
    connection: Connection, baseline: Columns
) -> None:
    for fact in FACTS.values():
        names = ", ".join(("party_no", *(column.name for column in fact.columns)))
        for moment, known in ((f"timestamptz '{A}'", f"timestamptz '{K}' - interval '9 days'"),
                              ("event_at", f"timestamptz '{K}' + interval '1 microsecond'")):  # fmt: skip
            connection.execute(
                f"insert into {fact.table} (origin, source_key, event_at, event_day, known_from, row_hash, load_id, {names}) "
                f"select 'flood', gen_random_uuid(), {moment}, event_day, {known}, '', '2', {names} from {fact.table} "
                "where origin <> 'flood'".encode()
            )
    assert different(night(connection), baseline) == []


@pytest.mark.req("D1")
def test_a_backtest_sees_nothing_that_was_known_after_its_day(
    connection: Connection, backtested: Columns
) -> None:
    unseen = f"(event_at >= '{A}' or known_from > '{A}')"
    for fact in READ.values():
        assert scramble(connection, fact, unseen, A) > 0 or fact.name == "customer"
    assert different(backtest(connection), backtested) == []
    assert delete(connection, unseen) > 500
    connection.execute(f"delete from care.identity where known_from > '{A}'".encode())
    assert different(backtest(connection), backtested) == []


@pytest.mark.parametrize("fact", READ)
def test_what_is_in_sight_does_change_it(connection: Connection, baseline: Columns, fact: str) -> None:
    """The same scrambling, inside, is seen: the tests above would notice a leak of this fact."""
    scramble(
        connection, FACTS[fact], f"not {UNSEEN} and event_at > '{A}'::timestamptz - interval '60 days'", A
    )
    if fact == "customer":
        connection.execute("update care.fact_customer set profit_rate = profit_rate + 1, industry = 'export'")
    assert different(night(connection), baseline)


def test_the_last_moment_in_sight_and_the_first_out_of_it(connection: Connection, baseline: Columns) -> None:
    def with_row(event_at: str, known_from: str, known_to: str = "null::timestamptz") -> list[str]:
        with connection.transaction(force_rollback=True):
            connection.execute(
                "insert into care.fact_order (party_no, origin, source_key, event_at, event_day, known_from, known_to, row_hash, "
                f"load_id, kind, amount) select 1, 'edge', 'edge', {event_at}, date '2026-06-14', {known_from}, {known_to}, '', '2', "
                "'regular', 99999".encode()
            )
            return different(night(connection), baseline)

    a, k, moment = f"timestamptz '{A}'", f"timestamptz '{K}'", "interval '1 microsecond'"
    assert with_row(f"{a} - {moment}", k)
    assert with_row(f"{a} - {moment}", k, f"{k} + {moment}")
    assert not with_row(a, k)
    assert not with_row(f"{a} - {moment}", f"{k} + {moment}")
    assert not with_row(f"{a} - {moment}", f"{k} - {moment}", k)
