"""Answer the question: who works here, who acts when, and who is told how?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from carewatch.spec.circles import circles
from carewatch.spec.document import Name, SpecProblem, Strict, Text, by_name, raise_all, unknown
from carewatch.spec.duration import HoursField
from carewatch.spec.saying import joined, said


def _hour(value: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value):
        raise SpecProblem(
            said("'{value}' is not a time of day", value=value), expected="a time like '09:30', in quotes"
        )
    return value


class Person(Strict):
    """One of our own people."""

    name: str = Field(min_length=1, description="the name that others read 姓名")
    roles: list[str] = Field(
        default_factory=list, description="roles 角色 that playbooks and notices call on"
    )
    manager: str | None = Field(default=None, description="id of the person above 上级")
    channels: dict[str, str] = Field(
        default_factory=dict,
        description="address by channel of notices.yaml 通知渠道; digests go by the first",
    )
    language: Literal["en", "zh-CN"] | None = Field(
        default=None, description="language of messages 语言; the firm's when not given"
    )
    capacity: float | None = Field(
        default=None, gt=0, description="hours a week for care work 每周关怀工时; `care plan` compares"
    )
    budget: float | None = Field(
        default=None, ge=0, description="new warnings a week that this person can take 每周预警预算"
    )
    team_budget: float | None = Field(
        default=None, ge=0, description="new warnings a week for everybody right below 团队每周预警预算"
    )
    active: bool = Field(
        default=True, description="false once the person has left 在职; the customers move upwards"
    )


class People(Strict):
    """`people.yaml`: people by id, and who stands in when a role has nobody.

    A role is resolved per customer: `owner` is the person named by the customer's master record, `manager` that
    person's manager; any other role the nearest person above with it, else the first active one; else `fallback`.
    """

    version: Literal[1]
    people: dict[str, Person] = Field(min_length=1, description="people by the id that the sources use")
    fallback: str = Field(description="id of the active person who stands in when there is nobody else")
    roles: Annotated[dict[str, Text], AfterValidator(by_name)] = Field(
        default_factory=dict,
        description="what the roles are called 角色名称, such as {service: {zh-CN: 客服}}",
    )

    @model_validator(mode="after")
    def _hang_together(self) -> Self:
        raise_all([*self._unknown_managers(), *self._circles(), *self._fallback_problems()])
        return self

    def _unknown_managers(self) -> Iterator[SpecProblem]:
        for name, person in self.people.items():
            if person.manager is not None and person.manager not in self.people:
                expected = "an id of people.yaml"
                loc = ("people", name, "manager")
                yield unknown("person", person.manager, self.people, expected=expected, loc=loc)

    def _circles(self) -> Iterator[SpecProblem]:
        above = {name: [person.manager] for name, person in self.people.items() if person.manager}
        for circle in circles(above):
            what = said("{circle} stand above one another in a circle", circle=joined(" -> ", circle))
            if len(circle) == 2:
                what = said("'{circle}' is their own manager", circle=circle[0])
            yield SpecProblem(
                what, expected="one at the top, without manager", loc=("people", circle[0], "manager")
            )

    def _fallback_problems(self) -> Iterator[SpecProblem]:
        person = self.people.get(self.fallback)
        if person is None:
            yield unknown(
                "person", self.fallback, self.people, expected="an id of people.yaml", loc=("fallback",)
            )
        elif not person.active:
            what = said("the fallback '{fallback}' is no longer active", fallback=self.fallback)
            yield SpecProblem(what, expected="the id of an active person", loc=("fallback",))


class Channel(Strict):
    """One way out: an Airflow connection, whose type says how (smtp, http)."""

    connection: str = Field(min_length=1, description="the Airflow connection that holds server and password")
    label: Text = Field(description="what people see 名称")


Hour = Annotated[str, AfterValidator(_hour)]


class Engineers(Strict):
    """Who is told of dead feeds and held nights: one address of one channel, never an account owner."""

    channel: str = Field(description="a channel of this file, such as mail 通知渠道")
    to: str = Field(min_length=1, description="the address there 地址: a mailbox or a chat room")
    language: Literal["en", "zh-CN"] | None = Field(
        default=None, description="language of these messages 语言; the firm's when not given"
    )


class Notices(Strict):
    """`notices.yaml`: the channels, and who hears of what.

    `tell` maps a level to the roles that hear when a warning opens or rises. `alone_from`: at or above this level a
    warning gets a message of its own; below, one digest an owner and night, worst first. `quiet_hours`: a notice
    decided in them waits until they end (never the escalation of a level-3 case).
    """

    version: Literal[1]
    channels: Annotated[dict[str, Channel], AfterValidator(by_name)] = Field(
        min_length=1, description="the ways out 通知渠道, by name"
    )
    tell: Annotated[dict[Literal["1", "2", "3"], list[str]], AfterValidator(by_name)] = Field(
        description="by level, the roles that hear when a warning opens or rises 通知对象"
    )
    tell_high: list[str] = Field(
        default_factory=list,
        description="roles that hear of a warning of high priority as well, whatever its level 高优先级另行通知",
    )
    alone_from: Literal[1, 2, 3] = Field(
        default=3, description="from this level on a warning gets a message of its own; below, one digest"
    )
    quiet_hours: tuple[Hour, Hour] | None = Field(
        default=None,
        description="no message between these times 免打扰, such as ['20:00', '08:00']; the escalation of a level-3 case comes at once",
    )
    to_customers: str | None = Field(
        default=None,
        description="the channel of machine mail to customers, for rules with mails: customer 客户邮件渠道",
    )
    dial: str | None = Field(
        default=None, description="the channel of the phone system, for steps with action: dial 外呼渠道"
    )
    told_within: float = Field(
        default=20,
        gt=0,
        description="target: minutes from knowing of an event to deciding who hears of it 时效目标",
    )
    attempts: int = Field(
        default=8, ge=1, le=20, description="how often a message is tried before it counts as failed"
    )
    engineers: Engineers | None = Field(
        default=None,
        description="who hears at once of dead feeds and held nights 数据工程师; nobody when not given",
    )

    @model_validator(mode="after")
    def _engineers_have_a_channel(self) -> Self:
        if self.engineers is not None and self.engineers.channel not in self.channels:
            raise unknown("channel", self.engineers.channel, self.channels, loc=("engineers", "channel"))
        return self

    @model_validator(mode="after")
    def _dials_through_a_channel(self) -> Self:
        if self.dial is not None and self.dial not in self.channels:
            raise unknown("channel", self.dial, self.channels, loc=("dial",))
        return self

    @field_validator("tell", mode="before")
    @classmethod
    def _numbers_are_keys(cls, value: object) -> object:
        return {str(key): item for key, item in value.items()} if isinstance(value, dict) else value


ESCALATION: Final = "escalation"
"""The step of a case's own that no playbook has: taking over what is not under control."""
DECISION: Final = "decision"
"""The step of a case's own in which the strategic layer decides about a customer of its size."""
_OWN_STEPS: Final = {
    ESCALATION: "the step of the person whom an escalation reaches",
    DECISION: "the step in which the strategic layer decides",
}


