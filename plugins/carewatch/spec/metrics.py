"""Answer the question: which numbers do we know of a customer each night, and how is each one defined?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from carewatch.spec.document import Name, SpecProblem, Strict, Text, raise_all, unknown
from carewatch.spec.duration import Window
from carewatch.spec.facts import FACTS, Fact, Kind
from carewatch.spec.fragment import check_condition, check_expression, sole_column
from carewatch.spec.items import ITEMS
from carewatch.spec.literal import literal_facts
from carewatch.spec.metric_examples import MetricExample
from carewatch.spec.metric_kinds import SHAPES, Measure
from carewatch.spec.saying import joined, said

_HOLDS = {Kind.TEXT: "texts", Kind.FLAG: "yes or no", Kind.DAY: "days", Kind.INSTANT: "moments"}
_NEEDED = {
    "broken_by": "broken_by: the condition of a row that ends the row of others, such as attended",
    "drop": "drop: by how many percent a period must be below the one before, such as 30",
    "fact": "fact: what it reads, such as order",
    "metric": "metric: the name of another metric",
    "metrics": "metrics: a list of names of other metrics",
    "of": "of: a column with numbers, such as amount",
    "over": "over: the name of another metric",
    "periods": "periods: how many windows are looked at, such as 4",
    "sql": "sql: one SELECT of customer_no and value",
    "where": "where: an SQL condition over the fact's columns",
    "window": "window: how far back it looks, such as 90 days",
    "within": "within: how far ahead it looks, such as 90 days",
    "habits": said("habits: {{r: , alpha: , a: , b: }}, as `care fit` prints them"),
}
_SHAPE_KEYS = (
    "fact", "of", "where", "window", "ago", "event", "broken_by", "metric", "metrics", "over", "at_least", "against",
    "days", "among", "periods", "drop", "part", "date", "within", "habits", "sql",
)  # fmt: skip
_OF_ITEMS = (Measure.OPEN, Measure.CLOSED)


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

    The window of N days before A is [A - N days at local midnight, A); `ago` ends it that long before A. Numbers are in
    the metric's unit (`per`), without rows they are what `empty` says; metrics made of others read them as they stand.

    - `latest`: the value of the newest row that has one (of several at one moment the largest).
    - `days_since`: A's date minus the event's firm-local day.
    - `in_a_row`: how many such rows came after the last one for which `broken_by` holds.
    - `change`: the named metric's window against the equally long one just before it, or `ago` before it (the same season
      a year earlier), in percent of the earlier value; missing when either value is missing, or the earlier one zero or
      below `at_least`.
    - `baseline`: the same against the mean or median of the `periods` windows before; those whose value is missing are
      left out, those without orders count as zero where a sum or count does.
    - `falling`: how many periods in a row, counted back from the newest and at most `periods`, were at least `drop`
      percent below the one before them, which must not be below `at_least`. A period is the metric's window; months and
      years are the last complete ones of the calendar. A period without rows counts as the metric's `empty` says: zero
      for sums and counts; one that is missing ends the row.
    - `ratio`: metric / over, missing when either is missing, or `over` zero or below `at_least`.
    - `least`: the smallest of several metrics, of those that are known.
    - `share`: percent of the total of all customers, the place among them (1 the largest), or the percent that this one
      and all larger ones bring together (below 80: one of those who bring 80 %). It depends on everybody: an explanation
      takes it from the night.
    - `rhythm`: the customer's own days with an event: the mean gap in days, the present silence over that gap, or the
      gaps' irregularity (coefficient of variation); missing below `at_least` such days (3 unless said, never under 2,
      irregularity 3). `expected_gap` leans on the mean gap `among` customers of the same kind while the own gaps are few;
      `overdue` is the silence over that, or over the longest gap in the 30 days around this day a year ago where that was longer.
      In working `days` no holiday makes anybody late.
    - `open`: bills not paid, tickets not resolved, orders not delivered, contracts not over, as known at the night: how
      many, their `amount` that is open, that of those past their date, days since the oldest date has passed, days left
      until the next date, `age` of the oldest, or the `gap` since the last one was over when none is open. A bill is paid
      when 99 % is, in its own currency where the payments are in it. `date` says which date of a contract.
    - `closed`: those that ended in the window: how many days after their date on average, the percent that ended in
      time, or the days taken; each payment counts, for bills opened in the window or two years before it.
    - `expected`: how many days with such an event the customer will have `within` the time to come, by the BG/NBD model.
    - `sql`: sees the facts of its window; without one all of history, which takes longer every year.
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
    ago: Window | None = Field(
        default=None,
        description="the window ended so long ago; change: compare with the window so long before, such as 1 year",
    )
    broken_by: str | None = Field(
        default=None,
        description="in_a_row: an SQL condition over the fact's columns; such a row ends the row",
    )
    metric: str | None = Field(
        default=None, description="the metric that is compared, followed or ranked; ratio: the part"
    )
    metrics: list[str] | None = Field(
        default=None, min_length=2, description="least: the metrics that are compared"
    )
    over: str | None = Field(default=None, description="ratio: the whole")
    at_least: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="too little to compare with below this: change, baseline, falling: the earlier value; "
        "ratio: the whole; rhythm: days with an event",
    )
    against: Literal["mean", "median"] | None = Field(
        default=None, description="baseline: the mean of the windows before unless said"
    )
    periods: int | None = Field(
        default=None, ge=1, le=24, description="baseline, falling: how many windows are looked at"
    )
    drop: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="falling: by how many percent a period is below the one before",
    )
    part: (
        Literal[
            "mean_gap", "silence", "irregularity", "expected_gap", "overdue", "count", "amount", "amount_over", "days_over",
            "days_left", "age",
            "gap", "days_late", "on_time", "days_taken", "share", "cumulative", "rank",
        ]
        | None
    ) = Field(default=None, description="rhythm, open, closed, share: which number of it")  # fmt: skip
    date: str | None = Field(
        default=None, description="open: which day is waited for; contract_event: ends_on unless said"
    )
    days: Literal["calendar", "working"] | None = Field(
        default=None,
        description="rhythm: gaps and silence in calendar days unless said, or in the firm's working days 工作日",
    )
    among: list[Literal["industry", "region", "country", "segment"]] | None = Field(
        default=None,
        min_length=1,
        description="rhythm: a short history leans on customers of the same kind 参照同类客户, such as [industry]",
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
        description="value of a customer without such rows; what is counted or summed: 0, else missing",
    )
    per: float = Field(
        default=1,
        gt=0,
        allow_inf_nan=False,
        description="the value is divided by this, such as 3600 for seconds to hours",
    )

    source: str = Field(default="", description="which system or feed it comes from, for people 来源")
    examples: list[MetricExample] = Field(
        default_factory=list, description="rows and the value that must come out; each one is tested 示例"
    )

    @model_validator(mode="after")
    def _has_its_shape(self) -> Self:
        raise_all([*self._shape_problems(), *self._fact_problems(), *self._sql_problems()])
        return self

    def _shape_problems(self) -> Iterator[SpecProblem]:
        shape = SHAPES[self.kind]
        given = {key for key in _SHAPE_KEYS if getattr(self, key) is not None}
        words = joined(" or ", (joined(", ", list(shape.parts)[:-1]), *list(shape.parts)[-1:]))
        for key in sorted(shape.needs - given):
            what = said("a metric of kind '{kind}' needs '{key}'", kind=self.kind, key=key)
            expected = said("part: {words}", words=words) if key == "part" else _NEEDED[key]
            yield SpecProblem(what, expected=expected, loc=("kind",), at_key=True)
        for key in sorted(given - shape.keys):
            takes = joined(", ", (key for key in _SHAPE_KEYS if key in shape.keys))
            yield SpecProblem(
                said("a metric of kind '{kind}' takes no '{key}'", kind=self.kind, key=key),
                expected=takes,
                loc=(key,),
                at_key=True,
            )

        if self.part is not None and "part" in shape.keys and self.part not in shape.parts:
            yield unknown(
                "part",
                self.part,
                shape.parts,
                expected=words,
                loc=("part",),
            )

    def _fact_problems(self) -> Iterator[SpecProblem]:
        if self.fact is None:
            return
        if self.fact not in FACTS:
            yield unknown("fact", self.fact, FACTS, loc=("fact",))
            return
        if self.kind in _OF_ITEMS and self.fact not in ITEMS:
            what = said("a row of {fact} opens nothing that ends", fact=self.fact)
            yield SpecProblem(what, expected=joined(" or ", ITEMS), loc=("fact",))
            return
        fact = FACTS[self.fact]
        checks = {
            "of": lambda: self._check_of(fact),
            "where": lambda: _check_where(self.where, fact),
            "broken_by": lambda: _check_where(self.broken_by, fact),
            "date": self._check_date,
            "part": self._check_part,
        }
        for key, check in checks.items():
            try:
                check()
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
                said("'{of}' holds {holds}, not numbers", of=self.of, holds=said(_HOLDS[kind])),
                expected=said("one of {numbers}", numbers=joined(", ", numbers))
                if numbers
                else "kind: distinct",
            )

    def _check_date(self) -> None:
        items = ITEMS.get(self.fact or "")
        if self.date is not None and items is not None and self.date not in items.dates:
            raise unknown("date", self.date, items.dates, expected=joined(" or ", items.dates) or "no date")

    def _check_part(self) -> None:
        items = ITEMS.get(self.fact or "")
        if items is None or self.part is None:
            return
        if not items.dates and self.part in ("days_over", "days_left", "amount_over", "days_late", "on_time"):
            raise SpecProblem(
                said("a {fact} has no date that could pass", fact=self.fact), expected="count, age or gap"
            )
        if not items.amount and self.part == "amount":
            raise SpecProblem(said("a {fact} has no amount", fact=self.fact), expected="count")

    @property
    def when_empty(self) -> float | None:
        """The value of a customer without such rows."""
        if self.empty is None:
            shape = SHAPES[self.kind]
            return shape.parts[self.part] if self.part is not None else shape.empty
        return None if self.empty == "missing" else float(self.empty)

    def parts(self) -> Iterator[tuple[str, str]]:
        """Yield the metrics that this one is made of, each with the key that names it."""
        for key, name in (("metric", self.metric), ("over", self.over)):
            if name is not None:
                yield key, name
        yield from (("metrics", name) for name in self.metrics or ())


def facts_read(metrics: Mapping[str, Metric], name: str) -> frozenset[str]:
    """Return every kind of fact that a metric reads, itself or through the metrics that it is made of."""
    metric = metrics[name]
    own = set(literal_facts(metric.sql)) if metric.sql else set()
    if metric.fact is not None:
        own.add(metric.fact)
    if metric.kind in _OF_ITEMS:
        own.add(ITEMS[metric.fact or ""].events)
    return frozenset(own).union(*(facts_read(metrics, part) for _, part in metric.parts()))


def depends_on_everybody(metrics: Mapping[str, Metric], name: str) -> bool:
    """Say whether one customer's number depends on all the others."""
    return SHAPES[metrics[name].kind].everybody or metrics[name].among is not None


def _check_where(where: str | None, fact: Fact) -> None:
    if where is None:
        return
    check_condition(where, _kinds(fact))
    kind = _kinds(fact).get(sole_column(where) or "", Kind.FLAG)
    if kind is not Kind.FLAG:
        raise SpecProblem(
            said("'{where}' holds {holds}, not yes or no", where=where, holds=_HOLDS.get(kind, "numbers")),
            expected="a comparison such as kind = 'regular'",
        )


def _kinds(fact: Fact) -> dict[str, Kind]:
    """Return what fragments over a fact may name."""
    common = {"event_day": Kind.DAY, "source_key": Kind.TEXT}
    return {**common, **{column.name: column.kind for column in fact.columns}}


class MetricsFile(Strict):
    """A file of `config/metrics/`: metrics by name."""

    version: Literal[1]
    metrics: dict[Name, Metric]
