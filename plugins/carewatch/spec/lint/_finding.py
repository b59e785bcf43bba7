"""Answer the question: what is a finding, and what do finders know of the names in conditions?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from carewatch.spec.condition import Condition, comparisons
from carewatch.spec.condition.logic import Domain, Ground
from carewatch.spec.health import HealthModel
from carewatch.spec.metric_kinds import Measure
from carewatch.spec.metrics import Metric
from carewatch.spec.parts import Parts
from carewatch.spec.problems import Loc, SpecProblem
from carewatch.spec.rules import REASON, REASONS, Rule

COLOURS = ("green", "yellow", "red", "grey")
_COUNTED = (Measure.COUNT, Measure.DISTINCT, Measure.DAYS_SINCE, Measure.IN_A_ROW, Measure.FALLING)
_WHOLE_OF_OPEN = ("count", "days_over", "days_left", "age")


@dataclass(frozen=True)
class Finding:
    """What is found in a thing (a rule, a playbook, or a whole file), and whether it stops the configuration."""

    kind: str
    name: str
    problem: SpecProblem
    stops: bool = False

    @classmethod
    def of(
        cls, kind: str, name: str, what: str, expected: str | None = None, *, loc: Loc = (), at_key: bool = True,
        column_offset: int = 0, stops: bool = False,
    ) -> Finding:  # fmt: skip
        """Return a finding at a place below the thing; `expected` says what to write instead."""
        problem = SpecProblem(what, expected=expected, loc=loc, at_key=at_key, column_offset=column_offset)
        return cls(kind, name, problem, stops)


def models(parts: Parts) -> Iterator[tuple[str, str, HealthModel]]:
    """Yield every health model with the kind and name of its file."""
    if parts.health is not None:
        yield "health", "health", parts.health
    yield from (("models", name, model) for name, model in parts.models.items())


def conditions(rule: Rule) -> Iterator[tuple[str, Condition]]:
    """Yield what people wrote as conditions of a rule, by key."""
    for key in ("when", "unless", "clears_if"):
        condition = getattr(rule, key)
        if condition is not None and key in rule.model_fields_set:
            yield key, condition


def ground(parts: Parts) -> Ground:
    """Return what is known of every name's values: counts are not negative, a tier is one of the firm's."""
    words = {"colour": COLOURS, "tier": parts.tier_names, REASON: REASONS}

    def known(name: str) -> Domain:
        if name == "score":
            return Domain(low=0, low_in=True, high=100, high_in=True)
        if words.get(name):
            return Domain(only=frozenset(words[name] or ()))
        metric = parts.metrics.get(name)
        if metric is not None and metric.kind in _COUNTED:
            return Domain(low=0, low_in=True)
        return Domain()

    return known


def is_whole(metric: Metric | None) -> bool:
    """Return whether a metric's values are whole numbers."""
    if metric is None or metric.per != 1:
        return False
    return metric.kind in _COUNTED or (metric.kind is Measure.OPEN and metric.part in _WHOLE_OF_OPEN)


def first_place(condition: Condition) -> Loc:
    """Return the path to a condition's first comparison."""
    return next(loc for loc, _ in comparisons(condition))
