"""The shipped metrics: each one says where it comes from and who answers for it, and its examples come out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from tests.facts_given import LONG_AGO, GivenFacts

from carewatch.measure.cut import Cut
from carewatch.spec.configuration import Configuration
from carewatch.spec.duration import Unit, Window
from carewatch.spec.facts import FACTS, Kind
from carewatch.spec.loading import load
from carewatch.spec.metric_examples import ROW_KEYS, MetricExample
from carewatch.store.database import Connection, connect
from carewatch.store.metrics import metrics_at

ROOT = Path(__file__).resolve().parents[2]
SHIPPED: Configuration = load(ROOT / "config")
METRICS = SHIPPED.judgement.metrics
ZONE = SHIPPED.firm.zone
EXAMPLES = {
    f"{name}-{number}": (name, example)
    for name, metric in METRICS.items()
    for number, example in enumerate(metric.examples, start=1)
}
ROWS = {
    "S15": ("orders_365d", "orders_90d", "amount_90d", "amount_change_90d", "products_180d"),
    "S16": ("interactions_90d", "interactions_change_90d", "event_attendance_2y", "events_attended_2y", "events_invited_2y"),
    "S17": ("complaints_90d", "resolution_hours_90d", "satisfaction_180d", "open_tickets"),
    "S18": ("days_late_180d", "paid_in_time_180d", "unpaid_balance", "credit_limit", "credit_use"),
    "S19": ("competitor_gap_90d", "competitor_offers_90d", "rival_cooperation_180d"),
    "S20": ("logins_30d", "core_hours_30d", "core_hours_change_30d", "tickets_against_usual", "logins_against_usual"),
    "S21": ("own_gap", "silence_over_own_gap", "gap_irregularity", "renewal_intent", "amount_months_down", "expected_gap"),
    "S22": ("decision_maker_180d", "decision_maker_change_180d", "satisfaction_90d", "satisfaction_change_90d"),
    "S26": ("amount_month", "amount_months_down", "orders_30d", "orders_change_30d", "amount_change_last_year", "amount_year_on_year"),
    "S27": ("order_value_90d", "order_value_before", "order_value_change_90d", "amount_year_on_year"),
    "S28": ("inquiries_usual_week", "days_since_inquiry"),
    "S29": ("events_missed_in_a_row", "events_attended_2y"),
    "S30": ("distant_talks_60d", "distant_in_a_row"),
    "S33": ("days_since_order", "silence_over_own_gap"),
    "S34": ("amount_months_down", "payment_lengthening", "days_to_pay_90d", "days_to_pay_365d", "complaints_90d"),
    "S35": ("main_contacts_left_90d",),
    "S37": ("interactions_change_90d", "complaints_90d", "complaints_before", "renewal_intent"),
    "S38": ("amount_3m", "amount_year_on_year", "amount_change_90d", "amount_90d_last_year", "amount_change_last_year"),
    "S39": ("days_since_order", "satisfaction_90d", "satisfaction_change_90d"),
    "S40": ("contract_days_left", "days_since_follow_up"),
    "S41": ("overdue_days", "overdue_amount"),
    "S42": ("logins_7d", "logins_change_7d"),
    "S45": ("tickets_30d", "logins_30d", "logins_change_30d"),
    "S47": ("days_since_interaction", "days_since_order"),
    "S50": ("days_silent", "cancellations_90d"),
    "S51": ("logins_30d", "complaints_90d", "orders_365d", "renewals_3y", "satisfaction_180d"),
    "S52": ("logins_change_30d", "payment_lengthening", "complaints_before", "complaints_90d"),
    "S62": ("amount_365d", "benchmark", "years_with_us", "potential"),
    "S64": ("growth_365d",),
    "S65": ("growth_365d", "potential_used", "amount_365d"),
    "S66": ("amount_365d", "years_with_us", "growth_365d"),
    "S67": ("sales_share", "sales_concentration"),
    "S165": ("nps_365d", "answers_365d", "renewals_3y", "satisfaction_180d"),
}  # fmt: skip
"""The requirement rows and the metrics that say them."""


@pytest.fixture(scope="module")
def session(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as connection:
        yield connection


def _noon(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(12), ZONE)


def _give(connection: Connection, example: MetricExample) -> int:
    """Put the rows of an example into the warehouse; return the number of the customer that it is about."""
    given = GivenFacts(connection, ZONE)
    rows = [(fact, row) for fact, rows in example.given.items() for row in rows]
    for name in dict.fromkeys(["this", *(row["customer"] for _, row in rows if "customer" in row)]):
        given.belongs(name, name)
        if name != "this" or "customer" not in example.given:
            given.add("customer", name, LONG_AGO)
    for fact, row in rows:
        at = _noon(row["day"]) if "day" in row else LONG_AGO
        known = _noon(row["known"]) if "known" in row else None
        around = not FACTS[fact].needs_customer and {"industry", "country"} & row.keys()
        party = None if around else str(row.get("customer", "this"))
        given.add(fact, party, at, known_from=known, **_columns(fact, row))
    return given.customer("this")


def _columns(fact: str, row: dict[str, Any]) -> dict[str, Any]:
    days = {column.name for column in FACTS[fact].columns if column.kind is Kind.DAY}
    return {
        key: date.fromisoformat(str(value)) if key in days else value
        for key, value in row.items()
        if key not in ROW_KEYS
    }


def _measured(session: Connection, name: str, example: MetricExample) -> float:
    with session.transaction(force_rollback=True):
        customer = _give(session, example)
        numbers, columns = metrics_at(
            session, METRICS, [name], Cut.at(example.night, ZONE), customer, SHIPPED.judgement.closed_days
        )
    assert numbers.tolist() == [customer]
    return float(columns[name][0])


def _expected(example: MetricExample) -> object:
    value = float("nan") if example.expect == "missing" else example.expect
    return pytest.approx(value, rel=1e-12, abs=0, nan_ok=True)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(session: Connection, name: str) -> None:
    metric, example = EXAMPLES[name]
    assert _measured(session, metric, example) == _expected(example)


@pytest.mark.parametrize(
    ("row", "name"),
    [pytest.param(row, name, marks=pytest.mark.req(row)) for row, names in ROWS.items() for name in names],
)
def test_what_a_row_asks_for_is_measured(session: Connection, row: str, name: str) -> None:
    examples = METRICS[name].examples
    assert [_measured(session, name, one) for one in examples] == [_expected(one) for one in examples]


@pytest.mark.req("S3")
@pytest.mark.parametrize("name", METRICS)
def test_every_shipped_metric_says_all_about_itself(name: str) -> None:
    metric = METRICS[name]
    assert {language for language, _ in metric.label.entries} == {"en", "zh-CN"}
    assert metric.owner and metric.source, "who answers for it, and where it comes from"
    assert metric.examples, "an example that is a test"


def _named_windows() -> Iterator[Any]:
    for name, metric in METRICS.items():
        found = re.search(r"_(\d+)([dmy])(_last_year)?$", name)
        if found and metric.window is not None:
            rows = [row for row, names in ROWS.items() if name in names]
            said = Window(int(found[1]), {"d": Unit.DAY, "m": Unit.MONTH, "y": Unit.YEAR}[found[2]])
            yield pytest.param(name, said, marks=pytest.mark.req(*rows) if rows else (), id=name)


@pytest.mark.parametrize(("name", "said"), list(_named_windows()))
def test_a_metric_looks_back_as_far_as_its_name_says(name: str, said: Window) -> None:
    assert METRICS[name].window == said


def test_no_two_metrics_have_one_label() -> None:
    labels = [text for metric in METRICS.values() for text in metric.label.texts()]
    assert len(labels) == len(set(labels))


def test_examples_judge_nobody() -> None:
    judgement = SHIPPED.judgement
    bare = {
        name: metric.model_copy(update={"examples": [], "source": "elsewhere"})
        for name, metric in METRICS.items()
    }
    assert judgement.model_copy(update={"metrics": bare}).fingerprint == judgement.fingerprint
