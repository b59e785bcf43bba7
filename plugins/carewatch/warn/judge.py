"""Answer the question: what do tonight's numbers say of each customer?

Night, explain, preview and backtest all call `judge`: the same numbers are always judged the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns, Texts
from carewatch.measure.health import Colour, Scores, score
from carewatch.measure.reads import held_metrics
from carewatch.spec.condition import TRUE, evaluate
from carewatch.spec.configuration import JudgementSpec
from carewatch.warn.fold import Memory, Phase
from carewatch.warn.hits import RuleBook, State, hits, rule_book
from carewatch.warn.level import levels, severities, tier_texts

_COLOURS = np.array([colour.name.lower() for colour in Colour], dtype=object)


def colour_texts(colour: NDArray[np.int16]) -> Texts:
    """Return the name of each customer's health colour."""
    return _COLOURS[colour]


@dataclass(frozen=True)
class Judged:
    """A batch of customers after judgement; `columns` is everything that rules could read."""

    columns: Columns
    tier: NDArray[np.int16]
    scores: Scores
    dormant: NDArray[np.bool_]
    states: NDArray[np.int16]
    book: RuleBook


def judge(
    spec: JudgementSpec, columns: Columns, tier: NDArray[np.int16], held_facts: Collection[str] = ()
) -> Judged:
    """Judge a batch from its metric and attribute columns and its tiers (positions in the spec's tiers).

    Of `held_facts` nothing new is known tonight: every metric that reads one is unknown, and a rule that reads such a
    metric neither fires nor clears. The health rules and rules about score and colour are held with any scored metric:
    a score that lost a dimension has moved although the customer has not.
    """
    lost = held_metrics(spec.metrics, held_facts)
    held = lost if lost.isdisjoint(spec.health.metric_names()) else lost | {"score", "colour"}
    scores = score(spec.health, columns, tier, spec.tiers.names, lost)
    asleep = spec.stages.dormant_when
    dormant = evaluate(asleep, columns) == TRUE if asleep is not None else np.zeros(len(tier), dtype=bool)
    # Who would be asleep by a held number may have bought since: neither asleep, which ends a warning, nor judged.
    doubtful = dormant & (not spec.stages.names().isdisjoint(lost))
    dormant = dormant & ~doubtful
    readable: dict[str, NDArray[Any]] = {
        **columns,
        **{name: np.full(len(tier), np.nan) for name in lost},
        "score": scores.score,
        "colour": colour_texts(scores.colour),
        "tier": tier_texts(tier, spec.tiers.names),
    }
    book = rule_book(spec.rules, spec.health)
    grey = scores.colour == Colour.GREY
    states = hits(
        book,
        spec.health,
        readable,
        score=scores.score,
        grey=grey,
        dormant=dormant,
        held=held,
        held_facts=held_facts,
    )
    states[doubtful] = State.UNKNOWN
    return Judged(readable, tier, scores, dormant, states, book)


def level_of_hits(spec: JudgementSpec, judged: Judged) -> NDArray[np.int16]:
    """Return the level that tonight's hits alone add up to, without memory (a backtest's `level_basis=hit`)."""
    phase = np.where(judged.states == State.HIT, Phase.OPEN, Phase.NONE).astype(np.int8)
    return levels(spec.levels, judged.book, phase, severities(judged.book, judged.columns))


def level_of_memory(
    spec: JudgementSpec, book: RuleBook, memory: Memory, severity: NDArray[np.int8]
) -> NDArray[np.int16]:
    """Return the level that the open signals add up to at these severities."""
    return levels(spec.levels, book, memory.phase, severity)
