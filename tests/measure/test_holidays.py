"""Holidays ring no alarm: silence is counted in working days, against the customer's own rhythm and its own last year."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.facts_given import GivenFacts

from carewatch.flow.backtest import replay_day
from carewatch.measure.cut import Cut
from carewatch.spec.calendar import WorkCalendar
from carewatch.spec.loading import load
from carewatch.spec.metrics import Metric
from carewatch.store.database import Connection, connect
from carewatch.store.metrics import metrics_at
from carewatch.store.readings import readings_at
from carewatch.warn.excuses import HOLIDAY
from carewatch.warn.hits import State

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = load(ROOT / "config")
SPEC = CONFIGURATION.judgement
ZONE = SPEC.firm.zone
CALENDAR: WorkCalendar = CONFIGURATION.care.work
FIRST, LAST = date(2024, 7, 1), date(2026, 4, 30)
RULE = "silent_beyond_own_rhythm"
NIGHTS = [date(2026, 1, 5) + timedelta(days=at) for at in range(0, 98, 2)]
FESTIVAL = (date(2026, 2, 15), date(2026, 3, 3))
"""Spring Festival 2026 (closed from 15 to 23 February) and the week after it."""
IN_CALENDAR_DAYS = SPEC.metrics["silence_over_own_gap"].model_copy(update={"days": None, "part": "silence"})


def workdays() -> list[date]:
    span = (FIRST + timedelta(days=at) for at in range((LAST - FIRST).days + 1))
    return [day for day in span if CALENDAR.is_workday(day)]


def customers() -> Iterator[tuple[str, list[date]]]:
    """Yield steady customers who order every 2 to 16 working days, a day early or late now and then."""
    days, random = workdays(), np.random.default_rng(5)
    for number in range(45):
        gap = 2 + number % 15
        at, ordered = int(random.integers(0, gap)), []
        while at < len(days):
            ordered.append(days[at])
            at += max(gap + int(random.integers(-1, 2)), 1)
        yield f"steady{number}", ordered
    for number in range(10):
        # buys in the second half of the year only, every eight working days
        season = [day for day in days if day.month >= 7]
        yield f"seasonal{number}", season[number::8]


@pytest.fixture(scope="module")
def firm(module_warehouse: str) -> Iterator[Connection]:
    with (
        connect(module_warehouse, autocommit=True) as connection,
        connection.transaction(force_rollback=True),
    ):
        facts = GivenFacts(connection, ZONE)
        for name, ordered in customers():
            facts.belongs(name, name)
            facts.add("customer", name, datetime(2024, 1, 1, tzinfo=ZONE))
            for day in ordered:
                facts.add("order", name, datetime.combine(day, time(10), ZONE), amount=100)
        yield connection


def alarms(
    connection: Connection, night: date, metrics: Mapping[str, Metric]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return customers and whether the shipped rule of silence holds for them, without its guard of thirty days."""
    spec = SPEC.model_copy(update={"metrics": dict(metrics)})
    wanted = ["silence_over_own_gap"]
    numbers, columns = metrics_at(
        connection, spec.metrics, wanted, Cut.at(night, ZONE), closed_days=SPEC.closed_days
    )
    return numbers, np.nan_to_num(columns["silence_over_own_gap"]) >= 2.5


def shares(connection: Connection, metrics: Mapping[str, Metric], kind: str) -> tuple[float, float]:
    """Return the share of customer-nights with an alarm in and after the festival, and on all other nights."""
    ids = dict(connection.execute("select customer_no, customer_id from care.customer").fetchall())
    inside, outside = [], []
    for night in NIGHTS:
        numbers, rings = alarms(connection, night, metrics)
        mine = np.array([ids[int(number)].startswith(kind) for number in numbers])
        (inside if FESTIVAL[0] <= night <= FESTIVAL[1] else outside).append(rings[mine].mean())
    return float(np.mean(inside)), float(np.mean(outside))


