"""What a customer brings among all of them: percent of the total, place, or the percent that it and larger ones bring.

Amounts below zero bring nothing; of equals the one whom we have known longer is the larger.
"""

from __future__ import annotations

from carewatch.measure.passes import Passes
from carewatch.spec.metrics import Metric

_LARGEST_FIRST = "order by {value} desc, population.customer_no"


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.metric is not None
    value = f"greatest({passes.or_empty(metric.metric)}, 0)::numeric"
    largest_first = _LARGEST_FIRST.format(value=value)
    total = f"nullif(sum({value}) over (), 0)"
    if metric.part == "rank":
        return f"case when {value} > 0 then row_number() over ({largest_first}) end"
    if metric.part == "share":
        return f"{value} * 100 / {total}"
    return f"sum({value}) over ({largest_first} rows unbounded preceding) * 100 / {total}"
