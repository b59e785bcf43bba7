"""The purchase model finds what was put in, and says in SQL what it says in Python."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.facts_given import GivenFacts

from carewatch.learn.purchases import Habits, Histories, NoFit, alive, expected, fit, log_likelihood
from carewatch.measure.cut import Cut
from carewatch.spec.metrics import Metric
from carewatch.store.database import connect
from carewatch.store.metrics import histories_at, metrics_at

PUBLISHED = Habits(r=0.243, alpha=4.414 * 7, a=0.793, b=2.426)
"""CDNOW, Fader, Hardie and Lee 2005, table 2; alpha from weeks to days."""
WEEKS = 39


def made(habits: Habits, customers: int, seed: int, days: float = WEEKS * 7) -> Histories:
    """Return histories made by the model itself: purchases until the customer leaves or `days` are over."""
    random = np.random.default_rng(seed)
    rate = random.gamma(habits.r, 1 / habits.alpha, customers)
    leaves = random.beta(habits.a, habits.b, customers)
    repeats, last = np.zeros(customers), np.zeros(customers)
    age = random.uniform(days * 0.7, days, customers)
    for at in range(customers):
        now = 0.0
        while True:
            now += random.exponential(1 / rate[at])
            if now > age[at]:
                break
            repeats[at], last[at] = repeats[at] + 1, now
            if random.random() < leaves[at]:
                break
    return Histories(repeats, last, age)


def test_the_published_parameters_are_found_in_data_that_they_made() -> None:
    found = fit(made(PUBLISHED, 12_000, seed=1))
    assert found.r == pytest.approx(PUBLISHED.r, rel=0.08)
    assert found.alpha == pytest.approx(PUBLISHED.alpha, rel=0.12)
    # a and b lie on a ridge; the mean chance to leave is what the data tell
    assert found.a / (found.a + found.b) == pytest.approx(0.793 / (0.793 + 2.426), rel=0.1)
    assert log_likelihood(found, made(PUBLISHED, 12_000, seed=1)) >= log_likelihood(
        PUBLISHED, made(PUBLISHED, 12_000, seed=1)
    )


def test_too_little_says_so() -> None:
    few = Histories(np.ones(5), np.ones(5), np.full(5, 9.0))
    once = Histories(np.zeros(50), np.zeros(50), np.full(50, 9.0))
    for seen in (few, once):
        with pytest.raises(NoFit, match="at least 20 customers"):
            fit(seen)


def test_a_published_customer() -> None:
    """Somebody with 2 repeat purchases in 38.86 weeks, the last in week 30.43, buys 1.226 times in the next 39 weeks."""
    seen = Histories(np.array([2.0]), np.array([30.43 * 7]), np.array([38.86 * 7]))
    assert expected(PUBLISHED, seen, WEEKS * 7)[0] == pytest.approx(1.226, abs=0.002)


@settings(max_examples=40)
@given(
    repeats=st.integers(0, 60), last=st.floats(0.05, 1), age=st.floats(1, 1500), within=st.floats(1, 365),
    a=st.floats(0.05, 4).filter(lambda a: abs(a - 1) > 0.01), b=st.floats(0.2, 9), r=st.floats(0.1, 6), alpha=st.floats(2, 300),
)  # fmt: skip
def test_more_time_brings_more_purchases_and_longer_silence_fewer(
    repeats: int, last: float, age: float, within: float, a: float, b: float, r: float, alpha: float
) -> None:
    habits = Habits(r, alpha, a, b)
    seen = Histories(
        np.full(3, float(repeats)), np.array([last, last, last / 2]) * age * (repeats > 0), np.full(3, age)
    )
    soon, later = expected(habits, seen, within), expected(habits, seen, within * 2)
    assert (later >= soon - 1e-9).all() and (soon >= -1e-9).all()
    if repeats:
        assert soon[2] <= soon[0] + 1e-9
        assert (alive(habits, seen) <= 1).all() and alive(habits, seen)[2] <= alive(habits, seen)[0]


def test_the_expectation_is_the_mean_over_all_customers_that_fit() -> None:
    """Checked without the closed form: draw rates and chances, weigh each draw by how well it fits the history."""
    habits, within = Habits(1.3, 40.0, 0.6, 2.1), 90.0
    x, last, age = 4, 200.0, 260.0
    random = np.random.default_rng(0)
    rate = random.gamma(habits.r, 1 / habits.alpha, 2_000_000)
    leaves = random.beta(habits.a, habits.b, 2_000_000)
    there = (1 - leaves) ** x * rate**x * np.exp(-rate * age)
    gone = leaves * (1 - leaves) ** (x - 1) * rate**x * np.exp(-rate * last)
    count = (1 - np.exp(-rate * leaves * within)) / leaves
    seen = Histories(np.array([float(x)]), np.array([last]), np.array([age]))
    assert expected(habits, seen, within)[0] == pytest.approx(
        (there * count).sum() / (there + gone).sum(), rel=3e-3
    )
    assert alive(habits, seen)[0] == pytest.approx(there.sum() / (there + gone).sum(), rel=3e-3)


def test_the_warehouse_computes_the_same(module_warehouse: str) -> None:
    random = np.random.default_rng(7)
    size = 400
    age = random.uniform(1, 1500, size)
    repeats = random.integers(0, 80, size).astype(float)
    seen = Histories(repeats, np.where(repeats > 0, random.uniform(0.01, 1, size) * age, 0), age)
    for habits in (PUBLISHED, Habits(2.4, 90.0, 0.2, 1.1), Habits(0.7, 3.0, 2.5, 6.0)):
        with connect(module_warehouse) as connection:
            rows = connection.execute(
                "select care.expected_purchases(x, t, n, 90, %s, %s, %s, %s) from "
                "unnest(%s::float8[], %s::float8[], %s::float8[]) with ordinality as s (x, t, n, at) order by at",
                (habits.r, habits.alpha, habits.a, habits.b, seen.repeats.tolist(), seen.last.tolist(), age.tolist()),
            ).fetchall()  # fmt: skip
        assert np.array([row[0] for row in rows]) == pytest.approx(
            expected(habits, seen, 90), rel=1e-7, abs=1e-9
        )


def test_a_metric_reads_purchase_days_and_nothing_else(module_warehouse: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    metric = Metric.model_validate(
        {
            "label": "expected orders", "kind": "expected", "fact": "order", "where": "kind is distinct from 'credit'",
            "window": "730 days", "within": "90 days", "habits": {"r": 1.5, "alpha": 60, "a": 0.4, "b": 2},
        }
    )  # fmt: skip
    day = date(2026, 3, 1)
    cut = Cut.at(day, zone)
    with (
        connect(module_warehouse, autocommit=True) as connection,
        connection.transaction(force_rollback=True),
    ):
        facts = GivenFacts(connection, zone)
        for name in ("steady", "gone", "once", "nobody"):
            facts.belongs(name, name)
            facts.add("customer", name, datetime(2024, 1, 1, tzinfo=zone))

        def order(name: str, ago: int, kind: str = "regular") -> None:
            at = datetime(2026, 3, 1, 9, tzinfo=zone) - timedelta(days=ago)
            facts.add("order", name, at, kind=kind, amount=1)

        for ago in (210, 180, 150, 120, 90, 60, 30, 30):
            order("steady", ago)
        for ago in (330, 300, 270):
            order("gone", ago)
        order("once", 100)
        order("gone", 5, kind="credit")
        numbers, columns = metrics_at(connection, {"e": metric}, ["e"], cut)
        seen = histories_at(connection, metric, cut)
        ids = {number: name for name, number in facts.customers.items()}
    found = {ids[int(number)]: value for number, value in zip(numbers, columns["e"], strict=True)}
    assert sorted(zip(seen["repeats"], seen["last"], seen["age"], strict=True)) == [
        (0, 0, 100),
        (2, 60, 330),
        (6, 180, 210),
    ]
    habits = Habits(1.5, 60, 0.4, 2)
    assert found["steady"] == pytest.approx(
        expected(habits, Histories(np.array([6.0]), np.array([180.0]), np.array([210.0])), 90)[0], rel=1e-9
    )
    assert found["steady"] > found["once"] > found["gone"] > 0
    assert np.isnan(found["nobody"])
