"""Which source is due, and which breaks its promise?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import psycopg
import pytest
from tests.store.landed import FIRM, MASTER, NOW, ORDERS, Landing, sources

from carewatch.paths import home
from carewatch.spec.loading import load_calendar
from carewatch.store.freshness import due_sources, freshness, held_at, unreliable_sources

Connection = psycopg.Connection[Any]
CALENDAR = load_calendar(home() / "config")
C1 = {"code": "C1", "since": "2026-01-01"}
DATABASE = (
    "kind: database\nowner: sales operations\nevery: 2 hours\nfresh_within: 26 hours\nsilent_after: 3 days\n"
)
FILES = "every: 1 day\nfresh_within: 5 days\n"


def stand(landing: Landing, **later: int) -> Any:
    moment = NOW + timedelta(**later)
    return freshness(landing.connection, landing.sources, moment)[0]


@pytest.fixture
def database(connection: Connection) -> Landing:
    landing = Landing(connection, sources(sales=DATABASE + MASTER + ORDERS))
    landing.take("sales", customers=[C1])
    return landing


def test_a_source_that_was_never_loaded_is_due_and_late(connection: Connection) -> None:
    landing = Landing(connection, sources(sales=DATABASE + MASTER))
    one = stand(landing)
    assert (one.due, one.late, one.reason, one.read_at) == (
        True,
        True,
        {"en": "never loaded", "zh-CN": "从未加载"},
        None,
    )


@pytest.mark.parametrize(("minutes", "due"), [(0, False), (109, False), (110, True), (120, True)])
def test_a_source_is_due_a_little_before_its_time(database: Landing, minutes: int, due: bool) -> None:
    assert stand(database, minutes=minutes).due is due
    assert (
        due_sources(database.connection, database.sources, NOW + timedelta(minutes=minutes))
        == ["sales"] * due
    )


@pytest.mark.req("S8")
@pytest.mark.parametrize(("hours", "late"), [(26, False), (27, True)])
def test_a_source_that_was_not_read_in_time_is_late_and_names_its_owner(
    database: Landing, hours: int, late: bool
) -> None:
    found = unreliable_sources(database.connection, database.sources, NOW + timedelta(hours=hours), CALENDAR)
    assert [one.owner for one in found] == ["sales operations"] * late


def test_reading_without_new_rows_keeps_a_database_fresh_until_it_was_silent_too_long(
    database: Landing,
) -> None:
    database.later(days=2)
    database.take("sales")
    assert stand(database, days=3).reason is None
    assert stand(database, days=3).rows_at == NOW
    database.later(days=2)
    database.take("sales", customers=[C1])
    assert stand(database, days=4).reason["en"] == "no new row since 2026-06-01 04:00 UTC"


def test_files_are_as_fresh_as_the_last_file_that_came(connection: Connection) -> None:
    landing = Landing(connection, sources(shop=FILES + MASTER))
    landing.take("shop", customers=[C1])
    landing.later(days=5)
    landing.take("shop")
    assert stand(landing, days=5).late is False
    landing.later(hours=1)
    landing.take("shop")
    assert stand(landing, days=5, hours=1).reason["en"] == "last new file 2026-06-01 04:00 UTC"


def test_a_source_is_as_fresh_as_its_stalest_stream(database: Landing) -> None:
    database.later(days=1)
    database.take("sales")
    database.rows("delete from care.load where origin = 'sales.orders' and read_at > %s returning 1", NOW)
    assert stand(database, days=1).read_at == NOW


def test_what_was_read_after_the_moment_does_not_count(database: Landing) -> None:
    assert stand(database, hours=-1).reason["en"] == "never loaded"


def test_files_are_held_from_their_last_file_on_and_a_database_from_its_last_reading(
    connection: Connection,
) -> None:
    landing = Landing(connection, sources(sales=DATABASE + MASTER, shop=FILES + MASTER))
    landing.take("sales", customers=[C1])
    landing.take("shop", customers=[C1])
    landing.later(days=1)
    landing.take("shop")
    found = unreliable_sources(connection, landing.sources, NOW + timedelta(days=9), CALENDAR)
    assert [(one.source, one.known_until, one.facts) for one in found] == [
        ("sales", NOW, ["customer"]),
        ("shop", NOW, ["customer"]),
    ]


@pytest.mark.req("D9")
@pytest.mark.parametrize(("before", "held"), [(timedelta(0), False), (timedelta(microseconds=1), True)])
def test_a_night_holds_only_what_was_not_known_to_its_end(
    database: Landing, before: timedelta, held: bool
) -> None:
    """A feed that died on Friday has told Thursday whole: a restated Thursday needs it no more."""
    found = unreliable_sources(database.connection, database.sources, NOW + timedelta(days=9), CALENDAR)
    assert [one.source for one in held_at(found, NOW + before)] == ["sales"] * held


@pytest.mark.req("D9")
@pytest.mark.parametrize(
    ("states", "held"),
    [
        (["stopped"], True),
        (["passed", "stopped"], True),
        (["stopped", "passed"], False),
        (["released"], False),
    ],
)
def test_a_source_whose_checks_stopped_its_newest_load_is_held(
    database: Landing, states: list[str], held: bool
) -> None:
    for number, state in enumerate(states):
        database.rows(
            "insert into care.source_check (source, load_id, state, run_id, checked_at, released_at) "
            "values ('sales', %s, %s, 'run', %s, case when %s then now() end) returning 1",
            f"17{number}.5", state, NOW, state == "released",
        )  # fmt: skip
    found = unreliable_sources(database.connection, database.sources, NOW, CALENDAR)
    assert [(one.reason["en"], one.known_until) for one in found] == [
        ("its checks stopped the load at 2026-06-01 04:00 UTC", NOW)
    ] * held
    assert (
        unreliable_sources(database.connection, database.sources, NOW - timedelta(hours=1), CALENDAR)[
            0
        ].reason["en"]
        == "never loaded"
    )


PLENTY = "kind: database\nowner: sales operations\nevery: 1 hour\ndelay: 1 hour\nfresh_within: 26 hours\n"


def morning(day: date) -> datetime:
    return datetime.combine(day, time(2), FIRM.zone)


class Feed:
    """Eight weeks of orders, so many each workday and a few on days off, then what a test says."""

    def __init__(self, connection: Connection) -> None:
        self.landing = Landing(connection, sources(sales=PLENTY + MASTER + ORDERS), now=morning(START))
        self.number = 0
        self.landing.take("sales", customers=[C1])

    def days(self, counts: Mapping[date, int]) -> None:
        rows = []
        for day, count in counts.items():
            for _ in range(count):
                self.number += 1
                rows.append(
                    {"no": f"O{self.number}", "code": "C1", "at": f"{day}T12:00:00+08:00", "amount": "1"}
                )
        self.landing.at(morning(max(counts) + timedelta(days=1)) - timedelta(hours=1))
        self.landing.take("sales", orders=rows)

    def night(self, day: date) -> list[Any]:
        """Read the source without new rows at 01:30 and look at it at 02:00."""
        self.landing.at(morning(day) - timedelta(minutes=30))
        self.landing.take("sales")
        return unreliable_sources(self.landing.connection, self.landing.sources, morning(day), CALENDAR)


START, END = date(2026, 3, 30), date(2026, 6, 1)
"""Mondays; between them lie the May holidays."""


def usual_days(first: date, end: date, count: int = 100) -> dict[date, int]:
    days = [first + timedelta(days=n) for n in range((end - first).days)]
    return {day: count if CALENDAR.is_workday(day) else 3 for day in days}


@pytest.fixture
def feed(connection: Connection) -> Feed:
    made = Feed(connection)
    made.days(usual_days(START, END))
    return made


@pytest.mark.req("D9")
@pytest.mark.parametrize(("count", "dead"), [(3, True), (19, True), (20, False), (100, False), (400, False)])
def test_a_feed_that_comes_with_next_to_nothing_is_dead_though_it_was_read(
    feed: Feed, count: int, dead: bool
) -> None:
    feed.days({END: count})
    found = feed.night(END + timedelta(days=1))
    assert [(one.source, one.facts) for one in found] == ([("sales", ["customer", "order"])] if dead else [])
    if dead:
        assert found[0].reason["en"] == f"customer, order: {count} rows of 2026-06-01, usually about 100"
        assert found[0].known_until == datetime.combine(END, time(), FIRM.zone)


def test_weekends_and_holidays_are_no_drought(feed: Feed) -> None:
    """Sunday's rows are looked at on Monday morning: few, as on every Sunday."""
    assert feed.night(END) == []
    holiday = date(2026, 5, 4)
    feed.landing.rows("delete from care.fact_order where event_day >= %s returning 1", holiday)
    assert feed.night(holiday + timedelta(days=1)) == [], "a Monday that is a holiday"


