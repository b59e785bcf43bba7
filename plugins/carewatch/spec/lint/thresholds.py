"""Rules of one indicator over one metric: the worse of two with the weaker threshold, and gaps where neither fires."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations

from carewatch.spec.condition import All, Comparison
from carewatch.spec.condition.logic import Domain, domain
from carewatch.spec.condition.tree import Op, Ref, number_text
from carewatch.spec.lint._finding import Finding, is_whole
from carewatch.spec.parts import Parts
from carewatch.spec.problems import Loc
from carewatch.spec.rules import Rule
from carewatch.spec.saying import said

_ORDERED = (Op.LT, Op.LE, Op.GT, Op.GE)


@dataclass(frozen=True)
class _Range:
    """The values of one metric for which a rule fires, what else it asks, and where its bounds are written."""

    rule: str
    spec: Rule
    metric: str
    values: Domain
    bounds: tuple[tuple[Loc, Comparison], ...]
    others: frozenset[str]

    @property
    def one_sided(self) -> bool:
        return len(self.bounds) == 1

    @property
    def upwards(self) -> bool:
        return self.values.high == math.inf


def find(parts: Parts) -> Iterator[Finding]:
    groups: dict[tuple[str, str, frozenset[str]], list[_Range]] = {}
    for name, rule in parts.rules.items():
        for one in _ranges(name, rule):
            groups.setdefault((rule.counts_as, one.metric, one.others), []).append(one)
    for ranges in groups.values():
        for one, other in permutations(ranges, 2):
            if _inverted(one, other):
                yield _inversion(one, other)
        yield from _gaps(ranges, parts)


def _ranges(name: str, rule: Rule) -> Iterator[_Range]:
    """Yield the range of every metric that a rule bounds, where the rule is one line or one all: of lines."""
    if "when" not in rule.model_fields_set:
        return
    listed: list[tuple[Loc, object]] = [((), rule.when)]
    if isinstance(rule.when, All):
        listed = [(("all", at), item) for at, item in enumerate(rule.when.items)]
    lines = [(loc, item) for loc, item in listed if isinstance(item, Comparison)]
    if len(lines) != len(listed):
        return
    bounded = [(loc, one) for loc, one in lines if one.op in _ORDERED and not isinstance(one.value, Ref)]
    for metric in dict.fromkeys(one.name for _, one in bounded):
        bounds = tuple((loc, one) for loc, one in bounded if one.name == metric)
        values = Domain()
        for _, one in bounds:
            values = values.meet(domain(one.op, one.value))
        others = frozenset(one.text for _, one in lines if one.name != metric)
        yield _Range(name, rule, metric, values, bounds, others)


def _inverted(worse: _Range, milder: _Range) -> bool:
    """Return whether the worse rule begins before the milder one, without waiting longer."""
    if not (worse.one_sided and milder.one_sided and worse.upwards == milder.upwards):
        return False
    if worse.spec.severity.rank <= milder.spec.severity.rank or worse.spec.holds_for > milder.spec.holds_for:
        return False
    if worse.spec.classes() or milder.spec.classes() or milder.spec.mails is not None:
        return False
    return worse.values != milder.values and worse.values.meet(milder.values) == milder.values


def _inversion(worse: _Range, milder: _Range) -> Finding:
    loc, bound = worse.bounds[0]
    what = said(
        "'{worse}' is the worse of two and begins earlier than '{milder}', which then adds nothing",
        worse=worse.rule, milder=milder.rule,
    )  # fmt: skip
    expected = said(
        "'{stronger}' here and '{weaker}' in '{milder}'",
        stronger=milder.bounds[0][1].text, weaker=bound.text, milder=milder.rule,
    )  # fmt: skip
    return Finding.of("warnings", worse.rule, what, expected, loc=("when", *loc), at_key=False)


def _gaps(ranges: list[_Range], parts: Parts) -> Iterator[Finding]:
    if not ranges or len(ranges) < 2:
        return
    metric = parts.metrics.get(ranges[0].metric)
    better = metric.better if metric is not None else "neither"
    in_order = sorted(ranges, key=lambda one: (one.values.low, one.values.high))
    for below, above in combinations(in_order, 2):
        if not _apart(below.values, above.values, is_whole(metric)):
            continue
        if any(_between(one.values, below.values, above.values) for one in ranges):
            continue
        band = above if better == "higher" else below
        # the milder rule is a band whose far end should meet the next, worse one
        if better == "neither" or band.one_sided:
            continue
        other = below if band is above else above
        end = band.values.low if band is above else band.values.high
        op = Op.GT if band is above else Op.LT
        loc, bound = next((loc, one) for loc, one in band.bounds if one.value == end)
        what = said(
            "between {low} and {high} neither '{rule}' nor '{other}' fires",
            low=number_text(below.values.high), high=number_text(above.values.low), rule=band.rule, other=other.rule,
        )  # fmt: skip
        edge = other.values.high if band is above else other.values.low
        inside = other.values.high_in if band is above else other.values.low_in
        wanted = op if inside else {Op.GT: Op.GE, Op.LT: Op.LE}[op]
        expected = said(
            "'{text}' instead of '{now}'",
            text=Comparison(band.metric, wanted, edge).text, now=bound.text,
        )  # fmt: skip
        yield Finding.of("warnings", band.rule, what, expected, loc=("when", *loc), at_key=False)


def _apart(below: Domain, above: Domain, whole: bool) -> bool:
    if below.high == above.low:
        return not below.high_in and not above.low_in
    step = 1 if whole and below.high_in and above.low_in else 0
    return above.low - below.high > step


def _between(one: Domain, below: Domain, above: Domain) -> bool:
    """Return whether another range fills, or begins to fill, what lies between two."""
    return one not in (below, above) and one.low < above.low and one.high > below.high
