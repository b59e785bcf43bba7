"""Show a new user what the demo brought: customers by colour and tier, warnings with reasons, tasks, messages."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import psycopg

from care_demo.span import FIRM_ZONE

Connection = psycopg.Connection[tuple[Any, ...]]

_COLOURS = ("green", "yellow", "red", "grey")
_SHOWN = 3


def picture(connection: Connection, day: date, folder: Path) -> list[str]:
    """Return the lines that tell what the night of a day brought."""
    return [
        "",
        *_customers(connection, day),
        "",
        *_warnings(connection, day),
        "",
        *_tasks(connection),
        *_messages(connection, folder),
        *_quarantine(connection),
    ]


def _customers(connection: Connection, day: date) -> list[str]:
    rows = connection.execute(
        "select t.position - 1, h.colour, count(*) from care.health_night h "
        "join generate_series(1, 9) as t(position) on t.position - 1 = h.tier "
        "where h.day = %s and h.revision = 0 group by 1, 2",
        (day,),
    ).fetchall()
    counts = {(tier, colour): n for tier, colour, n in rows}
    code = {"green": 3, "yellow": 2, "red": 1, "grey": 0}
    lines = [f"Customers on the night of {day}", "  tier   " + "".join(f"{colour:>8}" for colour in _COLOURS)]
    for tier, name in enumerate("ABC"):
        lines.append(
            f"  {name}      " + "".join(f"{counts.get((tier, code[colour]), 0):8}" for colour in _COLOURS)
        )
    return lines


def _warnings(connection: Connection, day: date) -> list[str]:
    counted = connection.execute(
        "select level, count(*), count(*) filter (where opened_day = %s) from care.warning "
        "where closed_at is null and level > 0 group by 1 order by 1 desc",
        (day,),
    ).fetchall()
    lines = [
        "Open warnings: "
        + ", ".join(f"{n} at level {level} ({new} new tonight)" for level, n, new in counted)
    ]
    rows = connection.execute(
        "select w.level, w.tier, c.customer_id, f.name, w.value, p.name, w.reasons from (select *, row_number() over "
        "(partition by level order by value desc nulls last) as place from care.warning where closed_at is null) w "
        "join care.customer c using (customer_no) join care.person p on p.person_id = w.owner_id "
        "join care.identity i on i.customer_no = c.customer_no and i.known_to is null "
        "join care.fact_customer f on f.party_no = i.party_no and f.known_to is null "
        "where w.level > 0 and w.place <= %s order by w.level desc, w.place",
        (_SHOWN,),
    ).fetchall()
    for level, tier, customer_id, name, value, owner, reasons in rows:
        lines.append(f"  level {level}  {tier}  {customer_id} {name}, {value:,.0f} CNY a year, owner {owner}")
        lines += [f"             {reason['text']['en']}" for reason in reasons]
    return lines


def _tasks(connection: Connection) -> list[str]:
    rows = connection.execute(
        "select t.title->>'en', p.name, t.due_at, c.customer_id from care.care_task t "
        "join care.person p on p.person_id = t.owner_id join care.care_case k using (case_no) "
        "join care.warning w using (warning_no) join care.customer c using (customer_no) "
        "where t.state = 'open' order by w.level desc, t.due_at, t.task_no limit 4"
    ).fetchall()
    total = connection.execute("select count(*) from care.care_task where state = 'open'").fetchone()
    assert total is not None
    lines = [f"Open care tasks: {total[0]}; the first ones"]
    return lines + [
        f"  by {_local(due)}  {title}: {customer} ({owner})" for title, owner, due, customer in rows
    ]


def _local(at: datetime) -> str:
    return at.astimezone(FIRM_ZONE).strftime("%Y-%m-%d %H:%M")


def _messages(connection: Connection, folder: Path) -> list[str]:
    rows = connection.execute(
        "select channel, state, count(*) from care.outbox group by 1, 2 order by 1, 2"
    ).fetchall()
    told = ", ".join(f"{count} {channel} {state}" for channel, state, count in rows)
    mails = len(list((folder / "mail").glob("*.eml")))
    return [f"Messages: {told}; {mails} mails were received"]


def _quarantine(connection: Connection) -> list[str]:
    rows = connection.execute(
        "select origin, reason, count(*) from quarantine.row where state = 'waiting' group by 1, 2 order by 3 desc, 1, 2 limit 5"
    ).fetchall()
    if not rows:
        return []
    listed = ", ".join(f"{count} x {reason} in {origin}" for origin, reason, count in rows)
    return [f"Quarantine: {listed}"]
