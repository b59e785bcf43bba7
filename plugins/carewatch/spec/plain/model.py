"""Answer the question: what does a health model say?"""

from __future__ import annotations

from collections.abc import Iterator

from carewatch.spec.condition.tree import number_text
from carewatch.spec.health import FurtherModel, HealthModel, Knots
from carewatch.spec.plain.words import Words


def model_sentences(model: HealthModel, words: Words) -> Iterator[str]:
    """Yield the sentences of a health model."""
    if isinstance(model, FurtherModel):
        yield words.say("Judges customers of whom this holds: {when}.", when=words.condition(model.when))
    else:
        yield words.say("Judges every customer whom no other model claims.")
    for dimension in model.dimensions.values():
        yield words.say(
            "{dimension} weighs {weight:.0%}:", dimension=words.text(dimension.label), weight=dimension.weight
        )
        for name, scored in dimension.metrics.items():
            yield words.say(
                "- {metric}, {weight:.0%} of it: {points}.",
                metric=words.name(name), weight=scored.weight, points=_points(name, scored.points, words),
            )  # fmt: skip
            for tier, points in scored.by_tier.items():
                yield words.say(
                    "  - for tier {tier}: {points}.", tier=tier, points=_points(name, points, words)
                )
            for entry in scored.by:
                when, earned = words.condition(entry.when), _points(name, entry.points, words)
                yield words.say("  - where {when}: {points}.", when=when, points=earned)
    yield words.say(
        "Green from {green:g} points on, yellow from {yellow:g}, red below; grey when less than {known:g} % is known.",
        green=model.bands.green, yellow=model.bands.yellow, known=model.grey_below,
    )  # fmt: skip
    if model.mode == "any_red":
        yield words.say("One red dimension makes the customer red.")


def _points(name: str, knots: Knots, words: Words) -> str:
    return words.list(
        words.say("{value} earns {points}", value=words.value(name, value), points=number_text(points))
        for value, points in knots
    )
