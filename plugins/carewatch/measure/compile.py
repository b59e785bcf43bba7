"""Answer the question: which SQL computes these metrics?

Each fact is read once: all its aggregates are filtered expressions of one GROUP BY. Own rhythm reads a fact's days once
more, a literal query brings its own pass. The passes become temporary tables (inlined, PostgreSQL evaluates every
expression again in every use), and one SELECT puts a customer's numbers into one array, NaN where missing.
Everything is counted and summed in integers and numerics with one cast at the end, so no plan changes a bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from carewatch.measure.cut import Cut, day_literal, instant_literal, local_midnight, text_literal
from carewatch.measure.literal import literal_query
from carewatch.paths import include
from carewatch.spec.duration import Window
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import canonical, columns_read
from carewatch.spec.literal import literal_facts
from carewatch.spec.metrics import AGGREGATES, Measure, Metric

_AGGREGATE = {
    Measure.COUNT: "count(*)",
    Measure.SUM: "sum({of})",
    Measure.AVERAGE: "avg({of})",
    Measure.MINIMUM: "min({of})",
    Measure.MAXIMUM: "max({of})",
    Measure.DISTINCT: "count(distinct {of})",
}


@dataclass(frozen=True)
class Program:
    """SQL for one cut: statements that make the passes, and one array expression over them, in metric order."""

    passes: dict[str, str]
    values: list[str]
    names: list[str]

    def select(self, *leading: str) -> str:
        """Return the SELECT of one row a customer: the leading expressions, customer_no and the array of values."""
        columns = ", ".join(
            (*leading, "population.customer_no", f"array[{', '.join(self.values)}]::float8[]")
        )
        joins = "".join(f" left join {name} using (customer_no)" for name in self.passes)
        return f"select {columns} from population{joins}"

    def readers(self, name: str) -> list[str]:
        """Return the metrics that read a pass."""
        return [metric for metric, value in zip(self.names, self.values, strict=True) if f"{name}." in value]


@dataclass
class _FactPass:
    columns: dict[str, str] = field(default_factory=dict)
    lower: datetime | None = None


@cache
def _environment(folder: Path) -> Environment:
    # Plain SQL from our own files: there is nothing to escape for HTML.
    return Environment(loader=FileSystemLoader(folder), undefined=StrictUndefined, autoescape=False)  # noqa: S701


def _render(template: str, **values: object) -> str:
    return _environment(include("sql", "metrics")).get_template(template).render(**values)


def visible(cut: Cut) -> str:
    """Return the condition under which a fact `f` counts at this cut."""
    known = instant_literal(cut.knowledge_cut)
    condition = (
        f"f.event_at < {instant_literal(cut.event_cut)} and f.known_from <= {known} "
        f"and (f.known_to is null or f.known_to > {known})"
    )
    if not cut.later_histories:
        return condition
    later = ", ".join(text_literal(load_id) for load_id in cut.later_histories)
    return f"{condition} and not (f.known_assumed and f.load_id in ({later}))"


class _Compiler:
    """Collects passes while metrics are turned into expressions."""

    def __init__(self, metrics: Mapping[str, Metric], cut: Cut) -> None:
        self.metrics = metrics
        self.cut = cut
        self.facts: dict[str, _FactPass] = {}
        self.passes: dict[str, str] = {}
        self.rhythms: dict[tuple[str, str | None, str], str] = {}

    def start(self, window: Window, before: datetime | None = None) -> datetime:
        """Return where a window that ends at `before` (the event cut unless said) begins, as an instant."""
        if before is None:
            return local_midnight(window.start(self.cut.day), self.cut.zone)
        return local_midnight(window.start(before.astimezone(self.cut.zone).date()), self.cut.zone)

    def expression(self, name: str) -> str:
        metric = self.metrics[name]
        if metric.kind in AGGREGATES:
            return self._aggregate(metric, None)
        if metric.kind is Measure.DAYS_SINCE:
            return self._days_since(metric)
        if metric.kind is Measure.CHANGE:
            return self._change(metric)
        if metric.kind is Measure.RATIO:
            return self._ratio(metric)
        if metric.kind is Measure.RHYTHM:
            return self._rhythm(metric)
        return self._literal(metric)

    def value(self, name: str) -> str:
        """Return the metric as a float8 expression that is NaN where missing."""
        metric = self.metrics[name]
        number = f"({self.expression(name)})::float8"
        if metric.per != 1:
            number = f"{number} / {metric.per!r}::float8"
        empty = "'NaN'" if metric.when_empty is None else repr(float(metric.when_empty))
        return f"coalesce({number}, {empty}::float8)"

    def _column(self, fact: str, expression: str, lower: datetime) -> str:
        collected = self.facts.setdefault(fact, _FactPass())
        collected.lower = lower if collected.lower is None else min(collected.lower, lower)
        for column, known in collected.columns.items():
            if known == expression:
                return f"pass_{fact}.{column}"
        column = f"v{len(collected.columns)}"
        collected.columns[column] = expression
        return f"pass_{fact}.{column}"

    def _filter(
        self, metric: Metric, lower: datetime, upper: datetime | None, *, doubtful: bool = False
    ) -> str:
        """Return which rows count; `doubtful` adds those of which `where` does not know."""
        conditions = [f"f.event_at >= {instant_literal(lower)}"]
        if upper is not None:
            conditions.append(f"f.event_at < {instant_literal(upper)}")
        if metric.where:
            conditions.append(f"({canonical(metric.where, table='f')}){' is not false' if doubtful else ''}")
        return " and ".join(conditions)

    def _aggregate(self, metric: Metric, upper: datetime | None) -> str:
        assert metric.fact is not None and metric.window is not None
        lower = self.start(metric.window, upper)
        of = canonical(metric.of, table="f") if metric.of else ""
        aggregate = (
            f"{_AGGREGATE[metric.kind].format(of=of)} filter (where {self._filter(metric, lower, upper)})"
        )
        column = self._column(metric.fact, aggregate, lower)
        # A count of nothing is 0 or no row at all, as it happens that other metrics read more of the fact.
        nothing_is_zero = metric.kind not in (Measure.COUNT, Measure.DISTINCT) or metric.when_empty == 0
        value = column if nothing_is_zero else f"nullif({column}, 0)"
        return self._unless_unconverted(metric, value, lower, upper)

    def _unless_unconverted(self, metric: Metric, value: str, lower: datetime, upper: datetime | None) -> str:
        """Return the value, NaN where an amount that it reads waits for its rate: without it the value is too small."""
        row = _unconverted(metric)
        if row is None:
            return value
        within = self._filter(metric, lower, upper, doubtful=True)
        assert metric.fact is not None
        holes = self._column(metric.fact, f"count(*) filter (where {row} and {within})", lower)
        return f"case when {holes} > 0 then 'NaN'::numeric else {value} end"

    def _days_since(self, metric: Metric) -> str:
        assert metric.fact is not None and metric.window is not None
        lower = self.start(metric.window)
        pick = "min" if metric.event == "first" else "max"
        column = self._column(
            metric.fact, f"{pick}(f.event_day) filter (where {self._filter(metric, lower, None)})", lower
        )
        days = f"({day_literal(self.cut.day)} - {column})"
        return self._unless_unconverted(metric, days, lower, None)

    def _change(self, metric: Metric) -> str:
        assert metric.metric is not None
        base = self.metrics[metric.metric]
        assert base.window is not None
        now = _or_empty(self._aggregate(base, None), base)
        before = _or_empty(self._aggregate(base, self.start(base.window)), base)
        floor = f" and {before} >= {_times(metric.at_least, base)}" if metric.at_least is not None else ""
        return f"case when {before} > 0{floor} then ({now} - {before})::numeric * 100 / {before} end"

    def _ratio(self, metric: Metric) -> str:
        assert metric.metric is not None and metric.over is not None
        upper, lower = self.metrics[metric.metric], self.metrics[metric.over]
        part, whole = (
            f"({_or_empty(self.expression(name), self.metrics[name])})"
            for name in (metric.metric, metric.over)
        )
        floor = f" and {whole} >= {_times(metric.at_least, lower)}" if metric.at_least is not None else ""
        scale = "" if upper.per == lower.per else f" * {lower.per!r} / {upper.per!r}"
        return f"case when {whole} > 0{floor} then {part}::numeric{scale} / {whole} end"

    def _rhythm(self, metric: Metric) -> str:
        assert metric.fact is not None and metric.window is not None
        key = (metric.fact, metric.where, str(metric.window))
        if key not in self.rhythms:
            self.rhythms[key] = f"rhythm_{len(self.rhythms)}"
            self.passes[self.rhythms[key]] = _render(
                "rhythm.sql.j2",
                name=self.rhythms[key],
                table=FACTS[metric.fact].table,
                visible=visible(self.cut),
                lower=instant_literal(self.start(metric.window)),
                where=canonical(metric.where, table="f") if metric.where else None,
                unconverted=_unconverted(metric),
            )
        p = self.rhythms[key]
        least = max(int(metric.at_least or 3), 3 if metric.part == "irregularity" else 2)
        enough = f"{p}.days >= {least} and {p}.gaps > 0"
        if _unconverted(metric) is not None:
            enough = f"{p}.unconverted then 'NaN'::numeric when {enough}"
        if metric.part == "mean_gap":
            return f"case when {enough} then {p}.gaps::numeric / ({p}.days - 1) end"
        if metric.part == "silence":
            silence = f"({day_literal(self.cut.day)} - {p}.last_day)"
            return f"case when {enough} then {silence}::numeric * ({p}.days - 1) / {p}.gaps end"
        spread = f"({p}.squares * ({p}.days - 1) - {p}.gaps * {p}.gaps)"
        return f"case when {enough} then sqrt(greatest({spread}, 0)::numeric) / {p}.gaps end"

    def _literal(self, metric: Metric) -> str:
        assert metric.sql is not None
        p = f"literal_{len(self.passes)}"
        self.passes[p] = _render(
            "literal.sql.j2",
            name=p,
            facts={
                fact: [column.name for column in FACTS[fact].columns] for fact in literal_facts(metric.sql)
            },
            visible=visible(self.cut),
            lower=instant_literal(self.start(metric.window)) if metric.window else None,
            query=literal_query(
                metric.sql, day=day_literal(self.cut.day), cut=instant_literal(self.cut.event_cut)
            ),
        )
        return f"{p}.value"


def _unconverted(metric: Metric) -> str | None:
    """Return the condition that a row's amount waits for its rate, None when the metric reads no such amount."""
    assert metric.fact is not None
    read = {name for part in (metric.of, metric.where) if part for name in columns_read(part)}
    if "amount" not in read or FACTS[metric.fact].column("amount_original") is None:
        return None
    return "f.amount is null and f.amount_original is not null"


