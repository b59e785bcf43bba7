"""`clears_if` that can be true while `when` is: the signal would end while what it warns of goes on."""

from __future__ import annotations

from collections.abc import Iterator

from carewatch.spec.condition.logic import TooMany, covers, meet, ways
from carewatch.spec.lint._finding import Finding, first_place, ground
from carewatch.spec.parts import Parts
from carewatch.spec.rules import Rule
from carewatch.spec.saying import said


def find(parts: Parts) -> Iterator[Finding]:
    known = ground(parts)
    for name, rule in parts.rules.items():
        if rule.clears_if is None:
            continue
        try:
            if covers(rule.clears_if, rule.when, known):
                yield _found(
                    name, rule, said("this is true whenever the rule is: the signal ends as it begins"), True
                )
            elif meet(ways(rule.when, True, known), ways(rule.clears_if, True, known)):
                yield _found(
                    name,
                    rule,
                    said("this can be true while the rule is: the signal would come and go"),
                    False,
                )
        except TooMany:
            continue


def _found(name: str, rule: Rule, what: str, stops: bool) -> Finding:
    assert rule.clears_if is not None
    expected = said("a condition that is never true together with when:")
    loc = ("clears_if", *first_place(rule.clears_if))
    return Finding.of("warnings", name, what, expected, loc=loc, at_key=False, stops=stops)
