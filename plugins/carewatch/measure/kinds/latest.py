"""The value of the newest row: the largest pair of moment and value, so that the one pass need not sort."""

from __future__ import annotations

from carewatch.measure.kinds.aggregate import rows_between, unless_unconverted, window_of
from carewatch.measure.passes import Passes
from carewatch.spec.fragment import canonical
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.fact is not None and metric.of is not None
    start, end = window_of(metric, passes.cut.day)
    of = canonical(metric.of, table="f")
    rows = f"({of}) is not null and {rows_between(passes, start, end, metric.where)}"
    pair = f"array[extract(epoch from f.event_at), ({of})::numeric]"
    value = f"({passes.column(metric.fact, f'max({pair}) filter (where {rows})', start)})[2]"
    return unless_unconverted(metric, passes, value, start, end)
