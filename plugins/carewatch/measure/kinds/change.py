"""A metric's window against an earlier one, in percent of the earlier value: the one just before it, or one `ago`."""

from __future__ import annotations

from carewatch.measure.kinds.aggregate import between, window_of
from carewatch.measure.passes import Passes, at_least, or_empty
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.metric is not None
    base = passes.metrics[metric.metric]
    assert base.window is not None
    start, end = window_of(base, passes.cut.day)
    last = start if metric.ago is None else metric.ago.start(end)
    now = or_empty(between(base, passes, start, end), base)
    before = or_empty(between(base, passes, base.window.start(last), last), base)
    enough = at_least(before, metric.at_least, base)
    return f"case when {enough} then ({now} - {before})::numeric * 100 / {before} end"
