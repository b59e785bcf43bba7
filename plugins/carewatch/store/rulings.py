"""Answer the question: which keys do people say belong together, or do not?

A ruling rewrites no fact and no past night: it is known from the moment it is made. Each leaves a row in `care.audit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from carewatch.store.database import Connection
from carewatch.store.identity import resolve
from carewatch.store.locks import Lock, hold


class NoRuling(LookupError):
    """What was asked for cannot be ruled; the text says why."""


@dataclass(frozen=True)
class Suggestion:
    """Customers whose names differ only in how they are written."""

    customers: list[str]
    names: list[str]


def merge(connection: Connection, survivor: str, other: str, *, by: str, why: str) -> None:
    """Let two customers be one from now on, under the first one's id; raise NoRuling."""
    with connection.transaction():
        moment = _begin(connection)
        kept, gone = _standing(connection, survivor), _standing(connection, other)
        if kept == gone:
            raise NoRuling(f"{survivor} and {other} are one customer already")
        _rule(connection, "merge", _key_of(connection, kept), _key_of(connection, gone), moment, by, why)
        resolve(connection, moment)
        detail = {"into": survivor, "from": other, "why": why}
        _audit(connection, moment, by, "customers merged", survivor, detail)


def split(connection: Connection, key: str, *, by: str, why: str) -> str:
    """Let a key (`source:key`) stand apart from now on, whatever codes and links say; return its customer's id.

    Raises NoRuling.
    """
    with connection.transaction():
        moment = _begin(connection)
        row = connection.execute(
            "select p.party_no, i.customer_no, c.customer_id from care.party p join care.identity i using (party_no) "
            "join care.customer c using (customer_no) where p.key_space || ':' || p.customer_key = %s and i.known_to is null",
            (key,),
        ).fetchone()
        if row is None:
            raise NoRuling(
                f"no customer has the key '{key}'; expected source:key, as care identity show says it"
            )
        party_no, customer_no, customer_id = row
        if _count(connection, customer_no) == 1:
            raise NoRuling(f"{key} is the only key of {customer_id}: there is nothing to split")
        _rule(connection, "split", party_no, None, moment, by, why)
        resolve(connection, moment)
        stands = connection.execute(
            "select customer_id from care.identity join care.customer using (customer_no) "
            "where party_no = %s and known_to is null",
            (party_no,),
        ).fetchone()
        assert stands is not None
        detail = {"key": key, "from": customer_id, "to": stands[0], "why": why}
        _audit(connection, moment, by, "key split off", customer_id, detail)
        return str(stands[0])


def suggestions(connection: Connection) -> list[Suggestion]:
    """Return customers with names that fold to the same, unless their codes differ or a person parted them."""
    rows = connection.execute(
        "select array_agg(customer_id order by customer_no), array_agg(name order by customer_no) from ("
        "select m.customer_no, m.customer_id, m.name, care.folded_name(m.name) as folded, care.credit_code(m.credit_code) as code "
        "from care.customer_master m where not exists (select from care.identity_ruling r join care.identity i using (party_no) "
        "where r.what = 'split' and i.customer_no = m.customer_no and i.known_to is null)) named "
        "where folded is not null group by folded having count(*) > 1 and count(distinct code) < 2 order by min(customer_no)"
    ).fetchall()
    return [Suggestion(*row) for row in rows]


def _begin(connection: Connection) -> datetime:
    """Take the lock; return a moment after all that nights and rulings have seen."""
    hold(connection, Lock.FACTS)
    row = connection.execute(
        "select greatest(care.facts_clock(), (select max(ruled_at) + interval '1 microsecond' from care.identity_ruling))"
    ).fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment


def _standing(connection: Connection, customer_id: str) -> int:
    row = connection.execute(
        "select c.customer_no, i.customer_id from care.customer c left join care.absorbed a using (customer_no) "
        "left join care.customer i on i.customer_no = a.into_no where c.customer_id = %s",
        (customer_id,),
    ).fetchone()
    if row is None:
        raise NoRuling(f"unknown customer '{customer_id}'")
    if row[1] is not None:
        raise NoRuling(f"{customer_id} went into {row[1]} already; name that one")
    return int(row[0])


def _key_of(connection: Connection, customer_no: int) -> int:
    """Return the key of a customer that stands for it: the one it was made for."""
    row = connection.execute(
        "select i.party_no from care.identity i join care.party p using (party_no) "
        "where i.customer_no = %s and i.known_to is null order by p.home_no = i.customer_no desc nulls last, i.party_no limit 1",
        (customer_no,),
    ).fetchone()
    if row is None:
        raise NoRuling("a customer without a key cannot be merged")
    return int(row[0])


def _count(connection: Connection, customer_no: int) -> int:
    row = connection.execute(
        "select count(*) from care.identity where customer_no = %s and known_to is null", (customer_no,)
    ).fetchone()
    assert row is not None
    return int(row[0])


def _rule(
    connection: Connection,
    what: str,
    party_no: int,
    other_no: int | None,
    moment: datetime,
    by: str,
    why: str,
) -> None:
    connection.execute(
        "insert into care.identity_ruling (what, party_no, other_no, ruled_at, by, why) values (%s, %s, %s, %s, %s, %s)",
        (what, party_no, other_no, moment, by, why),
    )


def _audit(
    connection: Connection, moment: datetime, by: str, what: str, customer_id: str, detail: dict[str, Any]
) -> None:
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) values (%s, %s, %s, %s, %s)",
        (moment, by, what, f"customer:{customer_id}", Jsonb(detail)),
    )
