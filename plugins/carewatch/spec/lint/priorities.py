"""Priorities that contradict one another: a better tier, or a worse level, that is less urgent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from carewatch.spec.lint._finding import Finding
from carewatch.spec.parts import Parts
from carewatch.spec.rules import LEVELS
from carewatch.spec.saying import said


def find(parts: Parts) -> Iterator[Finding]:
    if parts.levels is None or parts.tier_names is None:
        return
    levels, tiers = parts.levels, parts.tier_names
    written = [(level, tier) for level in levels.priority for tier in levels.priority[level]]

    def of(level: str, tier: str) -> int:
        return levels.priority_of(int(level), tier, tiers[0]).rank

    for level in LEVELS:
        for better, lesser in pairwise(tiers):
            if of(level, better) < of(level, lesser) and (level, better) in written:
                what = said(
                    "tier {better} is less urgent than the lesser tier {worse}", better=better, worse=lesser
                )
                yield _late(level, better, what)
    for milder, worse in pairwise(LEVELS):
        for tier in tiers:
            if of(worse, tier) < of(milder, tier) and (worse, tier) in written:
                what = said("level {worse} is less urgent than level {milder}", worse=worse, milder=milder)
                yield _late(worse, tier, what)


def _late(level: str, tier: str, what: str) -> Finding:
    return Finding.of(
        "levels", "levels", what, said("a higher priority here"), loc=("priority", level, tier), at_key=False
    )
