"""How those ended that ended in the window: late or in time, and how long they took."""

from __future__ import annotations

from datetime import timedelta

from carewatch.measure.kinds.aggregate import window_of
from carewatch.measure.passes import Passes
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import canonical
from carewatch.spec.items import ITEMS
from carewatch.spec.metrics import Metric

_OPENED_BEFORE = timedelta(days=730)
"""How long before the window those may have been opened that ended in it."""


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.fact is not None
    items = ITEMS[metric.fact]
    start, _ = window_of(metric, passes.cut.day)
    p = passes.own(
        "closed",
        (metric.fact, metric.where, str(metric.window)),
        items=items,
        table=FACTS[metric.fact].table,
        events=FACTS[items.events].table,
        lower=passes.midnight(start),
        opened=passes.midnight(start - _OPENED_BEFORE),
        date=items.dates[0] if items.dates else None,
        where=canonical(metric.where, table="f") if metric.where else None,
    )
    if metric.part == "days_late":
        return f"case when {p}.dated > 0 then {p}.days_late::numeric / {p}.dated end"
    if metric.part == "on_time":
        return f"case when {p}.dated > 0 then {p}.on_time * 100::numeric / {p}.dated end"
    return f"case when {p}.items > 0 then {p}.days_taken::numeric / {p}.items end"
