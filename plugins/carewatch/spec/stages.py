"""Answer the question: when is a customer lost, and when asleep?"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from carewatch.spec.condition import ConditionField, names
from carewatch.spec.document import SpecProblem, Strict, unknown
from carewatch.spec.duration import Window
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import check_condition


class Lost(Strict):
    """What losing a customer means.

    `by: silence`: no such fact within a window after the last one; the day of loss is the one on which the silence
    reaches the window. `by: event`: such a fact, a contract that was cancelled say; its own day is the day of loss, and
    a warning foresaw it when it came in the window before. Who is dormant cannot be lost by an event.
    """

    by: Literal["silence", "event"] = Field(
        default="silence",
        description="silence: such facts stop coming; event: such a fact comes 流失的判定方式: 沉默或事件",
    )
    fact: str = Field(
        description="the kind of fact that shows that a customer is still there, such as order; by: event: that it left, "
        "such as contract_event"
    )
    where: str | None = Field(
        default=None, description="an SQL condition over its columns; other rows do not count"
    )
    within: Window = Field(
        description="lost 流失 when none follows within this time, such as 90 days; by: event: how long before it a warning "
        "may come"
    )

    @property
    def by_event(self) -> bool:
        """Whether a fact itself says that the customer left."""
        return self.by == "event"

    @model_validator(mode="after")
    def _reads_a_fact(self) -> Self:
        if self.fact not in FACTS:
            raise unknown("fact", self.fact, FACTS, loc=("fact",))
        if self.where is not None:
            check_condition(self.where, {column.name for column in FACTS[self.fact].columns}, loc=("where",))
        elif self.by_event:
            raise SpecProblem(
                f"every {self.fact} would be a loss",
                expected="where: which of them say that the customer left, such as what = 'cancelled'",
                loc=("by",),
                at_key=True,
            )
        return self


class Stages(Strict):
    """`stages.yaml`: when a customer counts as lost, and when as dormant.

    A dormant customer is scored but no longer warned about; an open warning closes as lost.
    """

    version: Literal[1]
    lost: Lost
    dormant_when: ConditionField | None = Field(
        default=None,
        description="the condition under which a customer sleeps 沉睡 and is no longer warned about",
    )

    def names(self) -> frozenset[str]:
        """Return every name that the stages read."""
        return names(self.dormant_when) if self.dormant_when is not None else frozenset()
