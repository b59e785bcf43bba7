"""Turn levels into transitions of warnings, with owner, tier, money at stake and reasons: for nights and for the clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.care.owners import owner_of
from carewatch.measure.cut import Cut
from carewatch.spec.configuration import CareSpec, JudgementSpec
from carewatch.spec.rules import Priority
from carewatch.store import live_warnings as warnings
from carewatch.store.database import Connection
from carewatch.store.live_warnings import LiveWarning, Moved
from carewatch.warn.life import Move, move
from carewatch.warn.reasons import hidden_by, reason


@dataclass(frozen=True)
class Judgement:
    """What a moment says of customers, in order of their numbers; `risk` is from 0 to 1."""

    customers: NDArray[np.int32]
    level: NDArray[np.int16]
    priority: NDArray[np.int8]
    tier: NDArray[np.int16]
    risk: NDArray[np.float64]
    money: NDArray[np.float64]
    dormant: NDArray[np.bool_]


def moves_of(
    found: Judgement, live: dict[int, LiveWarning], spec: JudgementSpec, day: date
) -> dict[int, Move]:
    """Return the transition of every customer that has one; only those who have a warning or should are looked at."""
    of_events = frozenset(spec.event_rules())
    warned = np.isin(found.customers, np.fromiter(live, dtype=np.int64, count=len(live)))
    result = {}
    for at in np.flatnonzero((found.level > 0) | warned):
        customer = int(found.customers[at])
        warning = live.get(customer)
        moved = move(
            warning.standing if warning is not None else None,
            int(found.level[at]),
            dormant=bool(found.dormant[at]),
            priority=int(found.priority[at]),
            outlived=warning is not None and (day - warning.changed_day).days >= spec.levels.expire_after,
            of_events=warning is not None and bool(warning.rules) and warning.rules <= of_events,
        )
        if moved is not None:
            result[customer] = moved
    return result


def rising(moves: dict[int, Move]) -> int:
    """Return how many customers the transitions lift."""
    return sum(rising_levels(moves).values())


def rising_levels(moves: dict[int, Move]) -> dict[str, int]:
    """Return by level how many customers the transitions lift to it, the highest first."""
    lifted = Counter(one.level for one in moves.values() if one.what in ("opened", "rose", "returned"))
    return {str(level): lifted[level] for level in sorted(lifted, reverse=True)}


def with_context(
    connection: Connection,
    spec: JudgementSpec,
    care: CareSpec,
    cut: Cut,
    found: Judgement,
    moves: dict[int, Move],
    live: dict[int, LiveWarning],
) -> list[Moved]:
    """Add to each transition its owner, tier, risk, money at stake and reasons."""
    if not moves:
        return []
    signals = warnings.open_signals(connection, list(moves), cut.day)
    masters = warnings.masters(connection, list(moves), cut.knowledge_cut)
    at = np.searchsorted(found.customers, np.fromiter(moves, dtype=np.int64, count=len(moves)))
    return [
        Moved(
            customer_no=customer,
            warning_no=live[customer].warning_no if customer in live else None,
            move=one,
            owner_id=owner_of(care.people, masters[customer].owner),
            tier=spec.tiers.names[found.tier[row]],
            priority=list(Priority)[one.priority],
            risk=float(found.risk[row]),
            value=None if np.isnan(found.money[row]) else float(found.money[row]),
            reasons=_reasons(spec, signals.get(customer, [])),
        )
        for row, (customer, one) in zip(at, moves.items(), strict=True)
    ]


def _reasons(spec: JudgementSpec, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    hiding = hidden_by(spec.rules, [signal["rule"] for signal in found])
    return [
        {
            **signal,
            "text": reason(signal["rule"], spec.rules.get(signal["rule"]), signal["evidence"]),
            **({"hidden_by": hiding[signal["rule"]]} if signal["rule"] in hiding else {}),
        }
        for signal in found
    ]
