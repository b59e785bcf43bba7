"""Nights in order, on a real warehouse: how signals become warnings, and warnings care."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

import psycopg
import pytest
from tests.firm import FILES, MONDAY, TinyFirm, changed

from carewatch.flow.night import NotReady, open_night, reopened, seal
from carewatch.measure.columns import tier_texts
from carewatch.store.health import health_of_night
from carewatch.store.nights import NoNight
from carewatch.store.signals import live_memory
from carewatch.warn.fold import Memory, fold
from carewatch.warn.hits import rule_book
from carewatch.warn.judge import level_of_memory
from carewatch.warn.level import severities


def day(number: int) -> date:
    """Return a day of June 2026; the first is a Monday."""
    return MONDAY + timedelta(days=number - 1)


def live(firm: TinyFirm, name: str) -> tuple[object, ...] | None:
    """Return state, level and peak of a customer's live warning."""
    rows = firm.rows(
        "select state, level, peak_level from care.warning where closed_at is null and customer_no = %s",
        firm.facts.customer(name),
    )
    assert len(rows) <= 1
    return rows[0] if rows else None


def life(firm: TinyFirm) -> list[tuple[object, ...]]:
    """Return number, what, level and day of the month of every event."""
    return firm.rows(
        "select warning_no, what, level, extract(day from day)::int from care.warning_event "
        "order by warning_no, transition"
    )


@pytest.mark.req("S81")
def test_a_warning_opens_rises_falls_and_waits_for_its_result(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.customer("C2")
    seen = []
    for number, (quiet, strain, halt) in enumerate(
        [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1), (0, 1, 1), (1, 0, 0), (0, 0, 0), (0, 0, 0)], start=1
    ):
        firm.calm(day(number), "C2")
        firm.dial("C1", day(number), quiet=quiet, strain=strain, halt=halt, mood=90)
        firm.night(day(number))
        seen.append(live(firm, "C1"))
    assert seen == [
        None,
        ("open", 1, 1),
        ("open", 1, 1),
        ("open", 2, 2),
        ("open", 2, 2),
        ("open", 1, 2),
        ("cleared", 0, 2),
        ("cleared", 0, 2),
    ]
    assert life(firm) == [
        (1, "opened", 1, 2),
        (1, "rose", 2, 4),
        (1, "fell", 1, 6),
        (1, "cleared", 0, 7),
    ]
    assert live(firm, "C2") is None