@pytest.mark.req("D9")
def test_a_drought_lasts_over_a_weekend_that_cannot_tell_and_ends_with_the_first_usual_day(
    feed: Feed,
) -> None:
    friday = date(2026, 6, 5)
    feed.days(usual_days(END, friday) | {friday: 2})
    for night in (1, 2, 3):
        [found] = feed.night(friday + timedelta(days=night))
        assert found.known_until == datetime.combine(friday, time(), FIRM.zone)
        assert "order: 2 rows " in found.reason["en"]
    monday = friday + timedelta(days=3)
    feed.days({monday: 90})
    assert feed.night(monday + timedelta(days=1)) == []


@pytest.mark.req("D9")
def test_a_gap_that_was_filled_is_no_drought_any_more(feed: Feed) -> None:
    feed.days({END: 3})
    assert feed.night(END + timedelta(days=1)) != []
    feed.days({END: 97})
    assert feed.night(END + timedelta(days=1)) == []


@pytest.mark.parametrize(("minutes", "judged"), [(59, False), (60, True)])
def test_a_day_is_judged_once_the_source_was_read_after_its_delay(
    feed: Feed, minutes: int, judged: bool
) -> None:
    tuesday = END + timedelta(days=1)
    feed.landing.at(
        datetime.combine(tuesday, time(0, minutes % 60), FIRM.zone) + timedelta(hours=minutes // 60)
    )
    feed.landing.take("sales")
    found = unreliable_sources(feed.landing.connection, feed.landing.sources, morning(tuesday), CALENDAR)
    assert bool(found) is judged


@pytest.mark.req("D9")
def test_a_thin_feed_is_dead_when_chance_cannot_explain_so_many_empty_days(connection: Connection) -> None:
    """Of eight rows a day none may come by chance on one day, not on two."""
    feed = Feed(connection)
    feed.days(usual_days(START, END, 8))
    assert feed.night(END + timedelta(days=1)) == []
    [found] = feed.night(END + timedelta(days=2))
    assert found.reason == {
        "en": "customer, order: 0 rows from 2026-06-01 to 2026-06-02, usually about 16",
        "zh-CN": "customer、order：2026-06-01 至 2026-06-02 仅 0 行，通常约 16 行",
    }
    assert found.known_until == datetime.combine(END, time(), FIRM.zone)
    feed.days({END + timedelta(days=2): 8})
    assert feed.night(END + timedelta(days=3)) == []
