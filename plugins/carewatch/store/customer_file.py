"""Answer the question: what do we know of one customer, from which system, and what happened?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.types.json import Jsonb

from carewatch.spec.facts import FACTS, Privacy
from carewatch.spec.privacy import masked
from carewatch.store.database import Connection

_EVENT = ("at", "day", "kind", "what", "text", "amount", "currency", "personal", "source", "known_from")


@dataclass(frozen=True)
class Key:
    """A key under which a source knows the customer, and since when and until when we thought so."""

    key: str
    known_from: datetime
    known_to: datetime | None


@dataclass(frozen=True)
class Value:
    """What one source says of a field; of several the first wins."""

    field: str
    value: str
    source: str
    wins: bool


def customer_now(connection: Connection, customer_no: int) -> tuple[int, str]:
    """Return number and id of the customer that this one is now: itself, or the one that it went into."""
    row = connection.execute(
        "select c.customer_no, c.customer_id from care.customer c where c.customer_no = "
        "coalesce((select min(into_no) from care.absorbed where customer_no = %(no)s), %(no)s)",
        {"no": customer_no},
    ).fetchone()
    assert row is not None
    return int(row[0]), str(row[1])


def keys(connection: Connection, customer_no: int) -> list[Key]:
    """Return the keys of a customer, those it had once after those it has."""
    rows = connection.execute(
        "select p.key_space || ':' || p.customer_key, i.known_from, i.known_to from care.identity i join care.party p "
        "using (party_no) where i.customer_no = %s order by i.known_to desc nulls first, i.party_no",
        (customer_no,),
    ).fetchall()
    return [Key(*row) for row in rows]


def values(connection: Connection, customer_no: int, *, personal: bool) -> list[Value]:
    """Return what the sources say of each field, the one that wins first; personal values masked unless asked."""
    columns = FACTS["customer"].columns
    rows = connection.execute(
        "select field.key, field.value, split_part(f.origin, '.', 1), field.value = won.value "
        "and row_number() over (partition by field.key, field.value = won.value "
        "order by r.rank nulls last, f.fact_no desc) = 1 as wins "
        "from care.fact_customer f join care.identity i using (party_no) cross join lateral jsonb_each_text(to_jsonb(f)) field "
        "join (select * from care.masters_at('infinity', 'infinity') m where m.customer_no = %(no)s) m on true "
        "cross join lateral jsonb_each_text(to_jsonb(m)) won "
        "left join care.field_priority r on r.field = field.key and r.source = split_part(f.origin, '.', 1) and r.known_to is null "
        "where i.customer_no = %(no)s and i.known_to is null and f.known_to is null and won.key = field.key "
        "and field.value is not null and field.key = any(%(fields)s) "
        "order by array_position(%(fields)s, field.key), wins desc, r.rank nulls last, f.fact_no desc",
        {"no": customer_no, "fields": [column.name for column in columns]},
    ).fetchall()
    hidden = {column.name for column in columns if column.privacy is Privacy.PERSONAL and not personal}
    return [
        Value(name, masked(value) or "" if name in hidden else value, source, wins)
        for name, value, source, wins in rows
    ]


def parent_of(connection: Connection, customer_no: int) -> dict[str, Any] | None:
    """Return whom a customer belongs to now; None for nobody."""
    row = connection.execute(
        "select parent_id, since, share, source from care.customer_parent where customer_no = %s",
        (customer_no,),
    ).fetchone()
    return None if row is None else dict(zip(("parent", "since", "share", "source"), row, strict=True))


def problems(connection: Connection, customer_no: int | None = None) -> list[tuple[str, str, str]]:
    """Return kind, key and value of what somebody should look at, of everybody or one customer."""
    rows = connection.execute(
        "select kind, key, value from care.identity_problem where %(no)s::integer is null or customer_no = %(no)s order by 1, 2",
        {"no": customer_no},
    ).fetchall()
    return [(str(kind), str(key), str(value)) for kind, key, value in rows]


def timeline(
    connection: Connection, customer_no: int, *, first: date | None, last: date | None, personal: bool
) -> list[dict[str, Any]]:
    """Return what happened with a customer in time order, between two days inclusive; personal texts unless not asked."""
    rows = connection.execute(
        f"select {', '.join(_EVENT)} from care.timeline where customer_no = %(no)s "
        "and day >= coalesce(%(first)s::date, '-infinity') and day <= coalesce(%(last)s::date, 'infinity') "
        "order by at, kind, origin, source_key".encode(),
        {"no": customer_no, "first": first, "last": last},
    ).fetchall()
    events = [dict(zip(_EVENT, row, strict=True)) for row in rows]
    for event in events:
        if not personal:
            event["personal"] = masked(event["personal"] or None)
    return events


def note_reading(connection: Connection, customer_id: str, *, by: str, what: str) -> None:
    """Record that somebody asked for personal values of a customer."""
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) values (care.clock(), %s, 'personal values shown', %s, %s)",
        (by, f"customer:{customer_id}", Jsonb({"in": what})),
    )
