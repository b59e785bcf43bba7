"""Answer the question: which cases run, which tasks do they have, and what is due?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from carewatch.care.plan import Plan, PlannedTask, Progress
from carewatch.spec.people import Playbook
from carewatch.store.database import Connection
from carewatch.store.live_warnings import WORST_FIRST


@dataclass(frozen=True)
class Startable:
    """A live warning whose case has no playbook of its level or a higher one yet."""

    warning_no: int
    customer_no: int
    level: int
    tier: str
    owner_id: str
    value: float | None


def startable(connection: Connection, level: int) -> list[Startable]:
    """Return the live warnings at a level that no playbook of it or above has joined, the worst first; none in a warm-up.

    A warning that fell to the level goes on with the plays of the higher one.
    """
    rows = connection.execute(
        "select w.warning_no, w.customer_no, w.level, w.tier, w.owner_id, w.value::float8 from care.warning w "
        "where w.closed_at is null and w.live_at is not null and w.level = %s and not exists (select from care.care_case c "
        "join care.case_playbook p using (case_no) where c.warning_no = w.warning_no and p.level >= w.level) "
        f"order by {WORST_FIRST}, w.warning_no",
        (level,),
    ).fetchall()
    return [Startable(*row) for row in rows]


def store_plans(
    connection: Connection, plans: Sequence[tuple[Startable, Playbook, Plan]], *, care: str, now: datetime
) -> int:
    """Start cases and join playbooks to them; open tasks of lower playbooks are superseded. Return the tasks made."""
    if not plans:
        return 0
    records = [
        {
            "warning_no": warning.warning_no,
            "level": playbook.level,
            "playbook": playbook.playbook,
            "escalate_at": plan.escalate_at,
            "copy": plan.copy,
            "tasks": [_task(task) for task in plan.tasks],
        }
        for warning, playbook, plan in plans
    ]
    parameters = {"plans": Jsonb(records), "now": now, "care": care}
    connection.execute(
        "insert into care.care_case (warning_no, started_at, level) "
        "select warning_no, %(now)s, max(level) from jsonb_to_recordset(%(plans)s) as p(warning_no bigint, level integer) "
        "group by warning_no on conflict (warning_no) do update set level = greatest(care_case.level, excluded.level)",
        parameters,
    )
    connection.execute(
        "insert into care.case_playbook (case_no, playbook, level, joined_at, escalate_at, care, copy) "
        "select c.case_no, p.playbook, p.level, %(now)s, p.escalate_at, %(care)s, p.copy "
        "from jsonb_to_recordset(%(plans)s) as p(warning_no bigint, playbook text, level integer, "
        "escalate_at timestamptz, copy jsonb) join care.care_case c using (warning_no) on conflict do nothing",
        parameters,
    )
    connection.execute(
        "update care.care_task t set state = 'superseded', settled_at = %(now)s, next_step_at = null "
        "from jsonb_to_recordset(%(plans)s) as p(warning_no bigint, level integer) "
        "join care.care_case c using (warning_no) join care.case_playbook o using (case_no) "
        "where t.case_no = c.case_no and t.playbook = o.playbook and t.state = 'open' and o.level < p.level",
        parameters,
    )
    connection.execute(
        "update care.case_playbook o set escalate_at = null from jsonb_to_recordset(%(plans)s) as p(warning_no bigint, level integer) "
        "join care.care_case c using (warning_no) where o.case_no = c.case_no and o.level < p.level and o.escalated_at is null",
        parameters,
    )
    made = connection.execute(
        "insert into care.care_task (case_no, playbook, step, title, role, owner_id, due_at, next_step_at, created_at) "
        "select c.case_no, p.playbook, t.step, t.title, t.role, t.owner_id, t.due_at, t.due_at, %(now)s "
        "from jsonb_to_recordset(%(plans)s) as p(warning_no bigint, playbook text, tasks jsonb) "
        "join care.care_case c using (warning_no), "
        "jsonb_to_recordset(p.tasks) as t(step text, title jsonb, role text, owner_id text, due_at timestamptz) "
        "order by c.case_no, t.due_at on conflict do nothing",
        parameters,
    )
    return made.rowcount


def _task(task: PlannedTask) -> dict[str, Any]:
    return {
        "step": task.step,
        "title": task.title,
        "role": task.role,
        "owner_id": task.owner_id,
        "due_at": task.due_at,
    }


@dataclass(frozen=True)
class DueTask:
    """An open task whose next step is due; `level` and `pause` (working hours) are those of its playbook's copy."""

    task_no: int
    case_no: int
    warning_no: int
    customer_no: int
    playbook: str
    step: str
    title: Any
    owner_id: str
    due_at: datetime
    reminders: int
    level: int
    pause: float


