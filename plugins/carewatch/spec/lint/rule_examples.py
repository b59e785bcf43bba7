"""Rules without examples, and examples that try only one side of a boundary."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from carewatch.spec.condition import FALSE, TRUE, Comparison, comparisons, evaluate
from carewatch.spec.condition.tree import Op, Ref
from carewatch.spec.lint._finding import Finding
from carewatch.spec.parts import Parts
from carewatch.spec.rules import Rule
from carewatch.spec.saying import said

_ORDERED = (Op.LT, Op.LE, Op.GT, Op.GE)


def find(parts: Parts) -> Iterator[Finding]:
    for name, rule in parts.rules.items():
        if not rule.examples:
            what = said("the rule has no example: nobody has tried it")
            expected = said("examples: one that fires and one that does not, next to the boundary")
            yield Finding.of("warnings", name, what, expected)
            continue
        came = {example.fires for example in rule.examples}
        for fires in (True, False):
            if fires not in came:
                what = said("no example fires") if fires else said("every example fires")
                expected = said("an example with fires: {fires}", fires=str(fires).lower())
                yield Finding.of("warnings", name, what, expected, loc=("examples",))
        if came >= {True, False}:
            yield from _one_sided(name, rule)


def _one_sided(name: str, rule: Rule) -> Iterator[Finding]:
    for loc, comparison in comparisons(rule.when) if "when" in rule.model_fields_set else ():
        if comparison.op not in _ORDERED or isinstance(comparison.value, Ref):
            continue
        given = [example.given.get(comparison.name) for example in rule.examples]
        came = {_truth(comparison, value) for value in given if isinstance(value, float | int)}
        if not {TRUE, FALSE} <= came:
            missing = said("is true") if TRUE not in came else said("is false")
            what = said("no example tries where '{line}' {missing}", line=comparison.text, missing=missing)
            expected = said("an example with {name} on that side of the boundary", name=comparison.name)
            yield Finding.of("warnings", name, what, expected, loc=("when", *loc), at_key=False)


def _truth(comparison: Comparison, value: float) -> int:
    return int(evaluate(comparison, {comparison.name: np.array([value], dtype=np.float64)})[0])
