"""Answer the question: which care tasks does a playbook ask for, of whom, and by when?

Promises are working hours. Level 3 of the best tier runs on the duty rota; no level-3 promise falls later than 72 clock
hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from carewatch.care.owners import in_role
from carewatch.spec.configuration import CareSpec
from carewatch.spec.people import DECISION, Playbook, Step
from carewatch.spec.rules import SLA

LONGEST_AT_LEVEL_3: Final = timedelta(hours=72)
_PROMISES: Final = {"first_call": 0, "plan": 1, "escalate": 2, "whole": 3}


@dataclass(frozen=True)
class PlannedTask:
    """One care task before it is stored; `due_at` is an aware UTC instant."""

    step: str
    title: Any
    role: str
    owner_id: str
    due_at: datetime


@dataclass(frozen=True)
class Plan:
    """What a playbook asks for when it joins a case."""

    tasks: tuple[PlannedTask, ...]
    escalate_at: datetime
    copy: dict[str, Any]


def _promises_of(care: CareSpec, level: int) -> dict[str, SLA]:
    return next(tiers for key, tiers in care.levels.promises.items() if int(key) == level)


def promises(care: CareSpec, level: int, tier: str) -> SLA:
    """Return the promised working hours of a level and tier; a tier that no longer exists has those of the lowest."""
    by_tier = _promises_of(care, level)
    return by_tier.get(tier, next(reversed(by_tier.values())))


def due(care: CareSpec, level: int, tier: str, start: datetime, hours: float) -> datetime:
    """Return when a promise of so many working hours falls due, as a UTC instant."""
    is_best = tier == next(iter(_promises_of(care, level)))
    calendar = care.work.duty() if level == 3 and is_best else care.work
    at = calendar.add_working_hours(start, hours)
    return min(at, start + LONGEST_AT_LEVEL_3) if level == 3 else at


_DECISION_TITLE: Final = {"en": "Decide how this customer is kept", "zh-CN": "决策：如何挽留该战略客户"}


def plan(
    care: CareSpec, playbook: Playbook, *, tier: str, owner: str, now: datetime, value: float | None = None
) -> Plan:
    """Return the tasks of a playbook that starts `now` for a customer of a tier and owner.

    From level 2 on the strategic layer decides about a customer with so much at stake, by the hour of the plan.
    """
    promised = promises(care, playbook.level, tier)

    def due_of(step: Step) -> datetime:
        hours = step.due if isinstance(step.due, int | float) else promised[_PROMISES[step.due]]
        return due(care, playbook.level, tier, now, hours)

    tasks = tuple(
        PlannedTask(
            name, step.title.to_data(), step.role, in_role(care.people, step.role, owner), due_of(step)
        )
        for name, step in playbook.steps.items()
    )
    deciding = care.levels.deciding_role(value) if playbook.level > 1 else None
    if deciding is not None:
        person = in_role(care.people, deciding, owner)
        at = due(care, playbook.level, tier, now, promised[_PROMISES["plan"]])
        tasks += (PlannedTask(DECISION, _DECISION_TITLE, deciding, person, at),)
    escalate_at = due(care, playbook.level, tier, now, promised[_PROMISES["escalate"]])
    return Plan(tasks, escalate_at, playbook.model_dump(mode="json"))


@dataclass(frozen=True)
class Progress:
    """What has been done on a case: the facts that say whether it is under control."""

    called: bool
    planned: bool
    next_date_ahead: bool


def under_control(progress: Progress) -> bool:
    """Return whether a case needs no escalation: first contact made, a plan on file, a next date in the future."""
    return progress.called and progress.planned and progress.next_date_ahead
