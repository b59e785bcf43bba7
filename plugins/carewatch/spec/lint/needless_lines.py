"""Lines under all: or any: that change nothing, because another line of the same list already says more."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from carewatch.spec.condition import All, Comparison, Condition
from carewatch.spec.condition.logic import Ground, covers
from carewatch.spec.condition.tree import WORD_OF
from carewatch.spec.lint._finding import Finding, conditions, ground
from carewatch.spec.parts import Parts
from carewatch.spec.problems import Loc
from carewatch.spec.saying import said


def find(parts: Parts) -> Iterator[Finding]:
    known = ground(parts)
    for name, rule in parts.rules.items():
        for key, condition in conditions(rule):
            for loc, needless, other in _needless(condition, known):
                what = said("'{line}' changes nothing beside '{other}'", line=needless.text, other=other.text)
                expected = said("one of the two lines")
                yield Finding.of("warnings", name, what, expected, loc=(key, *loc), at_key=False)


def _needless(condition: Condition, known: Ground) -> Iterator[tuple[Loc, Comparison, Comparison]]:
    if isinstance(condition, Comparison):
        return
    word, told = WORD_OF[type(condition)], set[int]()
    lines = [(at, item) for at, item in enumerate(condition.items) if isinstance(item, Comparison)]
    for (at, one), (number, other) in permutations(reversed(lines), 2):
        # under all: the wider line is needless, under any: and none: the narrower one
        wide, narrow = (one, other) if isinstance(condition, All) else (other, one)
        if one.name == other.name and number not in told and covers(wide, narrow, known):
            told.add(at)
            yield (word, at), one, other
    for at, item in enumerate(condition.items):
        yield from (((word, at, *loc), *pair) for loc, *pair in _needless(item, known))  # type: ignore[misc]
