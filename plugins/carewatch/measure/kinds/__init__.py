"""Answer the question: which SQL does each kind of metric stand for?

A kind is one small module here, named in `KINDS`; its keys are in `carewatch/spec/metric_kinds.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from carewatch.measure.kinds import aggregate, change, days_since, expected, ratio, rhythm, sql
from carewatch.measure.passes import Kind
from carewatch.spec.metric_kinds import AGGREGATES, Measure

KINDS: Final[Mapping[Measure, Kind]] = MappingProxyType(
    {
        **dict.fromkeys(AGGREGATES, aggregate.expression),
        Measure.DAYS_SINCE: days_since.expression,
        Measure.CHANGE: change.expression,
        Measure.RATIO: ratio.expression,
        Measure.RHYTHM: rhythm.expression,
        Measure.EXPECTED: expected.expression,
        Measure.SQL: sql.expression,
    }
)
"""How each kind becomes SQL."""
