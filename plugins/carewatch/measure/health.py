"""Answer the question: how healthy is each customer, and which numbers made it so?

Scores add column by column in configured order and are rounded to 0.01 before bands, so a customer's score does not
depend on who else is in the batch.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns, Numbers, tier_texts
from carewatch.spec.condition import TRUE, evaluate
from carewatch.spec.health import FurtherModel, HealthModel, Knots, ScoredMetric


class Colour(IntEnum):
    """Health in one word; grey means that too little is known."""

    GREY = 0
    RED = 1
    YELLOW = 2
    GREEN = 3


@dataclass(frozen=True)
class Scores:
    """Health of a batch: score and dimension scores 0 to 100 (NaN unknown), colours, the known share of the weight.

    `model` is the position of the model that judged each customer; `dimensions` are those of that model in its order,
    as wide as the widest model, NaN beyond. `override` is 0, or the colour that a person said; `colour` is then that one.
    """

    score: Numbers
    colour: NDArray[np.int16]
    known_share: Numbers
    dimensions: Numbers
    model: NDArray[np.int16]
    override: NDArray[np.int16]


OVERRIDE: Final = "override"
"""The column of colours that people said, NaN where nobody did."""


def points(values: Numbers, knots: Knots) -> Numbers:
    """Return the points of values: straight between knots, flat outside, NaN stays NaN."""
    at = np.array([knot for knot, _ in knots])
    worth = np.array([worth for _, worth in knots])
    return np.where(np.isnan(values), np.nan, np.interp(values, at, worth))


def metric_points(name: str, scored: ScoredMetric, columns: Columns) -> Numbers:
    """Return a metric's points for each customer; `columns` has the metric, the tier and whatever `by` asks.

    The first condition of `by` that is true decides, else the tier's own points, else the usual ones; missing as the
    model says.
    """
    values = columns[name]
    result = points(values, scored.points)
    for tier, knots in scored.by_tier.items():
        result = np.where(np.asarray(columns["tier"] == tier, dtype=bool), points(values, knots), result)
    for entry in reversed(scored.by):
        result = np.where(evaluate(entry.when, columns) == TRUE, points(values, entry.points), result)
    return result if scored.missing is None else np.where(np.isnan(result), scored.missing, result)


def weighted_mean(parts: list[tuple[float, Numbers]], size: int) -> tuple[Numbers, Numbers]:
    """Return the weighted mean over the known parts and the known share of the weight, added in the given order."""
    total, weight = np.zeros(size), np.zeros(size)
    for share, values in parts:
        known = ~np.isnan(values)
        total += np.where(known, share * np.nan_to_num(values), 0.0)
        weight += np.where(known, share, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight > 0, total / weight, np.nan), weight


def score(
    model: HealthModel,
    columns: Columns,
    tier: NDArray[np.int16],
    tiers: tuple[str, ...],
    held: Collection[str] = (),
) -> Scores:
    """Return the health of every customer of the batch by one model. `tier` holds positions in `tiers`.

    Metrics that are `held` are unknown to everybody; what a model gives for a missing number is not given for them.
    """
    size = len(tier)
    columns = {**columns, "tier": tier_texts(tier, tiers)}
    unknown = np.full(size, np.nan)
    dimensions = np.full((size, len(model.dimensions)), np.nan)
    parts = []
    known_share = np.zeros(size)
    for position, dimension in enumerate(model.dimensions.values()):
        mean, known = weighted_mean(
            [
                (
                    scored.weight,
                    unknown
                    if not scored.asks().isdisjoint(held) or name in held
                    else metric_points(name, scored, columns),
                )
                for name, scored in dimension.metrics.items()
            ],
            size,
        )
        # Half of a dimension's weight must be known, or one stray number would speak for the whole dimension.
        mean = np.where(known >= 0.5 - 1e-9, mean, np.nan)
        dimensions[:, position] = np.round(mean, 2)
        parts.append((dimension.weight, mean))
        known_share += np.where(np.isnan(mean), 0.0, dimension.weight)
    total, _ = weighted_mean(parts, size)
    total = np.round(total, 2)
    grey = np.isnan(total) | (known_share * 100 < model.grey_below - 1e-9)
    colour = np.select(
        [red_alone(model, dimensions), grey, total >= model.bands.green, total >= model.bands.yellow],
        [int(Colour.RED), int(Colour.GREY), int(Colour.GREEN), int(Colour.YELLOW)],
        int(Colour.RED),
    )
    return Scores(
        total, colour.astype(np.int16), np.round(known_share, 6), dimensions, *np.zeros((2, size), np.int16)
    )


def red_alone(model: HealthModel, dimensions: Numbers) -> NDArray[np.bool_]:
    """Return whom one dimension alone makes red: nobody but in the mode `any_red`."""
    if model.mode != "any_red":
        return np.zeros(len(dimensions), dtype=bool)
    return np.asarray((dimensions < model.bands.yellow).any(axis=1))


def choose(models: Sequence[HealthModel], columns: Columns, size: int) -> NDArray[np.int16]:
    """Return the position of each customer's model: the first further one that claims the customer, else 0."""
    chosen = np.zeros(size, np.int16)
    for position in range(len(models) - 1, 0, -1):
        model = models[position]
        assert isinstance(model, FurtherModel)
        chosen[evaluate(model.when, columns) == TRUE] = position
    return chosen


