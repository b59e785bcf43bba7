"""Answer the question: how do numbers say how much a customer matters?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal, Self

from pydantic import Field, model_validator

from carewatch.spec.document import SpecProblem, Strict, raise_all
from carewatch.spec.health import Percent, Scored, metric_sum_problems


class Tiers(Strict):
    """`tiers.yaml`: how much a customer matters.

    The value score is the weighted mean of points (missing metrics earn 0). `by: score` gives the first tier whose cut
    the score reaches; `by: share` ranks by value score, and a tier takes customers until its cumulative share (percent
    of scored customers) is used. Recomputed on the first of each month at 00:00.
    """

    version: Literal[1]
    metrics: Scored = Field(description="the metrics that say how much a customer matters 客户价值")
    by: Literal["score", "share"] = Field(
        default="score", description="cuts are value scores, or percent of customers counted from the best"
    )
    cuts: dict[str, Percent] = Field(
        min_length=1, description="the tiers from the best down 客户等级, such as {A: 65, B: 45}"
    )
    otherwise: str = Field(default="C", description="the tier of everybody else")
    money: str | None = Field(
        default=None, description="the metric that says what is at stake, in the firm's currency"
    )

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        problems = [*metric_sum_problems(self.metrics, "the tier metrics", "metrics"), *self._cut_problems()]
        if self.otherwise in self.cuts:
            what = f"tier '{self.otherwise}' is both a cut and 'otherwise'"
            problems.append(SpecProblem(what, expected="a tier of its own", loc=("otherwise",)))
        problems += [
            SpecProblem(f"{what} cannot decide the tier", loc=("metrics", name, key), at_key=True)
            for name, scored in self.metrics.items()
            for key, what, given in (
                ("by_tier", "points by tier", scored.by_tier), ("by", "points by condition", scored.by)
            )
            if given
        ]  # fmt: skip
        raise_all(problems)
        return self

    def _cut_problems(self) -> Iterator[SpecProblem]:
        rising = self.by == "share"
        for (above, before), (tier, after) in pairwise(self.cuts.items()):
            if (after <= before) if rising else (after >= before):
                side = "above" if rising else "below"
                yield SpecProblem(
                    f"tier {tier} is cut at {after:g}, the better tier {above} at {before:g}",
                    expected=f"a cut {side} {before:g}", loc=("cuts", tier),
                )  # fmt: skip

    @property
    def names(self) -> tuple[str, ...]:
        """The tiers from the best down."""
        return (*self.cuts, self.otherwise)
