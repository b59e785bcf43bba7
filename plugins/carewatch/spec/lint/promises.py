"""Promises that contradict one another: a better tier, or a worse level, that waits longer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from carewatch.spec.lint._finding import Finding
from carewatch.spec.parts import Parts
from carewatch.spec.rules import LEVELS, PROMISED
from carewatch.spec.saying import said


def find(parts: Parts) -> Iterator[Finding]:
    if parts.levels is None or parts.tier_names is None:
        return
    promises = parts.levels.promises
    for level in LEVELS:
        for better, worse in pairwise(tier for tier in parts.tier_names if tier in promises[level]):
            for at, (first, second) in enumerate(
                zip(promises[level][better], promises[level][worse], strict=True)
            ):
                if first > second:
                    what = said(
                        "tier {better} waits {first:g} hours for {promised}, the lesser tier {worse} only {second:g}",
                        better=better, first=first, promised=PROMISED[at], worse=worse, second=second,
                    )  # fmt: skip
                    yield _late(level, better, at, what, second)
    for milder, worse in pairwise(LEVELS):
        for tier in parts.tier_names:
            if tier in promises[milder] and tier in promises[worse]:
                pairs = zip(promises[worse][tier], promises[milder][tier], strict=True)
                for at, (first, second) in enumerate(pairs):
                    if first > second:
                        what = said(
                            "level {worse} waits {first:g} hours for {promised}, level {milder} only {second:g}",
                            worse=worse, first=first, promised=PROMISED[at], milder=milder, second=second,
                        )  # fmt: skip
                        yield _late(worse, tier, at, what, second)


def _late(level: str, tier: str, at: int, what: str, most: float) -> Finding:
    expected = said("at most {most:g} hours here", most=most)
    return Finding.of("levels", "levels", what, expected, loc=("promises", level, tier, at), at_key=False)
