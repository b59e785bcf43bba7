"""Invoice the orders and let the customer pay in its own habit."""

from __future__ import annotations

from decimal import Decimal

from .life import Life
from .orders import Order
from .span import money

# The finance system exports its files each night; a booking shows the next morning.
EXPORT_MINUTE = 1440 + 2 * 60
WRITTEN_OFF_SHARE = 0.5
_LATE_DECOY_DAYS = (26, 44)


def bill_orders(life: Life, orders: list[Order]) -> None:
    """Write one invoice per order and its payments."""
    decoy_due = life.decoys.get("late_payment")
    for number, order in enumerate(orders, start=1):
        invoice_no = f"INV{life.profile.code[1:]}-{number:04d}"
        due = _issue(life, order, invoice_no=invoice_no)
        extra = 0
        if decoy_due is not None and due >= decoy_due:
            extra, decoy_due = int(life.rng.integers(*_LATE_DECOY_DAYS)), None
        _settle(life, order, invoice_no=invoice_no, due=due, extra=extra)


def _issue(life: Life, order: Order, *, invoice_no: str) -> int:
    span = life.span
    issued = span.working_day_near(order.day + int(life.rng.integers(2, 9)))
    due = issued + life.profile.terms_days
    if issued < span.days:
        booked = span.at(issued, int(life.rng.integers(540, 1080)))
        life.ledger.put(
            "invoices", span.at(issued, EXPORT_MINUTE), invoice_no, life.profile.code, span.date_of(issued),
            span.date_of(due), order.amount, "CNY", booked,
        )  # fmt: skip
    return due


def _settle(life: Life, order: Order, *, invoice_no: str, due: int, extra: int) -> None:
    """Pay an invoice at once or in two parts; a customer out of money may never pay its last invoices."""
    rng, effects, span = life.rng, life.effects, life.span
    on = min(due, span.days - 1)
    out_of_money = life.story is not None and life.has("budget") and order.day >= life.story.last_order - 30
    if out_of_money and rng.random() < WRITTEN_OFF_SHARE:
        return
    delay = rng.normal(life.profile.pay_delay, 3.5) + effects.pay_delay[on] + extra
    paid = due + max(round(float(delay)), 5 - life.profile.terms_days)
    in_parts = rng.random() < 0.05 + effects.partial[on]
    first = money(float(order.amount) * float(rng.uniform(0.3, 0.7))) if in_parts else order.amount
    parts = [(paid, first)] + ([(paid + int(rng.integers(10, 30)), order.amount - first)] if in_parts else [])
    for number, (day, amount) in enumerate(parts, start=1):
        _pay(life, payment_no=f"P{invoice_no[3:]}-{number}", invoice_no=invoice_no, day=day, amount=amount)


def _pay(life: Life, *, payment_no: str, invoice_no: str, day: int, amount: Decimal) -> None:
    span = life.span
    on = span.working_day_near(day)
    if on < span.days and amount > 0:
        life.ledger.put(
            "payments", span.at(on, EXPORT_MINUTE), payment_no, invoice_no, life.profile.code,
            span.date_of(on), amount, "CNY",
        )  # fmt: skip
