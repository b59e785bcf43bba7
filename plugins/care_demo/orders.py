"""Let a customer order: regular orders in its own rhythm, spare parts and one-off orders beside it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from .catalogue import PRODUCTS
from .life import Life
from .span import money

SPARE_TAIL_DAYS = 120
_FIRST_MINUTE, _LAST_MINUTE = 8 * 60 + 30, 18 * 60


@dataclass(frozen=True)
class Order:
    number: str
    day: int
    kind: str
    amount: Decimal


def place_orders(life: Life) -> list[Order]:
    """Write the customer's orders and order lines and return the orders in time order."""
    moments = [(day, "regular") for day in regular_days(life)] + _other_moments(life)
    return [
        _write_order(life, number=number, day=day, kind=kind)
        for number, (day, kind) in enumerate(sorted(moments), start=1)
    ]


def regular_days(life: Life) -> list[int]:
    """Draw the days of regular orders.

    Gaps are gamma distributed in a business time that runs with the working calendar, the season and the
    story, and stands still while the customer does not order at all. A leaver's last order falls on the
    planned day exactly.
    """
    profile, span, rng = life.profile, life.span, life.rng
    pace = span.pace * life.season() * life.effects.orders
    pace[: profile.first_day] = 0.0
    clock = np.cumsum(pace)
    expected = int(clock[-1] / profile.gap_days * 2 + 10)
    gaps = rng.gamma(profile.regularity, profile.gap_days / profile.regularity, size=expected)
    gaps[0] *= rng.random() if profile.since < 0 else 0.0
    ticks = np.cumsum(gaps)
    days = np.searchsorted(clock, ticks[ticks < clock[-1]], side="right")
    chosen = sorted(set(days.tolist()))
    if life.story is None:
        return chosen
    last = life.story.last_order
    before = [day for day in chosen if day < last]
    if before and last - before[-1] <= 6:
        before.pop()
    return [*before, last] if last < span.days else before


def _other_moments(life: Life) -> list[tuple[int, str]]:
    span = life.span
    last = span.days if life.story is None else life.story.last_order
    tail = SPARE_TAIL_DAYS if life.rng.random() < 0.6 else 0
    always = np.ones(span.days)
    spare = [
        (day, "spare") for day, _ in life.happenings(life.profile.spare_rate, always) if day <= last + tail
    ]
    one_off = [(day, "one_off") for day, _ in life.happenings(0.05, always) if day <= last]
    return spare + one_off


def _write_order(life: Life, *, number: int, day: int, kind: str) -> Order:
    profile, span, rng = life.profile, life.span, life.rng
    usual = profile.yearly * profile.gap_days / 365.25
    scale = {"regular": 1.0, "spare": 0.07, "one_off": float(rng.uniform(0.3, 1.6))}[kind]
    trend = (1 + profile.growth) ** (day / 365.25)
    aim = usual * scale * trend * life.effects.value[day] * float(rng.lognormal(0, profile.amount_noise))
    minute = int(rng.integers(_FIRST_MINUTE, _LAST_MINUTE))
    at = span.at(day, minute)
    shown = span.at(day, minute + 5 + float(rng.exponential(40)))
    line = profile.lines[0] if rng.random() < 0.6 else profile.lines[rng.integers(len(profile.lines))]
    order_no = f"SO{profile.code[1:]}-{number:04d}"
    total = Decimal(0)
    for line_no, share in enumerate(_shares(rng, count=int(rng.integers(1, 5))), start=1):
        product = PRODUCTS[line][rng.integers(len(PRODUCTS[line]))]
        price = money(product.unit_price * float(rng.uniform(0.94, 1.06)))
        quantity = max(1, round(aim * share / float(price)))
        amount = quantity * price
        total += amount
        life.ledger.put(
            "order_lines", shown, order_no, line_no, profile.code, at, kind, line, product.sku, quantity,
            price, amount, "CNY", shown,
        )  # fmt: skip
    life.ledger.put("orders", shown, order_no, profile.code, at, line, kind, total, "CNY", shown)
    return Order(order_no, day, kind, total)


def _shares(rng: np.random.Generator, *, count: int) -> list[float]:
    weights = rng.uniform(0.4, 1.6, size=count)
    return [float(share) for share in weights / weights.sum()]
