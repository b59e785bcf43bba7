"""The truth behind the demo firm: each cause shows before the customer leaves, and decoys lead nowhere."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from statistics import median
from typing import Any

import pytest
from tests.demo_firm.observed import before, by_customer, during, finished, local_day, pooled, rate, within

from care_demo.model import Firm, Truth
from care_demo.stories import CAUSES, DECOYS

pytestmark = pytest.mark.req("D20")
SINCE = date(2024, 1, 1)


def regular(orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [order for order in orders if order["kind"] == "regular"]


def values(orders: list[dict[str, Any]], window: tuple[date, date]) -> list[float]:
    return [float(order["amount"]) for order in within(regular(orders), "ordered_at", window)]


def shares_of_usual(orders: list[dict[str, Any]], entry: Truth) -> list[float]:
    """Return the last orders of a leaver as shares of the customer's own usual order."""
    usual = values(orders, before(entry))
    return [value / median(usual) for value in values(orders, during(entry, 0.6, 1))] if usual else []


def starts(firm: Firm) -> dict[str, date]:
    customers = by_customer(firm, "customers")
    return {code: max(SINCE, found[0]["customer_since"]) for code, found in customers.items()}


def test_about_eighteen_percent_leave_for_every_cause_and_at_every_time(firm: Firm) -> None:
    leavers = [entry for entry in firm.truth if entry.cause]
    assert 0.16 <= len(leavers) / len(firm.truth) <= 0.20
    causes = Counter(entry.cause for entry in leavers)
    assert set(causes) == set(CAUSES) and min(causes.values()) >= 10
    decided = [entry.churned_at for entry in leavers if entry.churned_at]
    assert Counter(day.year for day in decided if day <= firm.today).keys() == {2024, 2025, 2026}
    last_half_year = sum(firm.today - timedelta(days=182) <= day <= firm.today for day in decided)
    assert last_half_year >= 12
    assert sum(firm.today < day for day in decided) >= 12  # warnings that are still worth something


def test_the_newest_nights_see_every_cause_begin(firm: Firm) -> None:
    def begun(days: int) -> set[str | None]:
        edge = firm.today - timedelta(days=days)
        return {e.cause for e in firm.truth if e.first_symptom_on and edge <= e.first_symptom_on < firm.today}

    assert begun(14) == set(CAUSES)
    assert begun(7) == set(CAUSES)


def test_dates_come_in_order_with_a_realistic_lead(firm: Firm) -> None:
    for entry in firm.truth:
        if entry.cause is None:
            assert (entry.first_symptom_on, entry.last_order_on, entry.churned_at) == (None, None, None)
            continue
        assert entry.first_symptom_on and entry.last_order_on and entry.churned_at
        assert 30 <= (entry.last_order_on - entry.first_symptom_on).days <= 150
        assert 3 <= (entry.churned_at - entry.last_order_on).days <= 20
        assert entry.decoys == ()


def test_the_last_regular_order_is_the_true_one(firm: Firm) -> None:
    orders = by_customer(firm, "orders")
    dirty = {flaw.key for flaw in firm.dirt if flaw.table == "orders"}
    seen = 0
    for entry in firm.truth:
        if entry.last_order_on is None or any(
            key.startswith(f"SO{entry.customer_code[1:]}") for key in dirty
        ):
            continue
        days = [local_day(order["ordered_at"]) for order in regular(orders[entry.customer_code])]
        if entry.last_order_on <= firm.end:
            assert max(days) == entry.last_order_on
            seen += 1
    assert seen > 40


def test_spare_parts_may_outlive_the_regular_orders(firm: Firm) -> None:
    orders = by_customer(firm, "orders")
    late = [
        order
        for entry in firm.truth
        if entry.last_order_on
        for order in orders[entry.customer_code]
        if local_day(order["ordered_at"]) > entry.last_order_on
    ]
    assert late and {order["kind"] for order in late} == {"spare"}