def test_a_light_warning_closes_by_itself_and_a_heavy_one_comes_back(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.customer("C2")
    for number, on in enumerate([1, 0, 1], start=1):
        firm.dial("C1", day(number), quiet=on, strain=0, halt=0, mood=90)
        firm.dial("C2", day(number), quiet=0, strain=0, halt=on, mood=90)
        firm.night(day(number))
    assert life(firm) == [
        (1, "opened", 1, 1),
        (1, "closed", 0, 2),
        (2, "opened", 2, 1),
        (2, "cleared", 0, 2),
        (2, "returned", 2, 3),
        (3, "opened", 1, 3),
    ]
    assert firm.rows("select warning_no, state, follows from care.warning order by 1") == [
        (1, "recovered", None),
        (2, "open", None),
        (3, "open", 1),
    ]
    assert firm.rows("select closed_at is not null from care.care_case order by case_no")[0] == (True,)
    assert firm.rows("select state from care.care_task where case_no = 1") == [("cancelled",)]


@pytest.mark.parametrize(("after", "follows"), [(1, True), (30, True), (31, False)])
def test_a_new_warning_follows_one_that_closed_within_the_rest(
    firm: TinyFirm, after: int, follows: bool
) -> None:
    firm.customer("C1")
    for night, quiet in ((day(1), 1), (day(2), 0), (day(2) + timedelta(days=after), 1)):
        firm.dial("C1", night, quiet=quiet, strain=0, halt=0, mood=90)
        # the later in the day it was closed, the less may depend on it
        firm.night(night, now=firm.moment(night, 23 if night == day(2) else 2))
    assert firm.rows("select warning_no, follows from care.warning order by 1") == [
        (1, None),
        (2, 1 if follows else None),
    ]


def test_there_is_one_live_warning_a_customer_whatever_anybody_writes(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.dial("C1", day(1), quiet=1, strain=1, halt=1, mood=20)
    firm.night(day(1))
    assert live(firm, "C1") is not None
    columns = (
        "customer_no, state, level, peak_level, owner_id, tier, priority, risk, opened_day, opened_at, changed_at, transition, reasons, "
        "judgement, code_version"
    )
    with pytest.raises(psycopg.errors.UniqueViolation):
        firm.rows(f"insert into care.warning ({columns}) select {columns} from care.warning returning 1")


@pytest.mark.req("S55")
def test_falling_below_a_band_makes_one_warning_and_staying_there_no_second(firm: TinyFirm) -> None:
    firm.customer("C1")
    levels = []
    for number, mood in enumerate([90, 70, 70, 69, 69, 69, 50, 50, 49, 30, 54, 56, 56, 74, 75, 75], start=1):
        firm.dial("C1", day(number), quiet=0, strain=0, halt=0, mood=mood)
        firm.night(day(number))
        found = live(firm, "C1")
        levels.append(found[1] if found else None)
    # a band begins with its own score; two nights of hold; a red floor goes five points above its band, and so does the yellow one
    assert levels == [None, None, None, None, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 0]
    assert [one[1:3] for one in life(firm)] == [("opened", 1), ("rose", 2), ("fell", 1), ("cleared", 0)]


def test_grey_sets_no_floor_and_lifts_none(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.customer("C2")
    for number in range(1, 5):
        firm.dial("C1", day(number), quiet=0, strain=0, halt=0)
        firm.dial("C2", day(number), quiet=0, strain=0, halt=0, **({"mood": 30} if number < 3 else {}))
        firm.night(day(number))
    assert live(firm, "C1") is None
    assert live(firm, "C2") == ("open", 2, 2)


def test_a_feed_that_stops_raises_and_clears_nothing(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.customer("C2")
    firm.dial("C1", day(1), quiet=0, strain=0, halt=1, mood=90)
    firm.calm(day(1), "C2")
    firm.night(day(1))
    before = firm.dump("signal", "warning", "warning_event")
    for number in (2, 3, 4):
        firm.night(day(number))
    assert firm.dump("signal", "warning", "warning_event") == before


def test_watching_opens_a_signal_and_no_warning(make_firm: Callable[..., TinyFirm]) -> None:
    firm = make_firm(changed("warnings/dials.yaml", ("severity: mild", "severity: watch")))
    firm.customer("C1")
    firm.dial("C1", day(1), quiet=1, strain=0, halt=0, mood=90)
    firm.night(day(1))
    assert firm.rows("select rule, severity, state from care.signal") == [("quiet", "watch", "open")]
    assert live(firm, "C1") is None


def test_a_hold_lasts_over_missing_nights_and_leaves_no_trace_when_it_breaks(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm(
        changed("warnings/dials.yaml", ("when: quiet >= 1", "when: quiet >= 1\n    holds_for: 3"))
    )
    firm.customer("C1")
    firm.customer("C2")
    nights = [(1, 1, 1), (2, 1, 1), (6, 0, 1), (7, 1, 1)]
    for number, first, second in nights:
        firm.dial("C1", day(number), quiet=first, strain=0, halt=0, mood=90)
        firm.dial("C2", day(number), quiet=second, strain=0, halt=0, mood=90)
        firm.night(day(number))
    assert life(firm) == [(1, "opened", 1, 6)]
    assert firm.rows("select customer_no, state, true_nights, first_day from care.signal order by 1") == [
        (firm.facts.customer("C1"), "pending", 1, day(7)),
        (firm.facts.customer("C2"), "open", 4, day(1)),
    ]


def test_more_than_three_missing_nights_begin_the_count_again(make_firm: Callable[..., TinyFirm]) -> None:
    firm = make_firm(
        changed("warnings/dials.yaml", ("when: quiet >= 1", "when: quiet >= 1\n    holds_for: 3"))
    )
    firm.customer("C1")
    for number in (1, 2, 7, 8, 9):
        firm.dial("C1", day(number), quiet=1, strain=0, halt=0, mood=90)
        firm.night(day(number))
    assert life(firm) == [(1, "opened", 1, 9)]


def test_a_customer_who_became_dormant_is_lost_and_no_longer_warned_of(firm: TinyFirm) -> None:
    firm.customer("C1")
    for number, quiet in enumerate([1, 99, 99], start=1):
        firm.dial("C1", day(number), quiet=quiet, strain=0, halt=1, mood=20)
        firm.night(day(number))
    assert life(firm) == [(1, "opened", 2, 1), (1, "closed", 0, 2)]
    assert firm.rows("select state, level, peak_level from care.warning") == [("lost", 0, 2)]
    assert {row[0] for row in firm.rows("select state from care.care_task")} == {"cancelled"}
    assert {row[0] for row in firm.rows("select state from care.signal")} == {"closed"}


def test_a_rule_that_is_gone_takes_its_signals_with_it(make_firm: Callable[..., TinyFirm]) -> None:
    firm = make_firm()
    firm.customer("C1")
    firm.dial("C1", day(1), quiet=1, strain=0, halt=1, mood=90)
    firm.night(day(1))
    without = changed("warnings/dials.yaml", ("  halt:\n", "  other:\n"), ("counts_as: halt", "counts_as: o"))
    firm.configuration = make_firm(without).configuration
    firm.dial("C1", day(2), quiet=1, strain=0, halt=0, mood=90)
    firm.night(day(2))
    assert firm.rows("select rule, state, closed_day from care.signal order by rule") == [
        ("halt", "closed", day(2)),
        ("quiet", "open", None),
    ]
    assert live(firm, "C1") == ("open", 1, 2)


def test_a_warning_says_what_its_rules_read(make_firm: Callable[..., TinyFirm]) -> None:
    spoken = (
        'because: {en: "halt is {halt}", zh-CN: "halt 为 {halt}"}',
        'because: "{industry}, tier {tier}, {colour}: {halt:.1f}, {strain}"',
    )
    firm = make_firm(changed("warnings/dials.yaml", spoken))
    since = firm.moment(date(2020, 1, 1))
    firm.facts.belongs("C1", "C1", since)
    firm.facts.add("customer", "C1", since, name="One", owner="ann", profit_rate=80, industry="mining")
    firm.dial("C1", day(1), halt=2, quiet=0, mood=60)
    firm.night(day(1))
    [(reasons,)] = firm.rows("select reasons from care.warning")
    assert [reason["text"]["en"] for reason in reasons] == ["mining, tier A, yellow: 2.0, unknown"]
    assert reasons[0]["severity"] == "severe" and reasons[0]["since"] == "2026-06-01"


def test_tier_and_money_are_those_of_the_night_that_moved_the_warning(firm: TinyFirm) -> None:
    firm.customer("C1", tier="C", sales=5000)
    last = date(2026, 6, 30)
    firm.dial("C1", last, quiet=1, strain=0, halt=0, mood=90)
    firm.night(last)
    assert firm.rows("select tier, value from care.warning") == [("C", 5000)]
    firm.rows("update care.fact_customer set profit_rate = 80 returning 1")
    firm.facts.add("order", "C1", firm.moment(last), amount=2500)
    next_month = date(2026, 7, 1)
    firm.dial("C1", next_month, quiet=1, strain=0, halt=1, mood=90)
    firm.night(next_month)
    assert firm.rows("select level, tier, value from care.warning") == [(2, "A", 7500)]
    hours = firm.rows(
        "select extract(hour from due_at - created_at) from care.care_task "
        "where step = 'first_call' and playbook = 'level2_recovery'"
    )
    assert hours == [(9,)], "seven hours to the opening and the two of tier A"


@pytest.mark.req("S95")
def test_a_warning_starts_its_playbook_with_a_clock_for_every_promise(firm: TinyFirm) -> None:
    firm.customer("C1", tier="A")
    firm.dial("C1", day(1), quiet=0, strain=0, halt=1, mood=90)
    firm.night(day(1))
    local = "to_char(due_at at time zone 'Asia/Shanghai', 'DD HH24:MI')"
    assert firm.rows(f"select step, owner_id, {local}, state from care.care_task order by due_at") == [
        ("first_call", "ann", "01 11:00", "open"),
        ("plan", "ann", "01 18:00", "open"),
        ("visit", "ann", "03 18:00", "open"),
    ]
    [(copy, level)] = firm.rows("select copy, level from care.case_playbook")
    assert level == 2 and copy["playbook"] == "level2_recovery"


def test_on_a_rise_the_higher_playbook_joins_the_case_and_on_a_fall_plays_go_on(firm: TinyFirm) -> None:
    firm.customer("C1")
    nights = [(1, 0, 0), (0, 0, 1), (1, 0, 0), (0, 0, 1), (1, 1, 1)]
    for number, (quiet, strain, halt) in enumerate(nights, start=1):
        firm.dial("C1", day(number), quiet=quiet, strain=strain, halt=halt, mood=90)
        firm.night(day(number))
        playbooks = [row[0] for row in firm.rows("select playbook from care.case_playbook order by level")]
        expected = ["level1_callback", "level2_recovery"][: min(number, 2)]
        assert playbooks == expected, number
    assert firm.rows("select case_no, level from care.care_case") == [(1, 2)]
    tasks = "select distinct playbook, state from care.care_task where step <> 'escalation' order by 1"
    assert firm.rows(tasks) == [("level1_callback", "superseded"), ("level2_recovery", "open")]
    assert firm.rows("select escalate_at from care.case_playbook where level = 1") == [(None,)]


def test_no_lower_playbook_starts_when_a_warning_falls_to_its_level(firm: TinyFirm) -> None:
    firm.customer("C1")
    for number, halt in enumerate([1, 0, 0], start=1):
        firm.dial("C1", day(number), quiet=1, strain=0, halt=halt, mood=90)
        firm.night(day(number))
    assert life(firm) == [(1, "opened", 2, 1), (1, "fell", 1, 2)]
    assert firm.rows("select playbook from care.case_playbook") == [("level2_recovery",)]


def test_a_night_that_has_not_come_is_refused(firm: TinyFirm) -> None:
    firm.customer("C1")
    with pytest.raises(NoNight, match="the night of 2026-06-02 has not come yet: today is 2026-06-01"):
        firm.night(day(2), now=firm.moment(day(1), 23.9))
    assert firm.rows("select count(*) from care.night") == [(0,)]
    firm.night(day(2), now=firm.moment(day(2), 0))


def test_a_night_is_sealed_once_it_is_judged_and_sealed_too_early_still_counts(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.dial("C1", day(1), quiet=1, strain=0, halt=0, mood=90)
    at = firm.moment(day(1))
    firm.clock_at(at)
    open_night(firm.connection, firm.configuration, day(1), now=at)
    with pytest.raises(
        NotReady, match="the night of 2026-06-01 has not been judged yet; run it first: care run"
    ):
        seal(firm.connection, day(1))
    firm.judged(day(1))
    seal(firm.connection, day(1))
    assert firm.tick(at).moves == 1
    assert firm.tick(at).moves == 0
    assert firm.rows("select state from care.night") == [("sealed",)]


def test_no_customers_make_a_calm_night(firm: TinyFirm) -> None:
    assert firm.night(day(1)).moves == 0
    assert firm.rows("select state from care.night") == [("sealed",)]


def test_what_is_stored_between_nights_is_what_the_fold_remembers(make_firm: Callable[..., TinyFirm]) -> None:
    """Random nights, some of them missing, numbers unknown, customers asleep: stored memory against memory kept."""
    slow = FILES["warnings/dials.yaml"]
    slow = slow.replace(
        "when: strain >= 1",
        "when: strain >= 2\n    clears_if: strain < 1\n    holds_for: 2\n    clears_after: 2",
    )
    slow = slow.replace("when: halt >= 1", "when: halt >= 1\n    holds_for: 3")
    firm = make_firm({"warnings/dials.yaml": slow})
    generator = random.Random(11)
    names = [f"C{number}" for number in range(10)]
    for name in names:
        firm.customer(name)
    spec, memory, last = firm.configuration.judgement, None, None
    for night in [day(number) for number in (1, 2, 3, 4, 6, 7, 8, 13, 14, 15, 16, 17, 18, 19)]:
        for name in names:
            dials = {
                "quiet": (0, 0, 0, 0, 1, 1, 99),
                "strain": (0, 0, 1, 2, 2),
                "halt": (0, 0, 1, 1),
                "mood": (90, 90, 90, 72),
            }
            chosen = {
                dial: generator.choice(values) for dial, values in dials.items() if generator.random() < 0.8
            }
            firm.dial(name, night, **chosen)
        firm.night(night)
        opened = reopened(firm.connection, night)
        health = health_of_night(firm.connection, opened.night, spec)
        book = rule_book(spec.rules, spec.health.hold_nights)
        memory = memory or Memory.empty(len(names), len(book.names))
        missed = 0 if last is None else (night - last).days - 1
        memory = fold(memory, health["rules"], book, dormant=health["dormant"].astype(bool), missed=missed)
        last = night
        stored = live_memory(firm.connection, health["customer_no"], book)
        for field in ("phase", "true_nights", "clear_nights"):
            assert getattr(stored, field).tolist() == getattr(memory, field).tolist(), (night, field)
        levels = level_of_memory(
            spec, book, memory, severities(book, {"tier": tier_texts(health["tier"], spec.tiers.names)})
        )
        warned = dict(firm.rows("select customer_no, level from care.warning where closed_at is null"))
        assert [warned.get(number, 0) for number in health["customer_no"].tolist()] == levels.tolist(), night
    assert firm.rows("select count(distinct what) from care.warning_event")[0][0] == 6, (
        "every kind of move was seen"
    )


def test_a_customer_who_went_into_another_stops_nobody(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.customer("C2")
    firm.dial("C1", day(1), quiet=1, strain=0, halt=0, mood=90)
    firm.dial("C2", day(1), quiet=1, strain=0, halt=0, mood=90)
    firm.night(day(1))
    merged_at = firm.moment(day(1), 1)
    firm.rows("update care.identity set known_to = %s where customer_no = 2 returning 1", merged_at)
    firm.facts.belongs("C2", "C1", merged_at)
    assert firm.tick(firm.moment(day(2), 18)).escalations == 1
    assert firm.rows("select state from care.warning order by customer_no") == [("open",), ("merged",)]