def due_tasks(connection: Connection, now: datetime) -> list[DueTask]:
    """Return open tasks whose next step is due, the longest overdue first."""
    rows = connection.execute(
        "select t.task_no, t.case_no, c.warning_no, w.customer_no, t.playbook, t.step, t.title, t.owner_id, t.due_at, "
        "t.reminders, p.level, coalesce((p.copy->'steps'->t.step->>'remind_after')::float8, 4) from care.care_task t "
        "join care.case_playbook p using (case_no, playbook) join care.care_case c using (case_no) "
        "join care.warning w using (warning_no) where t.state = 'open' and t.next_step_at <= %s order by t.due_at, t.task_no",
        (now,),
    ).fetchall()
    return [DueTask(*row) for row in rows]


def store_reminder(connection: Connection, task_no: int, *, next_step_at: datetime | None) -> None:
    """Count a reminder and set when the next one is due (None: no more)."""
    connection.execute(
        "update care.care_task set reminders = reminders + 1, next_step_at = %s where task_no = %s",
        (next_step_at, task_no),
    )


@dataclass(frozen=True)
class DueEscalation:
    """A playbook whose escalation hour has come while its warning lives."""

    case_no: int
    playbook: str
    warning_no: int
    customer_no: int
    level: int
    tier: str
    owner_id: str
    copy: dict[str, Any]
    escalate_at: datetime
    reasons: list[dict[str, Any]]
    value: float | None
    progress: Progress = field(kw_only=True)


def due_escalations(connection: Connection, now: datetime, today: date) -> list[DueEscalation]:
    """Return playbooks whose escalation hour has come, with what has been done so far.

    A next date lies ahead when it is after `today`, the firm's own. Playbooks of one case that escalate to one role
    go up as one.
    """
    rows = connection.execute(
        "select distinct on (p.case_no, p.level, p.copy->>'escalate_to') "
        "p.case_no, p.playbook, w.warning_no, w.customer_no, p.level, w.tier, w.owner_id, p.copy, p.escalate_at, w.reasons, "
        "w.value::float8, "
        "exists (select from care.care_task t where t.case_no = p.case_no and t.step = 'first_call' and t.state = 'done'), "
        "w.state in ('plan', 'in_care') or exists (select from care.care_task t where t.case_no = p.case_no "
        "and t.step = 'plan' and t.state = 'done'), coalesce(c.next_date > %(today)s, false) "
        "from care.case_playbook p join care.care_case c using (case_no) join care.warning w using (warning_no) "
        "where p.escalate_at <= %(now)s and p.escalated_at is null and w.closed_at is null and w.level > 0 "
        "order by p.case_no, p.level, p.copy->>'escalate_to', p.escalate_at, p.playbook",
        {"now": now, "today": today},
    ).fetchall()
    found = [DueEscalation(*row[:-3], progress=Progress(*row[-3:])) for row in rows]
    return sorted(found, key=lambda one: (one.escalate_at, one.case_no))


_GOES_UP = (
    "case_no = %s and level = %s and copy->>'escalate_to' = %s and escalate_at <= %s and escalated_at is null"
)


def _going_up(escalation: DueEscalation, now: datetime) -> tuple[object, ...]:
    return (escalation.case_no, escalation.level, escalation.copy["escalate_to"], now)


def store_escalation(
    connection: Connection, escalation: DueEscalation, task: PlannedTask, *, now: datetime
) -> int:
    """Record that a case went up: once, with a task of its own for the person above. Return the task's number."""
    connection.execute(
        f"update care.case_playbook set escalated_at = %s where {_GOES_UP}",
        (now, *_going_up(escalation, now)),
    )
    row = connection.execute(
        "insert into care.care_task (case_no, playbook, step, title, role, owner_id, due_at, next_step_at, created_at) "
        "values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning task_no",
        (
            escalation.case_no, escalation.playbook, task.step, Jsonb(task.title), task.role, task.owner_id,
            task.due_at, task.due_at, now,
        ),
    ).fetchone()  # fmt: skip
    assert row is not None
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) values (%s, 'carewatch', 'escalated', %s, %s)",
        (
            now,
            f"warning:{escalation.warning_no}",
            Jsonb({"playbook": escalation.playbook, "to": task.owner_id}),
        ),
    )
    return int(row[0])


def rest_under_control(connection: Connection, escalation: DueEscalation, *, now: datetime) -> None:
    """Record that an escalation hour passed with the case under control: nobody is bothered."""
    connection.execute(
        f"update care.case_playbook set escalate_at = null where {_GOES_UP}", _going_up(escalation, now)
    )
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) values (%s, 'carewatch', 'under_control', %s, %s)",
        (now, f"warning:{escalation.warning_no}", Jsonb({"playbook": escalation.playbook})),
    )