def test_orders_thin_out_for_every_cause(firm: Firm) -> None:
    orders, since = by_customer(firm, "orders"), starts(firm)

    def worth(entry: Truth, window: tuple[date, date]) -> float:
        found = sum(values(orders[entry.customer_code], window))
        return found / max((window[1] - max(window[0], since[entry.customer_code])).days, 1)

    for cause in CAUSES:
        told = finished(firm, cause)
        assert len(told) >= 6
        usual = [worth(entry, before(entry)) for entry in told]
        ending = [worth(entry, during(entry, 0.5)) for entry in told]
        assert median(late / early for late, early in zip(ending, usual, strict=True) if early) < 0.65, cause


def test_service_failure_is_complaints_slow_answers_and_falling_satisfaction(firm: Firm) -> None:
    tickets, events = by_customer(firm, "tickets"), by_customer(firm, "ticket_events")
    surveys, since = by_customer(firm, "surveys"), starts(firm)
    told = finished(firm, "service_failure")

    def complaints(entry: Truth, window: tuple[date, date]) -> float:
        raised = [ticket for ticket in tickets[entry.customer_code] if ticket["is_complaint"]]
        return rate(raised, "opened_at", window, since[entry.customer_code])

    def hours(windows: list[tuple[str, tuple[date, date]]]) -> float:
        return median(
            (event["happened_at"] - event["opened_at"]).total_seconds() / 3600
            for code, window in windows
            for event in within(events[code], "opened_at", window)
            if event["event"] == "resolved"
        )

    def scores(windows: list[tuple[str, tuple[date, date]]]) -> float:
        return pooled(
            s["score"] for code, window in windows for s in within(surveys[code], "answered_at", window)
        )

    for entry in told:
        assert entry.first_symptom_on
        raised = [ticket for ticket in tickets[entry.customer_code] if ticket["is_complaint"]]
        assert any(local_day(ticket["opened_at"]) == entry.first_symptom_on for ticket in raised)
    early = [(entry.customer_code, before(entry)) for entry in told]
    late = [(entry.customer_code, during(entry)) for entry in told]
    assert pooled(complaints(e, during(e)) for e in told) > 8 * pooled(complaints(e, before(e)) for e in told)
    assert hours(late) > 2 * hours(early)
    assert scores(late) < scores(early) - 1


def test_price_competitor_is_an_offer_then_many_inquiries_then_few_and_smaller_orders(firm: Firm) -> None:
    market, activities = by_customer(firm, "market_events"), by_customer(firm, "activities")
    orders, since = by_customer(firm, "orders"), starts(firm)
    told = finished(firm, "price_competitor")

    def inquiries(entry: Truth, window: tuple[date, date]) -> float:
        asked = [activity for activity in activities[entry.customer_code] if activity["kind"] == "inquiry"]
        return rate(asked, "happened_at", window, since[entry.customer_code])

    for entry in told:
        offers = [
            e for e in market[entry.customer_code] if e["kind"] == "competitor" and e["price_gap_pct"] > 0
        ]
        assert min(local_day(offer["happened_at"]) for offer in offers) == entry.first_symptom_on
    usual = pooled(inquiries(entry, before(entry)) for entry in told)
    assert pooled(inquiries(entry, during(entry, 0, 0.33)) for entry in told) > 1.6 * usual
    assert pooled(inquiries(entry, during(entry, 0.75, 1)) for entry in told) < 0.7 * usual
    assert median(share for e in told for share in shares_of_usual(orders[e.customer_code], e)) < 0.75


def test_contact_left_is_the_main_contact_going_and_the_talk_drying_up(firm: Firm) -> None:
    changes, activities = by_customer(firm, "contact_events"), by_customer(firm, "activities")
    since = starts(firm)
    told = finished(firm, "contact_left")

    def talks(entry: Truth, window: tuple[date, date]) -> float:
        met = [a for a in activities[entry.customer_code] if a["decision_maker"] and a["kind"] != "event"]
        return rate(met, "happened_at", window, since[entry.customer_code])

    for entry in told:
        gone = [e for e in changes[entry.customer_code] if e["event"] == "left" and e["is_main"]]
        assert [local_day(event["happened_at"]) for event in gone] == [entry.first_symptom_on]
        assert gone[0]["is_decision_maker"] and gone[0]["note"] == ""
    assert pooled(talks(e, during(e)) for e in told) < 0.35 * pooled(talks(e, before(e)) for e in told)


