"""A metric's window against the equally long one just before it, in percent of the earlier value."""

from __future__ import annotations

from carewatch.measure.kinds.aggregate import between, window_of
from carewatch.measure.passes import Passes, at_least, or_empty
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.metric is not None
    base = passes.metrics[metric.metric]
    start, end = window_of(base, passes.cut.day)
    now = or_empty(between(base, passes, start, end), base)
    before = or_empty(between(base, passes, *window_of(base, start)), base)
    enough = at_least(before, metric.at_least, base)
    return f"case when {enough} then ({now} - {before})::numeric * 100 / {before} end"
