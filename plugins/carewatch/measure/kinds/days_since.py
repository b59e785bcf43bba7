"""Days from the last or first such event to the night."""

from __future__ import annotations

from carewatch.measure.cut import day_literal
from carewatch.measure.kinds.aggregate import rows_between, unless_unconverted, window_of
from carewatch.measure.passes import Passes
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.fact is not None
    start, end = window_of(metric, passes.cut.day)
    pick = "min" if metric.event == "first" else "max"
    rows = rows_between(passes, start, end, metric.where)
    column = passes.column(metric.fact, f"{pick}(f.event_day) filter (where {rows})", start)
    days = f"({day_literal(passes.cut.day)} - {column})"
    return unless_unconverted(metric, passes, days, start, end)
