"""Rates are facts; amounts in other currencies follow them, and a past night stays what it was."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.store.landed import MASTER, NOW, ORDERS, Landing, sources

from carewatch.measure.cut import Cut
from carewatch.spec.metrics import Metric
from carewatch.store.database import Connection
from carewatch.store.metrics import metrics_at

BANK = """
customers: derived
delay: 0 hours
streams:
  rates:
    from: rates
    fact: fx_rate
    key: [currency, day]
    event_at: day
    withdrawn_when: void = 'yes'
    columns: {currency: currency, rate: rate}
"""
SALES = {"sales": Metric.model_validate(
    {"label": "Sales", "kind": "sum", "fact": "order", "of": "amount", "window": "40 days"}
)}  # fmt: skip
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def landing(connection: Connection) -> Landing:
    return Landing(connection, sources(sales=MASTER + ORDERS, bank=BANK))


def rate(currency: str, day: str, value: str, **more: str) -> dict[str, Any]:
    return {"currency": currency, "day": day, "rate": value, **more}


def order(no: str, currency: str = "USD", amount: str = "10", at: str = "2026-05-01 10:00") -> dict[str, Any]:
    return {
        "no": no, "code": "C1", "at": at, "updated": at, "amount": amount, "currency": currency, "kind": "regular",
    }  # fmt: skip


CUSTOMER = {"code": "C1", "name": "One", "since": "2026-01-01", "updated": "2026-01-01"}


def begin(landing: Landing, *orders: dict[str, Any]) -> None:
    """Take a first load, so that what follows is no history, and then the orders."""
    landing.take("sales", customers=[CUSTOMER], orders=[order("first", "CNY")])
    landing.take("bank", rates=[rate("jpy", "2026-01-01", "0.05")])
    landing.later(minutes=1)
    landing.take("sales", orders=orders)
    landing.later(minutes=1)


def amounts(landing: Landing) -> dict[str, Any]:
    return {key: value for key, (value,) in landing.open_facts("order", "amount").items() if key != "first"}


@pytest.mark.parametrize(("day", "converted"), [
    ("2026-05-01", 71), ("2026-03-31", 71), ("2026-03-30", None), ("2026-05-02", None),
])  # fmt: skip
def test_the_last_rate_at_most_31_days_old_converts(landing: Landing, day: str, converted: Any) -> None:
    landing.take("bank", rates=[rate("USD", day, "7.1")])
    landing.take("sales", customers=[CUSTOMER], orders=[order("A")])
    assert amounts(landing) == {"A": converted}


def test_a_rate_that_comes_later_makes_new_versions_known_from_then(landing: Landing) -> None:
    begin(landing, order("A"), order("B", "EUR"), order("C", "CNY"), order("D", at="2026-03-01"))
    before = landing.now - timedelta(seconds=1)
    result = landing.take("bank", rates=[rate("usd", "2026-04-30", "7.1")])
    assert result["bank.rates"].new == 1
    assert amounts(landing) == {"A": 71, "B": None, "C": 10, "D": None}
    versions = landing.rows(
        "select amount, known_from < %s, known_to, row_hash from care.fact_order where source_key = 'A' order by fact_no",
        before,
    )
    assert [row[:3] for row in versions] == [(None, True, landing.now), (71, False, None)]
    assert versions[0][3] == versions[1][3]
    assert landing.rows("select count(*) from care.fact_order") == [(6,)], (
        "only the one that the rate decides"
    )


def test_rows_that_come_again_after_their_rate_change_nothing(landing: Landing) -> None:
    begin(landing, order("A"))
    landing.take("bank", rates=[rate("USD", "2026-04-30", "7.1")])
    landing.later(hours=1)
    result = landing.take("sales", orders=[order("A")])
    assert (result["sales.orders"].unchanged, result["sales.orders"].changed) == (1, 0)
    again = landing.take("bank", rates=[rate("USD", "2026-04-30", "7.1")])
    assert again["bank.rates"].unchanged == 1
    assert landing.rows("select count(*) from care.fact_order where source_key = 'A'") == [(2,)]


def test_a_corrected_rate_and_a_withdrawn_one_correct_the_amounts(landing: Landing) -> None:
    begin(landing, order("A"), order("B", at="2026-05-09"))
    landing.take("bank", rates=[rate("USD", "2026-04-30", "7.1"), rate("USD", "2026-05-08", "7.2")])
    landing.later(hours=1)
    landing.take("bank", rates=[rate("USD", "2026-04-30", "7.3")])
    assert amounts(landing) == {"A": 73, "B": 72}
    landing.later(hours=1)
    landing.take("bank", rates=[rate("USD", "2026-05-08", "7.2", void="yes")])
    assert amounts(landing) == {"A": 73, "B": 73}, "the last rate before it decides"
    landing.later(hours=1)
    landing.take("bank", rates=[rate("USD", "2026-04-30", "7.3", void="yes")])
    assert amounts(landing) == {"A": None, "B": None}


@pytest.mark.parametrize("first", ["sales", "bank"])
def test_in_a_first_load_the_order_of_systems_decides_nothing(landing: Landing, first: str) -> None:
    rows: dict[str, dict[str, Any]] = {
        "sales": {"customers": [CUSTOMER], "orders": [order("A")]},
        "bank": {"rates": [rate("USD", "2026-04-30", "7.1")]},
    }
    for source in (first, "bank" if first == "sales" else "sales"):
        landing.take(source, **rows[source])
        landing.later(hours=1)
    assert landing.rows("select amount, known_to, known_assumed from care.fact_order") == [(71, None, True)]


def test_history_that_a_night_has_seen_is_not_corrected_in_place(landing: Landing) -> None:
    landing.take("sales", customers=[CUSTOMER], orders=[order("A")])
    night(landing)
    landing.later(hours=1)
    landing.take("bank", rates=[rate("USD", "2026-04-30", "7.1")])
    assert landing.rows("select amount from care.fact_order order by fact_no") == [(None,), (71,)]


def night(landing: Landing) -> None:
    landing.rows("insert into care.configuration values ('f', 'judgement', '{}', now()) returning 1")
    landing.rows(
        "insert into care.night (day, event_cut, knowledge_cut, judgement, care, code_version, opened_at) "
        "values ('2026-06-01', %s, %s, 'f', 'f', '1', now()) returning 1",
        landing.now, landing.now,
    )  # fmt: skip


def test_a_metric_is_missing_until_the_rate_is_known_and_then_whole(landing: Landing) -> None:
    begin(landing, order("A"), order("B", "CNY", "5"))
    day = date(2026, 6, 1)
    unconverted = Cut(day, NOW, landing.now, SHANGHAI)
    landing.later(hours=1)
    landing.take("bank", rates=[rate("USD", "2026-05-01", "7")])
    converted = Cut(day, NOW, landing.now, SHANGHAI)
    found = [
        metrics_at(landing.connection, SALES, ["sales"], cut)[1]["sales"].tolist()
        for cut in (unconverted, converted, unconverted)
    ]
    assert found == [pytest.approx([np.nan], nan_ok=True), [85.0], pytest.approx([np.nan], nan_ok=True)]


@pytest.mark.parametrize(("value", "reason"), [("0", "a rate is above zero"), ("-7", "a rate is above zero")])
def test_a_rate_that_is_none_waits_in_quarantine(landing: Landing, value: str, reason: str) -> None:
    landing.take("bank", rates=[rate("USD", "2026-05-01", value), rate("EUR", "2026-05-01", "8")])
    assert landing.waiting("reason", "field", "value") == [(reason, "rate", value)]
    assert list(landing.open_facts("fx_rate", "currency").values()) == [("EUR",)]
