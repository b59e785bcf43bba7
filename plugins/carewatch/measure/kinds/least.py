"""The smallest of several metrics, of those that are known."""

from __future__ import annotations

from carewatch.measure.passes import Passes
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    values = [f"nullif({passes.value(name)}, 'NaN'::float8)" for name in metric.metrics or ()]
    return f"least({', '.join(values)})"
