"""Answer the question: how many points does each number cost a customer, and which change would bring it back to green?

Both look at one customer and at what is known of it: as long as the same numbers are known, the score is a sum of shares,
so that what each metric costs adds up, and what one of them must earn can be read off its points backwards.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from carewatch.measure.columns import Columns
from carewatch.measure.health import Scores, metric_points
from carewatch.spec.condition import TRUE, evaluate
from carewatch.spec.health import HealthModel, Knots, ScoredMetric
from carewatch.spec.metric_kinds import Measure
from carewatch.spec.metrics import Metric

_NOISE = 1e-9
_WHOLE = frozenset({Measure.COUNT, Measure.DISTINCT, Measure.DAYS_SINCE, Measure.IN_A_ROW, Measure.FALLING})
_WHOLE_PARTS = frozenset({"count", "days_over", "days_left", "age", "gap", "rank"})


@dataclass(frozen=True)
class Weighed:
    """A scored metric of one customer: its value and points (NaN: unknown), its share of the whole score, what it costs.

    `share` is 0 where it does not count: unknown, or in a dimension of which too little is known; `inside` is its share of
    its dimension. `lost` are points of the score in hundredths; those of all metrics add up to what the score lacks to 100.
    """

    dimension: str
    metric: str
    value: float
    points: float
    knots: Knots
    share: float = 0.0
    inside: float = 0.0
    lost: float = 0.0


@dataclass(frozen=True)
class Change:
    """What a number would have to become; `gain` is what that adds to the score."""

    dimension: str
    metric: str
    now: float
    value: float
    bound: Literal["at_least", "at_most", "about"]
    gain: float


@dataclass(frozen=True)
class _Need:
    """A mean that must reach a goal: the weight of each metric in it, by position."""

    weights: Mapping[int, float]
    goal: float

    def missing(self, points: Sequence[float]) -> float:
        """Return how much is missing to the goal, 0 where the mean reaches it when rounded as scores are."""
        mean = sum(weight * points[at] for at, weight in self.weights.items())
        reached = float(np.round(mean, 2)) >= self.goal
        return 0.0 if reached else math.ceil(self.goal * 100 - _NOISE) / 100 - mean


def weigh(model: HealthModel, columns: Columns, scores: Scores, held: Collection[str] = ()) -> list[Weighed]:
    """Return what each scored metric costs the one customer of the columns, in the model's order.

    `columns` has the tier and whatever decides about points; of `held` names nothing is known.
    """
    seen = []
    for name, dimension in model.dimensions.items():
        for metric, scored in dimension.metrics.items():
            lost = metric in held or not scored.asks().isdisjoint(held)
            points = math.nan if lost else float(metric_points(metric, scored, columns)[0])
            seen.append(Weighed(name, metric, float(columns[metric][0]), points, knots_of(scored, columns)))
    counted = {
        name: dimension.weight
        for position, (name, dimension) in enumerate(model.dimensions.items())
        if not np.isnan(scores.dimensions[0, position])
    }
    known: dict[str, float] = defaultdict(float)
    for one in seen:
        if not math.isnan(one.points):
            known[one.dimension] += model.dimensions[one.dimension].metrics[one.metric].weight
    for at, one in enumerate(seen):
        if one.dimension in counted and not math.isnan(one.points):
            inside = model.dimensions[one.dimension].metrics[one.metric].weight / known[one.dimension]
            share = counted[one.dimension] / sum(counted.values()) * inside
            seen[at] = replace(one, share=share, inside=inside)
    return _costed(seen, float(scores.score[0]))


def knots_of(scored: ScoredMetric, columns: Columns) -> Knots:
    """Return by which knots the one customer of the columns earns points."""
    for entry in scored.by:
        if evaluate(entry.when, columns)[0] == TRUE:
            return entry.points
    return scored.by_tier.get(str(columns["tier"][0]), scored.points)


def _costed(weighed: list[Weighed], score: float) -> list[Weighed]:
    """Round costs to hundredths so that they add up to what the stored score lacks: the largest remainders round up."""
    if math.isnan(score):
        return weighed
    exact = [one.share * (100 - one.points) * 100 if one.share else 0.0 for one in weighed]
    floors = [math.floor(cost + _NOISE) for cost in exact]
    missing = round((100 - score) * 100) - sum(floors)
    by_remainder = sorted(range(len(exact)), key=lambda at: floors[at] - exact[at])
    for at in by_remainder[:missing]:
        floors[at] += 1
    return [replace(one, lost=cost / 100) for one, cost in zip(weighed, floors, strict=True)]


def single_changes(
    weighed: Sequence[Weighed], model: HealthModel, metrics: Mapping[str, Metric]
) -> list[Change]:
    """Return, for each metric that can do it alone, the smallest change that makes the score green; the others stay.

    What could gain the most comes first.
    """
    points = [one.points for one in weighed]
    unmet = [need for need in _needs(weighed, model) if need.missing(points)]
    changes = []
    for at in _movable(weighed) if unmet else ():
        if all(at in need.weights for need in unmet):
            wanted = max(points[at] + need.missing(points) / need.weights[at] for need in unmet)
            changes.append(_earn(weighed[at], wanted, metrics[weighed[at].metric]))
    return [change for change in changes if change is not None]


def joint_changes(
    weighed: Sequence[Weighed], model: HealthModel, metrics: Mapping[str, Metric]
) -> list[Change]:
    """Return few changes (the fewest, but in the mode `any_red`) that together make the score green; none if none do.

    What can gain the most goes first and becomes as good as its points allow, the last one only as good as is needed.
    """
    points = [one.points for one in weighed]
    changes: dict[int, Change] = {}
    for need in _needs(weighed, model):
        for at in _movable(weighed):
            missing, one = need.missing(points), weighed[at]
            if not missing:
                break
            if at not in need.weights:
                continue
            wanted = min(points[at] + missing / need.weights[at], _best(one))
            change = _earn(one, wanted, metrics[one.metric]) if wanted > points[at] + _NOISE else None
            if change is not None:
                changes[at], points[at] = change, _worth(change.value, one.knots)
        if need.missing(points):
            return []
    return list(changes.values())


def _needs(weighed: Sequence[Weighed], model: HealthModel) -> list[_Need]:
    """Return what must be reached to be green: in the mode `any_red` no dimension below yellow, and always the score."""
    counting = [(at, one) for at, one in enumerate(weighed) if one.share]
    needs = []
    if model.mode == "any_red":
        for name in dict.fromkeys(one.dimension for _, one in counting):
            inside = {at: one.inside for at, one in counting if one.dimension == name}
            needs.append(_Need(inside, model.bands.yellow))
    return [*needs, _Need({at: one.share for at, one in counting}, model.bands.green)] if counting else []


def _best(one: Weighed) -> float:
    return max(worth for _, worth in one.knots)


def _movable(weighed: Sequence[Weighed]) -> list[int]:
    """Return the positions of what counts, is known and could earn more, the largest possible gain first."""
    able = [
        at
        for at, one in enumerate(weighed)
        if one.share and not math.isnan(one.value) and _best(one) > one.points + _NOISE
    ]
    return sorted(able, key=lambda at: -weighed[at].share * (_best(weighed[at]) - weighed[at].points))


def _earn(one: Weighed, wanted: float, metric: Metric) -> Change | None:
    """Return the nearest value, as people would say it, that earns the wanted points; None when no value does."""
    edges = sorted(_edges(one.knots, wanted), key=lambda edge: abs(edge - one.value))
    for edge in edges:
        for value in _sayable(edge, one.value, whole=_is_whole(metric)):
            earned = _worth(value, one.knots)
            if earned >= wanted - _NOISE:
                gain = one.share * (earned - one.points)
                return Change(one.dimension, one.metric, one.value, value, _bound(value, one, wanted), gain)
    return None


def _edges(knots: Knots, wanted: float) -> Iterator[float]:
    """Yield the values at which the points reach what is wanted: inside a stretch that crosses it, and at good knots."""
    for (left, low), (right, high) in pairwise(knots):
        if min(low, high) < wanted < max(low, high):
            yield left + (wanted - low) * (right - left) / (high - low)
    yield from (at for at, worth in knots if worth >= wanted - _NOISE)


def _sayable(edge: float, now: float, *, whole: bool) -> Iterator[float]:
    """Yield a value beyond the edge with three digits (whole where only whole numbers occur), then the edge itself."""
    size = 10.0 ** (math.floor(math.log10(abs(edge))) - 2) if edge else 0.01
    step = max(size, 1.0) if whole else max(size, 0.01)
    rounded = math.ceil if edge > now else math.floor
    yield round(rounded(edge / step - math.copysign(_NOISE, edge - now)) * step, 9)
    if not whole or float(edge).is_integer():
        yield edge


def _worth(value: float, knots: Knots) -> float:
    return float(np.interp(value, [at for at, _ in knots], [worth for _, worth in knots]))


def _bound(value: float, one: Weighed, wanted: float) -> Literal["at_least", "at_most", "about"]:
    """Say whether everything beyond the value is good enough as well."""
    up = value > one.value
    beyond = [worth for at, worth in one.knots if (at >= value if up else at <= value)]
    if any(worth < wanted - _NOISE for worth in beyond):
        return "about"
    return "at_least" if up else "at_most"


def _is_whole(metric: Metric) -> bool:
    return metric.per == 1 and (
        metric.kind in _WHOLE or (metric.kind is Measure.OPEN and metric.part in _WHOLE_PARTS)
    )
