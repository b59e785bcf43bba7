"""Answer the question: to which level do a customer's open signals add up?

Signals count by indicator: each `counts_as` once, at its worst severity. The level table is monotone by construction,
because every line asks for "at least so many of at least that severity".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns
from carewatch.spec.rules import LevelLine, Levels, Severity
from carewatch.warn.fold import Phase
from carewatch.warn.hits import HEALTH_RED, HEALTH_YELLOW, RuleBook, severity_column

NOTHING = -1
"""Severity rank of an indicator without an open signal."""


@dataclass(frozen=True)
class Indicators:
    """Customers x indicators: the worst severity rank (NOTHING without a signal), and each indicator's dimension."""

    worst: NDArray[np.int8]
    dimension: tuple[str, ...]


def severities(book: RuleBook, texts: Columns) -> NDArray[np.int8]:
    """Return the severity rank of every rule for every customer; health rules have NOTHING.

    `texts` has the tier and every other class that a rule's severity goes by. Of several classes that apply the worst
    severity counts, without any the rule's own; an event that says its own severity has that.
    """
    result = np.full((len(texts["tier"]), len(book.names)), NOTHING, dtype=np.int8)
    among: dict[tuple[str, str], NDArray[np.bool_]] = {}
    for number, (rule_name, rule) in enumerate(book.rules.items()):
        named = np.full(len(result), NOTHING, dtype=np.int8)
        for name, by_value in rule.classes().items():
            for value, severity in by_value.items():
                if (name, value) not in among:
                    among[name, value] = np.asarray(texts[name] == value, dtype=bool)
                named[among[name, value]] = np.maximum(named[among[name, value]], severity.rank)
        result[:, number] = np.where(named == NOTHING, rule.severity.rank, named)
        said = texts.get(severity_column(rule_name))
        if said is not None:
            result[:, number] = np.where(np.isnan(said), result[:, number], said)
    return result


def priorities(
    spec: Levels,
    book: RuleBook,
    phase: NDArray[np.int8],
    level: NDArray[np.int16],
    tier: NDArray[np.int16],
    tiers: tuple[str, ...],
) -> NDArray[np.int8]:
    """Return the rank of how soon somebody should look: the higher of what level and tier give and what open rules ask.

    Without a level it is the lowest.
    """
    given = np.array(
        [
            [0 if one == 0 else spec.priority_of(one, name, tiers[0]).rank for name in tiers]
            for one in range(4)
        ],
        np.int8,
    )
    result = given[level, tier]
    for number, rule in enumerate(book.rules.values()):
        if rule.priority is not None:
            asks = (phase[:, number] == Phase.OPEN) & (level > 0)
            result[asks] = np.maximum(result[asks], rule.priority.rank)
    return result


def indicators(book: RuleBook, phase: NDArray[np.int8], severity: NDArray[np.int8]) -> Indicators:
    """Return the open indicators: rules with one `counts_as` are one indicator at its worst severity."""
    names: dict[str, str] = {rule.counts_as: rule.dimension for rule in book.rules.values()}
    worst = np.full((len(phase), len(names)), NOTHING, dtype=np.int8)
    order = {name: position for position, name in enumerate(names)}
    for number, rule in enumerate(book.rules.values()):
        seen = np.where(phase[:, number] == Phase.OPEN, severity[:, number], NOTHING)
        column = order[rule.counts_as]
        worst[:, column] = np.maximum(worst[:, column], seen)
    return Indicators(worst, tuple(names.values()))


def line_holds(
    line: LevelLine, found: Indicators, *, yellow: NDArray[np.bool_], red: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return for every customer whether one line of the level table holds."""
    if line.health is not None:
        return red if line.health == "red" else yellow | red
    ranks = (Severity.MILD.rank, Severity.MODERATE.rank, Severity.SEVERE.rank, Severity.CRITICAL.rank)
    holds = np.ones(len(found.worst), dtype=bool)
    for rank, needed in zip(ranks, line.at_least(), strict=True):
        holds &= (found.worst >= rank).sum(axis=1) >= needed
    if line.dimensions > 1:
        counted = found.worst >= Severity.MILD.rank
        distinct = sum(
            counted[:, [at for at, name in enumerate(found.dimension) if name == dimension]]
            .any(axis=1)
            .astype(np.int16)
            for dimension in dict.fromkeys(found.dimension)
        )
        holds &= np.asarray(distinct) >= line.dimensions
    return holds


def levels(
    spec: Levels, book: RuleBook, phase: NDArray[np.int8], severity: NDArray[np.int8]
) -> NDArray[np.int16]:
    """Return the level (0 to 3) of every customer from the phases and severities of the book's rules."""
    found = indicators(book, phase, severity)
    yellow = phase[:, book.number(HEALTH_YELLOW)] == Phase.OPEN
    red = phase[:, book.number(HEALTH_RED)] == Phase.OPEN
    result = np.zeros(len(phase), dtype=np.int16)
    for level in (1, 2, 3):
        for line in spec.lines(level):
            result[line_holds(line, found, yellow=yellow, red=red)] = level
    return result
