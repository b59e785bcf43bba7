"""Answer the question: which class does a customer have by recency, frequency and money?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from carewatch.spec.document import Name, SpecProblem, Strict, Text, raise_all
from carewatch.spec.saying import said

RFM: Final = "rfm"
"""What conditions call the class."""


class Side(Strict):
    """One side of a customer: high from a cut on, or for the best percent of customers.

    Whether more is better says the metric's `better`. A missing number is low.
    """

    metric: str = Field(description="the metric that measures it 指标")
    cut: float | None = Field(
        default=None, description="high 高 from this value on, the value itself included"
    )
    best: float | None = Field(
        default=None, gt=0, lt=100, description="high 高 for the best percent of customers on the tier day"
    )

    @model_validator(mode="after")
    def _is_cut_once(self) -> Self:
        if (self.cut is None) == (self.best is None):
            raise SpecProblem("high begins at a cut or for the best percent", expected="either cut or best")
        return self


High = Literal["high", "low"]


class RfmClass(Strict):
    """Customers with these sides; a side that is not named may be either."""

    label: Text = Field(description="what people see 名称, such as 重要价值客户")
    recency: High | None = Field(
        default=None, description="bought lately (high) or long ago (low) 最近一次消费"
    )
    frequency: High | None = Field(default=None, description="buys often (high) or seldom (low) 消费频率")
    monetary: High | None = Field(default=None, description="brings much (high) or little (low) 消费金额")

    def fits(self, sides: tuple[High, High, High]) -> bool:
        """Return whether customers with these sides belong to the class."""
        asked = (self.recency, self.frequency, self.monetary)
        return all(one is None or one == side for one, side in zip(asked, sides, strict=True))


class Rfm(Strict):
    """`rfm.yaml`: the RFM class of each customer 客户价值分类, computed on the first of each month.

    The first class that fits counts. Conditions read it as `rfm is key_value`, severities go by it.
    """

    version: Literal[1]
    recency: Side = Field(description="how lately they bought 最近一次消费")
    frequency: Side = Field(description="how often they buy 消费频率")
    monetary: Side = Field(description="how much they bring 消费金额")
    classes: dict[Name, RfmClass] = Field(
        min_length=1, description="the classes 类别; the first that fits counts"
    )

    @property
    def sides(self) -> Mapping[str, Side]:
        """Recency, frequency and monetary."""
        return {"recency": self.recency, "frequency": self.frequency, "monetary": self.monetary}

    @property
    def names(self) -> tuple[str, ...]:
        """The classes in order."""
        return tuple(self.classes)

    def reads(self) -> frozenset[str]:
        """Return the names of the metrics that the classes depend on."""
        return frozenset(side.metric for side in self.sides.values())

    def class_of(self, sides: tuple[High, High, High]) -> int:
        """Return the position of the class of customers with these sides."""
        return next(at for at, one in enumerate(self.classes.values()) if one.fits(sides))

    @model_validator(mode="after")
    def _everybody_has_one(self) -> Self:
        taken: dict[str, int] = dict.fromkeys(self.classes, 0)
        nobody = []
        for sides in SIDES:
            fitting = [name for name, one in self.classes.items() if one.fits(sides)]
            if fitting:
                taken[fitting[0]] += 1
            else:
                shown = (f"{key} {side}" for key, side in zip(self.sides, sides, strict=True))
                nobody.append(", ".join(shown))
        problems = [
            SpecProblem(
                said("nobody can be '{name}': earlier classes take all of these customers", name=name),
                expected="other sides, or a place further up", loc=("classes", name), at_key=True,
            )
            for name, count in taken.items()
            if not count
        ]  # fmt: skip
        if nobody:
            what = said("no class fits customers with {nobody}", nobody=nobody[0])
            problems.append(
                SpecProblem(what, expected="a class for every customer", loc=("classes",), at_key=True)
            )
        raise_all(problems)
        return self


_BOTH: Final[tuple[High, High]] = ("high", "low")
SIDES: Final[tuple[tuple[High, High, High], ...]] = tuple(
    (recency, frequency, monetary) for recency in _BOTH for frequency in _BOTH for monetary in _BOTH
)
"""Every combination of sides, the best first."""
