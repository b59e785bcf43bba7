"""Rule books for tests of the room `warn`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from carewatch.spec.health import Health
from carewatch.spec.rules import Rule
from carewatch.warn.hits import RuleBook, rule_book

HEALTH = Health.model_validate(
    {
        "version": 1,
        "label": "Mood",
        "dimensions": {"d0": {"label": "Mood", "weight": 1, "metrics": {"mood": {"weight": 1, "points": {0: 0, 100: 100}}}}},
        "bands": {"green": 70, "yellow": 50},
        "hold_nights": 2,
        "margin": 5,
    }
)  # fmt: skip


def rule(**changes: Any) -> Rule:
    """Return a rule that fires when `x` is at least 1, changed as asked."""
    plain = {
        "label": "x is high",
        "severity": "mild",
        "counts_as": "x",
        "dimension": "d0",
        "when": "x >= 1",
        "because": "x is {x}",
    }
    return Rule.model_validate(plain | changes)


def book_of(rules: Mapping[str, Rule]) -> RuleBook:
    """Return the rules as a book, the health rules behind them."""
    return rule_book(rules, HEALTH.hold_nights)
