"""Every number that practice quotes, on both sides: rows of facts, through the metrics' SQL, to the shipped rule.

Each case is one customer; all of them share one warehouse, one night and one pass over the facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.facts_given import LONG_AGO, GivenFacts

from carewatch.flow.backtest import level_of_hits
from carewatch.measure.cut import Cut
from carewatch.spec.loading import load
from carewatch.spec.rules import Priority, Severity
from carewatch.store.database import connect
from carewatch.store.metrics import metrics_at
from carewatch.store.readings import readings_at
from carewatch.warn.fold import Phase
from carewatch.warn.hits import State, rule_book, rule_state
from carewatch.warn.judge import Judged, judge
from carewatch.warn.level import levels, severities

CONFIG = Path(__file__).resolve().parents[2] / "config"
FOLDERS = [CONFIG, *sorted(path.parent for path in CONFIG.glob("industries/*/firm.yaml"))]
SPEC = load(CONFIG).judgement
ZONE = SPEC.firm.zone
NIGHT = date(2026, 9, 1)
"""Far from any long holiday, which would excuse rules that ask for a reason."""
SEVERITY = ("watch", "mild", "moderate", "severe", "critical")

Row = tuple[str, date, dict[str, Any]]


def ago(days: int) -> date:
    return NIGHT - timedelta(days=days)


def order(day: date, amount: float = 1000, **columns: Any) -> Row:
    return "order", day, {"amount": amount, **columns}


def orders(first: date, count: int, amount: float, every: int = 1) -> list[Row]:
    return [order(first + timedelta(days=every * number), amount) for number in range(count)]


def talk(day: date, what: str = "call", **columns: Any) -> Row:
    return "interaction", day, {"what": what, **columns}


def logins(day: date, count: int) -> Row:
    return "usage_day", day, {"logins": count}


def ticket(day: date, complaint: bool = False) -> Row:
    return "ticket", day, {"ticket_no": f"T{day}", "complaint": complaint}


def survey(day: date, score: float, what: str = "satisfaction") -> Row:
    return "survey", day, {"score": score, "what": what}


def contract(kind: str, ends_on: date, signed: date = date(2025, 1, 1), what: str = "signed") -> Row:
    return "contract_event", signed, {"contract": f"{kind}1", "what": what, "kind": kind, "ends_on": ends_on}


def reason(**columns: Any) -> Row:
    return (
        "reasonable_reason",
        ago(60),
        {"what": "low_season", "starts_on": ago(60), "ends_on": ago(0), **columns},
    )


TEN_DAYS_AGO = ago(10)


def market(what: str, day: date = TEN_DAYS_AGO, **columns: Any) -> Row:
    return "market_event", day, {"what": what, **columns}


def left(day: date, **columns: Any) -> Row:
    return "contact_event", day, {"contact": "p1", "what": "left", "main": True, **columns}


@dataclass(frozen=True)
class Case:
    """A customer with a history; `fires` is the severity with which the rule fires, or None."""

    req: str
    rule: str
    fires: str | None
    about: str
    rows: list[Row]
    tier: str = "B"
    customer: dict[str, Any] = field(default_factory=dict)
    level: int | None = None

    def __str__(self) -> str:
        return f"{self.req} {self.rule}: {self.about}"


def months(*amounts: float) -> list[Row]:
    """Orders in the middle of the last complete months, the newest last."""
    newest = (date(2026, 5, 15), date(2026, 6, 15), date(2026, 7, 15), date(2026, 8, 15))
    return [
        order(day, amount) for day, amount in zip(newest[-len(amounts) :], amounts, strict=True) if amount
    ]


def quarters(before: float, now: float) -> list[Row]:
    """Sixty small orders in the year, and what makes the sums of the last 90 days and the 90 before."""
    small = [
        *orders(ago(334), 40, 1, every=2),
        *orders(ago(172), 10, 100),
        *orders(ago(59), 10, 100),
    ]
    return [*small, order(ago(151), before - 1000), order(ago(40), now - 1000)]


USED_TO_ASK = [talk(ago(71 - week * 7 - day), "inquiry") for week in range(8) for day in (0, 2, 4)]
CAME = [talk(ago(500 - number), "event", invited=True, attended=True) for number in range(2)]
FELL = [talk(ago(120 + number)) for number in range(4)]
TRIPLE = [*FELL, talk(ago(20)), ticket(ago(20), complaint=True), survey(ago(20), 2, "renewal")]
COLLAPSE = [*orders(ago(120), 2, 100_000), *orders(ago(40), 2, 30_000)]
REGULAR = orders(ago(41), 4, 1000, every=9)
UNHAPPY = [survey(ago(120), 5), survey(ago(20), 4)]
QUIET = [talk(ago(30), "call", direction="out"), talk(ago(3), "call", direction="in")]
FOUR_MONTHS = [order(ago(120)), order(ago(20), kind="spare"), order(ago(30), kind="one_off")]


def cases() -> Iterator[Case]:
    yield from _order_amounts()
    yield from _silence()
    yield from _relation()
    yield from _environment()
    yield from _use_and_service()
    yield from _terms()


def _order_amounts() -> Iterator[Case]:
    two, three = "order_amount_down_two_months", "order_amount_down_three_months"
    yield Case("S26", two, "moderate", "30 % down two months running", months(10_000, 7_000, 4_900), level=1)
    yield Case("S26", two, None, "29 % in the second month", months(10_000, 7_000, 4_970))
    # the same months of last year, after a spring of much larger sales: a season of its own
    last_year = [order(ago(365 + back), amount) for back, amount in ((17, 4_900), (48, 7_000), (78, 10_000))]
    season, spring = [*months(10_000, 7_000, 4_900), *last_year], ago(365 + 140)
    yield Case("S26", two, None, "it falls so every year", [*season, order(spring, 40_000)])
    yield Case("S26", two, "moderate", "last year it did not fall", [*season, order(spring, 24_000)])
    yield Case("S26", two, None, "29 % in the first month", months(10_000, 7_100, 4_900))
    five = [order(ago(45 - day)) for day in range(5)]
    yield Case(
        "S26",
        "orders_from_five_to_two",
        "moderate",
        "five, then two",
        [*five, *orders(ago(9), 2, 1000)],
        level=1,
    )
    yield Case("S26", "orders_from_five_to_two", None, "five, then three", [*five, *orders(ago(9), 3, 1000)])
    yield Case("S26", "orders_from_five_to_two", None, "four, then one", [*five[1:], order(ago(9))])
    spurt, five_to_two = [*five, *orders(ago(9), 2, 1000)], "orders_from_five_to_two"
    yield Case("S26", five_to_two, None, "a spurt has ended", [*spurt, order(ago(120), 7_000)])
    yield Case("S26", five_to_two, "moderate", "the quarter has fallen", [*spurt, order(ago(120), 7_010)])
    yield Case("S76", "order_amount_down_10", "mild", "10 % down", quarters(100_000, 90_000), level=1)
    yield Case("S76", "order_amount_down_10", None, "9.9 % down", quarters(100_000, 90_100))
    yield Case("S76", "order_amount_down_10", "mild", "19.9 % down", quarters(100_000, 80_100), level=1)
    yield Case("S76", "order_amount_down_20", None, "19.9 % down", quarters(100_000, 80_100))
    yield Case("S77", "order_amount_down_20", "moderate", "20 % down", quarters(100_000, 80_000), level=1)
    yield Case("S76", "order_amount_down_10", None, "20 % is moderate, not mild", quarters(100_000, 80_000))
    yield Case(
        "S34",
        three,
        "severe",
        "30 % down three months running",
        months(20_000, 10_000, 7_000, 4_900),
        level=2,
    )
    yield Case("S34", three, None, "two of three months", months(14_000, 10_000, 7_000, 4_900))
    yield Case("S34", three, None, "29 % in the oldest month", months(10_000, 7_100, 4_900, 3_400))
    pile, smaller = "complaints_pile_up", "order_value_down"
    complaints = [ticket(ago(9 * number), complaint=True) for number in range(1, 4)]
    yield Case("S34", pile, "moderate", "three complaints", complaints, level=1)
    yield Case("S34", pile, None, "two complaints and a question", [*complaints[:2], ticket(ago(4))])
    usual_size = orders(ago(120), 3, 10_000)
    yield Case(
        "S34", smaller, "mild", "orders 30 % smaller", [*usual_size, *orders(ago(40), 3, 7_000)], level=1
    )
    yield Case("S34", smaller, None, "orders 29 % smaller", [*usual_size, *orders(ago(40), 3, 7_100)])
    yield Case("S34", smaller, None, "two small orders only", [*usual_size, *orders(ago(40), 2, 7_000)])
    value = "order_value_down_by_70"
    yield Case("S27", value, "critical", "100,000 to 30,000", COLLAPSE, level=3)
    yield Case("S27", value, None, "100,000 to 30,001", [*COLLAPSE[:3], order(ago(39), 30_002)])
    yield Case(
        "S27", value, None, "99,999 to 29,999", [*orders(ago(120), 2, 99_999), *orders(ago(40), 2, 29_999)]
    )
    yield Case("S27", value, None, "a low season is on record", [*COLLAPSE, reason()])
    yield Case("S27", value, "critical", "the season is over", [*COLLAPSE, reason(ends_on=ago(10))])
    yield Case("S27", value, None, "the season's last day", [*COLLAPSE, reason(ends_on=ago(1))])
    yield Case("S27", value, "critical", "the day after the season", [*COLLAPSE, reason(ends_on=ago(2))])
    yield Case("S27", value, None, "the season's first day", [*COLLAPSE, reason(starts_on=ago(1))])
    yield Case("S27", value, "critical", "the season has not begun", [*COLLAPSE, reason(starts_on=ago(0))])
    other = reason(covers="order_silence")
    yield Case("S27", value, "critical", "a reason for something else", [*COLLAPSE, other])
    yield Case("S27", value, None, "a reason for just this", [*COLLAPSE, reason(covers="order_value, tone")])
    last_year = [order(ago(365 + 40), 80_000)]
    yield Case("S27", value, None, "the same months of last year were as low", [*COLLAPSE, *last_year])
    yield Case("S27", value, "critical", "last year they were not", [*COLLAPSE, order(ago(365 + 40), 90_000)])
    year = "orders_down_year_on_year"
    base = [*orders(ago(304), 12, 9_000), order(ago(405), 10_000)]
    yield Case(
        "S38",
        year,
        "moderate",
        "30 % down on last year",
        [*base, order(ago(40), 7_000)],
        tier="A",
        level=1,
    )
    yield Case("S38", year, None, "29 % down on last year", [*base, order(ago(40), 7_100)], tier="A")
    for tier, severity in (("A", "moderate"), ("B", "mild"), ("C", "watch")):
        yield Case("S69", year, severity, f"of tier {tier}", [*base, order(ago(40), 7_000)], tier=tier)
    other = [
        *orders(ago(304), 12, 9_000),
        order(ago(132), 10_000),
        order(ago(40), 7_000),
    ]
    yield Case("S38", year, None, "down on the quarter before, not on last year", other, tier="A")
    down = [*base, order(ago(40), 7_000)]
    rising, falling = [*down, order(ago(120), 5_800)], [*down, order(ago(120), 9_000)]
    spring = ago(365 + 120)
    yield Case("S38", year, None, "the season comes, as last year", [*rising, order(spring, 8_300)], tier="A")
    yield Case("S38", year, "moderate", "last year it did not", [*rising, order(spring, 8_400)], tier="A")
    yield Case(
        "S38", year, None, "the season goes, as last year", [*falling, order(spring, 12_500)], tier="A"
    )
    yield Case("S38", year, "moderate", "last year it stayed", [*falling, order(spring, 12_400)], tier="A")
    late, early = [*down, order(ago(120), 5_900)], [*down, order(ago(120), 8_700)]
    yield Case("S38", year, "moderate", "this year it does not come", [*late, order(spring, 8_300)], tier="A")
    yield Case("S38", year, "moderate", "this year it stays", [*early, order(spring, 12_500)], tier="A")
    silent = [*base, *orders(ago(364), 6, 100, every=10), order(ago(85), 7_000), order(ago(120), 9_000)]
    yield Case(
        "S38",
        year,
        "moderate",
        "the season goes and no order comes",
        [*silent, order(spring, 12_500)],
        tier="A",
    )


def _silence() -> Iterator[Case]:
    four = "no_order_for_four_months"
    yield Case("S33", four, "moderate", "four months, spare parts do not count", FOUR_MONTHS, level=1)
    yield Case("S33", four, None, "a day less", [order(ago(119)), *FOUR_MONTHS[1:]])
    yield Case("S33", four, None, "a regular order", [*FOUR_MONTHS, order(ago(30), kind="regular")])
    for tier in ("A", "C"):
        yield Case("S33", four, "moderate", f"tier {tier}, whatever it costs", FOUR_MONTHS, tier=tier)
    steady = [order(ago(120 + 90 * number)) for number in range(4)]
    yield Case("S33", four, None, "it orders every three months", steady)
    yield Case("S33", four, None, "an agreed pause", [*FOUR_MONTHS, reason(what="agreed_pause")])
    thirty, thing = "b_without_order_30_days", [order(ago(9), kind="spare"), order(ago(5), kind="one_off")]
    yield Case("S33", thirty, "watch", "by tier B's threshold: things do not count", [order(ago(30)), *thing])
    yield Case("S33", thirty, None, "a day less", [order(ago(29)), *thing])
    own = "silent_beyond_own_rhythm"
    # Ten working days apart: Dragon Boat Day, 19 June, is none.
    fortnightly = [order(date(2026, *day)) for day in ((6, 15), (6, 30), (7, 14), (7, 28))]
    a_day_later = [order(date(2026, *day)) for day in ((6, 16), (7, 1), (7, 15), (7, 29))]
    yield Case("S21", own, "moderate", "25 working days, usually 10", fortnightly, level=1)
    yield Case("S21", own, "severe", "the same of an A customer", fortnightly, tier="A", level=2)
    yield Case("S21", own, None, "24 working days, usually 10", a_day_later)
    monthly_own = [order(ago(35 + 28 * number)) for number in range(8)]
    yield Case("S21", own, None, "as silent, but it orders every month", monthly_own)
    weekly = [order(ago(29 + 7 * number)) for number in range(8)]
    yield Case("S21", own, None, "four weeks and a day, usually one week", weekly)
    a_day_ago = [order(ago(30 + 7 * number)) for number in range(8)]
    yield Case("S21", own, "moderate", "thirty days, usually one week", a_day_ago)
    yield Case("S21", own, None, "too few orders for a rhythm", fortnightly[1:])
    three = "no_order_for_three_months"
    monthly = [order(ago(90 + 30 * number)) for number in range(4)]
    yield Case("S78", three, "severe", "three months without an order", monthly, level=2)
    yield Case("S78", three, None, "a day less", [order(ago(89 + 30 * number)) for number in range(4)])
    industry = "no_purchase_for_the_industry"
    for name, days in (("clothing", 30), ("industrial_equipment", 180)):
        of = {"industry": name}
        yield Case(
            "S46", industry, "moderate", f"{name} {days} days", [order(ago(days))], customer=of, level=1
        )
        yield Case("S46", industry, None, f"{name} {days - 1} days", [order(ago(days - 1))], customer=of)
    yield Case(
        "S46",
        industry,
        None,
        "equipment 30 days",
        [order(ago(30))],
        customer={"industry": "industrial_equipment"},
    )
    for tier, rule, days, row in (
        ("A", "a_without_contact_15_days", 15, talk),
        ("B", "b_without_order_30_days", 30, order),
        ("C", "c_without_contact_45_days", 45, talk),
    ):
        yield Case("S47", rule, "watch", f"day {days}", [row(ago(days))], tier=tier, level=0)
        yield Case("S47", rule, None, f"day {days - 1}", [row(ago(days - 1))], tier=tier)
        yield Case("S47", rule, None, "another tier", [row(ago(days))], tier="B" if tier == "A" else "A")
    stood_up = talk(ago(5), "event", invited=True, attended=False)
    without = "a_without_contact_15_days"
    yield Case("S47", without, "watch", "an invitation is no contact", [talk(ago(15)), stood_up], tier="A")
    for tier, severity, level in (("A", "severe", 2), ("B", "moderate", 1)):
        overdue = orders(ago(66), 4, 1000, every=12)
        yield Case(
            "S69", "silent_beyond_own_rhythm", severity, f"of tier {tier}", overdue, tier=tier, level=level
        )
    soon = orders(ago(65), 4, 1000, every=12)
    yield Case("S69", "silent_beyond_own_rhythm", None, "a day less", soon, tier="A")
    for tier, days, severity in (("A", 30, "moderate"), ("A", 29, None), ("B", 60, "mild"), ("B", 59, None)):
        yield Case(
            "S69", "nobody_in_touch", severity, f"{days} days of tier {tier}", [talk(ago(days))], tier=tier
        )
    both = "no_order_and_less_satisfied"
    yield Case("S39", both, "mild", "two weeks and less satisfied", [*REGULAR, *UNHAPPY], level=1)
    yield Case("S39", both, None, "13 days", [*REGULAR[:3], order(ago(13)), *UNHAPPY])
    seldom = [order(ago(14 + 28 * number)) for number in range(8)]
    yield Case("S39", both, None, "two weeks are no silence of its", [*seldom, *UNHAPPY])
    yield Case("S39", both, None, "as satisfied as ever", [*REGULAR, UNHAPPY[0], survey(ago(20), 5)])


def _relation() -> Iterator[Case]:
    asks = "inquiries_fell_silent"
    yield Case(
        "S28",
        asks,
        "moderate",
        "three a week, silent on day 15",
        [*USED_TO_ASK, talk(ago(15), "inquiry")],
        level=1,
    )
    yield Case("S28", asks, None, "day 14", [*USED_TO_ASK, talk(ago(14), "inquiry")])
    yield Case(
        "S28", asks, None, "a little less than three a week", [*USED_TO_ASK[1:], talk(ago(15), "inquiry")]
    )
    away = "stays_away_from_events"
    invited = {"what": "event", "invited": True, "attended": False}
    missed = [("interaction", ago(100 - number), invited) for number in range(2)]
    yield Case("S29", away, "mild", "missed two in a row", [*CAME, *missed], tier="A", level=1)
    yield Case("S29", away, "watch", "missed two in a row", [*CAME, *missed], tier="B", level=0)
    yield Case("S29", away, None, "missed one", [*CAME, missed[0]], tier="A")
    yield Case("S29", away, None, "no invitation", CAME, tier="A")
    came_again = talk(ago(90), "event", invited=True, attended=True)
    yield Case("S29", away, None, "came again after two", [*CAME, *missed, came_again], tier="A")
    yield Case("S29", away, None, "it never used to come", [CAME[0], *missed], tier="A")
    meeting = [talk(ago(500), "meeting", invited=True, attended=True), CAME[0]]
    yield Case("S29", away, "mild", "it used to come to meetings", [*meeting, *missed], tier="A")
    unasked = talk(ago(90), "event", invited=False, attended=False)
    yield Case("S29", away, None, "not invited to the second", [*CAME, missed[0], unasked], tier="A")
    talks = [talk(ago(10 + number), tone="distant") for number in range(3)]
    yield Case("S30", "talks_turned_distant", "mild", "three distant talks", talks, level=1)
    yield Case(
        "S30", "talks_turned_distant", None, "two distant talks", [*talks[:2], talk(ago(9), tone="warm")]
    )
    decider = [talk(ago(200 + number), "visit", decision_maker=True) for number in range(2)]
    out_of_reach = "decision_makers_out_of_reach"
    yield Case(
        "S22",
        out_of_reach,
        "watch",
        "others do not count",
        [*decider, talk(ago(9), decision_maker=False)],
        level=0,
    )
    yield Case("S22", out_of_reach, None, "met one", [*decider, talk(ago(9), decision_maker=True)])
    stayed_away = talk(ago(9), "event", decision_maker=True, invited=True, attended=False)
    yield Case("S22", out_of_reach, "watch", "one who was invited did not come", [*decider, stayed_away])
    yield Case(
        "S22",
        out_of_reach,
        None,
        "met one half a year before",
        [*decider, talk(ago(180), decision_maker=True)],
    )
    yield Case("S22", out_of_reach, None, "there was one contact only", decider[:1])
    yield Case("S22", "unhappy", "mild", "a negative survey", [survey(ago(9), 2.9)], level=1)
    yield Case("S22", "unhappy", None, "a middling survey", [survey(ago(9), 3)])
    gone = "main_contact_left"
    for tier, severity, level in (("A", "critical", 3), ("B", "critical", 3), ("C", "severe", 2)):
        yield Case("S35", gone, severity, "the main contact left", [left(ago(2))], tier=tier, level=level)
    yield Case("S35", gone, None, "another left", [left(ago(2), main=False)], tier="A")
    yield Case("S35", gone, None, "a main contact joined", [left(ago(2), what="joined")], tier="A")
    yield Case("S35", gone, "critical", "90 days ago", [left(ago(90))], tier="A")
    yield Case("S35", gone, None, "91 days ago", [left(ago(91))], tier="A")
    moved, new = "main_contact_changed", left(ago(2), what="changed")
    yield Case("S35", moved, "moderate", "of an A customer", [new], tier="A", level=1)
    yield Case("S35", moved, "mild", "of a B customer", [new], tier="B", level=1)
    yield Case("S35", moved, None, "another changed", [left(ago(2), what="changed", main=False)])
    yield Case("S35", moved, None, "a main contact joined", [left(ago(2), what="joined")])
    yield Case("S35", moved, "mild", "30 days ago", [left(ago(30), what="changed")])
    yield Case("S35", moved, None, "31 days ago", [left(ago(31), what="changed")])
    for days, severity in ((90, "critical"), (91, None)):
        yield Case("S44", gone, severity, f"{days} days ago", [left(ago(days))], tier="A")
    yield Case("S44", gone, None, "another left", [left(ago(2), main=False)], tier="A")
    for tier, severity, level in (("B", "critical", 3), ("C", "severe", 2)):
        yield Case("S44", gone, severity, f"of tier {tier}", [left(ago(1))], tier=tier, level=level)
    triple = "less_active_complaining_and_unsure"
    yield Case("S37", triple, "severe", "all three", TRIPLE, level=2)
    yield Case("S37", triple, None, "as active as ever", [*TRIPLE, *[talk(ago(30 + n)) for n in range(3)]])
    yield Case("S37", triple, None, "no more complaints", [*TRIPLE, ticket(ago(120), complaint=True)])
    yield Case("S37", triple, None, "sure to stay", [*TRIPLE[:-1], survey(ago(20), 3, "renewal")])


def _environment() -> Iterator[Case]:
    cheaper, cost = "competitor_cheaper_by_15", "cost_up_by_20"
    yield Case(
        "S31",
        cheaper,
        "moderate",
        "15 % in its industry",
        [market("competitor", industry="i15", price_gap=15)],
        customer={"industry": "i15"},
        level=1,
    )
    yield Case(
        "S31",
        cheaper,
        None,
        "14.9 %",
        [market("competitor", industry="i14", price_gap=14.9)],
        customer={"industry": "i14"},
    )
    yield Case("S31", cheaper, None, "another industry", [], customer={"industry": "i16"})
    dear = market("policy", industry="i22", price_gap=40)
    yield Case("S31", cheaper, None, "no competitor", [dear], customer={"industry": "i22"})
    for days, industry in ((90, "i23"), (91, "i24")):
        offer = market("competitor", ago(days), industry=industry, price_gap=15)
        fires = "moderate" if days == 90 else None
        yield Case("S31", cheaper, fires, f"{days} days ago", [offer], customer={"industry": industry})
    expired = market("competitor", industry="i17", price_gap=40, expires_on=ago(2))
    yield Case("S19", cheaper, None, "expired", [expired], customer={"industry": "i17"})
    in_force = market("competitor", industry="i18", price_gap=40, expires_on=ago(1))
    yield Case(
        "S19", cheaper, "moderate", "on its last day", [in_force], customer={"industry": "i18"}, level=1
    )
    yield Case(
        "S32",
        cost,
        "moderate",
        "a tariff of 20 %",
        [market("policy", country="m20", cost_rise=20)],
        customer={"market": "m20"},
        level=1,
    )
    yield Case(
        "S32",
        cost,
        None,
        "a tariff of 19.9 %",
        [market("policy", country="m19", cost_rise=19.9)],
        customer={"market": "m19"},
    )
    yield Case(
        "S32",
        cost,
        None,
        "its industry, another country",
        [market("policy", industry="i21", country="m21", cost_rise=30)],
        customer={"industry": "i21", "country": "m22"},
    )
    both = market("policy", industry="i25", country="m25", cost_rise=30)
    of = {"industry": "i25", "country": "m25"}
    yield Case("S32", cost, "moderate", "its industry in its country", [both], customer=of)
    trend = market("industry", industry="i26", cost_rise=20)
    yield Case("S32", cost, "moderate", "a trend of its industry", [trend], customer={"industry": "i26"})
    offer = market("competitor", industry="i27", cost_rise=30)
    yield Case("S32", cost, None, "no policy and no trend", [offer], customer={"industry": "i27"})
    for days, industry in ((90, "i28"), (91, "i29")):
        rule = market("policy", ago(days), industry=industry, cost_rise=20)
        fires = "moderate" if days == 90 else None
        yield Case("S32", cost, fires, f"{days} days ago", [rule], customer={"industry": industry})
    rival, here = "cooperates_with_a_rival", "competitor_at_the_customer"
    yield Case("S36", rival, "severe", "news of it", [market("cooperation", public=True)], level=2)
    yield Case("S36", rival, "severe", "180 days ago", [market("cooperation", ago(180))])
    yield Case("S36", rival, None, "181 days ago", [market("cooperation", ago(181))])
    yield Case("S36", rival, None, "another event", [market("policy")])
    yield Case("S36", here, "critical", "10 % cheaper", [market("competitor", price_gap=10)], level=3)
    yield Case("S36", here, None, "9.9 % cheaper", [market("competitor", price_gap=9.9)])
    yield Case("S36", here, "critical", "at a price nobody knows", [market("competitor")], level=3)
    yield Case("S36", here, None, "no competitor", [market("policy", price_gap=40)])
    around = market("competitor", industry="i30", price_gap=40)
    yield Case("S36", here, None, "at others of its industry", [around], customer={"industry": "i30"})
    yield Case("S36", here, "critical", "90 days ago", [market("competitor", ago(90), price_gap=10)])
    yield Case("S36", here, None, "91 days ago", [market("competitor", ago(91), price_gap=10)])
    over = market("competitor", price_gap=40, expires_on=ago(2))
    yield Case("S19", here, None, "the offer at the customer expired", [over])
    lasting = market("competitor", ago(200), price_gap=40, expires_on=ago(1))
    yield Case("S19", here, "critical", "an old offer on its last day", [lasting])


def _use_and_service() -> Iterator[Case]:
    week = "logins_down_in_a_week"
    yield Case("S42", week, "watch", "10 % in a week", [logins(ago(10), 100), logins(ago(3), 90)], level=0)
    yield Case("S42", week, None, "9 % in a week", [logins(ago(10), 100), logins(ago(3), 91)])
    yield Case(
        "S43", "fewer_than_five_logins", "mild", "four logins in a month", [logins(ago(3), 4)], level=1
    )
    yield Case("S43", "fewer_than_five_logins", None, "five logins in a month", [logins(ago(3), 5)])
    yield Case(
        "S44", "no_login_for_30_days", "moderate", "day 30", [logins(ago(30), 5), logins(ago(3), 0)], level=1
    )
    yield Case("S44", "no_login_for_30_days", None, "day 29", [logins(ago(29), 5)])
    cross = "tickets_while_logins_fall"
    use = [logins(ago(40), 10), logins(ago(10), 8)]
    three = [ticket(ago(5 + number)) for number in range(3)]
    yield Case("S45", cross, "moderate", "three tickets, logins down 20 %", [*use, *three], level=1)
    yield Case("S45", cross, None, "two tickets", [*use, *three[:2]])
    many = logins(ago(40), 100)
    yield Case("S45", cross, "moderate", "logins down just 20 %", [many, logins(ago(10), 80), *three])
    yield Case("S45", cross, None, "logins down 19 %", [many, logins(ago(10), 81), *three])
    yield Case("S45", cross, "moderate", "the third on day 30", [*use, *three[:2], ticket(ago(30))])
    yield Case("S45", cross, None, "the third on day 31", [*use, *three[:2], ticket(ago(31))])
    usual = [ticket(ago(35 + 30 * number)) for number in range(6)]
    surge = "tickets_surge_or_stop"
    yield Case("S20", surge, "watch", "twice as many as usual", [*usual, *three[:2]], level=0)
    yield Case("S20", surge, "watch", "none at all", usual, level=0)
    yield Case("S20", surge, None, "as many as usual", [*usual, three[0]])
    steady = [logins(ago(10 + 7 * number), 10) for number in range(8)]
    yield Case(
        "S20",
        "logins_surge_or_stop",
        "watch",
        "three times the usual",
        [*steady, logins(ago(3), 30)],
        level=0,
    )
    yield Case("S20", "logins_surge_or_stop", None, "a little less", [*steady, logins(ago(3), 29)])
    yield Case(
        "S20", "logins_surge_or_stop", "watch", "a fifth of the usual", [*steady, logins(ago(3), 2)], level=0
    )
    yield Case("S20", "logins_surge_or_stop", None, "a little more", [*steady, logins(ago(3), 3)])
    for days, severity in ((61, "severe"), (60, None)):
        bill = {"invoice_no": "I1", "amount": 100, "due_on": ago(days)}
        yield Case(
            "S41",
            "overdue_over_60_days",
            severity,
            f"day {days}",
            [("invoice", ago(days + 30), bill)],
            level=2 if severity else None,
        )
    late = [
        ("invoice", ago(91), {"invoice_no": "I1", "amount": 100, "due_on": ago(61)}),
        ("payment", ago(1), {"invoice_no": "I1", "amount": 100}),
    ]
    yield Case("S41", "overdue_over_60_days", None, "paid the day before", late)
    limit = {"credit_limit": 1000}
    for used, severity in ((900, "watch"), (899, None)):
        bill = ("invoice", ago(9), {"invoice_no": "I1", "amount": used})
        yield Case("S18", "credit_line_used_up", severity, f"{used} of 1000", [bill], customer=limit)
    for days, severity in ((20, "mild"), (19, None)):
        punctual = [
            ("invoice", ago(90), {"invoice_no": "I1", "amount": 9, "due_on": ago(60)}),
            ("payment", ago(60 - days), {"invoice_no": "I1", "amount": 9}),
        ]
        yield Case("S18", "pays_later", severity, f"{days} days late", punctual)
    slower = [
        ("invoice", ago(300), {"invoice_no": "I1", "amount": 1}),
        ("payment", ago(280), {"invoice_no": "I1", "amount": 1}),
    ]
    for days, severity in ((60, "watch"), (59, None)):
        now = [
            ("invoice", ago(80), {"invoice_no": "I2", "amount": 1}),
            ("payment", ago(80 - days), {"invoice_no": "I2", "amount": 1}),
        ]
        yield Case("S52", "pays_ever_later", severity, f"20, then {days} days to pay", [*slower, *now])


def _terms() -> Iterator[Case]:
    ends = "contract_ends_without_follow_up"
    yield Case(
        "S40",
        ends,
        "moderate",
        "day 60 and day 30",
        [contract("contract", ago(-60)), *QUIET],
        tier="A",
        level=1,
    )
    yield Case("S40", ends, None, "61 days left", [contract("contract", ago(-61)), *QUIET], tier="A")
    unsaid: Row = "contract_event", date(2025, 1, 1), {"contract": "1", "what": "signed", "ends_on": ago(-60)}
    yield Case("S40", ends, "moderate", "a contract without a kind", [unsaid, *QUIET], tier="A")
    trial = contract("trial", ago(-60))
    yield Case("S40", ends, None, "a trial is no contract", [trial, *QUIET], tier="A")
    for what in ("visit", "meeting", "mail"):
        yield Case("S40", ends, None, f"a {what} a day ago", [unsaid, talk(ago(1), what)], tier="A")
    yield Case(
        "S40",
        ends,
        "moderate",
        "it came to an event",
        [unsaid, talk(ago(1), "event", attended=True)],
        tier="A",
    )
    yield Case(
        "S40",
        ends,
        None,
        "followed up 29 days ago",
        [contract("contract", ago(-60)), talk(ago(29))],
        tier="A",
    )
    yield Case("S40", ends, None, "a B customer", [contract("contract", ago(-60)), *QUIET], tier="B")
    renewed = contract("contract", ago(-400), ago(5), "renewed")
    yield Case(
        "S40", ends, None, "renewed meanwhile", [contract("contract", ago(-60)), renewed, *QUIET], tier="A"
    )
    yield Case(
        "S40",
        ends,
        "moderate",
        "nobody ever followed up",
        [contract("contract", ago(-60))],
        tier="A",
        level=1,
    )
    for days, severity in ((60, "moderate"), (59, None)):
        yield Case(
            "S48",
            "no_next_project",
            severity,
            f"{days} days",
            [contract("project", ago(days))],
            level=1 if severity else None,
        )
    next_one = (
        "contract_event",
        ago(20),
        {"contract": "p2", "what": "signed", "kind": "project", "ends_on": ago(-90)},
    )
    yield Case("S48", "no_next_project", None, "a next project", [contract("project", ago(60)), next_one])
    other, maintained = contract("contract", ago(60)), contract("contract", ago(-90))
    yield Case("S48", "no_next_project", None, "a contract that is none", [other])
    yield Case(
        "S48",
        "no_next_project",
        "moderate",
        "maintenance goes on",
        [contract("project", ago(60)), maintained],
    )
    for rule, kind, days in (("trial_ends_soon", "trial", 7), ("course_ends_soon", "course", 30)):
        yield Case("S49", rule, "mild", f"{days} days left", [contract(kind, ago(-days))], level=1)
        yield Case("S49", rule, None, f"{days + 1} days left", [contract(kind, ago(-days - 1))])
        yield Case("S49", rule, "mild", "the last day", [contract(kind, ago(0))])
        yield Case("S49", rule, None, "the day after", [contract(kind, ago(1))])
        _, signed, second = contract(kind, ago(-300))
        nearer = [("contract_event", signed, {**second, "contract": "2"}), contract(kind, ago(-days))]
        yield Case("S49", rule, "mild", "another one ends later", nearer)
        yield Case("S49", rule, None, "another kind", [contract("contract", ago(-days))])
        yield Case(
            "S49",
            rule,
            None,
            "cancelled",
            [contract(kind, ago(-days)), contract(kind, ago(-days), ago(3), "cancelled")],
        )
    yield Case(
        "S49", "contract_ends_soon", "watch", "60 days left", [contract("contract", ago(-60))], level=0
    )
    yield Case("S49", "contract_ends_soon", None, "61 days left", [contract("contract", ago(-61))])
    for days, severity in ((30, "watch"), (31, None)):
        what, at, columns = contract("contract", ago(-90))
        notice = (what, at, {**columns, "notice_on": ago(-days)})
        yield Case("S49", "notice_date_near", severity, f"{days} days to give notice", [notice])
    for days, severity in ((1, "mild"), (0, None)):
        late = order(ago(20), order_no="O1", due_on=ago(days))
        yield Case(
            "S49",
            "order_unfinished",
            severity,
            f"{days} days after its date",
            [late],
            level=1 if severity else None,
        )
    done = ("order_event", ago(2), {"order_no": "O1", "what": "delivered"})
    credit = order(ago(20), -5, order_no="O1", due_on=ago(9), kind="credit")
    yield Case("S49", "order_unfinished", None, "a credit note", [credit])
    yield Case(
        "S49", "order_unfinished", None, "delivered", [order(ago(20), order_no="O1", due_on=ago(9)), done]
    )


CASES = list(cases())


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZONE)


def _give(given: GivenFacts, name: str, case: Case) -> None:
    given.belongs(name, name)
    given.add("customer", name, LONG_AGO, **case.customer)
    for fact, day, columns in case.rows:
        around = fact == "market_event" and {"industry", "country"} & columns.keys()
        given.add(fact, None if around else name, _noon(day), **columns)


@pytest.fixture(scope="module")
def judged(module_warehouse: str) -> Judged:
    """All cases judged on one night, in order."""
    with (
        connect(module_warehouse, autocommit=True) as connection,
        connection.transaction(force_rollback=True),
    ):
        given = GivenFacts(connection, ZONE)
        for number, case in enumerate(CASES):
            _give(given, str(number), case)
        cut = Cut.at(NIGHT, ZONE)
        customers, columns = metrics_at(
            connection, SPEC.metrics, list(SPEC.metrics), cut, closed_days=SPEC.closed_days
        )
        columns |= readings_at(connection, SPEC, cut, customers)
    assert customers.tolist() == [given.customers[str(number)] for number in range(len(CASES))]
    tiers = [SPEC.tiers.names.index(case.tier) for case in CASES]
    return judge(SPEC, columns, np.array(tiers, np.int16))


@pytest.mark.parametrize(
    "number",
    [pytest.param(at, marks=pytest.mark.req(case.req), id=str(case)) for at, case in enumerate(CASES)],
)
def test_rule(judged: Judged, number: int) -> None:
    case = CASES[number]
    rule = judged.book.number(case.rule)
    hit = judged.states[number, rule] == State.HIT
    found = SEVERITY[int(severities(judged.book, judged.columns)[number, rule])] if hit else None
    assert found == case.fires
    if case.level is not None:
        alone = np.full_like(judged.states, State.CLEAR)
        alone[number, rule] = judged.states[number, rule]
        assert level_of_hits(SPEC, replace(judged, states=alone))[number] == case.level


def _sides(rules: Iterable[str]) -> dict[str, set[bool]]:
    return {rule: {case.fires is not None for case in CASES if case.rule == rule} for rule in rules}


def test_every_rule_that_has_a_case_has_one_on_either_side() -> None:
    assert set(map(frozenset, _sides({case.rule for case in CASES}).values())) == {frozenset({True, False})}


@pytest.mark.parametrize("name", SPEC.rules)
def test_every_shipped_rule_has_examples_that_fire_and_that_do_not(name: str) -> None:
    rule = SPEC.rules[name]
    assert {"en", "zh-CN"} == {language for language, _ in rule.label.entries}
    assert {"en", "zh-CN"} == {language for language, _ in rule.because.entries}


@pytest.mark.parametrize(
    ("name", "given", "state"),
    [
        pytest.param(
            "pays_ever_later", {"payment_lengthening": 1.2}, State.LINGERING, marks=pytest.mark.req("S52")
        ),
        pytest.param(
            "pays_ever_later", {"payment_lengthening": 1.19}, State.CLEAR, marks=pytest.mark.req("S52")
        ),
        pytest.param(
            "silent_beyond_own_rhythm",
            {"silence_over_own_gap": 1.5},
            State.LINGERING,
            marks=pytest.mark.req("S69"),
        ),
        pytest.param(
            "silent_beyond_own_rhythm",
            {"silence_over_own_gap": 1.49},
            State.CLEAR,
            marks=pytest.mark.req("S69"),
        ),
    ],
)
def test_a_rule_that_lingers_clears_well_below_its_condition(
    name: str, given: dict[str, float], state: State
) -> None:
    columns = {one: np.array([given.get(one, 0.0)]) for one in SPEC.rules[name].names()}
    assert rule_state(SPEC.rules[name], columns).tolist() == [state]


@pytest.mark.req("S151")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_low_levels_make_no_urgent_human_work(folder: Path) -> None:
    """What is only watched makes no level in any tier; level 1 is of high priority nowhere and has a working day."""
    found = load(folder)
    spec, promises = found.judgement, found.care.levels.promises
    book = rule_book(spec.rules, 1)
    phase = np.full((1, len(book.names)), Phase.NONE, np.int8)
    for name, rule in spec.rules.items():
        if rule.severity is Severity.WATCH:
            phase[0, book.number(name)] = Phase.OPEN
            assert rule.priority is not Priority.HIGH, name
    watched = np.zeros_like(phase)
    assert levels(spec.levels, book, phase, watched).tolist() == [0]
    [at_level_1] = [by_tier for level, by_tier in promises.items() if int(level) == 1]
    for tier in spec.tiers.names:
        assert spec.levels.priority_of(1, tier, spec.tiers.names[0]) is not Priority.HIGH
        assert min(at_level_1[tier]) >= 8


@pytest.mark.req("S40", "S41")
@pytest.mark.parametrize("name", ["contract_ends_without_follow_up", "overdue_over_60_days"])
def test_what_must_be_acted_on_at_once_is_of_high_priority(name: str) -> None:
    assert SPEC.rules[name].priority == "high"
