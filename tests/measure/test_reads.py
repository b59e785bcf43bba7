"""A metric lives on the facts that its SQL reads, and dies with any of them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from carewatch.measure.compile import compile_metrics
from carewatch.measure.cut import Cut
from carewatch.measure.reads import held_metrics
from carewatch.spec.loading import load
from carewatch.spec.metrics import Metric, facts_read

ROOT = Path(__file__).resolve().parents[2]
PACKS = [ROOT / "config", *sorted(path.parent for path in (ROOT / "examples").glob("*/health.yaml"))]
CUT = Cut.at(date(2026, 6, 1), ZoneInfo("Asia/Shanghai"))


def metrics(**given: dict[str, Any]) -> dict[str, Metric]:
    return {name: Metric.model_validate({"label": name, **one}) for name, one in given.items()}


GIVEN = metrics(
    tickets={"kind": "count", "fact": "ticket", "window": "90 days"},
    sales={"kind": "sum", "fact": "order", "of": "amount", "window": "90 days"},
    falling={"kind": "change", "metric": "sales"},
    trouble={"kind": "ratio", "metric": "tickets", "over": "sales"},
    worse={"kind": "ratio", "metric": "trouble", "over": "tickets"},
    own={
        "kind": "sql",
        "window": "90 days",
        "sql": "select t.customer_no, count(*) as value from fact_ticket t join fact_survey s using (customer_no) "
        "group by t.customer_no",
    },
)


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("tickets", {"ticket"}),
        ("falling", {"order"}),
        ("trouble", {"ticket", "order"}),
        ("worse", {"ticket", "order"}),
        ("own", {"ticket", "survey"}),
    ],
)
def test_a_metric_reads_its_own_facts_and_those_of_its_parts(name: str, facts: set[str]) -> None:
    assert facts_read(GIVEN, name) == facts


def test_a_metric_is_held_with_any_fact_it_reads() -> None:
    assert held_metrics(GIVEN, ["survey"]) == {"own"}
    assert held_metrics(GIVEN, ["order"]) == {"sales", "falling", "trouble", "worse"}
    assert held_metrics(GIVEN, []) == held_metrics(GIVEN, ["invoice"]) == frozenset()


@pytest.mark.parametrize("pack", PACKS, ids=lambda path: path.name)
def test_what_a_shipped_metric_reads_is_what_its_sql_reads(pack: Path) -> None:
    """A new kind of metric that reads facts in a new way must say so."""
    shipped = load(pack).judgement.metrics
    for name in shipped:
        program = compile_metrics(shipped, CUT, [name])
        in_sql = {
            fact for one in program.passes.values() for fact in re.findall(r"care\.fact_([a-z_]+)", one)
        }
        assert facts_read(shipped, name) == in_sql, name
