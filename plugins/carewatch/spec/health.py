"""Answer the question: how do metrics become points, points a score, and the score a colour?"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from carewatch.spec.condition import ConditionField, names
from carewatch.spec.document import SpecProblem, Strict, Text, nearest
from carewatch.spec.duration import Window
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import check_condition

_KNOT = "pairs of value: points such as {0: 100, 30: 60, 90: 0}, values rising, points from 0 to 100"


def _knots(value: object) -> object:
    pairs = list(value.items()) if isinstance(value, dict) else value
    if not isinstance(pairs, list | tuple) or len(pairs) < 2:
        raise SpecProblem("points need at least two knots", expected=_KNOT)
    knots = []
    for pair in pairs:
        try:
            at, points = pair
            knots.append((float(at), float(points)))
        except (TypeError, ValueError):
            raise SpecProblem(f"'{pair}' is not a pair of numbers", expected=_KNOT) from None
    for (before, _), (after, _) in zip(knots, knots[1:], strict=False):
        if after <= before:
            raise SpecProblem(f"the values must rise, but {after:g} follows {before:g}", expected=_KNOT)
    if outside := [points for _, points in knots if not 0 <= points <= 100]:
        raise SpecProblem(f"{outside[0]:g} points are outside 0 to 100", expected=_KNOT)
    return tuple(knots)


Knots = Annotated[
    tuple[tuple[float, float], ...],
    BeforeValidator(_knots, json_schema_input_type=dict[str, float]),
]
"""Piecewise-linear points: straight between knots, flat outside."""


class ScoredMetric(Strict):
    """How one metric earns points. `missing`: skip it (its weight goes to the others), or give fixed points."""

    weight: float = Field(gt=0)
    points: Knots
    by_tier: dict[str, Knots] = Field(default_factory=dict)
    missing: float | None = Field(
        default=None, ge=0, le=100, description="points when missing; skipped when not given"
    )


class Dimension(Strict):
    """A weighted group of scored metrics."""

    label: Text
    weight: float = Field(gt=0)
    metrics: dict[str, ScoredMetric] = Field(min_length=1)


class Bands(Strict):
    """Colour by score: green at or above `green`, yellow at or above `yellow`, else red."""

    green: float = Field(default=70, gt=0, le=100)
    yellow: float = Field(default=40, ge=0, lt=100)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.yellow >= self.green:
            raise SpecProblem(
                f"yellow ({self.yellow:g}) must be below green ({self.green:g})", loc=("yellow",)
            )
        return self


class Health(Strict):
    """`health.yaml`: the health model.

    A dimension's score is the weighted mean of its known metrics' points, the health score the weighted mean of the
    known dimensions, rounded to 0.01 before bands. A dimension is known when at least half of its metric weight is; a
    customer is grey when the known share of the whole weight is below `grey_below` percent.
    """

    version: Literal[1]
    label: Text
    dimensions: dict[str, Dimension] = Field(min_length=1)
    bands: Bands = Field(default_factory=Bands)
    grey_below: float = Field(default=50, ge=0, le=100)
    hold_nights: int = Field(
        default=2, ge=1, description="nights a colour must last before it acts on the level"
    )
    margin: float = Field(default=5, ge=0, description="points above a band before its floor is lifted")

    @model_validator(mode="after")
    def _weights_sum_to_one(self) -> Self:
        total = sum(dimension.weight for dimension in self.dimensions.values())
        if abs(total - 1) > 1e-9:
            raise SpecProblem(
                f"the weights of the dimensions sum to {total:g}", expected="1", loc=("dimensions",)
            )
        for name, dimension in self.dimensions.items():
            total = sum(metric.weight for metric in dimension.metrics.values())
            if abs(total - 1) > 1e-9:
                raise SpecProblem(
                    f"the weights of the metrics in '{name}' sum to {total:g}",
                    expected="1",
                    loc=("dimensions", name, "metrics"),
                )
        return self

    def metric_names(self) -> list[str]:
        """Return the scored metrics in configured order."""
        return [name for dimension in self.dimensions.values() for name in dimension.metrics]


class Tiers(Strict):
    """`tiers.yaml`: how much a customer matters.

    The value score is the weighted mean of points (missing metrics earn 0). `by: score` gives the first tier whose cut
    the score reaches; `by: share` ranks by value score, and a tier takes customers until its cumulative share (percent
    of scored customers) is used. Recomputed on the first of each month at 00:00.
    """

    version: Literal[1]
    metrics: dict[str, ScoredMetric] = Field(min_length=1)
    by: Literal["score", "share"] = "score"
    cuts: dict[str, float] = Field(min_length=1)
    otherwise: str = "C"
    money: str | None = Field(
        default=None, description="the metric that says what is at stake, in the firm's currency"
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        total = sum(metric.weight for metric in self.metrics.values())
        if abs(total - 1) > 1e-9:
            raise SpecProblem(
                f"the weights of the tier metrics sum to {total:g}", expected="1", loc=("metrics",)
            )
        cuts = list(self.cuts.values())
        rising = self.by == "share"
        for before, after in zip(cuts, cuts[1:], strict=False):
            if (after <= before) if rising else (after >= before):
                raise SpecProblem(
                    f"the cuts must {'rise' if rising else 'fall'} from the best tier down, but {after:g} follows {before:g}",
                    loc=("cuts",),
                )
        if self.otherwise in self.cuts:
            raise SpecProblem(f"'{self.otherwise}' is both a cut and 'otherwise'", loc=("otherwise",))
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The tiers from the best down."""
        return (*self.cuts, self.otherwise)


class Lost(Strict):
    """What losing a customer means: no such fact within a window after the last one."""

    fact: str
    where: str | None = None
    within: Window

    @model_validator(mode="after")
    def _reads_a_fact(self) -> Self:
        if self.fact not in FACTS:
            raise SpecProblem(
                f"unknown fact '{self.fact}'",
                expected="one of " + ", ".join(FACTS),
                nearest=nearest(self.fact, FACTS),
                loc=("fact",),
            )
        if self.where is not None:
            check_condition(self.where, {column.name for column in FACTS[self.fact].columns}, loc=("where",))
        return self


class Stages(Strict):
    """`stages.yaml`: when a customer counts as lost, and when as dormant.

    A dormant customer is scored but no longer warned about; an open warning closes as lost.
    """

    version: Literal[1]
    lost: Lost
    dormant_when: ConditionField | None = None

    def names(self) -> frozenset[str]:
        """Return every name that the stages read."""
        return names(self.dormant_when) if self.dormant_when is not None else frozenset()
