"""Answer the question: who works here, who acts when, and who is told how?"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from carewatch.spec.document import SpecProblem, Strict, Text, nearest


class Person(Strict):
    """One of our own people. `channels` maps a channel of notices.yaml to this person's address there."""

    name: str
    roles: list[str] = Field(default_factory=list)
    manager: str | None = None
    channels: dict[str, str] = Field(default_factory=dict)
    language: Literal["en", "zh-CN"] | None = None
    active: bool = True


class People(Strict):
    """`people.yaml`: people by id, and who stands in when a role has nobody.

    A role is resolved per customer: `owner` is the person named by the customer's master record, `manager` that
    person's manager; any other role the first active person who has it; else `fallback`.
    """

    version: Literal[1]
    people: dict[str, Person] = Field(min_length=1)
    fallback: str

    @model_validator(mode="after")
    def _hang_together(self) -> Self:
        for name, person in self.people.items():
            if person.manager is not None and person.manager not in self.people:
                raise SpecProblem(
                    f"unknown person '{person.manager}'",
                    nearest=nearest(person.manager, self.people),
                    loc=("people", name, "manager"),
                )
            seen, above = {name}, person.manager
            while above is not None:
                if above in seen:
                    raise SpecProblem(f"'{name}' is above themselves", loc=("people", name, "manager"))
                seen.add(above)
                above = self.people[above].manager
        if self.fallback not in self.people or not self.people[self.fallback].active:
            raise SpecProblem(
                f"'{self.fallback}' is not an active person",
                nearest=nearest(self.fallback, self.people),
                loc=("fallback",),
            )
        return self


class Channel(Strict):
    """One way out: an Airflow connection, whose type says how (smtp, http)."""

    connection: str
    label: Text


class Notices(Strict):
    """`notices.yaml`: the channels, and who hears of what.

    `tell` maps a level to the roles that hear when a warning opens or rises. `alone_from`: at or above this level a
    warning gets a message of its own; below, one digest an owner and night, worst first. `quiet_hours`: a notice
    decided in them waits until they end (never an escalation of level 3).
    """

    version: Literal[1]
    channels: dict[str, Channel] = Field(min_length=1)
    tell: dict[Literal["1", "2", "3"], list[str]]
    alone_from: Literal[1, 2, 3] = 3
    quiet_hours: tuple[str, str] | None = None
    attempts: int = Field(default=8, ge=1, le=20)

    @field_validator("tell", mode="before")
    @classmethod
    def _numbers_are_keys(cls, value: object) -> object:
        return {str(key): item for key, item in value.items()} if isinstance(value, dict) else value


class Step(Strict):
    """One care task of a playbook. `due` is a promise of levels.yaml or working hours from the start."""

    title: Text
    role: str
    due: Literal["first_call", "plan", "whole"] | float
    guide: Text | None = None
    asks: list[Text] = Field(default_factory=list)
    needs: list[str] = Field(default_factory=list)
    remind_after: float = Field(default=4, gt=0, description="working hours overdue before a reminder")

    @field_validator("due")
    @classmethod
    def _is_positive(cls, value: str | float) -> str | float:
        if isinstance(value, float | int) and value <= 0:
            raise SpecProblem("a task cannot be due before it starts", expected="hours above 0")
        return value


class Playbook(Strict):
    """A file of `include/playbooks/`: what is done for a warning of one level."""

    version: Literal[1]
    playbook: str
    label: Text
    level: Literal[1, 2, 3]
    tiers: list[str] = Field(default_factory=list, description="all tiers when empty")
    recommends: list[Text] = Field(default_factory=list)
    steps: dict[str, Step] = Field(min_length=1)
    escalate_to: str = "manager"

    @model_validator(mode="after")
    def _steps_hang_together(self) -> Self:
        for name, step in self.steps.items():
            for needed in step.needs:
                if needed not in self.steps:
                    raise SpecProblem(
                        f"unknown step '{needed}'",
                        nearest=nearest(needed, self.steps),
                        loc=("steps", name, "needs"),
                    )
        return self
