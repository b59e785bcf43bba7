"""The shipped metrics beyond their examples: where a window ends, what counts, from how much on, and day by day.

Each edge is one customer; all of them share one warehouse and one pass over the facts. Days are days before the night: in
a window of 90 days the rows of day 90 are the oldest, those of day 1 the newest, and day 0 is the night's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.facts_given import LONG_AGO, GivenFacts

from carewatch.measure.cut import Cut
from carewatch.spec.loading import load
from carewatch.store.database import Connection, connect
from carewatch.store.metrics import metrics_at

SPEC = load(Path(__file__).resolve().parents[2] / "config").judgement
ZONE = SPEC.firm.zone
NIGHT = date(2026, 9, 1)
MISSING = float("nan")

Row = tuple[str, int, dict[str, Any]]


@dataclass(frozen=True)
class Edge:
    """Which metric is what, for a customer with these rows: the fact, how many days ago, its columns."""

    req: str
    metric: str
    expected: float
    rows: list[Row]


def rows(fact: str, *days: int, **columns: Any) -> list[Row]:
    """Return one row a day, with the same columns."""
    return [(fact, ago, columns) for ago in days]


def orders(*days: int, amount: float = 1000, **columns: Any) -> list[Row]:
    return rows("order", *days, amount=amount, **columns)


def tickets(*days: int, **columns: Any) -> list[Row]:
    return [("ticket", ago, {"ticket_no": f"T{ago}", **columns}) for ago in days]


def talks(*days: int, what: str = "call", **columns: Any) -> list[Row]:
    return rows("interaction", *days, what=what, **columns)


def surveys(*answers: tuple[int, float], what: str | None = None) -> list[Row]:
    return [("survey", ago, {"score": score, "what": what}) for ago, score in answers]


def use(*days: int, **columns: Any) -> list[Row]:
    return rows("usage_day", *days, **columns)


def bill(number: int, issued: int, due: int | None = None, paid: int | None = None) -> list[Row]:
    """Return an invoice of 100 and, if it was paid, its payment."""
    about = {"invoice_no": f"I{number}", "amount": 100}
    dated = {} if due is None else {"due_on": NIGHT - timedelta(days=due)}
    return [("invoice", issued, about | dated), *([] if paid is None else [("payment", paid, about)])]


def seen(what: str, *days: int, **columns: Any) -> list[Row]:
    return rows("market_event", *days, what=what, **columns)


CAME: dict[str, Any] = {"invited": True, "attended": True}
STAYED_AWAY: dict[str, Any] = {"invited": True, "attended": False}
WEEKLY = tuple(10 + 7 * number for number in range(8))
"""The middle of each of the eight weeks before the last one."""
MONTHS = (109, 78, 48, 17)
"""The middle of May, June, July and August."""


def months(*amounts: float) -> list[Row]:
    last = MONTHS[len(MONTHS) - len(amounts) :]
    return [row for ago, amount in zip(last, amounts, strict=True) for row in orders(ago, amount=amount)]


def _transaction() -> Iterator[Edge]:
    thing = [*orders(3, kind="spare"), *orders(4, kind="one_off"), *orders(5, kind="credit", amount=-5)]
    typed = orders(6, kind="regular")
    yield Edge("S15", "orders_365d", 3, [*orders(0, 1, 365, 366), *thing, *typed])
    yield Edge("S15", "orders_90d", 3, [*orders(0, 1, 90, 91), *thing, *typed])
    yield Edge("S15", "amount_90d", 1995 + 2000, [*orders(1, 90, 91), *thing])
    yield Edge("S15", "amount_change_90d", -50, [*orders(91, 180, 181), *orders(90)])
    yield Edge("S15", "amount_change_90d", MISSING, [*orders(91, amount=999), *orders(90)])
    lines = [
        row
        for ago, product in ((1, "a"), (180, "b"), (181, "c"), (0, "d"), (2, "a"))
        for row in rows("order_line", ago, product=product)
    ]
    yield Edge("S15", "products_180d", 2, lines)
    yield Edge("S26", "amount_month", 3000, [*orders(1, 31), *orders(31, 32)])  # a month: 1 to 31 August
    yield Edge("S26", "amount_months_down", 1, months(1000, 700))
    yield Edge("S26", "amount_months_down", 0, months(1000, 700.01))
    yield Edge("S26", "amount_months_down", 0, months(999, 100))  # too little to speak of a fall
    twice = [
        *orders(*MONTHS[-2:], amount=1000),
        *orders(MONTHS[-2] - 1, amount=1000),
        *orders(MONTHS[-1] - 1, amount=1000),
    ]
    yield Edge("S26", "amount_months_down", 0, twice)
    yield Edge("S34", "amount_months_down", 3, months(20_000, 10_000, 7_000, 4_900))
    yield Edge("S26", "orders_30d", 2, [*orders(1, 30, 31), *thing[:2]])
    yield Edge("S26", "orders_change_30d", -60, [*orders(31, 32, 33, 34, 60, 61), *orders(1, 30)])
    yield Edge("S26", "orders_change_30d", MISSING, [*orders(31, 32, 33, 34, 61), *orders(1, 30)])
    year = 365
    yield Edge(
        "S26",
        "amount_change_last_year",
        -50,
        [*orders(year + 91, year + 180, year + 181), *orders(year + 90)],
    )
    yield Edge("S26", "amount_change_last_year", -50, [*orders(year + 91), *orders(year + 90, amount=500)])
    yield Edge(
        "S26", "amount_change_last_year", MISSING, [*orders(year + 91, amount=999), *orders(year + 90)]
    )
    yield Edge("S38", "amount_90d_last_year", 2000, orders(year, year + 1, year + 90, year + 91))
    yield Edge("S38", "amount_3m", 2000, orders(0, 1, 92, 93))  # 1 June to 31 August
    yield Edge(
        "S38", "amount_year_on_year", -50, [*orders(year, year + 1, year + 92, year + 93), *orders(92)]
    )
    yield Edge("S38", "amount_year_on_year", -50, [*orders(year + 1), *orders(1, amount=500)])
    yield Edge("S38", "amount_year_on_year", MISSING, [*orders(year + 1, amount=999), *orders(1)])
    yield Edge(
        "S27",
        "order_value_90d",
        200,
        [
            *orders(1, 1, 90, amount=100),
            *orders(2, amount=500),
            *orders(91, amount=9),
            *orders(3, amount=9, kind="spare"),
        ],
    )
    before = [
        *orders(91, 92, amount=100),
        *orders(180, amount=400),
        *orders(90, 181, amount=9),
        *orders(99, amount=9, kind="spare"),
    ]
    yield Edge("S27", "order_value_before", 200, before)
    yield Edge("S27", "order_value_change_90d", -70, [*orders(91, amount=1000), *orders(90, amount=300)])
    yield Edge("S27", "order_value_change_90d", MISSING, [*orders(91, amount=999), *orders(90, amount=300)])
    yield Edge("S33", "days_since_order", 730, orders(730, 731))
    yield Edge("S33", "days_since_order", MISSING, orders(731))
    yield Edge("S33", "days_since_order", 9, [*orders(20, 9, 10), *thing])
    yield Edge("S21", "own_gap", 10, [*orders(730, 720, 710, 700), *orders(715, kind="spare"), *orders(731)])
    yield Edge("S21", "own_gap", MISSING, orders(730, 720, 710))
    yield Edge("S21", "gap_irregularity", 0, [*orders(40, 30, 20, 10), *orders(15, kind="one_off")])
    yield Edge("S21", "gap_irregularity", MISSING, orders(30, 20, 10))
    yield Edge(
        "S21",
        "gap_irregularity",
        (2 / 3) ** 0.5 / 2,
        [*orders(730, 720, 700, 670, 731), *orders(1, kind="spare")],
    )
    # Tuesdays and Mondays of July and August: gaps of five working days, silent for 15 and for 14
    weekly = orders(50 - 1, 43 - 1, 36 - 1, 29 - 1, 21)
    yield Edge("S21", "silence_over_own_gap", 3, [*weekly, *orders(9, kind="spare")])
    yield Edge("S21", "silence_over_own_gap", 3, [*weekly, *orders(731)])
    yield Edge("S21", "silence_over_own_gap", MISSING, weekly[2:])


def _relation() -> Iterator[Edge]:
    yield Edge("S16", "interactions_90d", 2, talks(0, 1, 90, 91))
    meant = [*talks(3, what="event", **STAYED_AWAY), *talks(4, what="event", **CAME)]
    yield Edge("S16", "interactions_90d", 1, meant)
    yield Edge("S16", "interactions_change_90d", -100, talks(91, 120, 180, 181))
    yield Edge("S16", "interactions_change_90d", MISSING, talks(91, 180, 181))
    went = [*talks(730, what="event", **CAME), *talks(9, what="meeting", **CAME)]
    yield Edge(
        "S16", "events_attended_2y", 2, [*went, *talks(731, what="event", **CAME), *talks(8, attended=True)]
    )
    yield Edge(
        "S16",
        "events_invited_2y",
        3,
        [*went, *talks(8, what="event", **STAYED_AWAY), *talks(7), *talks(731, what="event", **CAME)],
    )
    yield Edge("S16", "event_attendance_2y", 50, [*went, *talks(6, 8, what="event", **STAYED_AWAY)])
    walked_in = talks(5, what="event", attended=True)
    yield Edge("S16", "event_attendance_2y", 75, [*went, *walked_in, *talks(8, what="event", **STAYED_AWAY)])
    yield Edge("S16", "event_attendance_2y", 100, walked_in)
    yield Edge(
        "S29",
        "events_missed_in_a_row",
        2,
        [*talks(9, 730, what="event", **STAYED_AWAY), *talks(731, what="event", **STAYED_AWAY)],
    )
    yield Edge("S29", "events_missed_in_a_row", 1, talks(9, what="event", invited=True))
    yield Edge("S29", "events_missed_in_a_row", 0, [*talks(9, what="event", **STAYED_AWAY), *talks(8, what="event", **CAME)])  # fmt: skip
    yield Edge("S29", "events_missed_in_a_row", 1, [*talks(9, what="event", **STAYED_AWAY), *talks(8, 7)])
    asked = talks(16, 16, 71, what="inquiry")
    yield Edge("S28", "inquiries_usual_week", 3 / 8, [*asked, *talks(15, 72, what="inquiry"), *talks(20)])
    yield Edge("S28", "days_since_inquiry", 365, [*talks(365, 366, what="inquiry"), *talks(3)])
    yield Edge("S28", "days_since_inquiry", 5, talks(9, 5, 8, what="inquiry"))
    yield Edge("S28", "days_since_inquiry", MISSING, talks(366, what="inquiry"))
    toned = [
        row
        for ago, tone in ((1, "distant"), (60, "negative"), (61, "negative"), (3, "warm"), (4, "neutral"))
        for row in talks(ago, tone=tone)
    ]
    yield Edge("S30", "distant_talks_60d", 2, [*toned, *talks(5)])
    cooling = [*talks(2, tone="distant"), *talks(1, tone="negative"), *talks(1), *talks(9, tone="warm")]
    yield Edge("S30", "distant_in_a_row", 2, [*cooling, *talks(11, tone="distant")])
    yield Edge(
        "S22",
        "decision_maker_180d",
        2,
        [
            *talks(1, 180, 181, decision_maker=True),
            *talks(2, decision_maker=False),
            *talks(3),
            *talks(4, what="event", decision_maker=True, **STAYED_AWAY),
        ],
    )
    yield Edge("S22", "decision_maker_change_180d", -50, talks(180, 181, 360, 361, decision_maker=True))
    yield Edge("S22", "decision_maker_change_180d", MISSING, talks(180, 181, 361, decision_maker=True))
    left = {"contact": "p", "main": True}
    yield Edge(
        "S35",
        "main_contacts_left_90d",
        2,
        [
            *rows("contact_event", 1, 90, 91, what="left", **left),
            *rows("contact_event", 2, what="changed", **left),
        ],
    )
    for what in ("call", "visit", "meeting", "mail"):
        yield Edge(
            "S40",
            "days_since_follow_up",
            30,
            [*talks(30, what=what), *talks(9, what=what, direction="in"), *talks(8, what="chat")],
        )
    yield Edge("S40", "days_since_follow_up", 5, talks(9, 5, 8))
    yield Edge("S40", "days_since_follow_up", 729, talks(729))
    yield Edge("S40", "days_since_follow_up", 730, talks(731))


def _service() -> Iterator[Edge]:
    yield Edge("S17", "complaints_90d", 2, [*tickets(1, 90, 91, complaint=True), *tickets(2, complaint=False), *tickets(3)])  # fmt: skip
    yield Edge("S37", "complaints_before", 2, [*tickets(90, 91, 180, 181, complaint=True), *tickets(100)])
    solved = [
        ("ticket_event", ago, {"ticket_no": f"T{ago}", "what": "resolved", "elapsed": 3600 * hours})
        for ago, hours in ((1, 1), (2, 3), (90, 8), (91, 99))
    ]
    yield Edge("S17", "resolution_hours_90d", 4, solved)
    yield Edge(
        "S17",
        "satisfaction_180d",
        3,
        [*surveys((1, 1), (90, 3), (180, 5), (181, 1)), *surveys((2, 1), what="renewal")],
    )
    yield Edge(
        "S22",
        "satisfaction_90d",
        2.5,
        [
            *surveys((1, 1), (9, 4), (91, 1)),
            *surveys((90, 2.5), what="satisfaction"),
            *surveys((2, 5), what="renewal"),
        ],
    )
    yield Edge("S39", "satisfaction_change_90d", -20, surveys((90, 4), (91, 5), (180, 5), (181, 1)))
    yield Edge("S21", "renewal_intent", 4, surveys((365, 2), (3, 4), what="renewal") + surveys((1, 1)))
    yield Edge("S21", "renewal_intent", 2, surveys((365, 2), (366, 4), what="renewal"))
    yield Edge("S21", "renewal_intent", MISSING, surveys((366, 2), what="renewal"))
    yield Edge("S17", "open_tickets", 2, tickets(1, 365, 366))
    yield Edge("S20", "tickets_against_usual", -100, tickets(*(31 + 30 * number for number in range(6))))
    yield Edge(
        "S20", "tickets_against_usual", MISSING, tickets(*(31 + 30 * number for number in range(5)), 1)
    )
    yield Edge("S20", "tickets_against_usual", 100, [*tickets(*(31 + 30 * number for number in range(6))), *tickets(1, 30)])  # fmt: skip


def _use() -> Iterator[Edge]:
    yield Edge("S20", "logins_30d", 5, [*use(0, 31, logins=9), *use(1, logins=1), *use(2, 30, logins=2)])
    yield Edge(
        "S20", "core_hours_30d", 3, [*use(1, 30, core_seconds=5400, seconds=9000), *use(31, core_seconds=1)]
    )
    yield Edge(
        "S20", "core_hours_change_30d", -50, [*use(31, core_seconds=3600), *use(30, core_seconds=1800)]
    )
    yield Edge(
        "S20", "core_hours_change_30d", MISSING, [*use(31, core_seconds=3599), *use(30, core_seconds=1800)]
    )
    yield Edge("S42", "logins_7d", 5, [*use(1, 7, logins=1), *use(3, logins=3), *use(0, 8, logins=9)])
    yield Edge("S42", "logins_change_7d", -10, [*use(8, logins=10), *use(7, logins=9)])
    yield Edge("S42", "logins_change_7d", MISSING, [*use(8, logins=9), *use(7, logins=8)])
    usual = use(*WEEKLY, logins=5)
    yield Edge("S20", "logins_against_usual", 100, [*usual, *use(1, logins=10)])
    yield Edge("S20", "logins_against_usual", MISSING, [*use(*WEEKLY, logins=4), *use(1, logins=10)])
    # the middle of the eight weeks before: four of 5 and four of 15 make 10; a ninth does not count
    uneven = [*use(*WEEKLY[:4], logins=5), *use(*WEEKLY[4:], logins=15), *use(66, logins=99)]
    yield Edge("S20", "logins_against_usual", -50, [*uneven, *use(1, logins=5)])


def _finance() -> Iterator[Edge]:
    late = [
        *bill(1, 190, due=100, paid=90),
        *bill(2, 190, due=185, paid=180),
        *bill(3, 300, due=299, paid=181),
    ]
    yield Edge("S18", "days_late_180d", 7.5, [*late, *bill(4, 190, due=100, paid=0), *bill(5, 190, paid=9)])
    punctual = [
        *bill(1, 190, due=100, paid=100),
        *bill(2, 190, due=100, paid=99),
        *bill(3, 190, due=100, paid=101),
        *bill(4, 190, due=185, paid=185),
    ]
    yield Edge("S18", "paid_in_time_180d", 200 / 3, punctual)
    yield Edge("S18", "unpaid_balance", 200, [*bill(1, 730), *bill(2, 9), *bill(3, 9, paid=3), *bill(4, 731)])
    yield Edge(
        "S18",
        "credit_limit",
        500,
        [
            ("customer", 400, {"credit_limit": 900}),
            ("customer", 9, {"credit_limit": 500}),
            ("customer", 5, {}),
        ],
    )
    raised = [("customer", 400, {"credit_limit": 300}), ("customer", 9, {"credit_limit": 500})]
    yield Edge("S18", "credit_limit", 500, raised)
    yield Edge("S18", "credit_use", 40, [("customer", 400, {"credit_limit": 500}), *bill(1, 9), *bill(2, 9)])
    yield Edge("S41", "overdue_days", 61, [*bill(1, 90, due=61), *bill(2, 90, due=30), *bill(3, 200, due=150, paid=9)])  # fmt: skip
    yield Edge(
        "S41", "overdue_amount", 200, [*bill(1, 90, due=1), *bill(2, 730, due=99), *bill(3, 90, due=0)]
    )
    yield Edge("S41", "overdue_amount", 0, [*bill(1, 731, due=99), *bill(2, 90, due=99, paid=1)])
    yield Edge("S41", "overdue_days", 700, bill(1, 730, due=700))
    yield Edge("S41", "overdue_days", 0, [*bill(1, 9, due=0), *bill(2, 731, due=700)])


def _environment() -> Iterator[Edge]:
    offers = [
        *seen("competitor", 1, price_gap=12),
        *seen("competitor", 90, price_gap=20),
        *seen("competitor", 91, price_gap=50),
    ]
    other = [*seen("policy", 2, price_gap=60), *seen("cooperation", 3, price_gap=60)]
    yield Edge("S19", "competitor_gap_90d", 20, [*offers, *other])
    yield Edge("S19", "competitor_offers_90d", 2, [*offers, *other])
    yield Edge(
        "S19", "rival_cooperation_180d", 2, [*seen("cooperation", 1, 180, 181), *seen("competitor", 5)]
    )


EDGES = [*_transaction(), *_relation(), *_service(), *_use(), *_finance(), *_environment()]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), ZONE)


def _give(given: GivenFacts, name: str, facts: list[Row]) -> None:
    given.belongs(name, name)
    if not any(fact == "customer" for fact, _, _ in facts):
        given.add("customer", name, LONG_AGO)
    for fact, ago, columns in facts:
        given.add(fact, name, _noon(NIGHT - timedelta(days=ago)), **columns)


def _measured(
    connection: Connection, names: list[str], night: date
) -> tuple[list[int], dict[str, np.ndarray[Any, Any]]]:
    numbers, columns = metrics_at(
        connection, SPEC.metrics, names, Cut.at(night, ZONE), closed_days=SPEC.closed_days
    )
    return numbers.tolist(), columns


@pytest.fixture(scope="module")
def session(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def measured(session: Connection) -> dict[str, list[float]]:
    """The metrics of all edges on one night, customers in the order of the edges."""
    with session.transaction(force_rollback=True):
        given = GivenFacts(session, ZONE)
        for number, edge in enumerate(EDGES):
            _give(given, str(number), edge.rows)
        names = sorted({edge.metric for edge in EDGES})
        customers, columns = _measured(session, names, NIGHT)
    assert customers == [given.customers[str(number)] for number in range(len(EDGES))]
    return {name: columns[name].tolist() for name in names}


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(at, marks=pytest.mark.req(edge.req), id=f"{edge.req} {edge.metric} is {edge.expected:g} ({at})")
        for at, edge in enumerate(EDGES)
    ],
)  # fmt: skip
def test_edge(measured: dict[str, list[float]], number: int) -> None:
    edge = EDGES[number]
    assert measured[edge.metric][number] == pytest.approx(edge.expected, rel=1e-12, abs=0, nan_ok=True)


LIVELY = [
    *orders(1, 30, 90, amount=500), *orders(91, amount=1000), *rows("order_line", 1, product="a"),
    *rows("order_line", 180, product="b"), *talks(1, 2, 90), *talks(91, 92, 93), *talks(730, what="meeting", **CAME),
    *talks(3, what="event", **STAYED_AWAY), *tickets(90, complaint=True), *surveys((180, 5), (1, 3)),
    ("ticket_event", 90, {"ticket_no": "T90", "what": "resolved", "elapsed": 7200}), ("customer", 900, {"credit_limit": 400}),
    *bill(1, 40, due=5, paid=2), *bill(2, 10, due=-9),
]  # fmt: skip
ELSE: list[Row] = [*orders(5, amount=70), *talks(9), ("customer", 900, {"credit_limit": 1000}), *bill(3, 10)]


@pytest.mark.parametrize(
    ("name", "tonight", "tomorrow", "another"),
    [
        pytest.param(name, *values, marks=pytest.mark.req(req), id=f"{req} {name}")
        for req, name, *values in (
            # tomorrow the order of day 90 belongs to the 90 days before, and the product of day 180 to none
            ("S15", "orders_90d", 3, 2, 1),
            ("S15", "amount_change_90d", 50, 1000 / 15 - 100, MISSING),
            ("S15", "products_180d", 2, 1, 0),
            ("S16", "interactions_90d", 3, 2, 1),
            ("S16", "interactions_change_90d", 0, -50, MISSING),
            ("S16", "event_attendance_2y", 50, 0, MISSING),
            ("S17", "complaints_90d", 1, 0, 0),
            ("S17", "resolution_hours_90d", 2, MISSING, MISSING),
            ("S17", "satisfaction_180d", 4, 3, MISSING),
            ("S18", "days_late_180d", 3, 3, MISSING),
            ("S18", "credit_use", 25, 25, 10),
        )
    ],
)
def test_each_customer_has_its_own_number_each_day(
    two: list[dict[str, list[float]]], name: str, tonight: float, tomorrow: float, another: float
) -> None:
    found = [two[0][name][0], two[1][name][0], two[0][name][1]]
    assert found == pytest.approx([tonight, tomorrow, another], rel=1e-12, nan_ok=True)


@pytest.fixture(scope="module")
def two(session: Connection) -> list[dict[str, list[float]]]:
    """The metrics of two customers, the night and the night after."""
    with session.transaction(force_rollback=True):
        given = GivenFacts(session, ZONE)
        _give(given, "lively", LIVELY)
        _give(given, "else", ELSE)
        nights = [_measured(session, list(SPEC.metrics), NIGHT + timedelta(days=at))[1] for at in (0, 1)]
    return [{name: values.tolist() for name, values in columns.items()} for columns in nights]