def score_all(
    models: Sequence[HealthModel],
    columns: Columns,
    tier: NDArray[np.int16],
    tiers: tuple[str, ...],
    held: Collection[str] = (),
) -> Scores:
    """Return the health of every customer of the batch, each by the model that claims the customer."""
    if len(models) == 1:
        return score(models[0], columns, tier, tiers, held)
    lost = {name: np.full(len(tier), np.nan) for name in held}
    chosen = choose(models, {**columns, **lost, "tier": tier_texts(tier, tiers)}, len(tier))
    widest = max(len(model.dimensions) for model in models)
    result = Scores(
        np.full(len(tier), np.nan),
        np.zeros(len(tier), np.int16),
        np.zeros(len(tier)),
        np.full((len(tier), widest), np.nan),
        chosen,
        np.zeros(len(tier), np.int16),
    )
    for position, model in enumerate(models):
        rows = np.flatnonzero(chosen == position)
        if not len(rows):
            continue
        read = {name: columns[name][rows] for name in model.reads() if name in columns}
        found = score(model, read, tier[rows], tiers, held)
        result.score[rows], result.colour[rows] = found.score, found.colour
        result.known_share[rows] = found.known_share
        result.dimensions[rows, : len(model.dimensions)] = found.dimensions
    return result


def overridden(scores: Scores, columns: Columns) -> Scores:
    """Return the scores with the colours that people said in place of computed ones; the numbers stay."""
    said = columns.get(OVERRIDE)
    if said is None:
        return scores
    override = np.nan_to_num(said).astype(np.int16)
    return replace(scores, override=override, colour=np.where(override > 0, override, scores.colour))


def tier_of(values: Numbers, cuts: dict[str, float], by: str) -> NDArray[np.int16]:
    """Return each customer's position among the tiers: 0 the best, len(cuts) for everybody the cuts leave over.

    `by` score: the first cut that the value reaches. `by` share: customers ranked by value (ties in batch order); a tier
    ends where its cumulative percent of the scored customers does. A missing value belongs to no cut.
    """
    result = np.full(len(values), len(cuts), dtype=np.int16)
    if by == "score":
        for position, cut in reversed(list(enumerate(cuts.values()))):
            result[values >= cut] = position
        return result
    order = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")
    scored = int(np.sum(~np.isnan(values)))
    ends = [int(np.floor(scored * cut / 100 + 1e-9)) for cut in cuts.values()]
    begin = 0
    for position, end in enumerate(ends):
        result[order[begin:end]] = position
        begin = max(begin, end)
    return result


def risk_of(score: Numbers) -> Numbers:
    """Return the risk from 0 to 1 that a health score stands for, by which warnings are ordered; unknown is not healthy."""
    return np.where(np.isnan(score), 1.0, 1 - score / 100)
