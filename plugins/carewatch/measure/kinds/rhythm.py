"""The customer's own rhythm: its usual gap between days with an event, the silence over it, how irregular gaps are.

Where a history is short, the expected gap leans on what is usual among customers of its kind; where the customer paused at
this time a year ago, that pause is expected again.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from carewatch.measure.cut import day_literal, instant_literal, text_literal
from carewatch.measure.kinds.aggregate import unconverted, window_of
from carewatch.measure.passes import Passes
from carewatch.spec.duration import Unit, Window
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import canonical
from carewatch.spec.metrics import Metric

LEANS: Final = 3
"""As many gaps as what is usual weighs beside the customer's own: after three gaps the two count alike."""
SEASON: Final = timedelta(days=30)
"""So long before and after the same day a year ago a gap counts as the season's."""
ENOUGH: Final = 10
"""With fewer customers of a kind than this, what is usual is that of all customers."""


def rhythm_pass(metric: Metric, passes: Passes) -> str:
    """Return the name of the pass over a customer's days with such an event."""
    assert metric.fact is not None
    working, among = metric.days == "working", tuple(metric.among or ())
    first, today = window_of(metric, passes.cut.day)[0], passes.cut.day
    year_ago = Window(1, Unit.YEAR).start(today)
    closed = sorted(day for day in passes.closed_days if f"{first}" <= day <= f"{today}") if working else None
    position = (
        f"(select position from work_days where day = {day_literal(today)})"
        if working
        else f"({day_literal(today)} - {day_literal(first)})"
    )
    return passes.own(
        "rhythm",
        (metric.fact, metric.where, str(metric.window), working, among),
        table=FACTS[metric.fact].table,
        lower=passes.midnight(first),
        first_day=day_literal(first),
        day=day_literal(today),
        today=position,
        season_begins=day_literal(year_ago - SEASON),
        season_ends=day_literal(year_ago + SEASON),
        closed=closed,
        where=canonical(metric.where, table="f") if metric.where else None,
        unconverted=unconverted(metric),
        among=among,
        masters=_masters(passes),
        enough=ENOUGH,
    )


def _masters(passes: Passes) -> str:
    """Return the arguments of `care.masters_at` at the cut."""
    later = ", ".join(text_literal(load_id) for load_id in passes.cut.later_histories)
    cut, known = instant_literal(passes.cut.event_cut), instant_literal(passes.cut.knowledge_cut)
    return f"{cut}, {known}, array[{later}]::text[]"


def expression(metric: Metric, passes: Passes) -> str:
    p = rhythm_pass(metric, passes)
    enough = _enough(metric, p)
    if unconverted(metric) is not None:
        enough = f"{p}.unconverted then 'NaN'::numeric when {enough}"
    match metric.part:
        case "mean_gap":
            return f"case when {enough} then {p}.gaps::numeric / ({p}.days - 1) end"
        case "silence":
            return f"case when {enough} then {p}.silence::numeric * ({p}.days - 1) / {p}.gaps end"
        case "expected_gap":
            return f"case when {enough} then {_expected(metric, p)} end"
        case "overdue":
            expected = f"greatest({_expected(metric, p)}, {p}.season_gap)"
            return f"case when {enough} then {p}.silence::numeric / nullif({expected}, 0) end"
    spread = f"({p}.squares * ({p}.days - 1) - {p}.gaps * {p}.gaps)"
    return f"case when {enough} then sqrt(greatest({spread}, 0)::numeric) / {p}.gaps end"


def _enough(metric: Metric, p: str) -> str:
    """Return the condition under which the customer's days say anything: alone, two gaps or more; with others', one day."""
    if metric.part in ("expected_gap", "overdue") and metric.among:
        return f"{p}.days >= {max(int(metric.at_least or 1), 1)}"
    least = max(int(metric.at_least or 3), 3 if metric.part == "irregularity" else 2)
    return f"{p}.days >= {least} and {p}.gaps > 0"


def _expected(metric: Metric, p: str) -> str:
    """Return the gap to be expected: the own mean, leaning on what is usual where it comes from few gaps."""
    own = f"{p}.gaps::numeric / nullif({p}.days - 1, 0)"
    if not metric.among:
        return own
    leaning = f"(coalesce({p}.gaps, 0) + {LEANS} * {p}.usual_gap) / ({p}.days - 1 + {LEANS})"
    return f"coalesce({leaning}, {own})"
