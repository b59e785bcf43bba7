"""Metrics that nothing reads: no score, tier, stage, rule, text or other metric; the night computes them all the same."""

from __future__ import annotations

from collections.abc import Iterator

from carewatch.spec.condition import names
from carewatch.spec.lint._finding import Finding, models
from carewatch.spec.parts import Parts
from carewatch.spec.saying import joined, said


def find(parts: Parts) -> Iterator[Finding]:
    read: set[str] = {name for _, _, model in models(parts) for name in model.reads()}
    read |= {name for model in parts.models.values() for name in names(model.when)}
    schemes = [*([parts.tiers] if parts.tiers is not None else []), *parts.schemes.values()]
    read |= {scheme.money for scheme in schemes if scheme.money is not None}
    read |= {name for scheme in schemes for name in scheme.reads()}
    read |= {name for division in parts.segments.values() for name in division.reads()}
    read |= parts.rfm.reads() if parts.rfm is not None else frozenset()
    read |= parts.stages.reads() if parts.stages is not None else set()
    for rule in parts.rules.values():
        read |= rule.names() | rule.placeholders() | set(rule.classes())
    for metric in parts.metrics.values():
        read |= {part for _, part in metric.parts()}
    unused = [name for name in parts.metrics if name not in read]
    if unused:
        listed = joined(", ", sorted(unused))
        what = said("nothing reads these metrics, but every night computes them: {names}", names=listed)
        yield Finding.of(
            "metrics", unused[0], what, said("rules or scores that read them, or the metrics left out")
        )
