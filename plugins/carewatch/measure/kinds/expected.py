"""Purchase days to be expected of a customer by the BG/NBD model, from its own days with an event alone."""

from __future__ import annotations

from carewatch.measure.cut import day_literal
from carewatch.measure.kinds.rhythm import rhythm_pass
from carewatch.measure.passes import Passes
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.habits is not None and metric.within is not None
    p = rhythm_pass(metric, passes)
    known = ", ".join(
        f"{value!r}::float8" for value in (metric.within.max_days(), *metric.habits.model_dump().values())
    )
    span = f"coalesce({p}.gaps, 0)"
    age = f"{day_literal(passes.cut.day)} - {p}.last_day + {span}"
    return f"care.expected_purchases({p}.days - 1, {span}, {age}, {known})"
