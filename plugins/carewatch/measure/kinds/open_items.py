"""What is open at the night, of things that open and end: bills, tickets, orders, contracts."""

from __future__ import annotations

from carewatch.measure.cut import day_literal
from carewatch.measure.kinds.aggregate import window_of
from carewatch.measure.passes import Passes
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import canonical
from carewatch.spec.items import ITEMS
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.fact is not None
    items = ITEMS[metric.fact]
    date = metric.date or (items.dates[0] if items.dates else None)
    p = passes.own(
        "unpaid" if items.paid else "open",
        (metric.fact, metric.where, date, str(metric.window)),
        items=items,
        table=FACTS[metric.fact].table,
        events=FACTS[items.events].table,
        lower=passes.midnight(window_of(metric, passes.cut.day)[0]),
        day=day_literal(passes.cut.day),
        date=date,
        where=canonical(metric.where, table="f") if metric.where else None,
    )
    day = day_literal(passes.cut.day)
    return {
        "count": f"{p}.items",
        "amount": f"{p}.amount",
        "amount_over": f"{p}.amount_over",
        "days_over": f"({day} - {p}.first_over)",
        "days_left": f"({p}.next_date - {day})",
        "age": f"({day} - {p}.oldest)",
        "gap": f"case when {p}.items = 0 then {day} - {p}.last_over end",
    }[metric.part or "count"]
