"""Fold one judged night into signals and warnings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.care.owners import owner_of
from carewatch.spec.configuration import CareSpec, JudgementSpec
from carewatch.store import configurations, nights, signals
from carewatch.store import live_warnings as warnings
from carewatch.store.database import Connection
from carewatch.store.health import health_of_night
from carewatch.store.metrics import metrics_of_night
from carewatch.store.nights import Night
from carewatch.warn.fold import fold
from carewatch.warn.hits import rule_book
from carewatch.warn.judge import level_of_memory
from carewatch.warn.level import severities
from carewatch.warn.life import Move, move
from carewatch.warn.reasons import reason


def apply_night(connection: Connection, night: Night, care: CareSpec, now: datetime) -> int | None:
    """Apply a night to signals and warnings; return how many warnings moved, None when the night is held.

    A night is held when more than `hold_if_more_than` percent of the customers would rise: rather a broken feed than a
    day on which everybody leaves. The first nights, as many as the longest hold, never are: what has long been so comes
    up for the first time in them, and would hold night after night.
    """
    spec = configurations.judgement(connection, night.judgement)
    book = rule_book(spec.rules, spec.health)
    health = health_of_night(connection, night, spec)
    customers, tier, dormant = health["customer_no"], health["tier"], health["dormant"].astype(bool)
    through = nights.applied_through(connection)
    missed = 0 if through is None else max((night.day - through).days - 1, 0)
    before = signals.live_memory(connection, customers, book)
    after = fold(before, health["rules"], book, dormant=dormant, missed=missed)
    level = level_of_memory(spec, book, after, tier)
    live = warnings.live_warnings(connection)
    moves = _moves(customers, level, dormant, live)
    rising = sum(1 for one in moves.values() if one.what in ("opened", "rose", "returned"))
    is_warm = nights.folded(connection) >= int(book.holds_for.max())
    if is_warm and rising * 100 > spec.levels.hold_if_more_than * len(customers):
        nights.set_state(connection, night, "held")
        return None
    severity = severities(book, tier, spec.tiers.names)
    signals.store_changes(connection, night, spec, book, health, before, after, severity)
    moved = _with_context(connection, night, spec, care, customers, tier, moves, live)
    warnings.store_moves(connection, night, moved, rest=spec.levels.rest, now=now)
    nights.set_applied_through(connection, night.day)
    if not night.reached("applied"):
        nights.set_state(connection, night, "applied")
    return len(moved)


def _moves(
    customers: NDArray[np.int32],
    level: NDArray[np.int16],
    dormant: NDArray[np.bool_],
    live: dict[int, warnings.LiveWarning],
) -> dict[int, Move]:
    """Return the transition of every customer that has one; only those who have a warning or should are looked at."""
    concerned = np.flatnonzero(
        (level > 0) | np.isin(customers, np.fromiter(live, dtype=np.int64, count=len(live)))
    )
    result = {}
    for at in concerned:
        customer = int(customers[at])
        standing = live[customer].standing if customer in live else None
        moved = move(standing, int(level[at]), dormant=bool(dormant[at]))
        if moved is not None:
            result[customer] = moved
    return result


def _with_context(
    connection: Connection,
    night: Night,
    spec: JudgementSpec,
    care: CareSpec,
    customers: NDArray[np.int32],
    tier: NDArray[np.int16],
    moves: dict[int, Move],
    live: dict[int, warnings.LiveWarning],
) -> list[warnings.Moved]:
    """Add to each transition its owner, tier, money at stake and reasons."""
    if not moves:
        return []
    found = warnings.open_signals(connection, list(moves))
    masters = warnings.masters(connection, list(moves), night.knowledge_cut)
    at = np.searchsorted(customers, np.fromiter(moves, dtype=np.int64, count=len(moves)))
    money = _money(connection, night, spec, customers[at])
    return [
        warnings.Moved(
            customer_no=customer,
            warning_no=live[customer].warning_no if customer in live else None,
            move=one,
            owner_id=owner_of(care.people, masters[customer].owner),
            tier=spec.tiers.names[tier[row]],
            value=None if np.isnan(stake) else float(stake),
            reasons=_reasons(spec, found.get(customer, [])),
        )
        for row, stake, (customer, one) in zip(at, money, moves.items(), strict=True)
    ]


def _money(
    connection: Connection, night: Night, spec: JudgementSpec, customers: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return what is at stake with each of the customers, NaN where unknown."""
    money = np.full(len(customers), np.nan)
    if spec.tiers.money is not None:
        known, columns = metrics_of_night(connection, night, spec, customers)
        money[np.isin(customers, known)] = columns[spec.tiers.money]
    return money


def _reasons(spec: JudgementSpec, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {**signal, "text": reason(signal["rule"], spec.rules.get(signal["rule"]), signal["evidence"])}
        for signal in found
    ]
