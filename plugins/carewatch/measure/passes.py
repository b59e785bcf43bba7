"""Answer the question: what must be read of the facts, so that each one is read as seldom as can be?

Metrics ask for columns of the one pass over a fact, or for a pass of their own; what two of them ask for in the same
words is there once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from carewatch.measure.cut import Cut, instant_literal, local_midnight, text_literal
from carewatch.paths import include
from carewatch.spec.facts import FACTS
from carewatch.spec.metric_kinds import Measure
from carewatch.spec.metrics import Metric


@cache
def _environment(folder: Path) -> Environment:
    # Plain SQL from our own files: there is nothing to escape for HTML.
    return Environment(loader=FileSystemLoader(folder), undefined=StrictUndefined, autoescape=False)  # noqa: S701


def render(template: str, **values: object) -> str:
    return _environment(include("sql", "metrics")).get_template(template).render(**values)


def believed(cut: Cut) -> str:
    """Return the condition under which an identity `i` is believed at this cut."""
    known = instant_literal(cut.knowledge_cut)
    return f"i.known_from <= {known} and (i.known_to is null or i.known_to > {known})"


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


@dataclass
class _FactPass:
    columns: dict[str, str] = field(default_factory=dict)
    since: date | None = None


class Passes:
    """Collects passes while metrics are turned into expressions; `kinds` says how each kind is.

    `closed_days` are the firm's days without work, as ISO dates; of `parties`, where given, alone the facts are read.
    """

    def __init__(
        self,
        metrics: Mapping[str, Metric],
        cut: Cut,
        kinds: Mapping[Measure, Kind],
        closed_days: Collection[str] = (),
        parties: Collection[int] | None = None,
    ) -> None:
        self.metrics, self.cut, self.closed_days = metrics, cut, closed_days
        self._kinds = kinds
        self._visible = visible(cut)
        if parties is not None:
            self._visible += (
                f" and f.party_no = any('{{{','.join(str(int(one)) for one in parties)}}}'::integer[])"
            )
        self._facts: dict[str, _FactPass] = {}
        self._own: dict[str, str] = {}
        self._names: dict[object, str] = {}

    def expression(self, name: str) -> str:
        """Return a metric as SQL, before `per`, null where there are no rows."""
        metric = self.metrics[name]
        return self._kinds[metric.kind](metric, self)

    def or_empty(self, name: str) -> str:
        """Return a metric as SQL, before `per`, what it is when there are no rows included."""
        return or_empty(self.expression(name), self.metrics[name])

    def value(self, name: str) -> str:
        """Return the metric as a float8 expression that is NaN where missing."""
        metric = self.metrics[name]
        number = f"({self.expression(name)})::float8"
        if metric.per != 1:
            number = f"{number} / {metric.per!r}::float8"
        empty = "'NaN'" if metric.when_empty is None else repr(float(metric.when_empty))
        return f"coalesce({number}, {empty}::float8)"

    def midnight(self, day: date) -> str:
        """Return 00:00 of a day of the firm as an SQL literal."""
        return instant_literal(local_midnight(day, self.cut.zone))

    def column(self, fact: str, aggregate: str, since: date) -> str:
        """Return the column of the pass over a fact that holds this aggregate, which looks back to a day."""
        collected = self._facts.setdefault(fact, _FactPass())
        collected.since = since if collected.since is None else min(collected.since, since)
        for column, known in collected.columns.items():
            if known == aggregate:
                return f"pass_{fact}.{column}"
        column = f"v{len(collected.columns)}"
        collected.columns[column] = aggregate
        return f"pass_{fact}.{column}"

    def own(self, prefix: str, key: object, **values: object) -> str:
        """Return the name of a pass of `<prefix>.sql.j2`, the same one for the same key."""
        if (prefix, key) not in self._names:
            name = f"{prefix}_{len(self._own)}"
            self._names[prefix, key] = name
            self._own[name] = render(f"{prefix}.sql.j2", visible=self._visible, **values)
        return self._names[prefix, key]

    def queries(self) -> dict[str, str]:
        """Return the query of each pass, by name."""
        of_facts = {
            f"pass_{fact}": render(
                "pass.sql.j2",
                table=FACTS[fact].table,
                columns=collected.columns,
                visible=self._visible,
                lower=self.midnight(collected.since) if collected.since else None,
            )
            for fact, collected in self._facts.items()
        }
        return of_facts | self._own


Kind = Callable[[Metric, Passes], str]
"""How a metric of a kind becomes an SQL expression over passes, before `per`, null where there are no rows."""


def or_empty(expression: str, metric: Metric) -> str:
    """Return the metric's value before `per`, what it is when there are no rows included."""
    if metric.when_empty is None:
        return expression
    return f"coalesce({expression}, {times(metric.when_empty, metric)})"


def times(value: float, metric: Metric) -> str:
    """Return a value in the metric's unit as a number in which the metric is counted, before `per`."""
    return repr(value) if metric.per == 1 else f"({value!r} * {metric.per!r})"


def at_least(expression: str, least: float | None, metric: Metric) -> str:
    """Return the condition that an expression of a metric is above zero, and not below `least` in the metric's unit."""
    floor = f" and {expression} >= {times(least, metric)}" if least is not None else ""
    return f"{expression} > 0{floor}"
