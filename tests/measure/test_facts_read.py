"""Which facts a metric reads: its own, those of its query, those of the metrics that it is made of."""

from __future__ import annotations

from typing import Any

import pytest

from carewatch.measure.kinds import KINDS
from carewatch.spec.metric_kinds import SHAPES, Measure
from carewatch.spec.metrics import Metric, facts_read

SPECS: dict[str, dict[str, Any]] = {
    "orders": {"kind": "count", "fact": "order", "window": "30 days"},
    "tickets": {"kind": "count", "fact": "ticket", "window": "30 days"},
    "change": {"kind": "change", "metric": "orders"},
    "share": {"kind": "ratio", "metric": "tickets", "over": "orders"},
    "late": {
        "kind": "sql",
        "sql": "select i.customer_no, count(*) as value from fact_invoice i join fact_payment p using (customer_no) "
        "group by i.customer_no",
    },
}
METRICS = {name: Metric.model_validate({"label": name, **spec}) for name, spec in SPECS.items()}


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("orders", {"order"}),
        ("change", {"order"}),
        ("share", {"order", "ticket"}),
        ("late", {"invoice", "payment"}),
    ],
)
def test_facts_read(name: str, facts: set[str]) -> None:
    assert facts_read(METRICS, name) == facts


def test_every_kind_has_a_shape_and_its_sql() -> None:
    assert set(KINDS) == set(SHAPES) == set(Measure)
