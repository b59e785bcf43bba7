"""A metric's window against the customer's own mean or median of the windows before, in percent of it."""

from __future__ import annotations

from carewatch.measure.kinds.aggregate import between, unconverted, windows_before
from carewatch.measure.passes import Passes, at_least, or_empty
from carewatch.spec.metrics import Metric

_MIDDLE = (
    "(select avg(value) as base from (select value, row_number() over (order by value) as place, "
    "count(*) over () as n from unnest({values}) as value where value is not null) as ordered "
    "where place in ((n + 1) / 2, (n + 2) / 2))"
)
_MEAN = "(select avg(value) as base from unnest({values}) as value)"


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.metric is not None and metric.periods is not None
    base = passes.metrics[metric.metric]
    now, *before = (
        or_empty(between(base, passes, *window), base)
        for window in windows_before(base, passes.cut.day, metric.periods + 1)
    )
    values = f"array[{', '.join(before)}]::numeric[]"
    usual = (_MIDDLE if metric.against == "median" else _MEAN).format(values=values)
    enough = at_least("base", metric.at_least, base)
    if unconverted(base) is not None:
        # A median would pass over a value that nobody knows.
        enough = f"'NaN'::numeric = any({values}) then 'NaN'::numeric when {enough}"
    return f"(select case when {enough} then ({now} - base)::numeric * 100 / base end from {usual} as usual)"
