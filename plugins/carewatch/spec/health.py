"""Answer the question: how do metrics become points, points a score, and the score a colour?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import isfinite
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from carewatch.spec.condition import ConditionField, names, to_data
from carewatch.spec.document import Name, SpecProblem, Strict, Text, by_name, raise_all
from carewatch.spec.saying import said

_KNOT = "pairs of value: points such as {0: 100, 30: 60, 90: 0}"


def _knots(value: object) -> object:
    pairs = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, list | tuple) or len(pairs) < 2:
        raise SpecProblem("points need at least two knots", expected=_KNOT)
    if not any(isinstance(pair, list | tuple) for pair in pairs):
        raise SpecProblem("a list of single numbers", expected=_KNOT)
    knots: list[tuple[float, float]] = []
    problems: list[SpecProblem] = []
    for pair in pairs:
        knot = _knot(pair)
        if knot is None:
            shown = ": ".join(map(str, pair)) if isinstance(pair, list | tuple) else str(pair)
            problems.append(
                SpecProblem(
                    said("'{shown}' is not a pair of numbers", shown=shown), expected=_KNOT, loc=_key(pair)
                )
            )
            continue
        knots.append(knot)
        if not 0 <= knots[-1][1] <= 100:
            what = said("{part:g} points", part=knots[-1][1])
            problems.append(SpecProblem(what, expected="points from 0 to 100", loc=_key(pair)))
        if len(knots) > 1 and knots[-1][0] <= knots[-2][0]:
            what = said("the value {part:g} follows {part2:g}", part=knots[-1][0], part2=knots[-2][0])
            expected = "values that rise from left to right"
            problems.append(SpecProblem(what, expected=expected, loc=_key(pair), at_key=True))
    raise_all(problems)
    return tuple(knots)


def _knot(pair: object) -> tuple[float, float] | None:
    """Return value and points as numbers; keys of YAML are text."""
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        return None
    try:
        at = float(pair[0])
    except (TypeError, ValueError):
        return None
    worth = pair[1]
    sound = isinstance(worth, int | float) and not isinstance(worth, bool) and isfinite(worth)
    return (at, float(worth)) if sound and isfinite(at) else None


def _key(pair: object) -> tuple[str, ...]:
    return (str(pair[0]),) if isinstance(pair, list | tuple) and pair else ()


Percent = Annotated[float, Field(ge=0, le=100)]
Knots = Annotated[
    tuple[tuple[float, float], ...],
    BeforeValidator(_knots, json_schema_input_type=Annotated[dict[str, Percent], Field(min_length=2)]),
]
"""Piecewise-linear points: straight between knots, flat outside."""


PointsByTier = Annotated[dict[str, Knots], AfterValidator(by_name)]


class PointsWhen(Strict):
    """Other points for the customers of whom a condition is true."""

    when: ConditionField = Field(
        description="for whom 适用条件: a condition over metrics, attributes and tier, such as industry is 服装 or "
        "years_with_us < 1"
    )
    points: Knots = Field(description="value: points 得分, as above")


class ScoredMetric(Strict):
    """How one metric earns points. `missing`: skip it (its weight goes to the others), or give fixed points.

    Of `by` the first condition that is true decides; without one the customer's tier in `by_tier`; else `points`.
    """

    weight: float = Field(gt=0, description="share of its group 权重; the weights of a group sum to 1")
    points: Knots = Field(
        description="value: points 得分, straight between them and flat outside, such as {0: 100, 30: 60, 90: 0}"
    )
    by_tier: PointsByTier = Field(
        default_factory=dict, description="other points for customers of these tiers"
    )
    by: list[PointsWhen] = Field(
        default_factory=list,
        description="other points by industry, age or any other condition 分行业、分年限; the first that is true decides, "
        "before by_tier",
    )
    missing: float | None = Field(
        default=None, ge=0, le=100, description="points when missing; skipped when not given"
    )

    @model_validator(mode="after")
    def _asks_once(self) -> Self:
        asked = [entry.when for entry in self.by]
        raise_all(
            SpecProblem(
                said("this condition was asked before, so these points are never used"),
                expected=said("another condition"), loc=("by", at, "when"),
            )
            for at, when in enumerate(asked)
            if when in asked[:at]
        )  # fmt: skip
        return self

    def every_points(self) -> tuple[Knots, ...]:
        """Return all points that some customer may earn by."""
        return (self.points, *self.by_tier.values(), *(entry.points for entry in self.by))

    def asks(self) -> frozenset[str]:
        """Return every name that decides which points a customer earns."""
        by_tier = frozenset({"tier"} if self.by_tier else ())
        return by_tier.union(*(names(entry.when) for entry in self.by))


Scored = Annotated[dict[str, ScoredMetric], Field(min_length=1)]


class Dimension(Strict):
    """A weighted group of scored metrics."""

    label: Text = Field(description="what people see 名称")
    weight: float = Field(gt=0, description="share of the health score 权重; all dimensions sum to 1")
    metrics: Scored = Field(description="the metrics that make this dimension's score")


class Bands(Strict):
    """Colour by score: green at or above `green`, yellow at or above `yellow`, else red."""

    green: float = Field(default=70, gt=0, le=100, description="green 绿 from this score on")
    yellow: float = Field(default=40, ge=0, lt=100, description="yellow 黄 from this score on, red 红 below")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.yellow >= self.green:
            what = said(
                "yellow begins at {yellow:g}, not below green at {green:g}",
                yellow=self.yellow,
                green=self.green,
            )
            raise SpecProblem(what, expected=said("less than {green:g}", green=self.green), loc=("yellow",))
        return self


class HealthModel(Strict):
    """What every health model says: what is scored, how it is weighed, and which score has which colour.

    A dimension's score is the weighted mean of its known metrics' points, the health score the weighted mean of the
    known dimensions, rounded to 0.01 before bands. A dimension is known when at least half of its metric weight is; a
    customer is grey when the known share of the whole weight is below `grey_below` percent. In the mode `any_red` a
    customer with one dimension below yellow is red, whatever the others say and however little else is known; the score
    stays the weighted mean.
    """

    label: Text = Field(description="what people see 名称")
    dimensions: dict[Name, Dimension] = Field(min_length=1, description="the weighted groups of metrics 维度")
    bands: Bands = Field(default_factory=Bands, description="which score has which colour 红黄绿")
    mode: Literal["weighted", "any_red"] = Field(
        default="weighted",
        description="weighted: the colour is that of the score 加权; any_red: a red dimension makes the customer red "
        "一项为红即为红",
    )
    grey_below: float = Field(
        default=50,
        ge=0,
        le=100,
        description="grey 数据不足 when less than this percent of the weight is known",
    )
    hold_nights: int = Field(
        default=2, ge=1, description="nights a colour must last before it acts on the level"
    )
    margin: float = Field(default=5, ge=0, description="points above a band before its floor is lifted")

    @model_validator(mode="after")
    def _weights_sum_to_one(self) -> Self:
        weights = {name: dimension.weight for name, dimension in self.dimensions.items()}
        problems = [*_sum_problems(weights, said("the dimensions"), "dimensions")]
        for name, dimension in self.dimensions.items():
            problems += metric_sum_problems(
                dimension.metrics, said("the metrics in '{name}'", name=name), "dimensions", name, "metrics"
            )
        raise_all(problems)
        return self

    def scored(self) -> Iterator[tuple[str, ScoredMetric]]:
        """Yield the scored metrics in configured order, with how they earn points."""
        for dimension in self.dimensions.values():
            yield from dimension.metrics.items()

    def metric_names(self) -> list[str]:
        """Return the scored metrics in configured order."""
        return [name for name, _ in self.scored()]

    def asks(self) -> frozenset[str]:
        """Return every name that decides which points customers earn, beside what is scored."""
        return frozenset().union(*(scored.asks() for _, scored in self.scored()))

    def reads(self) -> frozenset[str]:
        """Return every name that a score depends on."""
        return self.asks() | set(self.metric_names())

    def definition(self) -> str:
        """Return what a score is computed by, as text: neither labels nor what is made of the score."""
        labels = {"__all__": {"label"}}
        shown = self.model_dump(mode="json", include={"dimensions"}, exclude={"dimensions": labels})
        return json.dumps(shown, ensure_ascii=False)


class Health(HealthModel):
    """`health.yaml`: the firm's health model, for every customer whom no further model claims."""

    version: Literal[1]
    roll_up: Literal["worst", "weighted"] | None = Field(
        default=None,
        description="how a group's health comes from its members' 集团健康度: worst, or weighted by the money at stake; "
        "nobody's own score changes",
    )


