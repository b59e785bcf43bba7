"""Answer the question: how much does each customer matter, and into which classes do customers fall?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns, Numbers, Texts
from carewatch.measure.health import points, tier_of, weighted_mean
from carewatch.spec.condition import TRUE, Condition, evaluate
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.metrics import Metric
from carewatch.spec.rfm import SIDES, Rfm, Side
from carewatch.spec.segments import Segmentation
from carewatch.spec.tiers import HIGH_POTENTIAL, TIER, YES_NO, Tiers


@dataclass(frozen=True)
class Tiered:
    """Classes of a batch: position among the division's classes (0 the first), the value score 0 to 100 (NaN where there
    is none), and who has high potential."""

    tier: NDArray[np.int16]
    value_score: Numbers
    potential: NDArray[np.bool_]


def tier_day(day: date) -> date:
    """Return the last tier day at or before the day: the first of its month."""
    return day.replace(day=1)


def tiers(spec: Tiers, columns: Columns, size: int, day: date) -> Tiered:
    """Return the tier of every customer by the weights of the day: a weighted mean of points, a missing metric earns 0."""
    parts = [
        (weight, np.nan_to_num(points(columns[name], scored.points), nan=scored.missing or 0.0))
        for name, (weight, scored) in spec.weighted(day).items()
    ]
    value_score, _ = weighted_mean(parts, size)
    value_score = np.round(value_score, 2)
    if spec.by == "value":
        assert spec.money is not None
        tier = by_value(columns[spec.money], spec.cuts)
    else:
        tier = tier_of(value_score, spec.cuts, spec.by)
    potential = _holds(spec.potential.when, columns) if spec.potential is not None else np.zeros(size, bool)
    return Tiered(tier, value_score, potential)


def by_value(money: Numbers, cuts: Mapping[str, float]) -> NDArray[np.int16]:
    """Return each customer's position: a tier takes the largest until together they bring its percent of all money.

    Who brings nothing, or nobody knows what, belongs to no cut.
    """
    result = np.full(len(money), len(cuts), dtype=np.int16)
    order, before = _from_the_largest(money)
    for position, cut in reversed(list(enumerate(cuts.values()))):
        result[order[before < cut - 1e-9]] = position
    return result


def _from_the_largest(money: Numbers) -> tuple[NDArray[np.intp], Numbers]:
    """Return who brings money, the largest first (of equals in batch order), and what percent all before them bring."""
    order = np.argsort(-np.nan_to_num(money), kind="stable")
    order = order[np.nan_to_num(money)[order] > 0]
    together = np.cumsum(money[order])
    return order, np.r_[0.0, together[:-1] / together[-1] * 100] if len(order) else np.zeros(0)


@dataclass(frozen=True)
class Concentration:
    """How few bring how much: percent of all money that the largest `share` percent bring, and how many bring `of` percent."""

    customers: int
    total: float
    share: float
    brought: float
    of: float
    needed: int


def concentration(money: Numbers, *, share: float = 20, of: float = 80) -> Concentration:
    """Return how concentrated the money is among those who bring any; the largest `share` percent are rounded up."""
    order, before = _from_the_largest(money)
    total = float(np.nansum(np.where(money > 0, money, 0.0)))
    largest = int(np.ceil(len(order) * share / 100 - 1e-9))
    after = np.r_[before[1:], 100.0] if len(order) else before
    brought = float(after[largest - 1]) if largest else 0.0
    return Concentration(len(order), total, share, brought, of, int((before < of - 1e-9).sum()))


def _holds(condition: Condition, columns: Columns) -> NDArray[np.bool_]:
    return np.asarray(evaluate(condition, columns) == TRUE)


def rfm(spec: Rfm, metrics: Mapping[str, Metric], columns: Columns, size: int) -> NDArray[np.int16]:
    """Return the position of every customer's RFM class."""
    high = [
        _is_high(side, columns[side.metric], lower=metrics[side.metric].better == "lower")
        for side in spec.sides.values()
    ]
    result = np.zeros(size, dtype=np.int16)
    for sides in SIDES:
        here = np.ones(size, dtype=bool)
        for is_high, side in zip(high, sides, strict=True):
            here &= is_high if side == "high" else ~is_high
        result[here] = spec.class_of(sides)
    return result


def _is_high(side: Side, values: Numbers, *, lower: bool) -> NDArray[np.bool_]:
    worth = -values if lower else values
    if side.cut is not None:
        return np.asarray(worth >= (-side.cut if lower else side.cut))
    assert side.best is not None
    return np.asarray(tier_of(worth, {"best": side.best}, "share") == 0)


def segments(spec: Segmentation, columns: Columns, size: int) -> NDArray[np.int16]:
    """Return the position of every customer's segment: the first whose condition is true."""
    result = np.full(size, len(spec.segments), dtype=np.int16)
    for position, segment in reversed(list(enumerate(spec.segments.values()))):
        result[_holds(segment.when, columns)] = position
    return result


def divide(spec: JudgementSpec, name: str, columns: Columns, size: int, day: date) -> Tiered:
    """Return the classes of one of the configured divisions of customers on a tier day."""
    division = spec.divisions()[name]
    if isinstance(division, Tiers):
        return tiers(division, columns, size, day)
    found = (
        rfm(division, spec.metrics, columns, size)
        if isinstance(division, Rfm)
        else segments(division, columns, size)
    )
    return Tiered(found, np.full(size, np.nan), np.zeros(size, dtype=bool))


def treated(spec: Tiers, tiered: Tiered) -> NDArray[np.int16]:
    """Return the tier like which every customer is treated: high potential shields from a worse one."""
    if spec.potential is None:
        return tiered.tier
    shield = np.int16(spec.names.index(spec.potential.shields))
    return np.where(tiered.potential, np.minimum(tiered.tier, shield), tiered.tier)


def class_texts(spec: JudgementSpec, name: str, tiered: Tiered) -> dict[str, NDArray[Any]]:
    """Return what conditions read of a division: the name of each customer's class; of the tiers who has potential."""
    if name == TIER:
        return {HIGH_POTENTIAL: _texts(YES_NO)[np.where(tiered.potential, 0, 1)]}
    return {name: _texts(spec.divisions()[name].names)[tiered.tier]}


def _texts(names: tuple[str, ...]) -> Texts:
    return np.array(names, dtype=object)