def _or_empty(expression: str, metric: Metric) -> str:
    """Return the metric's value before `per`, what it is when there are no rows included."""
    if metric.when_empty is None:
        return expression
    return f"coalesce({expression}, {_times(metric.when_empty, metric)})"


def _times(value: float, metric: Metric) -> str:
    """Return a value in the metric's unit as a number in which the metric is counted, before `per`."""
    return repr(value) if metric.per == 1 else f"({value!r} * {metric.per!r})"


def compile_metrics(metrics: Mapping[str, Metric], cut: Cut, wanted: list[str] | None = None) -> Program:
    """Return the program that computes the wanted metrics (all, in their order) for every customer of `population`.

    It expects two relations: `population(customer_no)` and `who(party_no, customer_no)`.
    """
    compiler = _Compiler(metrics, cut)
    names = list(metrics) if wanted is None else wanted
    values = [compiler.value(name) for name in names]
    passes = {
        f"pass_{fact}": _render(
            "pass.sql.j2",
            name=f"pass_{fact}",
            table=FACTS[fact].table,
            columns=collected.columns,
            visible=visible(cut),
            lower=instant_literal(collected.lower) if collected.lower else None,
        )
        for fact, collected in compiler.facts.items()
    }
    return Program(passes | compiler.passes, values, names)


def longest_look_back(metrics: Mapping[str, Metric]) -> timedelta:
    """Return the longest window that the metrics name."""
    windows = [metric.window.max_days() for metric in metrics.values() if metric.window is not None]
    return timedelta(days=max(windows, default=0))
