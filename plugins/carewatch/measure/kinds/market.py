"""Market events in force at a customer: its own, and those of its industry and its country or market."""

from __future__ import annotations

from carewatch.measure.cut import day_literal
from carewatch.measure.kinds.aggregate import window_of
from carewatch.measure.passes import Passes
from carewatch.spec.fragment import canonical
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    start, _ = window_of(metric, passes.cut.day)
    p = passes.own(
        "market",
        (metric.of, metric.where, str(metric.window)),
        lower=passes.midnight(start),
        day=day_literal(passes.cut.day),
        of=canonical(metric.of, table="f") if metric.of else "null::numeric",
        where=canonical(metric.where, table="f") if metric.where else None,
    )
    return f"{p}.events" if metric.of is None else f"{p}.most"
