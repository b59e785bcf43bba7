"""How many periods in a row fell, counted back from the newest."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from carewatch.measure.kinds.aggregate import between, unconverted, windows_before
from carewatch.measure.passes import Passes, at_least, or_empty
from carewatch.spec.duration import Unit
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.metric is not None and metric.periods is not None and metric.drop is not None
    base = passes.metrics[metric.metric]
    day = _last_complete(base, passes.cut.day)
    values = [
        or_empty(between(base, passes, *window), base)
        for window in windows_before(base, day, metric.periods + 1)
    ]
    cases = []
    for fallen, (now, before) in enumerate(pairwise(values)):
        if unconverted(base) is not None:
            cases.append(f"when 'NaN'::numeric in ({now}, {before}) then 'NaN'::numeric")
        enough = at_least(before, metric.at_least, base)
        fell = f"{enough} and {now} * 100 <= {before} * (100 - {metric.drop!r})"
        cases.append(f"when ({fell}) is not true then {fallen}")
    return f"case {' '.join(cases)} else {metric.periods} end"


def _last_complete(base: Metric, day: date) -> date:
    """Return the day on which the newest complete period ended."""
    assert base.window is not None
    if base.window.unit is Unit.MONTH:
        return day.replace(day=1)
    return day.replace(month=1, day=1) if base.window.unit is Unit.YEAR else day
