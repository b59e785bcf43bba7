"""Answer the question: which kinds of metric are there, and which keys does each one take?

A new kind is a line here, its keys in `metrics.py` where they are new, and a module in `carewatch/measure/kinds`.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    DAYS_SINCE = "days_since"
    CHANGE = "change"
    RATIO = "ratio"
    RHYTHM = "rhythm"
    EXPECTED = "expected"
    SQL = "sql"


AGGREGATES: Final = frozenset(
    {Measure.COUNT, Measure.SUM, Measure.AVERAGE, Measure.MINIMUM, Measure.MAXIMUM, Measure.DISTINCT}
)
"""Kinds that add up rows of one fact, so that they can be taken over any stretch of time."""


@dataclass(frozen=True)
class Shape:
    """What a metric of a kind is made of.

    `empty` is the value of a customer without such rows (None: missing), `exact` says that the number is whole or
    numeric until the end, so that others can be divided by it, `made_of` which kinds the metrics that it names may be
    (empty: it names none).
    """

    needs: frozenset[str]
    takes: frozenset[str] = frozenset()
    empty: float | None = None
    exact: bool = True
    made_of: frozenset[Measure] = frozenset()

    @property
    def keys(self) -> frozenset[str]:
        return self.needs | self.takes


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


_OF = Shape(_keys("fact window of"), _keys("where"))
_OF_OR_ZERO = Shape(_keys("fact window of"), _keys("where"), empty=0.0)

_OF_ONE_FACT: Final = {
    Measure.COUNT: Shape(_keys("fact window"), _keys("where"), empty=0.0),
    Measure.SUM: _OF_OR_ZERO,
    Measure.AVERAGE: _OF,
    Measure.MINIMUM: _OF,
    Measure.MAXIMUM: _OF,
    Measure.DISTINCT: _OF_OR_ZERO,
    Measure.DAYS_SINCE: Shape(_keys("fact window"), _keys("where event")),
    Measure.RHYTHM: Shape(_keys("fact window part"), _keys("where at_least")),
    Measure.EXPECTED: Shape(_keys("fact window within habits"), _keys("where"), exact=False),
    Measure.SQL: Shape(_keys("sql"), _keys("window"), exact=False),
}
_EXACT = frozenset(kind for kind, shape in _OF_ONE_FACT.items() if shape.exact)

SHAPES: Final = {
    **_OF_ONE_FACT,
    Measure.CHANGE: Shape(_keys("metric"), _keys("at_least"), exact=False, made_of=AGGREGATES),
    Measure.RATIO: Shape(_keys("metric over"), _keys("at_least"), exact=False, made_of=_EXACT),
}
"""The shape of every kind."""
