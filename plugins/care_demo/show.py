"""Show a new user what the demo brought: customers by colour and tier, warnings with reasons, tasks, messages."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width

import psycopg

from care_demo.span import FIRM_ZONE
from carewatch.spec.called import word_in
from carewatch.spec.saying import in_language, joined, said

Connection = psycopg.Connection[tuple[Any, ...]]

_COLOURS = ("green", "yellow", "red", "grey")
_SHOWN = 3


def picture(connection: Connection, day: date, folder: Path, language: str = "en") -> list[str]:
    """Return the lines that tell what the night of a day brought."""
    lines = [
        "",
        *_customers(connection, day, language),
        "",
        *_warnings(connection, day, language),
        "",
        *_tasks(connection, language),
        *_messages(connection, folder),
        *_quarantine(connection, language),
    ]
    return [in_language(line, language) for line in lines]


def _customers(connection: Connection, day: date, language: str) -> list[str]:
    rows = connection.execute(
        "select t.position - 1, h.colour, count(*) from care.health_night h "
        "join generate_series(1, 9) as t(position) on t.position - 1 = h.tier "
        "where h.day = %s and h.revision = 0 group by 1, 2",
        (day,),
    ).fetchall()
    counts = {(tier, colour): n for tier, colour, n in rows}
    code = {"green": 3, "yellow": 2, "red": 1, "grey": 0}
    heads = "".join(_right(word_in("colour", colour, language)) for colour in _COLOURS)
    lines = [said("Customers on the night of {day}", day=day), said("  tier   {heads}", heads=heads)]
    for tier, name in enumerate("ABC"):
        lines.append(
            f"  {name}      " + "".join(f"{counts.get((tier, code[colour]), 0):8}" for colour in _COLOURS)
        )
    return lines


def _right(word: str) -> str:
    """Return a word at the right of eight columns; a Chinese character takes two."""
    return " " * (8 - len(word) - sum(east_asian_width(letter) in "WF" for letter in word)) + word


def _warnings(connection: Connection, day: date, language: str) -> list[str]:
    counted = connection.execute(
        "select level, count(*), count(*) filter (where opened_day = %s) from care.warning "
        "where closed_at is null and level > 0 group by 1 order by 1 desc",
        (day,),
    ).fetchall()
    each = (
        said("{count} at level {level} ({fresh} new tonight)", count=n, level=level, fresh=new)
        for level, n, new in counted
    )
    lines = [said("Open warnings: {each}", each=joined(", ", each))]
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
        lines.append(
            said(
                "  level {level}  {tier}  {customer} {name}, {value:,.0f} CNY a year, owner {owner}",
                level=level,
                tier=tier,
                customer=customer_id,
                name=name,
                value=value,
                owner=owner,
            )
        )
        lines += [
            f"             {reason['text'].get(language) or reason['text']['en']}" for reason in reasons
        ]
    return lines


def _tasks(connection: Connection, language: str) -> list[str]:
    rows = connection.execute(
        "select coalesce(t.title->>%s, t.title->>'en'), p.name, t.due_at, c.customer_id from care.care_task t "
        "join care.person p on p.person_id = t.owner_id join care.care_case k using (case_no) "
        "join care.warning w using (warning_no) join care.customer c using (customer_no) "
        "where t.state = 'open' order by w.level desc, t.due_at, t.task_no limit 4",
        (language,),
    ).fetchall()
    total = connection.execute("select count(*) from care.care_task where state = 'open'").fetchone()
    assert total is not None
    lines = [said("Open care tasks: {count}; the first ones", count=total[0])]
    return lines + [
        said(
            "  by {due}  {title}: {customer} ({owner})",
            due=_local(due),
            title=title,
            customer=customer,
            owner=owner,
        )
        for title, owner, due, customer in rows
    ]


def _local(at: datetime) -> str:
    return at.astimezone(FIRM_ZONE).strftime("%Y-%m-%d %H:%M")


def _messages(connection: Connection, folder: Path) -> list[str]:
    rows = connection.execute(
        "select channel, state, count(*) from care.outbox group by 1, 2 order by 1, 2"
    ).fetchall()
    told = (
        said("{count} {channel} {state}", count=count, channel=channel, state=said(state))
        for channel, state, count in rows
    )
    mails = len(list((folder / "mail").glob("*.eml")))
    return [said("Messages: {told}; {mails} mails were received", told=joined(", ", told), mails=mails)]


def _quarantine(connection: Connection, language: str) -> list[str]:
    rows = connection.execute(
        "select origin, reason, count(*) from quarantine.row where state = 'waiting' group by 1, 2 order by 3 desc, 1, 2 limit 5"
    ).fetchall()
    if not rows:
        return []
    listed = (
        said(
            "{count} x {reason} in {origin}", count=count, reason=in_language(reason, language), origin=origin
        )
        for origin, reason, count in rows
    )
    return [said("Quarantine: {listed}", listed=joined(", ", listed))]
