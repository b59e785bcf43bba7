"""Answer the question: when is a customer lost, when asleep, and in which stage of its life?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from carewatch.spec.condition import ConditionField, names
from carewatch.spec.document import Name, SpecProblem, Strict, Text, raise_all, unknown
from carewatch.spec.duration import Window
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import check_condition
from carewatch.spec.saying import said


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
                said("every {fact} would be a loss", fact=self.fact),
                expected="where: which of them say that the customer left, such as what = 'cancelled'",
                loc=("by",),
                at_key=True,
            )
        return self


STAGE: Final = "stage"
"""What conditions call it."""
DORMANT: Final = "dormant"
"""The stage of those who sleep."""


class Stage(Strict):
    """One stage of a customer's life 生命周期阶段."""

    label: Text = Field(description="what people see 名称")
    when: ConditionField | None = Field(
        default=None,
        description="who is in it 条件, over metrics, attributes and classes; dormant is who sleeps, the last one takes "
        "everybody else",
    )


class Stages(Strict):
    """`stages.yaml`: when a customer counts as lost, when as dormant, and the stages of a customer's life.

    A dormant customer is scored but no longer warned about; an open warning closes as lost. The stage is the first whose
    condition is true tonight; one that cannot be told (a value is missing) is passed over. Who has been silent for
    `lost.within` already on `watched_from` sleeps until the silence is broken: nobody is warned of old losses.
    """

    version: Literal[1]
    lost: Lost
    dormant_when: ConditionField | None = Field(
        default=None,
        description="the condition under which a customer sleeps 沉睡 and is no longer warned about",
    )

    stages: dict[Name, Stage] = Field(
        default_factory=dict,
        description="the stages in order 生命周期; the first whose condition is true counts",
    )
    watched_from: date | None = Field(
        default=None, description="the day of the first night 启用日; older losses are not warned of"
    )
    silence: str | None = Field(
        default=None, description="with watched_from: the metric of days since the last business 沉默天数"
    )

    @model_validator(mode="after")
    def _hang_together(self) -> Self:
        raise_all([*self._stage_problems(), *self._watch_problems()])
        return self

    def _stage_problems(self) -> Iterator[SpecProblem]:
        last = next(reversed(self.stages), None)
        for name, stage in self.stages.items():
            if name == DORMANT and stage.when is not None:
                what = "who is dormant is said by dormant_when"
                yield SpecProblem(what, expected="no 'when' here", loc=("stages", name, "when"), at_key=True)
            if name not in (DORMANT, last) and stage.when is None:
                what = said("stage '{name}' takes everybody, and the stages after it nobody", name=name)
                yield SpecProblem(what, expected="when: a condition", loc=("stages", name), at_key=True)
        if last is not None and (last == DORMANT or self.stages[last].when is not None):
            what = said(
                "a customer of whom no condition is true has no stage: '{last}' is the last", last=last
            )
            expected = "a last stage without 'when', for everybody else"
            yield SpecProblem(what, expected=expected, loc=("stages", last), at_key=True)

    def _watch_problems(self) -> Iterator[SpecProblem]:
        if (self.watched_from is None) != (self.silence is None):
            key = "silence" if self.silence is not None else "watched_from"
            what = "old losses need both the day and the metric of silence"
            expected = "watched_from: a day, and silence: a metric such as days_since_order"
            yield SpecProblem(what, expected=expected, loc=(key,), at_key=True)

    def names(self) -> frozenset[str]:
        """Return every name by which customers sleep."""
        asleep = names(self.dormant_when) if self.dormant_when is not None else frozenset()
        return asleep | ({self.silence} if self.silence is not None else set())

    def reads(self) -> frozenset[str]:
        """Return every name that the stages read."""
        return self.names().union(*(names(one.when) for one in self.stages.values() if one.when is not None))
