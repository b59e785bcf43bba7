"""Answer the question: which kinds of metric are there, and which keys does each one take?

A new kind is a line here, its keys in `metrics.py` where they are new, and a module in `carewatch/measure/kinds`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Measure(StrEnum):
    """The kinds of metric."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    DISTINCT = "distinct"
    LATEST = "latest"
    DAYS_SINCE = "days_since"
    IN_A_ROW = "in_a_row"
    CHANGE = "change"
    BASELINE = "baseline"
    FALLING = "falling"
    RATIO = "ratio"
    LEAST = "least"
    SHARE = "share"
    RHYTHM = "rhythm"
    EXPECTED = "expected"
    OPEN = "open"
    CLOSED = "closed"
    SQL = "sql"


AGGREGATES: Final = frozenset(
    {Measure.COUNT, Measure.SUM, Measure.AVERAGE, Measure.MINIMUM, Measure.MAXIMUM, Measure.DISTINCT}
)
"""Kinds that add up rows of one fact, so that they can be taken over any stretch of time."""


@dataclass(frozen=True)
class Shape:
    """What a metric of a kind is made of.

    `empty` is the value of a customer without such rows (None: missing); `parts` are the words that `part` may be, each
    with its own such value. `exact` says that the number is whole or numeric until the end, so that others can be
    divided by it, `made_of` which kinds the metrics that it names may be (empty: it names none). `everybody`: the number
    of one customer depends on all the others.
    """

    needs: frozenset[str]
    takes: frozenset[str] = frozenset()
    empty: float | None = None
    parts: Mapping[str, float | None] = field(default_factory=dict)
    exact: bool = True
    made_of: frozenset[Measure] = frozenset()
    everybody: bool = False

    @property
    def keys(self) -> frozenset[str]:
        return self.needs | self.takes


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VALUE = Shape(_keys("fact window of"), _keys("where ago"))
_VALUE_OR_ZERO = Shape(_keys("fact window of"), _keys("where ago"), empty=0.0)

_OF_FACTS: Final = {
    Measure.COUNT: Shape(_keys("fact window"), _keys("where ago"), empty=0.0),
    Measure.SUM: _VALUE_OR_ZERO,
    Measure.AVERAGE: _VALUE,
    Measure.MINIMUM: _VALUE,
    Measure.MAXIMUM: _VALUE,
    Measure.DISTINCT: _VALUE_OR_ZERO,
    Measure.LATEST: _VALUE,
    Measure.DAYS_SINCE: Shape(_keys("fact window"), _keys("where event")),
    Measure.IN_A_ROW: Shape(_keys("fact window where broken_by"), empty=0.0),
    Measure.RHYTHM: Shape(
        _keys("fact window part"),
        _keys("where at_least days among"),
        parts=dict.fromkeys(("mean_gap", "silence", "irregularity", "expected_gap", "overdue")),
    ),
    Measure.OPEN: Shape(
        _keys("fact window part"),
        _keys("where date"),
        parts={
            "count": 0.0, "amount": 0.0, "amount_over": 0.0, "days_over": 0.0,
            "days_left": None, "age": None, "gap": None,
        },
    ),
    Measure.CLOSED: Shape(
        _keys("fact window part"),
        _keys("where"),
        parts=dict.fromkeys(("days_late", "on_time", "days_taken")),
    ),
    Measure.EXPECTED: Shape(_keys("fact window within habits"), _keys("where"), exact=False),
    Measure.SQL: Shape(_keys("sql"), _keys("window"), exact=False),
}  # fmt: skip
_EXACT = frozenset(kind for kind, shape in _OF_FACTS.items() if shape.exact)

SHAPES: Final = {
    **_OF_FACTS,
    Measure.CHANGE: Shape(_keys("metric"), _keys("at_least ago"), exact=False, made_of=AGGREGATES),
    Measure.BASELINE: Shape(
        _keys("metric periods"), _keys("at_least against"), exact=False, made_of=AGGREGATES
    ),
    Measure.FALLING: Shape(
        _keys("metric periods drop"), _keys("at_least"), empty=0.0, exact=False, made_of=AGGREGATES
    ),
    Measure.RATIO: Shape(_keys("metric over"), _keys("at_least"), exact=False, made_of=_EXACT),
    Measure.LEAST: Shape(_keys("metrics"), exact=False, made_of=_EXACT),
    Measure.SHARE: Shape(
        _keys("metric part"),
        parts=dict.fromkeys(("share", "cumulative", "rank")),
        exact=False,
        made_of=AGGREGATES,
        everybody=True,
    ),
}
"""The shape of every kind."""
