"""Answer the question: what do tonight's numbers say of each customer?

Night, explain, preview and backtest all call `judge`: the same numbers are always judged the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns, Texts, tier_texts
from carewatch.measure.health import Colour, Scores, overridden, score_all
from carewatch.measure.reads import held_metrics
from carewatch.measure.stages import UNKNOWN_STAGE, asleep, stage_texts, stages
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.stages import STAGE
from carewatch.warn.fold import Memory, Phase
from carewatch.warn.hits import RuleBook, State, floors, hits, rule_book, said_floors
from carewatch.warn.level import levels, severities

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
    stage: NDArray[np.int16]
    states: NDArray[np.int16]
    book: RuleBook


def judge(
    spec: JudgementSpec, columns: Columns, tier: NDArray[np.int16], held_facts: Collection[str] = ()
) -> Judged:
    """Judge a batch from its metric and attribute columns and its tiers (positions in the spec's tiers).

    Of `held_facts` nothing new is known tonight: every metric that reads one is unknown, and a rule that reads such a
    metric neither fires nor clears. The health rules and rules about score and colour are held with any metric that the
    customer's model reads: a score that lost a dimension has moved although the customer has not.
    """
    lost = held_metrics(spec.metrics, held_facts)
    models = spec.health_models
    known: dict[str, NDArray[Any]] = {**columns, "tier": tier_texts(tier, spec.tiers.names)}
    dormant = asleep(spec.stages, known, len(tier))
    # Who would be asleep by a held number may have bought since: neither asleep, which ends a warning, nor judged.
    doubtful = dormant & (not spec.stages.names().isdisjoint(lost))
    dormant = dormant & ~doubtful
    stage = stages(spec.stages, known, dormant, lost)
    known[STAGE] = stage_texts(spec.stages, stage)
    scores = overridden(score_all(models, known, tier, spec.tiers.names, lost), known)
    readable: dict[str, NDArray[Any]] = {
        **known,
        **{name: np.full(len(tier), np.nan) for name in lost},
        "score": scores.score,
        "colour": colour_texts(scores.colour),
    }
    book = rule_book(spec.rules, hold_nights(spec, scores.model))
    undecided = {STAGE} if lost and (stage == UNKNOWN_STAGE).any() else set()
    held = held_scores(spec, scores.model, lost | undecided)
    states = hits(
        book,
        readable,
        floors=said_floors(floors(models, scores, held), scores),
        dormant=dormant,
        held=lost,
        held_facts=held_facts,
        held_scores=held,
    )
    states[doubtful] = State.UNKNOWN
    return Judged(readable, tier, scores, dormant, stage, states, book)


def hold_nights(spec: JudgementSpec, model: NDArray[np.int16]) -> int | NDArray[np.int16]:
    """Return how many nights a colour must last before it acts: one number, or one a customer where models differ."""
    by_model = np.array([one.hold_nights for one in spec.health_models], np.int16)
    return int(by_model[0]) if (by_model == by_model[0]).all() else by_model[model]


def held_scores(spec: JudgementSpec, model: NDArray[np.int16], lost: Collection[str]) -> NDArray[np.bool_]:
    """Return whose score cannot be relied on: one of its metrics is lost, or one by which models are chosen."""
    if any(not one.chosen_by().isdisjoint(lost) for one in spec.models):
        return np.ones(len(model), dtype=bool)
    return np.array([not one.reads().isdisjoint(lost) for one in spec.health_models])[model]


def level_of_hits(spec: JudgementSpec, judged: Judged) -> NDArray[np.int16]:
    """Return the level that tonight's hits alone add up to, without memory (a backtest's `level_basis=hit`)."""
    phase = np.where(judged.states == State.HIT, Phase.OPEN, Phase.NONE).astype(np.int8)
    return levels(spec.levels, judged.book, phase, severities(judged.book, judged.columns))


def level_of_memory(
    spec: JudgementSpec, book: RuleBook, memory: Memory, severity: NDArray[np.int8]
) -> NDArray[np.int16]:
    """Return the level that the open signals add up to at these severities."""
    return levels(spec.levels, book, memory.phase, severity)
