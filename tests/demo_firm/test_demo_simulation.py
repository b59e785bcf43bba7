"""The demo firm: one seed is one firm, with a rhythm, seasons and holidays."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest
from tests.demo_firm.conftest import SMALL
from tests.demo_firm.observed import by_customer, local_day, rows

import care_demo
from care_demo.firm import simulate
from care_demo.model import COLUMNS, Firm

DIGEST = """
import hashlib
from datetime import date
from care_demo.firm import simulate
firm = simulate(seed=7, customers=40, start=date(2025, 6, 1), end=date(2026, 7, 31))
tables = {name: (table.versions, sorted(table.doubled)) for name, table in firm.tables.items()}
digest = hashlib.sha256(repr((tables, firm.truth, firm.dirt)).encode()).hexdigest()
print(digest)
"""


def test_one_seed_gives_one_firm_also_in_another_process(small_firm: Firm) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(care_demo.__file__).parent.parent)}
    for hash_seed in ("0", "4711"):
        command = [sys.executable, "-c", DIGEST]
        environment["PYTHONHASHSEED"] = hash_seed
        other = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert other.stdout.strip() == digest(small_firm)
    assert digest(simulate(**{**SMALL, "seed": 8})) != digest(small_firm)


def digest(firm: Firm) -> str:
    tables = {name: (table.versions, sorted(table.doubled)) for name, table in firm.tables.items()}
    return hashlib.sha256(repr((tables, firm.truth, firm.dirt)).encode()).hexdigest()


def test_every_row_has_every_column_and_plain_values(firm: Firm) -> None:
    plain = {str, int, float, bool, Decimal, date, datetime, type(None)}
    for name, table in firm.tables.items():
        assert {len(version.values) for version in table.versions} == {len(COLUMNS[name])}
        assert {type(value) for version in table.versions for value in version.values} <= plain
        moments = [
            value for version in table.versions for value in version.values if isinstance(value, datetime)
        ]
        assert all(moment.tzinfo is not None for moment in moments)
        assert all(a.visible_at <= b.visible_at for a, b in pairwise(table.versions))


def test_nothing_is_visible_before_it_happened(firm: Firm) -> None:
    happened = {"orders": "ordered_at", "activities": "happened_at", "tickets": "opened_at",
                "ticket_events": "happened_at", "surveys": "answered_at", "contact_events": "happened_at",
                "market_events": "happened_at", "contract_events": "happened_at"}  # fmt: skip
    for name, column in happened.items():
        place = COLUMNS[name].index(column)
        flawed = {flaw.key for flaw in firm.dirt if flaw.table == name and flaw.group == "malformed"}
        for version in firm.tables[name].versions:
            if str(version.values[0]) not in flawed:
                assert version.values[place] <= version.visible_at


def test_an_order_is_the_sum_of_its_lines(firm: Firm) -> None:
    totals: Counter[str] = Counter()
    for line in rows(firm, "order_lines"):
        assert line["amount"] == line["quantity"] * line["unit_price"]
        totals[line["order_no"]] += line["amount"]
    assert all(totals[order["order_no"]] == order["amount"] > 0 for order in rows(firm, "orders"))


def test_payments_never_exceed_their_invoice(firm: Firm) -> None:
    paid: Counter[str] = Counter()
    for payment in rows(firm, "payments"):
        paid[payment["invoice_no"]] += payment["amount"]
    invoices = rows(firm, "invoices")
    assert all(paid[invoice["invoice_no"]] <= invoice["amount"] for invoice in invoices)
    assert sum(paid[i["invoice_no"]] == i["amount"] for i in invoices) > 0.8 * len(invoices)


def test_customers_keep_their_own_rhythm(firm: Firm) -> None:
    usual, spread = [], []
    for orders in by_customer(firm, "orders").values():
        days = sorted(local_day(order["ordered_at"]) for order in orders if order["kind"] == "regular")
        gaps = [(b - a).days for a, b in pairwise(days)]
        if len(gaps) >= 8:
            usual.append(median(gaps))
            spread.append(sorted(gaps)[len(gaps) * 9 // 10] / max(median(gaps), 1))
    assert 24 <= median(usual) <= 31
    assert min(usual) < 12 and max(usual) > 50
    assert min(spread) < 1.5 and max(spread) > 4  # some like a clock, some not


def test_nobody_works_in_the_spring_festival_and_few_order_around_it(firm: Firm) -> None:
    regular = [local_day(o["ordered_at"]) for o in rows(firm, "orders") if o["kind"] == "regular"]
    for festival in (date(2024, 2, 10), date(2025, 1, 29), date(2026, 2, 17)):
        lull = Counter(0 <= (day - festival).days < 5 for day in regular)[True]
        around = Counter(-8 <= (day - festival).days <= 12 for day in regular)[True]
        usual = Counter(25 <= (day - festival).days <= 45 for day in regular)[True]
        assert lull == 0
        assert 0 < around < 0.5 * usual
    assert not any(day.month == 10 and day.day <= 3 for day in regular)


@pytest.mark.req("D20")
def test_seasonal_customers_fall_silent_for_weeks_and_do_not_leave(firm: Firm) -> None:
    orders = by_customer(firm, "orders")
    seasonal = [entry for entry in firm.truth if entry.seasonal]
    assert 0.08 < len(seasonal) / len(firm.truth) < 0.22
    assert all(entry.cause is None and entry.churned_at is None for entry in seasonal)
    silences = []
    for entry in seasonal:
        days = sorted(
            local_day(o["ordered_at"]) for o in orders[entry.customer_code] if o["kind"] == "regular"
        )
        if days and firm.end - days[0] > timedelta(days=500):
            gaps = [(b - a).days for a, b in pairwise(days)]
            silences.append(max(gaps))
            assert max(gaps) > 3 * median(gaps)
    assert len(silences) > 30
    assert min(silences) >= 45 and median(silences) >= 75


def test_a_period_too_short_or_a_firm_too_small_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="at least 365 days; 2026-01-01 to 2026-12-30 has 364"):
        simulate(start=date(2026, 1, 1), end=date(2026, 12, 30))
    with pytest.raises(ValueError, match="at least 20 customers, got 19"):
        simulate(customers=19)
    assert simulate(customers=20, start=date(2025, 1, 1), end=date(2025, 12, 31)).truth
