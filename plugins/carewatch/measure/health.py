"""Answer the question: how healthy is each customer, and which numbers made it so?

Scores add column by column in configured order and are rounded to 0.01 before bands, so a customer's score does not
depend on who else is in the batch.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns, Numbers
from carewatch.spec.health import Health, Knots, ScoredMetric


class Colour(IntEnum):
    """Health in one word; grey means that too little is known."""

    GREY = 0
    RED = 1
    YELLOW = 2
    GREEN = 3


@dataclass(frozen=True)
class Scores:
    """Health of a batch: score and dimension scores 0 to 100 (NaN unknown), colours, the known share of the weight."""

    score: Numbers
    colour: NDArray[np.int16]
    known_share: Numbers
    dimensions: Numbers


def points(values: Numbers, knots: Knots) -> Numbers:
    """Return the points of values: straight between knots, flat outside, NaN stays NaN."""
    at = np.array([knot for knot, _ in knots])
    worth = np.array([worth for _, worth in knots])
    return np.where(np.isnan(values), np.nan, np.interp(values, at, worth))


def metric_points(
    scored: ScoredMetric, values: Numbers, tier: NDArray[np.int16], tiers: tuple[str, ...]
) -> Numbers:
    """Return a metric's points for each customer: by its tier's knots where given; missing as the model says."""
    result = points(values, scored.points)
    for name, knots in scored.by_tier.items():
        result = np.where(tier == tiers.index(name), points(values, knots), result)
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
    model: Health,
    columns: Columns,
    tier: NDArray[np.int16],
    tiers: tuple[str, ...],
    held: Collection[str] = (),
) -> Scores:
    """Return the health of every customer of the batch. `tier` holds positions in `tiers`.

    Metrics that are `held` are unknown to everybody; what a model gives for a missing number is not given for them.
    """
    size = len(tier)
    unknown = np.full(size, np.nan)
    dimensions = np.full((size, len(model.dimensions)), np.nan)
    parts = []
    known_share = np.zeros(size)
    for position, dimension in enumerate(model.dimensions.values()):
        mean, known = weighted_mean(
            [
                (
                    scored.weight,
                    unknown if name in held else metric_points(scored, columns[name], tier, tiers),
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
        [grey, total >= model.bands.green, total >= model.bands.yellow],
        [int(Colour.GREY), int(Colour.GREEN), int(Colour.YELLOW)],
        int(Colour.RED),
    )
    return Scores(total, colour.astype(np.int16), np.round(known_share, 6), dimensions)


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
