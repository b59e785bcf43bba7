"""Tiers stand from the first of a month: computed once from what had happened by then, whatever comes later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from tests.facts_given import GivenFacts

from carewatch.measure.cut import Cut
from carewatch.paths import home
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.loading import load
from carewatch.store import configurations
from carewatch.store.database import Connection, connect
from carewatch.store.tiers import align, ensure, fingerprint, stored

SHIPPED = load(home() / "config").judgement
ZONE = SHIPPED.firm.zone
NAMES = SHIPPED.tiers.names
JUNE = date(2026, 6, 1)


def local(month: int, day: int, hour: int = 9) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=ZONE)


@pytest.fixture(scope="module")
def session(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as connection:
        yield connection


@pytest.fixture
def given(session: Connection) -> Iterator[GivenFacts]:
    with session.transaction(force_rollback=True):
        configurations.keep(session, SHIPPED)
        facts = GivenFacts(session, ZONE)
        # three years with us on 1 June (1096 days / 365.25), profit rate 20
        facts.belongs("Amber", "Amber")
        facts.add("customer", "Amber", datetime(2023, 6, 1, 9, tzinfo=ZONE), profit_rate=20)
        facts.known("Birch")
        yield facts


def spec(**tiers: Any) -> JudgementSpec:
    canonical = SHIPPED.canonical()
    canonical["tiers"] |= tiers
    return JudgementSpec.from_canonical(canonical)


def print_of(judged: JudgementSpec) -> str:
    return fingerprint(judged, date(2026, 6, 1))


def at(day: date, knowledge_cut: datetime | None = None) -> Cut:
    return Cut.at(day, ZONE, knowledge_cut or local(day.month, day.day, 2))


def tiers_on(
    given: GivenFacts, day: date, cut: Cut | None = None, judged: JudgementSpec = SHIPPED
) -> dict[str, str]:
    configurations.keep(given.connection, judged)
    stands = ensure(given.connection, judged, day, cut or at(day))
    found = stored(given.connection, judged, stands).divisions["tier"]
    names = {number: name for name, number in given.customers.items()}
    pairs = zip(found.customers, found.tiered.tier, strict=True)
    return {names[int(number)]: NAMES[position] for number, position in pairs}


@pytest.mark.req("S63")
def test_the_value_score_of_facts_is_the_hand_computation(given: GivenFacts) -> None:
    given.add("order", "Amber", local(2, 10), amount=200000)
    given.add("order", "Amber", local(4, 10), amount=300000)
    assert tiers_on(given, date(2026, 6, 1)) == {"Amber": "A", "Birch": "C"}
    scores = given.connection.execute(
        "select value_score from care.customer_class where customer_id = 'Amber' and scheme = 'tier'"
    ).fetchall()
    # sales 500000: 60; profit 20: 70; 1096 / 365.25 years: 70 + 30/5 x 0.0006845 = 70.0041;
    # growth (300000 - 200000) / 200000 = 50 %: 100; 0.4 x 60 + 0.3 x 70 + 0.2 x 70.0041 + 0.1 x 100 = 69.0008
    assert scores == [(69.0,)]


@pytest.mark.req("S66")
def test_tiers_see_the_facts_before_the_first_of_the_month_and_no_later_ones(given: GivenFacts) -> None:
    given.add("order", "Amber", local(6, 1, 0), amount=9_000_000, known_from=local(1, 1))
    given.add(
        "order",
        "Birch",
        datetime(2026, 5, 31, 23, 59, 59, 999999, ZONE),
        amount=9_000_000,
        known_from=local(1, 1),
    )
    given.add("order", "Birch", local(5, 1), amount=9_000_000, known_from=local(6, 25))
    sales = "select customer_no, value_score from care.customer_class where scheme = 'tier' order by 1"
    tiers_on(given, date(2026, 6, 20))
    amber, birch = (score for _, score in given.connection.execute(sales).fetchall())
    # Amber without sales; Birch 9 million and the years since 2000, no profit rate, no growth: 40 + 20 + 5
    assert (amber, birch) == (0.3 * 70 + 14 + 5, 65)


@pytest.mark.req("S66")
def test_a_months_tiers_stay_as_first_computed(given: GivenFacts) -> None:
    first = tiers_on(given, date(2026, 6, 3))
    given.add("order", "Birch", local(5, 1), amount=9_000_000, known_from=local(6, 10))
    assert tiers_on(given, date(2026, 6, 30)) == first == {"Amber": "C", "Birch": "C"}
    assert tiers_on(given, date(2026, 7, 1)) == {"Amber": "C", "Birch": "A"}
    days = given.connection.execute(
        "select day, event_cut, knowledge_cut from care.tier_day where scheme = 'tier' order by day"
    ).fetchall()
    assert days == [
        (date(2026, 6, 1), local(6, 1, 0), local(6, 3, 2)),
        (date(2026, 7, 1), local(7, 1, 0), local(7, 1, 2)),
    ]


@pytest.mark.req("S63", "S71")
def test_other_cuts_are_other_tiers_and_another_rule_is_not(given: GivenFacts) -> None:
    given.add("order", "Amber", local(4, 10), amount=500000)
    assert tiers_on(given, date(2026, 6, 1)) == {"Amber": "B", "Birch": "C"}
    easier = spec(cuts={"A": 60, "B": 45})
    assert tiers_on(given, date(2026, 6, 1), judged=easier) == {"Amber": "A", "Birch": "C"}
    assert tiers_on(given, date(2026, 6, 1)) == {"Amber": "B", "Birch": "C"}, "both are stored"
    canonical = SHIPPED.canonical()
    canonical["rules"].pop(next(iter(canonical["rules"])))
    assert print_of(JudgementSpec.from_canonical(canonical)) == print_of(SHIPPED)
    canonical["metrics"]["amount_365d"]["where"] = "amount > 0"
    assert print_of(JudgementSpec.from_canonical(canonical)) != print_of(SHIPPED)


def test_who_came_since_the_tier_day_has_the_lowest_tier() -> None:
    customers = np.array([1, 3, 4, 9], dtype=np.int32)
    known, tier = np.array([1, 2, 4], dtype=np.int32), np.array([0, 0, 1], dtype=np.int16)
    assert align(customers, known, tier, 2).tolist() == [0, 2, 1, 2]
    assert align(customers, known[:0], tier[:0], 2).tolist() == [2, 2, 2, 2]
    assert align(customers[:0], known, tier, 2).tolist() == []


@pytest.mark.req("S66")
def test_ensure_twice_stores_once(given: GivenFacts) -> None:
    for moment in (local(6, 3), local(6, 3) + timedelta(hours=5)):
        assert ensure(given.connection, SHIPPED, date(2026, 6, 3), at(date(2026, 6, 3), moment)) == date(
            2026, 6, 1
        )
    assert given.connection.execute(
        "select count(*), min(knowledge_cut) from care.tier_day where scheme = 'tier'"
    ).fetchone() == (
        1,
        local(6, 3),
    )
    assert given.connection.execute(
        "select count(*) from care.customer_class where scheme = 'tier'"
    ).fetchone() == (2,)


@pytest.mark.req("S66")
@pytest.mark.req("S71")
def test_every_division_keeps_its_classes_of_each_tier_day_by_the_definition_of_then(
    given: GivenFacts,
) -> None:
    given.add("order", "Amber", local(5, 10), amount=500000)
    tiers_on(given, date(2026, 6, 1))
    canonical = SHIPPED.canonical()
    canonical["segments"]["activity"]["segments"]["busy"]["when"] = "orders_90d >= 1"
    busier = JudgementSpec.from_canonical(canonical)
    tiers_on(given, date(2026, 7, 1), judged=busier)
    rows = given.connection.execute(
        "select day, scheme, class from care.customer_class where customer_id = 'Amber' "
        "and scheme in ('activity', 'rfm', 'tier') order by scheme, day"
    ).fetchall()
    assert rows == [
        (date(2026, 6, 1), "activity", "usual"),
        (date(2026, 7, 1), "activity", "busy"),
        (date(2026, 6, 1), "rfm", "usual_develop"),
        (date(2026, 7, 1), "rfm", "usual_develop"),
        (date(2026, 6, 1), "tier", "B"),
        (date(2026, 7, 1), "tier", "B"),
    ]
    assert fingerprint(SHIPPED, JUNE, "activity") != fingerprint(busier, JUNE, "activity")
    assert fingerprint(SHIPPED, JUNE, "rfm") == fingerprint(busier, JUNE, "rfm")


@pytest.mark.req("S64")
def test_weights_that_begin_later_leave_a_tier_day_as_it_is() -> None:
    later = spec(weights={"2026-07-01": dict.fromkeys(SHIPPED.tiers.metrics, 0.25)})
    assert fingerprint(later, JUNE) == fingerprint(SHIPPED, JUNE)
    assert fingerprint(later, date(2026, 7, 1)) != fingerprint(SHIPPED, date(2026, 7, 1))


@pytest.mark.req("S70")
def test_the_transition_matrix_of_a_quarter_counts_who_went_where(given: GivenFacts) -> None:
    given.add("order", "Birch", local(5, 1), amount=9_000_000, known_from=local(5, 1))
    for day in (date(2026, 4, 1), date(2026, 5, 1), date(2026, 7, 1)):
        tiers_on(given, day)
    matrix = given.connection.execute(
        "select quarter_begins, from_class, to_class, upgraded, downgraded, customers from care.class_transition "
        "where scheme = 'tier' order by 2, 3"
    ).fetchall()
    assert matrix == [
        (date(2026, 4, 1), "C", "A", True, False, 1),
        (date(2026, 4, 1), "C", "C", False, False, 1),
    ]


@pytest.mark.req("S70")
def test_reports_see_each_quarters_transitions_and_their_share_of_the_class_at_its_beginning(
    given: GivenFacts,
) -> None:
    """Birch rises and falls again, Amber and Dill stay, Cedar comes in May: two quarters, each by itself."""
    given.known("Dill")
    given.known("Cedar", since=local(5, 10))
    given.add("order", "Birch", local(5, 1), amount=9_000_000)
    for month in (4, 5, 7, 10):
        tiers_on(given, date(2026, month, 1))
    view = (
        "select quarter_begins, from_class, to_class, upgraded, downgraded, customers, round(share_of_class, 2)::float "
        "from bi.tier_transitions where scheme = 'tier' order by 1, 2, 3"
    )
    assert given.connection.execute(view).fetchall() == [
        (date(2026, 4, 1), "", "C", False, False, 1, 1),
        (date(2026, 4, 1), "C", "A", True, False, 1, 0.33),
        (date(2026, 4, 1), "C", "C", False, False, 2, 0.67),
        (date(2026, 7, 1), "A", "B", False, True, 1, 1),
        (date(2026, 7, 1), "C", "C", False, False, 3, 1),
    ]
    others = "select distinct scheme from bi.tier_transitions where quarter_begins = '2026-04-01' order by 1"
    assert [scheme for (scheme,) in given.connection.execute(others)] == sorted(SHIPPED.divisions())
