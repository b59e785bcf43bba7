"""Move warnings, cases, tasks and notice decisions to a moment: the only place that does.

The night and the clock both come through `advance`, in one transaction under the lock `care_state`, so two of them never
interleave and a killed one leaves nothing half done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from carewatch.flow.apply_night import apply_night
from carewatch.flow.calls import request_dials
from carewatch.flow.clock import escalate, remind
from carewatch.flow.early import raise_events
from carewatch.flow.launch import settle, tell_recorded
from carewatch.flow.notify import notify
from carewatch.flow.playbooks import start_playbooks
from carewatch.flow.watched import mail_watched
from carewatch.spec.configuration import CareSpec
from carewatch.store import configurations, nights, people
from carewatch.store.absorbed import absorb
from carewatch.store.calls import settle_answered
from carewatch.store.database import Connection
from carewatch.store.locks import Lock, hold


@dataclass(frozen=True)
class Advanced:
    """What moved."""

    moves: int = 0
    raised_early: int = 0
    held: tuple[str, ...] = ()
    tasks: int = 0
    calls: int = 0
    dials: int = 0
    reminders: int = 0
    escalations: int = 0
    decisions: int = 0
    messages: int = 0
    mailed: int = 0
    handed_over: int = 0
    released: int = 0


@dataclass
class Moment:
    """One advance under way."""

    connection: Connection
    care: CareSpec
    now: datetime
    done: Advanced = field(default_factory=Advanced)

    def add(self, *, moves: int) -> None:
        """Count warnings that moved."""
        self.done = replace(self.done, moves=self.done.moves + moves)


Part = Callable[[Moment], None]


def apply_nights(moment: Moment) -> None:
    """Fold judged nights into signals and warnings, in date order; customers who were merged share one warning."""
    _absorb(moment)
    for night in nights.waiting_nights(moment.connection):
        applied = apply_night(moment.connection, night, moment.care, moment.now)
        if applied is None:
            moment.done = replace(moment.done, held=(*moment.done.held, str(night.day)))
        else:
            moment.add(moves=applied)
    _absorb(moment)


def _absorb(moment: Moment) -> None:
    day = moment.now.astimezone(moment.care.firm.zone).date()
    merged = absorb(moment.connection, moment.now, day)
    moment.add(moves=merged)


def apply_events(moment: Moment) -> None:
    """Raise at once what event rules say of events that became known since the last look."""
    raised = raise_events(moment.connection, moment.care, moment.now)
    moment.done = replace(moment.done, moves=moment.done.moves + raised, raised_early=raised)


def start_level(level: int) -> Part:
    """Return the part that starts the playbooks of one level."""

    def start(moment: Moment) -> None:
        made = start_playbooks(moment.connection, moment.care, level, moment.now)
        moment.done = replace(moment.done, tasks=moment.done.tasks + made)

    return start


def run_clock(moment: Moment) -> None:
    """Settle first calls that reached the customer, ask for those to be dialled, remind of overdue tasks, escalate."""
    called = settle_answered(moment.connection, moment.now)
    dialled = request_dials(moment.connection, moment.care, moment.now)
    reminded = remind(moment.connection, moment.care, moment.now)
    escalated = escalate(moment.connection, moment.care, moment.now)
    moment.done = replace(moment.done, calls=called, dials=dialled, reminders=reminded, escalations=escalated)


def decide_notices(moment: Moment) -> None:
    """Decide who hears of what has moved."""
    decisions, messages = notify(moment.connection, moment.care, moment.now)
    mailed = mail_watched(moment.connection, moment.care, moment.now)
    tell_recorded(moment.connection, moment.care, moment.now)
    moment.done = replace(moment.done, decisions=decisions, messages=messages, mailed=mailed)


EVERYTHING: tuple[Part, ...] = (
    apply_nights,
    apply_events,
    start_level(1),
    start_level(2),
    start_level(3),
    run_clock,
    decide_notices,
)


def _in_force(connection: Connection, care: CareSpec) -> CareSpec:
    newer = nights.care_opened_after(connection, care.fingerprint)
    return care if newer is None else configurations.care(connection, newer)


def advance(
    connection: Connection, care: CareSpec, now: datetime, parts: tuple[Part, ...] = EVERYTHING
) -> Advanced:
    """Advance to `now` (an aware instant) in one transaction; the parts run in order. Doing it again changes nothing.

    The task of an old night that is run again brings that night's people and promises; those of the night that was
    opened last are in force instead.
    """
    with connection.transaction():
        hold(connection, Lock.CARE_STATE)
        configurations.keep(connection, care)
        care = _in_force(connection, care)
        people.sync(connection, care.people)
        day = now.astimezone(care.firm.zone).date()
        handed_over = people.hand_over(connection, care.people, now, day)
        moment = Moment(connection, care, now, Advanced(handed_over=handed_over))
        for part in parts:
            part(moment)
            released = settle(connection, care, now)
            moment.done = replace(moment.done, released=moment.done.released + released)
            people.name_managers(connection, care.people)
    return moment.done
