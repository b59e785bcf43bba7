"""Answer the question: what becomes of warnings of a customer who went into another one?

One open warning a customer: the survivor keeps the worst. Without one of its own it takes over the worst of theirs, with
its case and tasks; the others close as `merged` and their open tasks are superseded. What rules remember goes along, once
a rule.
"""

from __future__ import annotations

from datetime import date, datetime

from carewatch.store.database import Connection

_CONCERNED = """
    create temp table concerned on commit drop as
    select w.warning_no, coalesce(a.into_no, w.customer_no) as into_no, w.level, w.peak_level,
        row_number() over (
            partition by coalesce(a.into_no, w.customer_no)
            order by a.into_no is null desc, w.level desc, w.peak_level desc, w.warning_no
        ) as place,
        max(w.level) over same as worst, max(w.peak_level) over same as peak,
        first_value(w.reasons) over (
            partition by coalesce(a.into_no, w.customer_no) order by w.level desc, a.into_no is null desc, w.warning_no
        ) as reasons,
        a.into_no is not null as leaves
    from care.warning w
    left join care.absorbed a using (customer_no)
    where w.closed_at is null and (
        a.into_no is not null or exists (select from care.absorbed b where b.into_no = w.customer_no)
    )
    window same as (partition by coalesce(a.into_no, w.customer_no));
"""
_CLOSE = """
    with closed as (
        update care.warning w
        set state = 'merged', level = 0, closed_at = %(now)s, changed_at = %(now)s, transition = w.transition + 1
        from concerned c
        where w.warning_no = c.warning_no and c.place > 1
        returning w.warning_no, w.transition, w.reasons
    )
    insert into care.warning_event (warning_no, transition, what, at, day, level, reasons, by)
    select warning_no, transition, 'merged', %(now)s, %(day)s, 0, reasons, 'carewatch' from closed
"""
_KEEP = """
    with kept as (
        update care.warning w
        set customer_no = c.into_no, level = c.worst, peak_level = c.peak, reasons = c.reasons, changed_at = %(now)s,
            state = case when w.state = 'cleared' and c.worst > 0 then 'open' else w.state end,
            cleared_day = case when c.worst = 0 then w.cleared_day end, transition = w.transition + 1
        from concerned c
        where w.warning_no = c.warning_no and c.place = 1 and (c.leaves or c.worst > c.level or c.peak > c.peak_level)
        returning w.warning_no, w.transition, w.level, w.reasons, c.level as before
    )
    insert into care.warning_event (warning_no, transition, what, at, day, level, reasons, by)
    select warning_no, transition, case when level > before then 'rose' else 'merged' end, %(now)s, %(day)s, level, reasons,
        'carewatch' from kept
"""
_CARE = """
    with ended as (
        update care.care_case c set closed_at = %(now)s from care.warning w
        where w.warning_no = c.warning_no and w.state = 'merged' and c.closed_at is null returning c.case_no
    )
    update care.care_task t set state = 'superseded', settled_at = %(now)s, next_step_at = null
    from ended where t.case_no = ended.case_no and t.state = 'open'
"""
_SIGNALS = """
    create temp table remembered on commit drop as
    select s.signal_no, coalesce(a.into_no, s.customer_no) as into_no, a.into_no is not null as leaves,
        row_number() over (
            partition by coalesce(a.into_no, s.customer_no), s.rule
            order by s.state = 'open' desc, s.first_day, s.signal_no
        ) as place
    from care.signal s
    left join care.absorbed a using (customer_no)
    where s.state <> 'closed' and (
        a.into_no is not null or exists (select from care.absorbed b where b.into_no = s.customer_no)
    );
    update care.signal s set state = 'closed', closed_day = %(day)s
    from remembered r where r.signal_no = s.signal_no and r.place > 1;
    update care.signal s set customer_no = r.into_no, raised_for = coalesce(s.raised_for, s.customer_no)
    from remembered r where r.signal_no = s.signal_no and r.place = 1 and r.leaves
"""


def absorb(connection: Connection, now: datetime, day: date) -> int:
    """Give what is open about absorbed customers to those they went into; return how many warnings moved or closed.

    Doing it again changes nothing. `day` is the firm's date of `now`.
    """
    waiting = connection.execute(
        "select exists (select from care.absorbed a join care.warning w using (customer_no) where w.closed_at is null) "
        "or exists (select from care.absorbed a join care.signal s using (customer_no) where s.state <> 'closed')"
    ).fetchone()
    if waiting is None or not waiting[0]:
        return 0
    values = {"now": now, "day": day}
    connection.execute("drop table if exists pg_temp.concerned, pg_temp.remembered")
    connection.execute(_CONCERNED)
    for statement in (_CLOSE, _KEEP, _CARE, *_SIGNALS.split(";")):
        connection.execute(statement.encode(), values if "%(" in statement else None)
    moved = connection.execute("select count(*) from concerned where leaves").fetchone()
    assert moved is not None
    return int(moved[0])