class FurtherModel(HealthModel):
    """`health/*.yaml`: a health model for some customers: those of whom `when` is true.

    Models are asked by `order`, the smallest first; the first whose condition is true judges the customer. A condition
    that cannot be told (a value is missing) claims nobody.
    """

    version: Literal[1]
    model: Name = Field(description="the model's name, as in stored scores 模型")
    when: ConditionField = Field(
        description="for whom 适用客户: a condition over metrics, attributes and tier, such as segment is dealer"
    )
    order: int = Field(ge=1, description="the place in the order of asking 顺序: 1 is asked first")

    def definition(self) -> str:
        """Return what a score is computed by, and whose."""
        return f"{json.dumps(to_data(self.when), ensure_ascii=False)} {super().definition()}"

    def chosen_by(self) -> frozenset[str]:
        """Return every name that decides whom the model judges."""
        return names(self.when)


DEFAULT_MODEL: Final = "default"
"""What the model of health.yaml is called where models are named."""


def by_order(models: list[FurtherModel]) -> list[FurtherModel]:
    """Return models in the order in which they are asked."""
    return sorted(models, key=lambda one: one.order)


def _sum_problems(weights: dict[str, float], what: str, *loc: str) -> Iterator[SpecProblem]:
    total = sum(weights.values())
    if abs(total - 1) > 1e-9:
        sums = " + ".join(f"{weight:g}" for weight in weights.values())
        shown = f"{total:g}" if len(weights) == 1 else f"{sums} = {total:g}"
        yield SpecProblem(
            said("the weights of {what} sum to {shown}", what=what, shown=shown),
            expected="1",
            loc=loc,
            at_key=True,
        )


def metric_sum_problems(metrics: dict[str, ScoredMetric], what: str, *loc: str) -> Iterator[SpecProblem]:
    """Yield what is wrong when the weights of a group of metrics do not sum to 1."""
    return _sum_problems({name: metric.weight for name, metric in metrics.items()}, what, *loc)
