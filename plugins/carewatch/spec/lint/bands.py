"""Colours that no customer can have, because the points never make so low or so high a score."""

from __future__ import annotations

from collections.abc import Iterator

from carewatch.spec.health import HealthModel, ScoredMetric
from carewatch.spec.lint._finding import Finding, models
from carewatch.spec.parts import Parts
from carewatch.spec.saying import said


def find(parts: Parts) -> Iterator[Finding]:
    for kind, name, model in models(parts):
        lowest, highest = _reach(model)
        if highest < model.bands.green:
            what = said("nobody can be green: the best score that the points allow is {best:g}", best=highest)
            expected = said("at most {best:g}, or points up to 100", best=highest)
            yield Finding.of(kind, name, what, expected, loc=("bands", "green"), stops=True)
        if lowest >= model.bands.yellow:
            what = said("nobody can be red: the worst score that the points allow is {worst:g}", worst=lowest)
            expected = said("more than {worst:g}, or points down to 0", worst=lowest)
            yield Finding.of(kind, name, what, expected, loc=("bands", "yellow"))


def _reach(model: HealthModel) -> tuple[float, float]:
    """Return the lowest and highest score that the points allow when everything is known."""
    ends = [
        (content.weight * scored.weight, *_ends(scored))
        for content in model.dimensions.values()
        for scored in content.metrics.values()
    ]
    return tuple(round(sum(weight * pair[at] for weight, *pair in ends), 2) for at in (0, 1))  # type: ignore[return-value]


def _ends(scored: ScoredMetric) -> tuple[float, float]:
    earned = [points for knots in scored.every_points() for _, points in knots]
    earned += [scored.missing] if scored.missing is not None else []
    return min(earned), max(earned)
