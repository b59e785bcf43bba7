"""Answer the question: which first calls were made, and which are the phone system's to make?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from carewatch.store.database import Connection

FIRST_CALL = "first_call"
"""The step of a playbook that is done when the customer was reached."""

_CLOSE = """
with reached as (
    select distinct on (t.task_no) t.task_no, f.origin, f.source_key, f.event_at, f.elapsed
    from care.care_task t
    join care.care_case c using (case_no)
    join care.warning w using (warning_no)
    join care.identity i on i.customer_no = w.customer_no and i.known_to is null
    join care.fact_interaction f on f.party_no = i.party_no and f.known_to is null
    where t.state = 'open' and t.step = %(step)s and f.what = 'call' and f.result = 'answered'
        and f.event_at >= t.created_at and f.event_at <= %(now)s
    order by t.task_no, f.event_at, f.origin, f.source_key
),
done as (
    update care.care_task t
    set state = 'done', settled_at = %(now)s, next_step_at = null,
        result = jsonb_build_object('call', r.source_key, 'origin', r.origin, 'at', r.event_at, 'seconds', r.elapsed)
    from reached r where t.task_no = r.task_no and t.state = 'open'
    returning t.task_no, t.result
)
insert into care.audit (at, by, what, subject, detail)
select %(now)s, 'carewatch', 'call_answered', 'task:' || task_no, result from done order by task_no
"""


def settle_answered(connection: Connection, now: datetime) -> int:
    """Close every open first call whose customer was reached since it was asked for; return how many."""
    return connection.execute(_CLOSE, {"step": FIRST_CALL, "now": now}).rowcount


@dataclass(frozen=True)
class DialTask:
    """An open task whose step is to be dialled, that nobody has decided on yet."""

    task_no: int
    customer_no: int
    owner_id: str
    title: dict[str, str] | str
    has_number: bool
    notifies: bool


_NUMBER = """
    select f.phone from care.identity i join care.fact_customer f using (party_no)
    where i.customer_no = {customer} and i.known_to is null and f.known_to is null and f.phone is not null
    order by f.event_at desc, f.fact_no desc limit 1
"""


def undialled(connection: Connection) -> list[DialTask]:
    """Return the open tasks that the phone system is to dial and has not been asked to, the first due first."""
    rows = connection.execute(
        "select t.task_no, w.customer_no, t.owner_id, t.title, exists ("
        + _NUMBER.format(customer="w.customer_no")
        + "), "
        "coalesce((select n.notifies from care.warning_event e join care.night n on n.day = e.day and n.revision = 0 "
        "where e.warning_no = w.warning_no order by e.transition desc limit 1), true) "
        "from care.care_task t join care.case_playbook p using (case_no, playbook) join care.care_case c using (case_no) "
        "join care.warning w using (warning_no) where t.state = 'open' and p.copy->'steps'->t.step->>'action' = 'dial' "
        "and w.closed_at is null and not exists (select from care.notice_decision d where d.subject = 'dial:' || t.task_no) "
        "order by t.due_at, t.task_no"
    ).fetchall()
    return [DialTask(*row) for row in rows]


def number_to_dial(connection: Connection, task_no: int) -> str | None:
    """Return the telephone number of the customer of an open task, None when the task is done or there is none."""
    row = connection.execute(
        "select ("
        + _NUMBER.format(customer="w.customer_no")
        + ") from care.care_task t join care.care_case c using (case_no) "
        "join care.warning w using (warning_no) where t.task_no = %s and t.state = 'open'",
        (task_no,),
    ).fetchone()
    return row[0] if row else None
