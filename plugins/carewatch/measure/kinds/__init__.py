"""Answer the question: which SQL does each kind of metric stand for?

A kind is one small module here, named in `KINDS`; its keys are in `carewatch/spec/metric_kinds.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from carewatch.measure.kinds import (
    aggregate,
    baseline,
    change,
    closed,
    days_since,
    expected,
    falling,
    in_a_row,
    latest,
    least,
    open_items,
    ratio,
    rhythm,
    share,
    sql,
)
from carewatch.measure.passes import Kind
from carewatch.spec.metric_kinds import AGGREGATES, Measure

KINDS: Final[Mapping[Measure, Kind]] = MappingProxyType(
    {
        **dict.fromkeys(AGGREGATES, aggregate.expression),
        Measure.DAYS_SINCE: days_since.expression,
        Measure.LATEST: latest.expression,
        Measure.IN_A_ROW: in_a_row.expression,
        Measure.BASELINE: baseline.expression,
        Measure.FALLING: falling.expression,
        Measure.LEAST: least.expression,
        Measure.SHARE: share.expression,
        Measure.OPEN: open_items.expression,
        Measure.CLOSED: closed.expression,
        Measure.CHANGE: change.expression,
        Measure.RATIO: ratio.expression,
        Measure.RHYTHM: rhythm.expression,
        Measure.EXPECTED: expected.expression,
        Measure.SQL: sql.expression,
    }
)
"""How each kind becomes SQL."""
