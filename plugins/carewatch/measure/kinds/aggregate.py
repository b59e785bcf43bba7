"""Counts, sums, averages, least, most and different values of one fact's rows in a window: columns of its one pass."""

from __future__ import annotations

from datetime import date
from typing import Final

from carewatch.measure.passes import Passes
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import canonical, columns_read
from carewatch.spec.metric_kinds import Measure
from carewatch.spec.metrics import Metric

_SQL: Final = {
    Measure.COUNT: "count(*)",
    Measure.SUM: "sum({of})",
    Measure.AVERAGE: "avg({of})",
    Measure.MINIMUM: "min({of})",
    Measure.MAXIMUM: "max({of})",
    Measure.DISTINCT: "count(distinct {of})",
}


def expression(metric: Metric, passes: Passes) -> str:
    return between(metric, passes, *window_of(metric, passes.cut.day))


def window_of(metric: Metric, end: date) -> tuple[date, date]:
    """Return the days [start, end) of the metric's window as seen on a day; it ends there, or `ago` before."""
    assert metric.window is not None
    last = end if metric.ago is None else metric.ago.start(end)
    return metric.window.start(last), last


def windows_before(metric: Metric, day: date, count: int) -> list[tuple[date, date]]:
    """Return so many of the metric's windows, each just before the one before it, the newest first."""
    assert metric.window is not None
    found = [window_of(metric, day)]
    while len(found) < count:
        start = found[-1][0]
        found.append((metric.window.start(start), start))
    return found


def between(metric: Metric, passes: Passes, start: date, end: date) -> str:
    """Return the aggregate of the rows of the days [start, end)."""
    assert metric.fact is not None
    of = canonical(metric.of, table="f") if metric.of else ""
    rows = rows_between(passes, start, end, metric.where)
    column = passes.column(metric.fact, f"{_SQL[metric.kind].format(of=of)} filter (where {rows})", start)
    # A count of nothing is 0 or no row at all, as it happens that other metrics read more of the fact.
    nothing_is_zero = metric.kind not in (Measure.COUNT, Measure.DISTINCT) or metric.when_empty == 0
    value = column if nothing_is_zero else f"nullif({column}, 0)"
    return unless_unconverted(metric, passes, value, start, end)


def unless_unconverted(metric: Metric, passes: Passes, value: str, start: date, end: date) -> str:
    """Return the value, NaN where an amount that it reads waits for its rate: without it the value is too small."""
    row = unconverted(metric)
    if row is None:
        return value
    within = rows_between(passes, start, end, metric.where, doubtful=True)
    assert metric.fact is not None
    holes = passes.column(metric.fact, f"count(*) filter (where {row} and {within})", start)
    return f"case when {holes} > 0 then 'NaN'::numeric else {value} end"


def unconverted(metric: Metric) -> str | None:
    """Return the condition that a row's amount waits for its rate, None when the metric reads no such amount."""
    assert metric.fact is not None
    read = {name for part in (metric.of, metric.where) if part for name in columns_read(part)}
    if "amount" not in read or FACTS[metric.fact].column("amount_original") is None:
        return None
    return "f.amount is null and f.amount_original is not null"


def rows_between(passes: Passes, start: date, end: date, where: str | None, *, doubtful: bool = False) -> str:
    """Return the condition of being a row of the days [start, end); the event cut ends the pass itself.

    `doubtful` adds the rows of which `where` does not know.
    """
    conditions = [f"f.event_at >= {passes.midnight(start)}"]
    if end != passes.cut.day:
        conditions.append(f"f.event_at < {passes.midnight(end)}")
    if where:
        conditions.append(f"({canonical(where, table='f')}){' is not false' if doubtful else ''}")
    return " and ".join(conditions)
