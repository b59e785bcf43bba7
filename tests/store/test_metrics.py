"""A person's own query that goes wrong is named; a batch and one customer alone give the same numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.facts_given import GivenFacts

from carewatch.measure.cut import Cut
from carewatch.spec.metrics import Metric
from carewatch.store.database import Connection, connect
from carewatch.store.metrics import BadMetric, attributes_at, metrics_at

ZONE = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 3, 1)
CUT = Cut.at(DAY, ZONE)


@pytest.fixture(scope="module")
def session(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as connection:
        yield connection


@pytest.fixture
def given(session: Connection) -> Iterator[GivenFacts]:
    with session.transaction(force_rollback=True):
        facts = GivenFacts(session, ZONE)
        for name in ("Amber", "Birch", "Cedar"):
            facts.known(name)
        for day, name, amount in ((3, "Amber", 10), (13, "Amber", 20), (23, "Amber", 5), (7, "Birch", 7)):
            facts.add("order", name, datetime(2026, 2, day, 9, tzinfo=ZONE), amount=amount, kind="regular")
        yield facts


def literal(sql: str) -> dict[str, Metric]:
    return {"mine": Metric.model_validate({"label": "mine", "kind": "sql", "sql": sql})}


def test_a_query_with_two_values_for_a_customer_is_refused(given: GivenFacts) -> None:
    metrics = literal("select customer_no, amount as value from fact_order")
    with pytest.raises(
        BadMetric, match=r"metric mine: 3 values for customer Amber; expected one row a customer"
    ):
        metrics_at(given.connection, metrics, ["mine"], CUT)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select customer_no, sum(amount || 'x') as value from fact_order group by 1", "function sum\\(text\\) does not exist"),
        ("select customer_no, max(kind) as value from fact_order group by 1", "invalid input syntax .*\"xxxxxxx\""),
        ("select customer_no, max(1 / (amount - amount)) as value from fact_order group by 1", "division by zero"),
        ("select customer_no, amount as value from fact_order group by 1", "must appear in the GROUP BY"),
    ],
)  # fmt: skip
def test_a_query_that_fails_names_its_metric(given: GivenFacts, sql: str, said: str) -> None:
    with pytest.raises(BadMetric, match=f"^metric mine: .*{said}"):
        metrics_at(given.connection, literal(sql), ["mine"], CUT)


def test_a_condition_that_fails_names_the_metrics_of_its_pass(given: GivenFacts) -> None:
    spec = {"label": "m", "kind": "count", "fact": "order", "window": "30 days"}
    bad = {**spec, "where": "kind or kind"}
    metrics = {"fine": Metric.model_validate(spec), "bad": Metric.model_validate(bad)}
    with pytest.raises(
        BadMetric, match=r"^one of the metrics fine, bad: argument of OR .* at 'f.kind OR f.kind"
    ) as caught:
        metrics_at(given.connection, metrics, ["fine", "bad"], CUT)
    assert "\n" not in str(caught.value)


def test_one_customer_alone_has_the_numbers_it_has_among_all(given: GivenFacts) -> None:
    definitions = {
        "orders": {"kind": "count", "fact": "order", "window": "30 days"},
        "usual": {"kind": "average", "fact": "order", "of": "amount", "window": "30 days"},
        "gap": {"kind": "rhythm", "part": "irregularity", "fact": "order", "window": "90 days"},
        "mine": {"kind": "sql", "sql": "select customer_no, avg(amount) / 3 as value from fact_order group by customer_no"},
    }  # fmt: skip
    metrics = {name: Metric.model_validate({"label": name, **spec}) for name, spec in definitions.items()}
    everybody, together = metrics_at(given.connection, metrics, list(metrics), CUT)
    assert len(everybody) == 3
    for position, customer in enumerate(everybody):
        only, alone = metrics_at(given.connection, metrics, list(metrics), CUT, int(customer))
        assert only.tolist() == [customer]
        assert all(
            alone[name].tobytes() == together[name][position : position + 1].tobytes() for name in metrics
        )


def test_nobody_known_yet_is_an_empty_night(given: GivenFacts) -> None:
    metrics = {
        "orders": Metric.model_validate({"label": "o", "kind": "count", "fact": "order", "window": "30 days"})
    }
    customers, columns = metrics_at(given.connection, metrics, ["orders"], Cut.at(date(1999, 1, 1), ZONE))
    assert len(customers) == 0 and len(columns["orders"]) == 0


def test_attributes_are_those_believed_at_the_cut(given: GivenFacts) -> None:
    later = datetime(2026, 2, 20, tzinfo=UTC)
    given.connection.execute("update care.fact_customer set known_to = %s where source_key = '1'", (later,))
    start = datetime(2000, 1, 1, tzinfo=UTC)
    given.add("customer", "Amber", start, known_from=later, source_key="1", industry="export", owner="am02")
    customers = np.array(sorted(given.customers.values()), dtype=np.int32)
    before = attributes_at(
        given.connection, Cut.at(date(2026, 2, 1), ZONE), customers, ["industry", "owner", "orders"]
    )
    after = attributes_at(given.connection, CUT, customers, ["industry"])
    assert {name: list(values) for name, values in before.items()} == {
        "industry": [None] * 3,
        "owner": [None] * 3,
    }
    assert list(after["industry"]) == ["export", None, None] and list(after) == ["industry"]


def test_a_party_that_was_another_customers_by_then_gives_no_attribute(given: GivenFacts) -> None:
    split = datetime(2026, 2, 10, tzinfo=UTC)
    given.belongs("office", "Amber", known_to=split)
    given.belongs("office", "Birch", known_from=split)
    given.add("customer", "office", datetime(2020, 1, 1, tzinfo=UTC), region="north")
    amber, birch = (np.array([given.customer(name)], dtype=np.int32) for name in ("Amber", "Birch"))
    for day, expected in ((date(2026, 2, 1), ["north", None]), (DAY, [None, "north"])):
        found = [
            attributes_at(given.connection, Cut.at(day, ZONE), one, ["region"])["region"][0]
            for one in (amber, birch)
        ]
        assert found == expected