class Step(Strict):
    """One care task of a playbook."""

    title: Text = Field(description="what is to be done 任务")
    role: str = Field(description="who does it 负责角色: owner, manager or a role of people.yaml")
    due: Literal["first_call", "plan", "whole"] | float = Field(
        description="a promise of levels.yaml (first_call, plan, whole), or working hours from the start"
    )
    guide: Text | None = Field(default=None, description="how to do it 指引")
    asks: list[Text] = Field(default_factory=list, description="questions to ask the customer 询问")
    needs: list[str] = Field(default_factory=list, description="steps that come first 前置步骤")
    action: Literal["dial"] | None = Field(
        default=None,
        description="dial: the phone system is asked to call the customer 自动外呼 (notices.yaml: dial)",
    )
    effort: HoursField = Field(default=0.5, description="hours of work that it takes 工时")
    remind_after: float = Field(default=4, gt=0, description="working hours overdue before a reminder 催办")

    @field_validator("due")
    @classmethod
    def _is_positive(cls, value: str | float) -> str | float:
        if isinstance(value, float | int) and value <= 0:
            raise SpecProblem(
                said("due {value:g} hours after the start", value=value), expected="more than 0 hours"
            )
        return value


class Playbook(Strict):
    """A file of `include/playbooks/`: what is done for a warning of one level."""

    version: Literal[1]
    playbook: Name = Field(description="its name in tables and pages, once given never changed")
    label: Text = Field(description="what people see 名称")
    level: Literal[1, 2, 3] = Field(description="the level of warning that it answers 预警级别")
    tiers: list[str] = Field(default_factory=list, description="all tiers when empty")
    recommends: list[Text] = Field(default_factory=list, description="advice that stands in the notice 建议")
    steps: dict[Name, Step] = Field(min_length=1, description="the care tasks by name 步骤")
    escalate_to: str = Field(
        default="manager", description="the role that hears when it is not under control 升级"
    )

    @model_validator(mode="after")
    def _steps_hang_together(self) -> Self:
        problems = [
            unknown("step", needed, set(self.steps) - {name}, loc=("steps", name, "needs", position))
            for name, step in self.steps.items()
            for position, needed in enumerate(step.needs)
            if needed not in self.steps
        ]
        problems += [
            SpecProblem(
                said("'{own}' is {what}", own=own, what=what),
                expected="another name",
                loc=("steps", own),
                at_key=True,
            )
            for own, what in _OWN_STEPS.items()
            if own in self.steps
        ]
        for circle in circles({name: step.needs for name, step in self.steps.items()}):
            what = said("{circle} wait for one another in a circle", circle=joined(" -> ", circle))
            if len(circle) == 2:
                what = said("'{circle}' waits for itself", circle=circle[0])
            problems.append(
                SpecProblem(what, expected="a step that can begin", loc=("steps", circle[0], "needs"))
            )
        raise_all(problems)
        return self
