"""Answer the question: which rules' conditions hold tonight, for which customers?

Memoryless: a rule's state tonight depends on tonight's numbers alone. The health colour takes part as two rules of its
own, so that it has the same memory as any other: `health_yellow` (below green) and `health_red` (below yellow).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns, Numbers, Texts
from carewatch.measure.health import Colour, Scores
from carewatch.spec.condition import FALSE, TRUE, evaluate
from carewatch.spec.event import DAYS_SINCE_EVENT
from carewatch.spec.health import HealthModel
from carewatch.spec.rules import REASON, Rule

HEALTH_YELLOW: Final = "health_yellow"
HEALTH_RED: Final = "health_red"
HEALTH_RULES: Final = (HEALTH_YELLOW, HEALTH_RED)
SCORED: Final = ("score", "colour")
"""What rules may read of a customer's health."""


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
    """The rules in order, as arrays: position r of every array belongs to `names[r]`.

    Holds are the same for everybody, or one row a customer where health models hold for different times.
    """

    names: tuple[str, ...]
    holds_for: NDArray[np.int16]
    clears_after: NDArray[np.int16]
    rules: Mapping[str, Rule]

    def number(self, name: str) -> int:
        return self.names.index(name)


def rule_book(rules: Mapping[str, Rule], hold_nights: int | NDArray[np.int16]) -> RuleBook:
    """Return the configured rules in order, the two health rules last with their hold, of everybody or of each."""
    names = (*rules, *HEALTH_RULES)
    health = np.asarray(hold_nights, np.int16)[..., None].repeat(len(HEALTH_RULES), axis=-1)
    holds, clears = (
        np.concatenate([np.broadcast_to(np.array(own, np.int16), (*health.shape[:-1], len(own))), health], axis=-1)
        for own in ([rule.holds_for for rule in rules.values()], [rule.clears_after for rule in rules.values()])
    )  # fmt: skip
    return RuleBook(names, holds, clears, MappingProxyType(dict(rules)))


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


def floors(models: Sequence[HealthModel], scores: Scores, held: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Return the states of the two health rules, each customer by the bands and the margin of its own model.

    They are unknown where the score is `held`. In the mode `any_red` the worst dimension acts like the score on red.
    """
    states = np.empty((len(scores.score), len(HEALTH_RULES)), dtype=np.int16)
    for position, model in enumerate(models):
        mine = np.flatnonzero(scores.model == position)
        score, dimensions = scores.score[mine], scores.dimensions[mine]
        grey = scores.colour[mine] == Colour.GREY
        yellow = floor_state(score, grey, model.bands.green, model.margin)
        red = floor_state(score, grey, model.bands.yellow, model.margin)
        if model.mode == "any_red":
            alone = floor_state(np.fmin.reduce(dimensions, axis=1), grey, model.bands.yellow, model.margin)
            yellow, red = _either(yellow, alone), _either(red, alone)
        states[mine] = np.stack([yellow, red], axis=1)
    states[held] = State.UNKNOWN
    return states


def said_floors(states: NDArray[np.int16], scores: Scores) -> NDArray[np.int16]:
    """Return the states of the two health rules where a person's word stands for the colour."""
    by_colour = np.array(
        [
            [State.UNKNOWN, State.UNKNOWN],
            [State.HIT, State.HIT],
            [State.HIT, State.CLEAR],
            [State.CLEAR, State.CLEAR],
        ],
        np.int16,
    )
    return np.where((scores.override > 0)[:, None], by_colour[scores.override], states)


def _either(one: NDArray[np.int16], other: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the state of a rule that is true when one of two is, and cleared when both are."""
    hit = (one == State.HIT) | (other == State.HIT)
    clear = (one == State.CLEAR) & (other == State.CLEAR)
    unknown = (one == State.UNKNOWN) | (other == State.UNKNOWN)
    return np.select([hit, unknown, clear], [State.HIT, State.UNKNOWN, State.CLEAR], State.LINGERING).astype(
        np.int16
    )


def hits(
    book: RuleBook,
    columns: Columns,
    *,
    floors: NDArray[np.int16],
    dormant: NDArray[np.bool_],
    held: Collection[str] = (),
    held_facts: Collection[str] = (),
    held_scores: NDArray[np.bool_] | None = None,
) -> NDArray[np.int16]:
    """Return the states of all rules, customers x rules in the book's order; a dormant customer is clear of all.

    A rule that reads a `held` name or waits for a held fact is unknown as a whole, also where another clause alone would
    decide; so is one that reads score or colour for the customers whose score is held. `floors` are the states of the
    health rules.
    """
    states = np.empty((len(dormant), len(book.names)), dtype=np.int16)
    for position, (name, rule) in enumerate(book.rules.items()):
        frozen = not rule.names().isdisjoint(held) or rule.fact in held_facts
        states[:, position] = State.UNKNOWN if frozen else rule_state(rule, read_by(name, rule, columns))
        if held_scores is not None and not rule.names().isdisjoint(SCORED):
            states[held_scores, position] = State.UNKNOWN
    states[:, -len(HEALTH_RULES) :] = floors
    states[dormant] = State.CLEAR
    return states
