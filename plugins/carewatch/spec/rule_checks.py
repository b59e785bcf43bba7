"""Answer the question: do the rules name things that exist, and do they do what their examples say?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import numpy as np

from carewatch.spec.circles import circles
from carewatch.spec.condition import (
    FALSE,
    TRUE,
    Condition,
    comparisons,
    evaluate,
    mixed_kinds,
    names,
    unknown_names,
)
from carewatch.spec.configuration import ATTRIBUTES, JUDGED
from carewatch.spec.document import SpecProblem, nearest, unknown
from carewatch.spec.event import DAYS_SINCE_EVENT, shown
from carewatch.spec.facts import FACTS, NUMBERS
from carewatch.spec.parts import Found, Parts
from carewatch.spec.rules import REASON, REASONS, Example, Rule
from carewatch.spec.saying import joined, said

RESERVED: Final = ("health_red", "health_yellow")
"""Rules that every health model brings."""

_COLOURS = ("green", "yellow", "red", "grey")
_CAME_OUT = {True: said("it fires"), False: said("it does not fire"), "unknown": said("it cannot be told")}


def check_rules(parts: Parts) -> Iterator[Found]:
    """Yield every name in a rule that nothing defines, and every example that comes out otherwise than it says."""
    usual = _usual_dimensions(parts.rules)
    hidden = _hidden_by_one_another(parts.rules)
    for name, rule in parts.rules.items():
        problems = [*_conditions(rule, parts), *_because(rule, parts), *_belongs(rule, parts)]
        problems += [*_classes(rule, parts), *_hides(rule, parts.rules), *hidden.get(name, ())]
        problems += _indicator(rule, *usual[rule.counts_as])
        if name in RESERVED:
            what = said("'{name}' is a rule that the health model brings", name=name)
            problems.append(SpecProblem(what, expected="another name", at_key=True))
        if not any(problem.loc[:1] in (("when",), ("unless",)) for problem in problems):
            problems += _examples(rule, given_texts(parts))
        yield from (("warnings", name, problem) for problem in problems)


def check_condition_names(
    condition: Condition,
    parts: Parts,
    *,
    judged: Collection[str] | None = None,
    further: Collection[str] = (),
) -> Iterator[SpecProblem]:
    """Yield unknown names, and comparisons of a number with a text, at their places in the condition.

    `judged` says which of score, colour and classes are known by the time the condition is read (None: all); `further`
    names may be
    read as well.
    """
    known = _known(parts)
    known = known | {*further} if known is not None else known
    missing = unknown_names(condition, known, parts.labels) if known is not None else []
    missing += _too_early(condition, parts, judged)
    yield from missing
    if not missing:
        yield from mixed_kinds(condition, given_texts(parts))
        yield from _impossible(condition, parts)


def _known(parts: Parts) -> frozenset[str] | None:
    given = {*ATTRIBUTES, *JUDGED, *parts.classes}
    return None if parts.metric_names is None else parts.metric_names | given


def texts(parts: Parts) -> frozenset[str]:
    """Return the names that stand for words, not for numbers."""
    return frozenset({*ATTRIBUTES, "colour", *parts.classes})


def given_texts(parts: Parts) -> frozenset[str]:
    """Return the same, and what `unless` reads of the register of reasons."""
    return texts(parts) | {REASON}


def _too_early(condition: Condition, parts: Parts, judged: Collection[str] | None) -> list[SpecProblem]:
    if judged is None:
        return []
    later = {*JUDGED, *parts.classes} - {*judged}
    return [
        SpecProblem(
            said("'{name}' is not known yet when this is asked", name=comparison.name),
            expected=said("a metric or one of {known}", known=joined(", ", (*ATTRIBUTES, *judged))),
            loc=loc,
            column_offset=comparison.column,
        )
        for loc, comparison in comparisons(condition)
        if comparison.name in later
    ]


def _impossible(condition: Condition, parts: Parts) -> Iterator[SpecProblem]:
    """Yield comparisons of a class, colour or reason with a word that is none."""
    possible = {"colour": _COLOURS, REASON: REASONS, **parts.classes}
    for loc, comparison in comparisons(condition):
        words = possible.get(comparison.name)
        value = comparison.value
        for word in value if isinstance(value, tuple) else (value,):
            if words is not None and isinstance(word, str) and word not in words:
                offset = comparison.column
                yield unknown(comparison.name, word, words, loc=loc, column_offset=offset)


def _conditions(rule: Rule, parts: Parts) -> Iterator[SpecProblem]:
    for key, condition in (("when", rule.when), ("clears_if", rule.clears_if), ("unless", rule.unless)):
        if condition is not None:
            further = [*_events(rule), *([REASON] if key == "unless" else [])]
            found = check_condition_names(condition, parts, further=further)
            yield from (problem.under(key) for problem in found)


def _events(rule: Rule) -> tuple[str, ...]:
    """Return what a rule's conditions may read of its event."""
    return (DAYS_SINCE_EVENT,) if rule.on == "event" else ()


