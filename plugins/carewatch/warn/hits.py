"""Answer the question: which rules' conditions hold tonight, for which customers?

Memoryless: a rule's state tonight depends on tonight's numbers alone. The health colour takes part as two rules of its
own, so that it has the same memory as any other: `health_yellow` (below green) and `health_red` (below yellow).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns, Numbers, Texts
from carewatch.spec.condition import FALSE, TRUE, evaluate
from carewatch.spec.event import DAYS_SINCE_EVENT
from carewatch.spec.health import Health
from carewatch.spec.rules import REASON, Rule

HEALTH_YELLOW: Final = "health_yellow"
HEALTH_RED: Final = "health_red"
HEALTH_RULES: Final = (HEALTH_YELLOW, HEALTH_RED)


class State(IntEnum):
    """What a rule says of a customer tonight."""

    UNKNOWN = -1
    CLEAR = 0
    HIT = 1
    LINGERING = 2
    """Neither true nor cleared: between the rule's condition and its `clears_if`."""
    COVERED = 3
    """True and excused: by `unless`, or by a reasonable reason for the rule's indicator."""


@dataclass(frozen=True)
class RuleBook:
    """The rules in order, as arrays: position r of every array belongs to `names[r]`."""

    names: tuple[str, ...]
    holds_for: NDArray[np.int16]
    clears_after: NDArray[np.int16]
    rules: Mapping[str, Rule]

    def number(self, name: str) -> int:
        return self.names.index(name)


def rule_book(rules: Mapping[str, Rule], health: Health) -> RuleBook:
    """Return the configured rules in order, the two health rules last."""
    names = (*rules, *HEALTH_RULES)
    holds = [rule.holds_for for rule in rules.values()] + [health.hold_nights] * 2
    clears = [rule.clears_after for rule in rules.values()] + [health.hold_nights] * 2
    return RuleBook(
        names, np.array(holds, np.int16), np.array(clears, np.int16), MappingProxyType(dict(rules))
    )


def reason_column(indicator: str) -> str:
    """Return the name of the column of reasonable reasons for one indicator; `reason` holds those for any."""
    return f"{REASON}.{indicator}"


def reasons_of(rule: Rule, columns: Columns) -> tuple[Texts, Texts]:
    """Return each customer's reason in force for the rule's indicator, and the one that its `unless` reads.

    A reason for any indicator excuses only rules that ask for it.
    """
    nobody = np.full(_rows(columns), None, dtype=object)
    named = columns.get(reason_column(rule.counts_as), nobody)
    anyhow = columns.get(REASON, nobody)
    return named, np.where(named != np.array(None), named, anyhow)


def _rows(columns: Columns) -> int:
    return len(next(iter(columns.values())))


def covered(rule: Rule, columns: Columns) -> NDArray[np.bool_]:
    """Return which customers are excused from the rule."""
    named, asked = reasons_of(rule, columns)
    excused = np.asarray(named != np.array(None), dtype=bool)
    if rule.unless is not None:
        excused |= evaluate(rule.unless, {**columns, REASON: asked}) == TRUE
    return excused


def event_column(name: str) -> str:
    """Return the name of the column of days since the newest event that an event rule waits for."""
    return f"{DAYS_SINCE_EVENT}.{name}"


def severity_column(name: str) -> str:
    """Return the name of the column of the severities that events say of themselves."""
    return f"severity.{name}"


def read_by(name: str, rule: Rule, columns: Columns) -> Columns:
    """Return the columns as the rule sees them: an event rule knows the days since its own event."""
    return {**columns, DAYS_SINCE_EVENT: columns[event_column(name)]} if rule.on == "event" else columns


def rule_state(rule: Rule, columns: Columns) -> NDArray[np.int16]:
    """Return the rule's state for every customer; without an event an event rule is clear."""
    hit = evaluate(rule.when, columns)
    if rule.on == "event":
        hit = np.where(np.isnan(columns[DAYS_SINCE_EVENT]), FALSE, hit)
    state = np.where(hit == TRUE, State.HIT, np.where(hit == FALSE, State.CLEAR, State.UNKNOWN))
    if rule.clears_if is not None:
        cleared = evaluate(rule.clears_if, columns)
        lingering = np.where(
            cleared == TRUE, State.CLEAR, np.where(cleared == FALSE, State.LINGERING, State.UNKNOWN)
        )
        state = np.where(state == State.CLEAR, lingering, state)
    state = np.where((state == State.HIT) & covered(rule, columns), State.COVERED, state)
    return state.astype(np.int16)


def floor_state(score: Numbers, grey: NDArray[np.bool_], band: float, margin: float) -> NDArray[np.int16]:
    """Return the state of "the score is below the band", cleared `margin` points above it; grey is unknown."""
    clear_at = min(band + margin, 100.0)
    known = np.where(score < band, State.HIT, np.where(score >= clear_at, State.CLEAR, State.LINGERING))
    return np.where(grey | np.isnan(score), State.UNKNOWN, known).astype(np.int16)


def hits(
    book: RuleBook,
    health: Health,
    columns: Columns,
    *,
    score: Numbers,
    grey: NDArray[np.bool_],
    dormant: NDArray[np.bool_],
    held: Collection[str] = (),
    held_facts: Collection[str] = (),
) -> NDArray[np.int16]:
    """Return the states of all rules, customers x rules in the book's order; a dormant customer is clear of all.

    A rule that reads a `held` name or waits for a held fact is unknown as a whole, also where another clause alone would decide; so are the
    health rules when `score` is held.
    """
    states = np.empty((len(score), len(book.names)), dtype=np.int16)
    for position, (name, rule) in enumerate(book.rules.items()):
        frozen = not rule.names().isdisjoint(held) or rule.fact in held_facts
        states[:, position] = State.UNKNOWN if frozen else rule_state(rule, read_by(name, rule, columns))
    grey = grey | ("score" in held)
    states[:, -2] = floor_state(score, grey, health.bands.green, health.margin)
    states[:, -1] = floor_state(score, grey, health.bands.yellow, health.margin)
    states[dormant] = State.CLEAR
    return states
