"""Answer the question: which numbers do we know of a customer each night, and how is each one defined?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from carewatch.spec.document import Name, SpecProblem, Strict, Text, raise_all, unknown
from carewatch.spec.duration import Window
from carewatch.spec.facts import FACTS, Fact, Kind
from carewatch.spec.fragment import check_condition, check_expression, sole_column
from carewatch.spec.literal import literal_facts
from carewatch.spec.metric_kinds import SHAPES, Measure

_HOLDS = {Kind.TEXT: "texts", Kind.FLAG: "yes or no", Kind.DAY: "days", Kind.INSTANT: "moments"}
_NEEDED = {
    "fact": "fact: what it reads, such as order",
    "metric": "metric: the name of another metric",
    "of": "of: a column with numbers, such as amount",
    "over": "over: the name of another metric",
    "part": "part: mean_gap, silence or irregularity",
    "sql": "sql: one SELECT of customer_no and value",
    "window": "window: how far back it looks, such as 90 days",
    "within": "within: how far ahead it looks, such as 90 days",
    "habits": "habits: {r: , alpha: , a: , b: }, as `care fit` prints them",
}
_SHAPE_KEYS = (
    "fact",
    "of",
    "where",
    "window",
    "event",
    "metric",
    "over",
    "at_least",
    "part",
    "within",
    "habits",
    "sql",
)


class Habits(Strict):
    """The fitted parameters of the BG/NBD model: purchase rates vary as gamma(r, alpha) a day, chances to leave as beta(a, b)."""

    r: float = Field(
        gt=0, allow_inf_nan=False, description="shape of the purchase rates among customers 购买率形状"
    )
    alpha: float = Field(
        gt=0, allow_inf_nan=False, description="scale of the purchase rates, in days 购买率尺度（天）"
    )
    a: float = Field(
        gt=0, allow_inf_nan=False, description="first parameter of the chances to leave 流失概率参数一"
    )
    b: float = Field(
        gt=0, allow_inf_nan=False, description="second parameter of the chances to leave 流失概率参数二"
    )

    @field_validator("a")
    @classmethod
    def _is_not_one(cls, value: float) -> float:
        if value == 1:
            raise SpecProblem("the formula has a hole at a = 1", nearest="1.000001")
        return value


class Metric(Strict):
    """One number per customer and day.

    The window of N days before A is [A - N days at local midnight, A). `days_since` is A's date minus the event's
    firm-local day. `change` compares the named metric's window with the equally long window just before it, in percent
    of the earlier value; it is missing when either value is missing, or the earlier one zero or below `at_least`.
    `ratio` is metric / over, missing when either is missing, or `over` zero or below `at_least`. Both read their metrics
    as they stand: in their units (`per`), without rows as `empty` says. `rhythm` looks at the customer's own days with
    an event: the mean gap in days, the present silence over that gap, or the gaps' irregularity (coefficient of
    variation); missing below `at_least` such days (3 unless said, never under 2, irregularity 3). `expected` is how many
    days with such an event the customer will have `within` the time to come, by the BG/NBD model. `sql` sees the facts
    of its window; without one all of history, which takes longer every year.
    """

    label: Text = Field(description="what people see 名称")
    kind: Measure = Field(description="how it is computed 计算方式")
    unit: str = Field(default="", description="unit shown behind the value, such as days or %")
    better: Literal["higher", "lower", "neither"] = Field(
        default="neither", description="whether more is a good sign"
    )
    owner: str = Field(default="", description="who answers for the definition")
    fact: str | None = Field(default=None, description="the kind of fact it reads (docs/facts.md) 事实")
    of: str | None = Field(
        default=None,
        description="the fact's column, or an SQL expression over its columns, that is summed or counted",
    )
    where: str | None = Field(
        default=None, description="an SQL condition over the fact's columns; other rows do not count"
    )
    window: Window | None = Field(
        default=None, description="how far back it looks 时间窗, such as 90 days or 3 months"
    )
    event: Literal["last", "first"] | None = Field(default=None, description="the last event unless said")
    metric: str | None = Field(
        default=None, description="change: the metric that is compared; ratio: the part"
    )
    over: str | None = Field(default=None, description="ratio: the whole")
    at_least: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="missing below this: change: the earlier value; ratio: the whole; rhythm: days with an event",
    )
    part: Literal["mean_gap", "silence", "irregularity"] | None = Field(
        default=None,
        description="rhythm: the usual gap in days, the silence over it, or how irregular the gaps are",
    )
    within: Window | None = Field(default=None, description="expected: how far ahead it looks 预测期")
    habits: Habits | None = Field(
        default=None,
        description="expected: parameters of the purchase model 购买模型参数; `care fit` prints them",
    )
    sql: str | None = Field(
        default=None, description="sql: one SELECT of customer_no and value over fact_<name>"
    )
    empty: Annotated[float, Field(allow_inf_nan=False)] | Literal["missing"] | None = Field(
        default=None,
        description="value of a customer without such rows; count, sum and distinct: 0, else missing",
    )
    per: float = Field(
        default=1,
        gt=0,
        allow_inf_nan=False,
        description="the value is divided by this, such as 3600 for seconds to hours",
    )

    @model_validator(mode="after")
    def _has_its_shape(self) -> Self:
        raise_all([*self._shape_problems(), *self._fact_problems(), *self._sql_problems()])
        return self

    def _shape_problems(self) -> Iterator[SpecProblem]:
        shape = SHAPES[self.kind]
        given = {key for key in _SHAPE_KEYS if getattr(self, key) is not None}
        for key in sorted(shape.needs - given):
            what = f"a metric of kind '{self.kind}' needs '{key}'"
            yield SpecProblem(what, expected=_NEEDED[key], loc=("kind",), at_key=True)
        for key in sorted(given - shape.keys):
            takes = ", ".join(key for key in _SHAPE_KEYS if key in shape.keys)
            yield SpecProblem(
                f"a metric of kind '{self.kind}' takes no '{key}'", expected=takes, loc=(key,), at_key=True
            )

    def _fact_problems(self) -> Iterator[SpecProblem]:
        if self.fact is None:
            return
        if self.fact not in FACTS:
            yield unknown("fact", self.fact, FACTS, loc=("fact",))
            return
        for check, key in ((self._check_of, "of"), (self._check_where, "where")):
            try:
                check(FACTS[self.fact])
            except SpecProblem as problem:
                yield problem.under(key)

    def _sql_problems(self) -> Iterator[SpecProblem]:
        try:
            if self.sql is not None:
                literal_facts(self.sql)
        except SpecProblem as problem:
            yield problem

    def _check_of(self, fact: Fact) -> None:
        if self.of is None:
            return
        check_expression(self.of, _kinds(fact))
        kind = _kinds(fact).get(sole_column(self.of) or "", Kind.NUMBER)
        if kind in _HOLDS and self.kind is not Measure.DISTINCT:
            numbers = [one.name for one in fact.columns if one.kind not in _HOLDS]
            raise SpecProblem(
                f"'{self.of}' holds {_HOLDS[kind]}, not numbers",
                expected=f"one of {', '.join(numbers)}" if numbers else "kind: distinct",
            )

    def _check_where(self, fact: Fact) -> None:
        if self.where is not None:
            check_condition(self.where, _kinds(fact))
            kind = _kinds(fact).get(sole_column(self.where) or "", Kind.FLAG)
            if kind is not Kind.FLAG:
                raise SpecProblem(
                    f"'{self.where}' holds {_HOLDS.get(kind, 'numbers')}, not yes or no",
                    expected="a comparison such as kind = 'regular'",
                )

    @property
    def when_empty(self) -> float | None:
        """The value of a customer without such rows."""
        if self.empty is None:
            return SHAPES[self.kind].empty
        return None if self.empty == "missing" else float(self.empty)

    def parts(self) -> Iterator[tuple[str, str]]:
        """Yield the metrics that this one is made of, each with the key that names it."""
        for key, name in (("metric", self.metric), ("over", self.over)):
            if name is not None:
                yield key, name


def facts_read(metrics: Mapping[str, Metric], name: str) -> frozenset[str]:
    """Return every kind of fact that a metric reads, itself or through the metrics that it is made of."""
    metric = metrics[name]
    own = (
        {metric.fact} if metric.fact is not None else set(literal_facts(metric.sql)) if metric.sql else set()
    )
    return frozenset(own).union(*(facts_read(metrics, part) for _, part in metric.parts()))


def _kinds(fact: Fact) -> dict[str, Kind]:
    """Return what fragments over a fact may name."""
    common = {"event_day": Kind.DAY, "source_key": Kind.TEXT}
    return {**common, **{column.name: column.kind for column in fact.columns}}


class MetricsFile(Strict):
    """A file of `config/metrics/`: metrics by name."""

    version: Literal[1]
    metrics: dict[Name, Metric]