def _because(rule: Rule, parts: Parts) -> Iterator[SpecProblem]:
    event = shown(FACTS[rule.fact]) if rule.fact is not None else {}
    words = texts(parts) | {name for name, kind in event.items() if kind not in NUMBERS}
    known = _known(parts)
    known = known | {*_events(rule), *event} if known is not None else known
    for language, placed in rule.shown():
        loc = ("because", language) if language else ("because",)
        if known is not None and placed.name not in known:
            expected = "a metric or attribute that is defined"
            yield unknown("name", placed.name, known, expected=expected, loc=loc, column_offset=placed.column)
        elif placed.format and placed.name in words:
            what = said("'{name}' is a text and has no decimals", name=placed.name)
            expected = said("{{{name}}}", name=placed.name)
            yield SpecProblem(what, expected=expected, loc=loc, column_offset=placed.column)


def _belongs(rule: Rule, parts: Parts) -> Iterator[SpecProblem]:
    for tier in rule.severity_by_tier:
        if parts.tier_names is not None and tier not in parts.tier_names:
            expected = said("a tier of tiers.yaml: {parts}", parts=joined(", ", parts.tier_names))
            at = ("severity_by_tier", tier)
            yield unknown("tier", tier, parts.tier_names, expected=expected, loc=at, at_key=True)
    dimensions = parts.dimensions
    if dimensions is not None and rule.dimension not in dimensions:
        of = said("a health model") if parts.models else "health.yaml"
        expected = said("a dimension of {of}: {known}", of=of, known=joined(", ", dimensions))
        yield unknown("dimension", rule.dimension, dimensions, expected=expected, loc=("dimension",))


def _classes(rule: Rule, parts: Parts) -> Iterator[SpecProblem]:
    """Yield classes that no customer has, and values of classes and colour that are none."""
    possible = {"colour": _COLOURS, **parts.classes}
    classes = texts(parts)
    for name, by_value in rule.severity_by.items():
        if name not in classes:
            expected = said("one of {classes}", classes=joined(", ", sorted(classes)))
            yield unknown("class", name, classes, expected=expected, loc=("severity_by", name), at_key=True)
        for value in by_value:
            words = possible.get(name)
            if words is not None and value not in words:
                yield unknown(name, value, words, loc=("severity_by", name, value), at_key=True)


def _hides(rule: Rule, rules: Mapping[str, Rule]) -> Iterator[SpecProblem]:
    known = {*rules, *RESERVED}
    for position, hidden in enumerate(rule.hides):
        if hidden not in known:
            yield unknown("rule", hidden, known, expected="the name of a rule", loc=("hides", position))


