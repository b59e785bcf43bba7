"""Points that rise where the metric says that less is better, or fall where more is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from carewatch.spec.health import Knots, ScoredMetric
from carewatch.spec.lint._finding import Finding, models
from carewatch.spec.parts import Parts
from carewatch.spec.problems import Loc
from carewatch.spec.saying import said


def find(parts: Parts) -> Iterator[Finding]:
    for kind, name, model in models(parts):
        for dimension, content in model.dimensions.items():
            for metric, scored in content.metrics.items():
                yield from _against(
                    kind, name, parts, metric, scored, "dimensions", dimension, "metrics", metric
                )
    for metric, scored in parts.tiers.metrics.items() if parts.tiers is not None else ():
        yield from _against("tiers", "tiers", parts, metric, scored, "metrics", metric)


def _against(
    kind: str, name: str, parts: Parts, metric: str, scored: ScoredMetric, *at: str
) -> Iterator[Finding]:
    better = parts.metrics[metric].better if metric in parts.metrics else "neither"
    listed: list[tuple[Loc, Knots]] = [((*at, "points"), scored.points)]
    listed += [((*at, "by_tier", tier), points) for tier, points in scored.by_tier.items()]
    listed += [((*at, "by", number, "points"), entry.points) for number, entry in enumerate(scored.by)]
    for loc, points in listed:
        falls, rises = _moves(points)
        if better == "higher" and falls and not rises:
            what = said("the points fall as '{metric}' rises, but more of it is better", metric=metric)
            expected = said("points that rise, or better: lower at the metric")
            yield Finding.of(kind, name, what, expected, loc=loc, stops=True)
        if better == "lower" and rises and not falls:
            what = said("the points rise as '{metric}' rises, but less of it is better", metric=metric)
            expected = said("points that fall, or better: higher at the metric")
            yield Finding.of(kind, name, what, expected, loc=loc, stops=True)


def _moves(points: Knots) -> tuple[bool, bool]:
    steps = [after - before for (_, before), (_, after) in pairwise(points)]
    return any(step < 0 for step in steps), any(step > 0 for step in steps)
