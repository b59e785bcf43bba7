"""Conditions that no number can make true, and those that every number does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from carewatch.spec.condition import All, Any_, Comparison, Condition
from carewatch.spec.condition.logic import Ground, TooMany, covers, meet, ways
from carewatch.spec.lint._finding import Finding, conditions, first_place, ground
from carewatch.spec.parts import Parts
from carewatch.spec.problems import Loc
from carewatch.spec.saying import said


def find(parts: Parts) -> Iterator[Finding]:
    known = ground(parts)
    for name, rule in parts.rules.items():
        for key, condition in conditions(rule):
            yield from _never(name, key, condition, known)
            yield from _always(name, key, condition, known)
        if rule.unless is not None and _excused(rule.when, rule.unless, known):
            what = said("the excuse is true whenever the rule is: it never fires")
            expected = said("an excuse that holds only sometimes")
            yield Finding.of("warnings", name, what, expected, loc=("unless",), stops=True)


def _never(rule: str, key: str, condition: Condition, known: Ground, at: Loc = ()) -> Iterator[Finding]:
    if _comes_out(condition, True, known):
        # one line of any: may be dead although the whole is not
        for number, item in enumerate(condition.items) if isinstance(condition, Any_) else ():
            yield from _never(rule, key, item, known, (*at, "any", number))
        return
    pair = _contradicting(condition, known)
    if pair is None:
        what = said("this can never be true")
        expected = said("a condition that some value can make true")
        loc = (key, *at, *first_place(condition))
    else:
        (one, other), place = pair
        what = said("'{one}' and '{other}' are never true together", one=one.text, other=other.text)
        expected = said("one of the two, or any: instead of all:")
        loc = (key, *at, *place)
    yield Finding.of("warnings", rule, what, expected, loc=loc, at_key=False, stops=True)


def _contradicting(condition: Condition, known: Ground) -> tuple[tuple[Comparison, Comparison], Loc] | None:
    """Return two lines of an all: that exclude one another, with the place of the second."""
    if not isinstance(condition, All):
        return None
    lines = [(at, item) for at, item in enumerate(condition.items) if isinstance(item, Comparison)]
    for (_, one), (at, other) in combinations(lines, 2):
        alone = ways(one, True, known), ways(other, True, known)
        if all(alone) and not meet(*alone):
            return (one, other), ("all", at)
    return None


def _always(rule: str, key: str, condition: Condition, known: Ground) -> Iterator[Finding]:
    if not _comes_out(condition, False, known):
        what = said("this is true whatever the values are")
        expected = said("a condition that some value makes false")
        loc = (key, *first_place(condition))
        yield Finding.of("warnings", rule, what, expected, loc=loc, at_key=False, stops=True)


def _comes_out(condition: Condition, truth: bool, known: Ground) -> bool:
    try:
        return bool(ways(condition, truth, known))
    except TooMany:
        return True


def _excused(when: Condition, unless: Condition, known: Ground) -> bool:
    try:
        return covers(unless, when, known)
    except TooMany:
        return False
