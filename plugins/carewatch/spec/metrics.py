"""Answer the question: which numbers do we know of a customer each night, and how is each one defined?"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from carewatch.spec.document import SpecProblem, Strict, Text, nearest
from carewatch.spec.duration import Window
from carewatch.spec.facts import FACTS, Fact, Kind
from carewatch.spec.fragment import check_condition, check_expression


class Measure(StrEnum):
    """The kinds of metric."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    DISTINCT = "distinct"
    DAYS_SINCE = "days_since"
    CHANGE = "change"
    RATIO = "ratio"
    RHYTHM = "rhythm"
    SQL = "sql"


AGGREGATES = frozenset(
    {Measure.COUNT, Measure.SUM, Measure.AVERAGE, Measure.MINIMUM, Measure.MAXIMUM, Measure.DISTINCT}
)

_TAKES: dict[Measure, tuple[frozenset[str], frozenset[str]]] = {
    Measure.COUNT: (frozenset({"fact", "window"}), frozenset({"where"})),
    Measure.SUM: (frozenset({"fact", "window", "of"}), frozenset({"where"})),
    Measure.AVERAGE: (frozenset({"fact", "window", "of"}), frozenset({"where"})),
    Measure.MINIMUM: (frozenset({"fact", "window", "of"}), frozenset({"where"})),
    Measure.MAXIMUM: (frozenset({"fact", "window", "of"}), frozenset({"where"})),
    Measure.DISTINCT: (frozenset({"fact", "window", "of"}), frozenset({"where"})),
    Measure.DAYS_SINCE: (frozenset({"fact", "window"}), frozenset({"where", "event"})),
    Measure.CHANGE: (frozenset({"metric"}), frozenset({"at_least"})),
    Measure.RATIO: (frozenset({"metric", "over"}), frozenset({"at_least"})),
    Measure.RHYTHM: (frozenset({"fact", "window", "part"}), frozenset({"where", "at_least"})),
    Measure.SQL: (frozenset({"sql"}), frozenset()),
}
_SHAPE_KEYS = ("fact", "of", "where", "window", "event", "metric", "over", "at_least", "part", "sql")


class Metric(Strict):
    """One number per customer and day.

    The window of N days before A is [A - N days at local midnight, A). `days_since` is A's date minus the event's
    firm-local day. `change` compares the named metric's window with the equally long window just before it, in percent
    of the earlier value; it is missing when the earlier value is missing, zero or below `at_least`. `ratio` is
    metric / over, missing when `over` is missing, zero or below `at_least`. `rhythm` looks at the customer's own
    days with an event: the mean gap in days, the present silence over that gap, or the gaps' irregularity
    (coefficient of variation); missing below `at_least` such days (3 unless said, never under 2, irregularity 3).
    """

    label: Text
    kind: Measure
    unit: str = ""
    better: Literal["higher", "lower", "neither"] = "neither"
    owner: str = ""
    fact: str | None = None
    of: str | None = None
    where: str | None = None
    window: Window | None = None
    event: Literal["last", "first"] | None = Field(default=None, description="the last event unless said")
    metric: str | None = None
    over: str | None = None
    at_least: float | None = None
    part: Literal["mean_gap", "silence", "irregularity"] | None = None
    sql: str | None = None
    empty: float | Literal["missing"] | None = Field(
        default=None,
        description="value of a customer without such rows; count, sum and distinct: 0, else missing",
    )
    per: float = Field(
        default=1, gt=0, description="the value is divided by this, such as 3600 for seconds to hours"
    )

    @model_validator(mode="after")
    def _has_its_shape(self) -> Self:
        required, optional = _TAKES[self.kind]
        given = {key for key in _SHAPE_KEYS if getattr(self, key) is not None}
        for key in sorted(required - given):
            raise SpecProblem(f"a metric of kind '{self.kind}' needs '{key}'", loc=("kind",))
        for key in sorted(given - required - optional):
            raise SpecProblem(f"a metric of kind '{self.kind}' takes no '{key}'", loc=(key,))
        if self.fact is not None:
            self._check_against(self._known_fact(self.fact))
        return self

    @staticmethod
    def _known_fact(name: str) -> Fact:
        if name not in FACTS:
            raise SpecProblem(
                f"unknown fact '{name}'",
                expected="one of " + ", ".join(FACTS),
                nearest=nearest(name, FACTS),
                loc=("fact",),
            )
        return FACTS[name]

    def _check_against(self, fact: Fact) -> None:
        columns = {column.name for column in fact.columns} | {"event_day", "source_key"}
        if self.of is not None:
            check_expression(self.of, columns, loc=("of",))
            column = fact.column(self.of)
            counted = self.kind is Measure.DISTINCT
            if column is not None and not counted and column.kind in (Kind.TEXT, Kind.FLAG):
                raise SpecProblem(f"'{self.of}' is {column.kind}; '{self.kind}' needs a number", loc=("of",))
        if self.where is not None:
            check_condition(self.where, columns, loc=("where",))

    @property
    def when_empty(self) -> float | None:
        """The value of a customer without such rows."""
        if self.empty is None:
            return 0.0 if self.kind in (Measure.COUNT, Measure.SUM, Measure.DISTINCT) else None
        return None if self.empty == "missing" else float(self.empty)


class MetricsFile(Strict):
    """A file of `config/metrics/`."""

    version: Literal[1]
    metrics: dict[str, Metric]