@pytest.mark.req("D10")
def test_alarms_do_not_rise_in_holiday_weeks(firm: Connection) -> None:
    during, otherwise = shares(firm, SPEC.metrics, "steady")
    assert during <= otherwise + 0.005
    naive, usual = shares(firm, {**SPEC.metrics, "silence_over_own_gap": IN_CALENDAR_DAYS}, "steady")
    assert naive > usual + 0.02, "in calendar days the same weeks ring: the test has teeth"


@pytest.mark.req("D10")
def test_a_season_of_the_customers_own_is_expected_again(firm: Connection) -> None:
    during, otherwise = shares(firm, SPEC.metrics, "seasonal")
    assert (during, otherwise) == (0.0, 0.0), "nobody who always pauses in the first half year is late in it"
    naive = shares(firm, {**SPEC.metrics, "silence_over_own_gap": IN_CALENDAR_DAYS}, "seasonal")
    assert min(naive) > 0.5


@pytest.mark.req("D10")
@pytest.mark.parametrize(
    ("night", "reason"),
    [
        (date(2026, 2, 15), None),  # it sees the make-up Saturday, which is worked
        (date(2026, 2, 16), HOLIDAY),
        (date(2026, 2, 24), HOLIDAY),
        (date(2026, 3, 10), HOLIDAY),  # two weeks after the last day without work
        (date(2026, 3, 11), None),
        (date(2026, 4, 6), None),  # three days of Qingming are no long holiday
    ],
)
def test_spring_festival_is_a_reason_for_everybody_until_two_weeks_later(
    firm: Connection, night: date, reason: str | None
) -> None:
    customers = np.array(
        [row[0] for row in firm.execute("select customer_no from care.customer order by 1")], np.int32
    )
    columns = readings_at(firm, SPEC, Cut.at(night, ZONE), customers)
    assert set(columns["reason"].tolist() if "reason" in columns else [None]) == {reason}


@pytest.mark.req("D10")
@pytest.mark.parametrize(
    ("night", "state"), [(date(2026, 3, 3), State.COVERED), (date(2026, 4, 13), State.HIT)]
)
def test_silence_over_the_festival_is_excused_and_the_same_silence_in_spring_is_not(
    firm: Connection, night: date, state: State
) -> None:
    """Three inquiries a week for eight weeks, then none for half a month."""
    with firm.transaction(force_rollback=True):
        facts = GivenFacts(firm, ZONE)
        facts.known("asks", source_key="asks")
        for back in (15, *(16 + 7 * week + day for week in range(8) for day in (0, 2, 4))):
            at = datetime.combine(night - timedelta(days=back), time(10), ZONE)
            facts.add("interaction", "asks", at, what="inquiry", source_key=f"asks{back}")
        replayed = replay_day(firm, SPEC, night)
        row = replayed.customers.tolist().index(facts.customer("asks"))
        judged = replayed.judged
        assert judged.states[row, judged.book.number("inquiries_fell_silent")] == state


@pytest.mark.req("D10", "S21")
def test_who_really_falls_silent_is_still_seen(firm: Connection) -> None:
    """The rhythm is no excuse: thirty working days without an order after ordering every few of them."""
    with firm.transaction(force_rollback=True):
        firm.execute(
            "delete from care.fact_order f using care.identity i, care.customer c where i.party_no = f.party_no "
            "and c.customer_no = i.customer_no and c.customer_id in ('steady1', 'steady3') and event_day >= '2026-02-25'"
        )
        replayed = replay_day(firm, SPEC, date(2026, 4, 13))
        judged = replayed.judged
        hit = replayed.customers[judged.states[:, judged.book.number(RULE)] == State.HIT]
    ids = dict(firm.execute("select customer_no, customer_id from care.customer").fetchall())
    assert {ids[int(number)] for number in hit} == {"steady1", "steady3"}
