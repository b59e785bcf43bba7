"""How many such rows there are since the last one that broke the row."""

from __future__ import annotations

from carewatch.measure.kinds.aggregate import rows_between, unless_unconverted, window_of
from carewatch.measure.passes import Passes
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.fact is not None
    start, end = window_of(metric, passes.cut.day)
    rows, breaks = (
        rows_between(passes, start, end, condition) for condition in (metric.where, metric.broken_by)
    )
    moments = passes.column(metric.fact, f"array_agg(f.event_at) filter (where {rows})", start)
    broken = passes.column(metric.fact, f"max(f.event_at) filter (where {breaks})", start)
    since = f"(select count(*) from unnest({moments}) as at where {broken} is null or at > {broken})"
    return unless_unconverted(metric, passes, since, start, end)
