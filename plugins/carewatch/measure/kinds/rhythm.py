"""The customer's own rhythm: its usual gap between days with an event, the silence over it, how irregular gaps are."""

from __future__ import annotations

from carewatch.measure.cut import day_literal
from carewatch.measure.kinds.aggregate import unconverted, window_of
from carewatch.measure.passes import Passes
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import canonical
from carewatch.spec.metrics import Metric


def rhythm_pass(metric: Metric, passes: Passes) -> str:
    """Return the name of the pass over a customer's days with such an event."""
    assert metric.fact is not None
    return passes.own(
        "rhythm",
        (metric.fact, metric.where, str(metric.window)),
        table=FACTS[metric.fact].table,
        lower=passes.midnight(window_of(metric, passes.cut.day)[0]),
        where=canonical(metric.where, table="f") if metric.where else None,
        unconverted=unconverted(metric),
    )


def expression(metric: Metric, passes: Passes) -> str:
    p = rhythm_pass(metric, passes)
    least = max(int(metric.at_least or 3), 3 if metric.part == "irregularity" else 2)
    enough = f"{p}.days >= {least} and {p}.gaps > 0"
    if unconverted(metric) is not None:
        enough = f"{p}.unconverted then 'NaN'::numeric when {enough}"
    if metric.part == "mean_gap":
        return f"case when {enough} then {p}.gaps::numeric / ({p}.days - 1) end"
    if metric.part == "silence":
        silence = f"({day_literal(passes.cut.day)} - {p}.last_day)"
        return f"case when {enough} then {silence}::numeric * ({p}.days - 1) / {p}.gaps end"
    spread = f"({p}.squares * ({p}.days - 1) - {p}.gaps * {p}.gaps)"
    return f"case when {enough} then sqrt(greatest({spread}, 0)::numeric) / {p}.gaps end"
