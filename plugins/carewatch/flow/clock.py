"""Do what is due: remind owners of overdue tasks, escalate cases that are not under control."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from datetime import datetime
from typing import Any

from carewatch.care.owners import in_role
from carewatch.care.plan import PlannedTask, due, promises, under_control
from carewatch.flow.notify import customer_values, post, told_reasons
from carewatch.spec.configuration import CareSpec
from carewatch.spec.people import ESCALATION, Playbook
from carewatch.store import cases
from carewatch.store import live_warnings as warnings
from carewatch.store.cases import DueEscalation, DueTask
from carewatch.store.database import Connection
from carewatch.store.live_warnings import Seen
from carewatch.tell.decide import parts

MOST_REMINDERS = 3
_ESCALATION_TITLE = {"en": "Take over: the case is not under control", "zh-CN": "接手处理：该工单未受控"}


def remind(connection: Connection, care: CareSpec, now: datetime) -> int:
    """Remind owners of their overdue tasks, at most three times a task, in one message an owner; return the tasks."""
    due_now = cases.due_tasks(connection, now)
    by_owner: dict[str, list[DueTask]] = defaultdict(list)
    for task in due_now:
        again = care.work.add_working_hours(now, task.pause) if task.reminders + 1 < MOST_REMINDERS else None
        cases.store_reminder(connection, task.task_no, next_step_at=again)
        by_owner[task.owner_id].append(task)
    seen = (
        warnings.masters(connection, sorted({task.customer_no for task in due_now}), now) if due_now else {}
    )
    for owner, overdue in by_owner.items():
        for tasks in parts(overdue):
            post(
                connection, care, now,
                kind="reminder", subjects=[(f"task:{task.task_no}", task.reminders + 1) for task in tasks], receiver=owner,
                reason="the task is overdue", urgent=False,
                values={"tasks": [_values(seen[task.customer_no], task) for task in tasks]},
            )  # fmt: skip
    return len(due_now)


def _values(seen: Seen, due_one: DueTask | DueEscalation) -> dict[str, Any]:
    shared = {
        "customer": customer_values(seen),
        "warning_no": due_one.warning_no,
        "level": due_one.level,
    }
    if isinstance(due_one, DueTask):
        return shared | {"title": due_one.title, "due_at": due_one.due_at}
    return (
        shared
        | asdict(due_one.progress)
        | {"since": due_one.escalate_at, "reasons": told_reasons(due_one.reasons)}
    )


def escalate(connection: Connection, care: CareSpec, now: datetime) -> int:
    """Escalate every case whose hour has come and that is not under control; return how many went up.

    Each case goes up once, with a task for the person above, who is told of all of them in one message.
    """
    due_now = cases.due_escalations(connection, now, now.astimezone(care.firm.zone).date())
    seen = warnings.masters(connection, sorted({one.customer_no for one in due_now}), now) if due_now else {}
    went_up: dict[str, list[tuple[int, DueEscalation, datetime]]] = defaultdict(list)
    for escalation in due_now:
        if under_control(escalation.progress):
            cases.rest_under_control(connection, escalation, now=now)
            continue
        playbook = Playbook.model_validate(escalation.copy)
        role = care.levels.deciding_role(escalation.value) or playbook.escalate_to
        receiver = in_role(care.people, role, escalation.owner_id)
        hours = promises(care, escalation.level, escalation.tier)[0]
        due_at = due(care, escalation.level, escalation.tier, now, hours)
        task = PlannedTask(ESCALATION, _ESCALATION_TITLE, role, receiver, due_at)
        task_no = cases.store_escalation(connection, escalation, task, now=now)
        went_up[receiver].append((task_no, escalation, due_at))
    for receiver, all_told in went_up.items():
        for told in parts(all_told):
            listed = [
                _values(seen[one.customer_no], one) | {"due_at": due_at, "owner": _name(care, one.owner_id)}
                for _, one, due_at in told
            ]
            post(
                connection, care, now,
                kind="escalation", subjects=[(f"task:{task_no}", 0) for task_no, _, _ in told], receiver=receiver,
                reason="the case is not under control at its escalation hour", values={"cases": listed},
                urgent=any(one.level == 3 for _, one, _ in told),
            )  # fmt: skip
    return sum(len(told) for told in went_up.values())


def _name(care: CareSpec, person_id: str) -> str:
    person = care.people.people.get(person_id)
    return person.name if person is not None else person_id
