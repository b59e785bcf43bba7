"""Rules over the same metrics that count as different indicators: one thing that is wrong would count twice."""

from __future__ import annotations

from collections.abc import Iterator

from carewatch.spec.condition import comparisons
from carewatch.spec.condition.tree import Op, Ref
from carewatch.spec.lint._finding import Finding
from carewatch.spec.parts import Parts
from carewatch.spec.rules import Rule
from carewatch.spec.saying import joined, said

_DOWN, _UP = (Op.LT, Op.LE), (Op.GT, Op.GE)


def find(parts: Parts) -> Iterator[Finding]:
    first: dict[frozenset[tuple[str, bool]], tuple[str, str]] = {}
    for name, rule in parts.rules.items():
        watched = _watched(rule, parts)
        if not watched:
            continue
        other, indicator = first.setdefault(watched, (name, rule.counts_as))
        if indicator != rule.counts_as:
            what = said(
                "this watches {metrics} as '{other}' does, and counts a second time, as '{indicator}'",
                metrics=joined(", ", sorted({metric for metric, _ in watched})), other=other, indicator=rule.counts_as,
            )  # fmt: skip
            expected = said("counts_as: {indicator}, so that it counts once", indicator=indicator)
            yield Finding.of("warnings", name, what, expected, loc=("counts_as",), at_key=False)


def _watched(rule: Rule, parts: Parts) -> frozenset[tuple[str, bool]]:
    """Return the metrics whose bad side a rule waits for, and which side that is; a filter on the good side is none."""
    found = set()
    for _, one in comparisons(rule.when):
        metric = parts.metrics.get(one.name)
        if metric is None or isinstance(one.value, Ref) or one.op not in (*_DOWN, *_UP):
            continue
        down = one.op in _DOWN
        if metric.better == "neither" or down == (metric.better == "higher"):
            found.add((one.name, down))
    return frozenset(found)
