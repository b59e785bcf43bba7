"""Given rows of facts, a day and definitions of metrics, every customer's number is the one written in the case."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from ruamel.yaml import YAML
from tests.facts_given import LONG_AGO, GivenFacts, instant

from carewatch.measure.cut import Cut, local_midnight
from carewatch.spec.metric_kinds import Measure
from carewatch.spec.metrics import Metric
from carewatch.store.database import Connection, connect
from carewatch.store.metrics import metrics_at

FOLDER = Path(__file__).parent / "cases"


def _cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(FOLDER.glob("*.yaml")):
        content = YAML(typ="safe", pure=True).load(path)
        for case in content["cases"]:
            yield f"{path.stem}: {case['case']}", {"zone": content.get("zone", "UTC"), **case}


CASES = dict(_cases())
"""A case that proves a row of the requirements catalogue names it: `req`."""


@pytest.fixture(scope="module")
def session(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as connection:
        yield connection


def _give(connection: Connection, case: dict[str, Any], zone: ZoneInfo) -> GivenFacts:
    given = GivenFacts(connection, zone)

    def moment(value: str | None) -> datetime | None:
        return None if value is None else instant(value, zone)

    identity = case.get("identity", [])
    rows_given = [row for rows in case.get("rows", {}).values() for row in rows]
    named = {row["party"] for row in rows_given if row["party"]} | set(case.get("customers", []))
    for entry in identity:
        start, end = entry.get("known", [None, None])
        given.belongs(entry["party"], entry["customer"], moment(start) or LONG_AGO, moment(end))
    for name in sorted(named - {entry["party"] for entry in identity}):
        given.belongs(name, name)
    if "customer" not in case.get("rows", {}):
        for name in sorted(given.parties):
            given.add("customer", name, LONG_AGO)
    for fact, rows in case.get("rows", {}).items():
        for row in rows:
            start, end = row.get("known", [None, None])
            columns = {key: value for key, value in row.items() if key not in ("party", "at", "known")}
            at = instant(row["at"], zone)
            given.add(fact, row["party"], at, known_from=moment(start), known_to=moment(end), **columns)
    return given


def _expected(value: object) -> object:
    if value == "missing":
        return pytest.approx(np.nan, nan_ok=True)
    if isinstance(value, str):
        return pytest.approx(float(Fraction(value)), rel=1e-15, abs=0)
    return value


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.req(case["req"]) if "req" in case else ())
        for name, case in CASES.items()
    ],
)
def test_metric(session: Connection, name: str) -> None:
    case = CASES[name]
    zone = ZoneInfo(case["zone"])
    day = date.fromisoformat(case["day"])
    known_at = instant(case["known_at"], zone) if "known_at" in case else local_midnight(day, zone)
    metrics = {
        metric: Metric.model_validate({"label": metric, **spec}) for metric, spec in case["metrics"].items()
    }
    wanted = list(case["expect"])
    with session.transaction(force_rollback=True):
        given = _give(session, case, zone)
        numbers, columns = metrics_at(
            session, metrics, wanted, Cut.at(day, zone, known_at), closed_days=case.get("closed_days", ())
        )
    ids = {number: customer for customer, number in given.customers.items()}
    found = {
        metric: {
            ids[int(number)]: float(value) for number, value in zip(numbers, columns[metric], strict=True)
        }
        for metric in wanted
    }
    assert found == {
        metric: {customer: _expected(value) for customer, value in values.items()}
        for metric, values in case["expect"].items()
    }


def test_every_kind_of_metric_has_a_case() -> None:
    covered = {spec["kind"] for case in CASES.values() for spec in case["metrics"].values()}
    assert covered == {str(kind) for kind in Measure}


def test_every_rhythm_part_and_event_has_a_case() -> None:
    specs = [spec for case in CASES.values() for spec in case["metrics"].values()]
    assert {spec.get("part") for spec in specs} >= {"mean_gap", "silence", "irregularity"}
    assert {spec.get("event") for spec in specs} >= {"first", "last", None}