def test_budget_is_smaller_orders_and_later_payments(firm: Firm) -> None:
    orders, invoices = by_customer(firm, "orders"), by_customer(firm, "invoices")
    payments, told = by_customer(firm, "payments"), finished(firm, "budget")

    def delay(windows: list[tuple[str, tuple[date, date]]]) -> float:
        due = {i["invoice_no"]: i["due_on"] for code, _ in windows for i in invoices[code]}
        return pooled(
            (payment["paid_on"] - due[payment["invoice_no"]]).days
            for code, window in windows
            for payment in payments[code]
            if window[0] <= due.get(payment["invoice_no"], date.max) < window[1]
        )

    assert median(share for e in told for share in shares_of_usual(orders[e.customer_code], e)) < 0.65
    usual = delay([(entry.customer_code, before(entry)) for entry in told])
    assert delay([(entry.customer_code, during(entry, 0, 0.5)) for entry in told]) > usual + 5
    assert delay([(entry.customer_code, during(entry, 0.5, 1)) for entry in told]) > usual + 25


def test_decoys_happen_to_customers_who_go_on(firm: Firm) -> None:
    orders, since = by_customer(firm, "orders"), starts(firm)
    decoys = [(entry, decoy) for entry in firm.truth for decoy in entry.decoys]
    assert set(Counter(decoy.kind for _, decoy in decoys)) == set(DECOYS)
    assert all(entry.cause is None for entry, _ in decoys)

    def pace(entry: Truth, window: tuple[date, date]) -> float:
        return rate(regular(orders[entry.customer_code]), "ordered_at", window, since[entry.customer_code])

    for kind in DECOYS:
        held = [(e, d.on) for e, d in decoys if d.kind == kind and d.on <= firm.end - timedelta(days=120)]
        earlier = pooled(pace(e, (on - timedelta(days=120), on)) for e, on in held)
        after = pooled(pace(e, (on, on + timedelta(days=120))) for e, on in held)
        assert after > 0.7 * earlier, kind


def test_decoys_look_like_symptoms(firm: Firm) -> None:
    tickets, changes = by_customer(firm, "tickets"), by_customer(firm, "contact_events")
    invoices, payments = by_customer(firm, "invoices"), by_customer(firm, "payments")
    market = by_customer(firm, "market_events")
    for entry in firm.truth:
        code = entry.customer_code
        for decoy in entry.decoys:
            if decoy.kind == "good_recovery":
                assert any(local_day(t["opened_at"]) == decoy.on and t["is_complaint"] for t in tickets[code])
            elif decoy.kind == "contact_handover":
                left = [
                    e
                    for e in changes[code]
                    if e["event"] == "left" and local_day(e["happened_at"]) == decoy.on
                ]
                joined = [e for e in changes[code] if e["event"] == "joined" and e["is_main"]]
                assert left and any(0 < (decoy.on - local_day(e["happened_at"])).days < 20 for e in joined)
            elif decoy.kind == "offer_rejected":
                assert any(local_day(event["happened_at"]) == decoy.on for event in market[code])
    late = [entry for entry in firm.truth for decoy in entry.decoys if decoy.kind == "late_payment"]
    seen = 0
    for entry in late:
        due = {i["invoice_no"]: i["due_on"] for i in invoices[entry.customer_code]}
        days = [
            (p["paid_on"] - due[p["invoice_no"]]).days
            for p in payments[entry.customer_code]
            if p["invoice_no"] in due
        ]
        seen += bool(days) and max(days) > median(days) + 15
    assert seen > 0.6 * len(late)
