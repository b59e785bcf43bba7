"""Answer the question: how do numbers say how much a customer matters?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from carewatch.spec.condition import ConditionField, names
from carewatch.spec.document import Name, SpecProblem, Strict, by_name, raise_all, unknown
from carewatch.spec.health import Percent, Scored, ScoredMetric, metric_sum_problems
from carewatch.spec.saying import joined, said

TIER: Final = "tier"
"""The scheme of tiers.yaml: the one by which promises, priorities and playbooks go."""
HIGH_POTENTIAL: Final = "high_potential"
"""What conditions read of `potential`: yes or no."""
YES_NO: Final = ("yes", "no")


class Potential(Strict):
    """Small customers who grow fast: treated like a better tier, so that nobody overlooks them."""

    when: ConditionField = Field(
        description="who has potential 潜力客户: a condition over metrics and attributes, such as growth and low sales"
    )
    shields: str = Field(
        description="the tier like which they are treated at least 至少按此等级对待, such as B"
    )


def _in_order(value: dict[date, dict[str, float]]) -> dict[date, dict[str, float]]:
    return {since: by_name(value[since]) for since in sorted(value)}


Weights = Annotated[dict[date, dict[str, Annotated[float, Field(gt=0)]]], AfterValidator(_in_order)]


class Tiers(Strict):
    """`tiers.yaml`: how much a customer matters.

    The value score is the weighted mean of points (missing metrics earn 0). `by: score` gives the first tier whose cut
    the score reaches; `by: share` ranks by value score, and a tier takes customers until its cumulative share (percent
    of scored customers) is used; `by: value` ranks by `money`, and a tier takes customers until together they bring its
    cumulative percent of all money ({A: 80}: the fewest customers who bring 80 %). Recomputed on the first of each month
    at 00:00, by the weights in force on that day.
    """

    version: Literal[1]
    scheme: Name = Field(
        default=TIER,
        description="what conditions call it; a file of config/tiers/ has a name of its own 分级方案",
    )
    metrics: Scored = Field(description="the metrics that say how much a customer matters 客户价值")
    weights: Weights = Field(
        default_factory=dict,
        description="other weights from a day on 权重版本, such as {2027-01-01: {sales: 0.3, growth: 0.7}}: all metrics, "
        "together 1",
    )
    by: Literal["score", "share", "value"] = Field(
        default="score",
        description="cuts are value scores, percent of customers counted from the best, or percent of all money",
    )
    cuts: dict[str, Percent] = Field(
        min_length=1, description="the tiers from the best down 客户等级, such as {A: 65, B: 45}"
    )
    otherwise: str = Field(default="C", description="the tier of everybody else")
    money: str | None = Field(
        default=None, description="the metric that says what is at stake, in the firm's currency"
    )
    potential: Potential | None = Field(
        default=None,
        description="small customers who grow fast 潜力客户; conditions read high_potential is yes",
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        problems = [
            *metric_sum_problems(self.metrics, said("the tier metrics"), "metrics"),
            *self._cut_problems(),
        ]
        problems += [*self._weight_problems()]
        if self.by == "value" and self.money is None:
            what = "the tiers go by value, and no metric says what that is"
            problems.append(SpecProblem(what, expected="money: a metric such as amount_365d", loc=("by",)))
        if self.potential is not None and self.potential.shields not in self.names:
            expected = said("a tier: {part}", part=joined(", ", self.names))
            at = ("potential", "shields")
            problems.append(unknown("tier", self.potential.shields, self.names, expected=expected, loc=at))
        if self.otherwise in self.cuts:
            what = said("tier '{otherwise}' is both a cut and 'otherwise'", otherwise=self.otherwise)
            problems.append(SpecProblem(what, expected="a tier of its own", loc=("otherwise",)))
        problems += [
            SpecProblem(said('{what} cannot decide the tier', what=said(what)), loc=("metrics", name, key), at_key=True)
            for name, scored in self.metrics.items()
            for key, what, given in (
                ("by_tier", "points by tier", scored.by_tier), ("by", "points by condition", scored.by)
            )
            if given
        ]  # fmt: skip
        raise_all(problems)
        return self

    def _cut_problems(self) -> Iterator[SpecProblem]:
        rising = self.by != "score"
        for (above, before), (tier, after) in pairwise(self.cuts.items()):
            if (after <= before) if rising else (after >= before):
                side = "above" if rising else "below"
                what = said(
                    "tier {tier} is cut at {after:g}, the better tier {above} at {before:g}",
                    tier=tier, after=after, above=above, before=before,
                )  # fmt: skip
                expected = said("a cut {side} {before:g}", side=said(side), before=before)
                yield SpecProblem(what, expected=expected, loc=("cuts", tier))

    def _weight_problems(self) -> Iterator[SpecProblem]:
        for since, weights in self.weights.items():
            loc = ("weights", since.isoformat())
            for name in weights:
                if name not in self.metrics:
                    yield unknown("tier metric", name, self.metrics, loc=(*loc, name), at_key=True)
            if missing := [name for name in self.metrics if name not in weights]:
                what = said(
                    "the weights from {since} on leave out {missing}",
                    since=since,
                    missing=joined(", ", missing),
                )
                yield SpecProblem(what, expected="a weight for every metric", loc=loc, at_key=True)
            elif abs(sum(weights.values()) - 1) > 1e-9:
                total = f"{sum(weights.values()):g}"
                what = said("the weights from {since} on sum to {total}", since=since, total=total)
                yield SpecProblem(what, expected="1", loc=loc, at_key=True)

    def weighted(self, day: date) -> Mapping[str, tuple[float, ScoredMetric]]:
        """Return the metrics with the weights in force on a day."""
        begun = [since for since in self.weights if since <= day]
        other = self.weights[max(begun)] if begun else {}
        return {name: (other.get(name, scored.weight), scored) for name, scored in self.metrics.items()}

    def reads(self) -> frozenset[str]:
        """Return the names of metrics and attributes that the tiers depend on."""
        asked = names(self.potential.when) if self.potential is not None else frozenset()
        money = {self.money} if self.by == "value" and self.money is not None else set()
        return asked | money | {*self.metrics}

    @property
    def names(self) -> tuple[str, ...]:
        """The tiers from the best down."""
        return (*self.cuts, self.otherwise)