def _hidden_by_one_another(rules: Mapping[str, Rule]) -> dict[str, list[SpecProblem]]:
    """Return for the first rule of each circle that its members would leave one another out of every notice."""
    found: dict[str, list[SpecProblem]] = {}
    for circle in circles({name: rule.hides for name, rule in rules.items()}):
        what = said("{circle} hide one another: a notice would give no reason", circle=joined(" -> ", circle))
        if len(circle) == 2:
            what = said("'{circle}' hides itself", circle=circle[0])
        problem = SpecProblem(what, expected="one that stays visible", loc=("hides",), at_key=True)
        found.setdefault(circle[0], []).append(problem)
    return found


def _usual_dimensions(rules: Mapping[str, Rule]) -> dict[str, tuple[str, str]]:
    """Return the dimension that most rules of an indicator name (the first of equals), and one of these rules."""
    by_indicator: dict[str, dict[str, list[str]]] = {}
    for name, rule in rules.items():
        by_indicator.setdefault(rule.counts_as, {}).setdefault(rule.dimension, []).append(name)
    return {
        indicator: max(
            ((dimension, names[0]) for dimension, names in found.items()), key=lambda one: len(found[one[0]])
        )
        for indicator, found in by_indicator.items()
    }


def _indicator(rule: Rule, dimension: str, like: str) -> Iterator[SpecProblem]:
    if rule.dimension != dimension:
        yield SpecProblem(
            said(
                "this counts as '{counts_as}' like the rule '{like}', but in another dimension",
                counts_as=rule.counts_as,
                like=like,
            ),
            expected=said("dimension {dimension}, or another counts_as", dimension=dimension),
            loc=("dimension",),
        )


def _examples(rule: Rule, words: Collection[str]) -> Iterator[SpecProblem]:
    read = (
        names(rule.when) | (names(rule.unless) if rule.unless is not None else frozenset()) | {*_events(rule)}
    )
    for position, example in enumerate(rule.examples):
        misgiven = [*_misgiven(example, read, words)]
        yield from (problem.under("examples", position) for problem in misgiven)
        if misgiven:
            continue
        came_out = _outcome(rule, example, words)
        if came_out != example.fires:
            expected = said("fires: {lower}, or another threshold", lower=str(came_out).lower())
            missing = joined(", ", sorted(name for name in read if example.given.get(name) is None))
            without = said(" without {missing}", missing=missing) if came_out == "unknown" else ""
            what = said(
                "the example says fires: {lower}, but {came_out}{without}",
                lower=str(example.fires).lower(),
                came_out=_CAME_OUT[came_out],
                without=without,
            )
            yield SpecProblem(what, expected=expected, loc=("examples", position, "fires"))


def _misgiven(example: Example, read: Collection[str], words: Collection[str]) -> Iterator[SpecProblem]:
    """Yield given values that the condition does not read, and those of the wrong kind."""
    for given, value in example.given.items():
        loc = ("given", given)
        if given not in read:
            near, expected = nearest(given, read), said("one of {read}", read=joined(", ", sorted(read)))
            what = said("'{given}' plays no part in this rule's condition", given=given)
            yield SpecProblem(what, expected=expected, nearest=near, loc=loc, at_key=True)
        elif value is not None and isinstance(value, str) != (given in words):
            is_text = given in words
            kind, expected = (
                (said("a text"), "a text in quotes") if is_text else (said("a number"), "a number")
            )
            yield SpecProblem(
                said("'{value}' is given, but {given} is {kind}", value=value, given=given, kind=kind),
                expected=expected,
                loc=loc,
            )


def _outcome(rule: Rule, example: Example, words: Collection[str]) -> bool | str:
    if rule.on == "event" and example.given.get(DAYS_SINCE_EVENT) is None:
        return False
    truth = _truth(rule.when, example, words)
    if truth == TRUE and rule.unless is not None and _truth(rule.unless, example, words) == TRUE:
        return False
    return True if truth == TRUE else False if truth == FALSE else "unknown"


def _truth(condition: Condition, example: Example, words: Collection[str]) -> int:
    columns = {
        name: np.array([example.given.get(name)], dtype=object if name in words else np.float64)
        for name in names(condition)
    }
    return int(evaluate(condition, columns)[0])
