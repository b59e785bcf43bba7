"""Everything happens once: run again, killed anywhere, two at a time, or filled in later out of order."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from tests.firm import MONDAY, TinyFirm, dump, empty

from carewatch.flow.advance import EVERYTHING, Advanced, advance
from carewatch.flow.night import judge, measure, open_night, seal
from carewatch.store import cases, live_warnings, nights, notices, people, signals
from carewatch.store.database import connect
from carewatch.store.locks import Lock, hold

STATE = (
    "signal", "warning", "warning_event", "care_case", "case_playbook", "care_task", "notice_decision", "outbox", "audit",
    "person", "progress",
)  # fmt: skip
NAMES = ("C1", "C2", "C3", "C4")
THURSDAY = MONDAY + timedelta(days=3)


class Killed(BaseException):
    """Stands for a process that was stopped."""


def tell_a_story(firm: TinyFirm) -> datetime:
    """Judge a second night on which much happens at once; return its moment, nothing of it advanced yet.

    C1's level-2 case is overdue and goes up, C2 rises, C3 clears, C4 opens.
    """
    for name in NAMES:
        firm.customer(name, tier="A", sales=1000)
    for name, halt, quiet in (("C1", 1, 0), ("C2", 0, 1), ("C3", 0, 1), ("C4", 0, 0)):
        firm.dial(name, MONDAY, quiet=quiet, strain=0, halt=halt, mood=90)
    firm.night(MONDAY)
    for name, halt, quiet in (("C1", 1, 0), ("C2", 1, 1), ("C3", 0, 0), ("C4", 1, 1)):
        firm.dial(name, THURSDAY, quiet=quiet, strain=0, halt=halt, mood=90)
    return firm.judged(THURSDAY, now=firm.moment(THURSDAY, 10))


@pytest.mark.req("D21")
def test_every_step_run_again_changes_no_row(firm: TinyFirm) -> None:
    at = tell_a_story(firm)
    done = advance(firm.connection, firm.configuration.care, at)
    assert (done.moves, done.escalations, done.handed_over) == (3, 1, 0)
    assert done.tasks and done.reminders and done.decisions and done.messages
    seal(firm.connection, THURSDAY)
    everything = firm.dump()
    assert all(everything[name] for name in STATE)
    for again in (
        lambda: open_night(firm.connection, firm.configuration, THURSDAY, now=at),
        lambda: measure(firm.connection, THURSDAY),
        lambda: judge(firm.connection, THURSDAY),
        *(lambda part=part: advance(firm.connection, firm.configuration.care, at, (part,)) for part in EVERYTHING),
        lambda: seal(firm.connection, THURSDAY),
        lambda: firm.night(MONDAY, now=at),
        lambda: firm.night(THURSDAY, now=at),
    ):  # fmt: skip
        again()
        assert firm.dump() == everything


STABLE = {
    "signal": "customer_no, rule, severity, state, true_nights, clear_nights, first_day, opened_day, closed_day, evidence",
    "warning": "customer_no, state, level, peak_level, owner_id, tier, value, opened_at, changed_at, cleared_day, closed_at, transition",
    "warning_event": "transition, what, at, day, level, by",
    "case_playbook": "playbook, level, joined_at, escalate_at, escalated_at, copy",
    "care_task": "playbook, step, role, owner_id, state, due_at, next_step_at, reminders, created_at, settled_at",
    "notice_decision": "transition, receiver, send, reason, decided_at",
    "outbox": "kind, receiver, channel, message->>'text', state, not_before",
    "audit": "at, by, what, detail",
    "progress": "applied_through",
}
"""Everything but the numbers, of which a transaction that was rolled back leaves gaps."""


def told(firm: TinyFirm) -> dict[str, list[Any]]:
    return {
        table: sorted(firm.rows(f"select ({columns})::text from care.{table}"))
        for table, columns in STABLE.items()
    }


@pytest.mark.req("D21")
@pytest.mark.parametrize(
    ("place", "name"),
    [
        (people, "sync"),
        (people, "hand_over"),
        (signals, "store_changes"),
        (live_warnings, "store_moves"),
        (nights, "set_applied_through"),
        (nights, "set_state"),
        (cases, "store_plans"),
        (cases, "store_reminder"),
        (cases, "store_escalation"),
        (notices, "store"),
    ],
    ids=lambda one: one if isinstance(one, str) else one.__name__.rpartition(".")[2],
)
def test_an_advance_that_is_killed_leaves_nothing_half_done(
    firm: TinyFirm, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    at = tell_a_story(firm)
    advance(firm.connection, firm.configuration.care, at)
    expected = told(firm)
    empty(firm.connection)
    firm = TinyFirm(firm.connection, firm.configuration)
    assert tell_a_story(firm) == at
    before = firm.dump()
    written = getattr(place, name)

    def killed(*arguments: Any, **named: Any) -> None:
        written(*arguments, **named)
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(place, name, killed)
        advance(firm.connection, firm.configuration.care, at)
    assert firm.dump() == before
    advance(firm.connection, firm.configuration.care, at)
    assert told(firm) == expected


@pytest.mark.req("D21")
@pytest.mark.parametrize("step", ["nights.night_of", "metrics.set_state", "health.set_state"])
def test_a_night_that_is_killed_is_taken_up_where_it_was(
    firm: TinyFirm, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    firm.customer("C1")
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=40)
    firm.night(MONDAY)
    expected = firm.dump()
    empty(firm.connection)
    firm = TinyFirm(firm.connection, firm.configuration)
    firm.customer("C1")
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=40)

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(f"carewatch.store.{step}", killed)
        firm.judged(MONDAY)
    firm.night(MONDAY)
    numbers = {name: rows for name, rows in firm.dump().items() if name != "night"}
    assert numbers == {name: rows for name, rows in expected.items() if name != "night"}
    assert firm.rows("select day, revision, state, notifies from care.night") == [(MONDAY, 0, "sealed", True)]


@pytest.mark.req("D21")
def test_two_advances_at_once_do_what_one_does(firm: TinyFirm, shared_warehouse: str) -> None:
    at = tell_a_story(firm)
    alone = advance(firm.connection, firm.configuration.care, at)
    expected = firm.dump()
    empty(firm.connection)
    firm = TinyFirm(firm.connection, firm.configuration)
    tell_a_story(firm)

    def one(_: int) -> Advanced:
        with connect(shared_warehouse, autocommit=True) as connection:
            return advance(connection, firm.configuration.care, at)

    waiting = "select count(*) from pg_locks where locktype = 'advisory' and objid = %s and not granted"
    with ThreadPoolExecutor(3) as pool:
        with connect(shared_warehouse, autocommit=True) as holder, holder.transaction():
            hold(holder, Lock.CARE_STATE)
            running = [pool.submit(one, number) for number in range(3)]
            while firm.rows(waiting, int(Lock.CARE_STATE)) != [(3,)]:
                assert not any(future.done() for future in running), "nobody advances while another does"
                threading.Event().wait(0.01)
        results = [future.result() for future in running]
    assert sorted(results, key=lambda done: -done.moves) == [alone, Advanced(), Advanced()]
    assert firm.dump() == expected


def run_past(dsn: str, firm: TinyFirm, day: date, now: datetime) -> None:
    """Run a night of the past as a task of a backfill does, on a connection of its own."""
    with connect(dsn, autocommit=True) as connection:
        open_night(connection, firm.configuration, day, now=now, backfill=True)
        measure(connection, day)
        judge(connection, day)
        advance(connection, firm.configuration.care, now)
        seal(connection, day)


@pytest.mark.req("D21")
def test_a_backfill_in_any_order_and_at_once_moves_and_tells_nothing(
    firm: TinyFirm, shared_warehouse: str
) -> None:
    past = [MONDAY + timedelta(days=back) for back in range(-4, 3)]
    generator = random.Random(7)
    for name in NAMES:
        firm.customer(name)
        for night in [*past, *(MONDAY + timedelta(days=ahead) for ahead in (3, 4, 5))]:
            chosen = {dial: generator.randint(0, 1) for dial in ("quiet", "strain", "halt")}
            firm.dial(name, night, **chosen, mood=generator.choice([30, 60, 90]))
    for ahead in (3, 4, 5):
        firm.night(MONDAY + timedelta(days=ahead))
    now = firm.moment(MONDAY, 24 * 5 + 2)
    before = firm.dump(*STATE)
    assert all(before[name] for name in STATE if name != "audit")

    shuffled = [*past, *past[:2]]
    generator.shuffle(shuffled)
    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(run_past, shared_warehouse, firm, night, now) for night in shuffled]:
            future.result()

    assert firm.dump(*STATE) == before
    assert firm.rows("select day, state, notifies from care.night where day < %s order by day", THURSDAY) == [
        (night, "sealed", False) for night in past
    ]
    history = ("metric_night_2026_05", "metric_night_2026_06", "health_night_2026_05", "health_night_2026_06")
    at_once = firm.dump(*history)
    assert sum(map(len, at_once.values())) == 2 * 10 * len(NAMES)
    firm.rows("delete from care.metric_night where day < %s returning 1", THURSDAY)
    firm.rows("delete from care.health_night where day < %s returning 1", THURSDAY)
    firm.rows("delete from care.night where day < %s returning 1", THURSDAY)
    for night in past:
        run_past(shared_warehouse, firm, night, now)
    assert dump(firm.connection, *history) == at_once, "in whatever order, the same numbers"
