"""Raise between nights what cannot wait for one: the same event rules on the events known by now, early.

A rule that waits for an event is a pure function of facts, so the next night comes to the same signals. Other names that
it reads are those of the night on which warnings stand. Nothing is cleared or lowered here: that is for the night.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from carewatch.flow.apply_night import money_at_stake
from carewatch.flow.moves import Judgement, moves_of, rising, with_context
from carewatch.flow.recompute import judge_between
from carewatch.measure.cut import Cut
from carewatch.measure.health import risk_of
from carewatch.spec.configuration import CareSpec
from carewatch.store import configurations, events, nights, signals
from carewatch.store import live_warnings as warnings
from carewatch.store.database import Connection
from carewatch.store.health import health_of_night, without_erased
from carewatch.store.metrics import metrics_of_night
from carewatch.store.nights import Night
from carewatch.warn.fold import LONGEST_GAP, Memory, Phase
from carewatch.warn.hits import State, event_column
from carewatch.warn.level import levels, priorities, severities

_LIFTING = ("opened", "rose", "returned", "changed")


def raise_events(connection: Connection, care: CareSpec, now: datetime) -> int:
    """Open the signals of events that became known since the last look; return how many warnings they moved.

    Nothing happens before the first night, on a stale one (a history that is being caught up with), while a load is
    being written, or when more customers would rise than a night may lift: the night is held then, and a person asked.
    """
    night = nights.standing_night(connection)
    today = now.astimezone(care.firm.zone).date()
    if night is None or care.firm.missed_nights(night.day, today) >= LONGEST_GAP:
        return 0
    spec = configurations.judgement(connection, night.judgement)
    facts = {rule.fact for rule in spec.event_rules().values() if rule.fact is not None}
    since = nights.events_through(connection) or night.event_cut
    if not facts or not events.anything_new(connection, facts, since, now):
        return 0
    known = nights.knowledge_unless_loading(connection)
    if known is None:
        return 0
    at = min(now, known)
    cut = Cut(at.astimezone(spec.firm.zone).date(), at, at, spec.firm.zone)
    moved = _raise(connection, care, night, cut, now)
    nights.set_events_through(connection, at)
    return moved


def _raise(connection: Connection, care: CareSpec, night: Night, cut: Cut, now: datetime) -> int:
    spec = configurations.judgement(connection, night.judgement)
    health = without_erased(connection, health_of_night(connection, night, spec))
    everybody = len(health["customer_no"])
    waiting = events.columns_at(connection, spec, cut, health["customer_no"])
    happened = [~np.isnan(waiting[event_column(name)]) for name in spec.event_rules()]
    concerned = np.logical_or.reduce(happened) & ~health["dormant"].astype(bool)
    if not concerned.any():
        return 0
    health = {name: column[concerned] for name, column in health.items()}
    customers = health["customer_no"]
    _, columns = metrics_of_night(connection, night, spec, customers)
    judged = judge_between(connection, spec, night, cut, customers, columns, health["tier"])
    book = judged.book
    before = signals.live_memory(connection, customers, book)
    waits = np.array([name in spec.event_rules() for name in book.names])
    new = (judged.states == State.HIT) & waits & (before.phase == Phase.NONE)
    after = Memory(
        np.where(new, np.int8(Phase.OPEN), before.phase),
        np.where(new, np.int8(1), before.true_nights),
        np.where(new, np.int8(0), before.clear_nights),
    )
    severity = severities(book, judged.columns)
    phase = signals.counted(connection, customers, book, after, cut.day)
    level = levels(spec.levels, book, phase, severity)
    level[~new.any(axis=1)] = 0
    found = Judgement(
        customers=customers,
        level=level,
        priority=priorities(spec.levels, book, phase, level, health["tier"], spec.tiers.names),
        tier=health["tier"],
        risk=risk_of(health["score"]),
        money=money_at_stake(connection, night, spec, customers, level > 0),
        dormant=np.zeros(len(customers), dtype=bool),
    )
    live = warnings.live_warnings(connection)
    moves = {
        customer: one
        for customer, one in moves_of(found, live, spec, cut.day).items()
        if one.what in _LIFTING
    }
    if rising(moves) * 100 > spec.levels.hold_if_more_than * everybody:
        return 0
    only_new = Memory(
        *(
            np.where(new, column, np.int8(0))
            for column in (after.phase, after.true_nights, after.clear_nights)
        )
    )
    nothing = Memory.empty(len(customers), len(book.names))
    seen = health | {"rules": judged.states}
    signals.store_changes(
        connection, night, spec, book, seen, nothing, only_new, severity, between_nights=cut
    )
    moved = with_context(connection, spec, care, cut, found, moves, live)
    warnings.store_moves(
        connection, night, moved, day=cut.day, rest=spec.levels.rest, now=now, between_nights=True
    )
    return len(moved)
