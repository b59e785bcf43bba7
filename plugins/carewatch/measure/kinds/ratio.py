"""One metric over another."""

from __future__ import annotations

from carewatch.measure.passes import Passes, at_least
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.metric is not None and metric.over is not None
    upper, lower = passes.metrics[metric.metric], passes.metrics[metric.over]
    part, whole = (f"({passes.or_empty(name)})" for name in (metric.metric, metric.over))
    scale = "" if upper.per == lower.per else f" * {lower.per!r} / {upper.per!r}"
    return f"case when {at_least(whole, metric.at_least, lower)} then {part}::numeric{scale} / {whole} end"
