"""Fold one judged night into signals and warnings."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from carewatch.flow.engineers import tell_hold
from carewatch.flow.moves import Judgement, moves_of, rising, rising_levels, with_context
from carewatch.measure.health import risk_of
from carewatch.spec.configuration import CareSpec, JudgementSpec
from carewatch.store import configurations, holds, nights, signals
from carewatch.store import live_warnings as warnings
from carewatch.store.database import Connection
from carewatch.store.health import health_of_night, without_erased
from carewatch.store.holds import Hold
from carewatch.store.losses import keep_losses
from carewatch.store.metrics import metrics_of_night
from carewatch.store.nights import Night
from carewatch.store.readings import class_texts
from carewatch.store.stages import store_transitions
from carewatch.warn.fold import Memory, Phase, fold
from carewatch.warn.hits import RuleBook, State, rule_book
from carewatch.warn.judge import hold_nights, level_of_memory
from carewatch.warn.level import priorities, severities

_MOST_RULES = 5


def apply_night(
    connection: Connection, night: Night, care: CareSpec, now: datetime, *, released: bool = False
) -> int | None:
    """Apply a night to signals and warnings; return how many warnings moved, None when the night is held.

    A night is held when more than `hold_if_more_than` percent of the customers would rise: rather a broken feed than a
    day on which everybody leaves. The first nights, as many as the longest hold, never are: what has long been so comes
    up for the first time in them, and would hold night after night. One that a person `released` is not held again.
    """
    spec = configurations.judgement(connection, night.judgement)
    health = without_erased(connection, health_of_night(connection, night, spec))
    book = rule_book(spec.rules, hold_nights(spec, health["model"]))
    customers, tier, dormant = health["customer_no"], health["tier"], health["dormant"].astype(bool)
    through = nights.applied_through(connection)
    missed = 0 if through is None else spec.firm.missed_nights(through, night.day)
    before = signals.live_memory(connection, customers, book)
    ahead = signals.ahead(connection, night, customers, book)
    states = np.where(ahead & (health["rules"] == State.CLEAR), State.UNKNOWN, health["rules"])
    after = fold(before, states, book, dormant=dormant, missed=missed)
    severity = severities(book, class_texts(connection, spec, night.cut(spec.firm.zone), health))
    counted = replace(after, phase=signals.counted(connection, customers, book, after, night.day))
    level = level_of_memory(spec, book, counted, severity)
    found = Judgement(
        customers=customers,
        level=level,
        priority=priorities(spec.levels, book, counted.phase, level, tier, spec.tiers.names),
        tier=tier,
        risk=risk_of(health["score"]),
        money=money_at_stake(connection, night, spec, customers, level > 0),
        dormant=dormant,
    )
    live = warnings.live_warnings(connection)
    moves = moves_of(found, live, spec, night.day)
    is_warm = nights.folded(connection) >= spec.longest_hold
    too_many = rising(moves) * 100 > spec.levels.hold_if_more_than * len(customers)
    if is_warm and too_many and not released:
        nights.set_state(connection, night, "held")
        hold = Hold(len(customers), rising(moves), rising_levels(moves), opening_rules(book, before, after))
        holds.keep(connection, night, hold, now)
        tell_hold(connection, night, care, hold, now)
        return None
    signals.store_changes(connection, night, spec, book, health, before, after, severity)
    store_transitions(connection, night, spec, health)
    keep_losses(connection, night, spec)
    moved = with_context(connection, spec, care, night.cut(spec.firm.zone), found, moves, live)
    warnings.store_moves(connection, night, moved, day=night.day, rest=spec.levels.rest, now=now)
    nights.set_applied_through(connection, night.day)
    if not night.reached("applied"):
        nights.set_state(connection, night, "applied")
    return len(moved)


def opening_rules(book: RuleBook, before: Memory, after: Memory) -> dict[str, int]:
    """Return the rules that would open the most signals, with how many, the most first."""
    counts = ((after.phase == Phase.OPEN) & (before.phase != Phase.OPEN)).sum(axis=0)
    most = sorted(zip(-counts, book.names, strict=True))[:_MOST_RULES]
    return {name: int(-count) for count, name in most if count}


def money_at_stake(
    connection: Connection,
    night: Night,
    spec: JudgementSpec,
    customers: NDArray[np.int32],
    wanted: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return what is at stake with the wanted ones of the customers, NaN where unknown or not wanted."""
    money = np.full(len(customers), np.nan)
    if spec.tiers.money is not None and wanted.any():
        known, columns = metrics_of_night(connection, night, spec, customers[wanted])
        money[np.searchsorted(customers, known)] = columns[spec.tiers.money]
    return money
