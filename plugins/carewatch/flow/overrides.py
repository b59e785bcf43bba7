"""Let a person say a customer's colour for a while: with a reason and an end, guarded and traced."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from carewatch.flow.explain import customer_number
from carewatch.measure.health import Colour
from carewatch.spec.saying import said
from carewatch.store import overrides
from carewatch.store.acts import active_people
from carewatch.store.customer_file import customer_now
from carewatch.store.database import Connection
from carewatch.store.locks import Lock, hold
from carewatch.warn.acts import NotPossible, not_active

COLOURS: Final = ("green", "yellow", "red")
"""What a person may say; that too little is known is for the numbers to say."""


def override(
    connection: Connection,
    customer_id: str,
    colour: str,
    *,
    until: date,
    why: str,
    by: str,
    now: datetime,
    today: date,
) -> str:
    """Let a colour stand for the computed one through a day, from the next night on; return the customer's id now.

    Raise UnknownCustomer, and NotPossible for a reason that says nothing, a day that is over and unknown people.
    """
    if not why.strip():
        raise NotPossible(said("an override needs a reason: --why 'what the numbers do not show'"))
    if until <= today:
        raise NotPossible(
            said(
                "{until} is no later than today ({today}): no night would read it; give a later --until",
                until=until,
                today=today,
            )
        )
    with connection.transaction():
        customer_no, current = _acting(connection, customer_id, by)
        overrides.add(connection, customer_no, Colour[colour.upper()], until, why=why.strip(), by=by, now=now)
    return current


def end(connection: Connection, customer_id: str, *, by: str, now: datetime) -> str:
    """Let the computed colour stand again from the next night on; raise NotPossible when nothing else stood."""
    with connection.transaction():
        customer_no, current = _acting(connection, customer_id, by)
        if not overrides.end(connection, customer_no, by=by, now=now):
            raise NotPossible(
                said("nobody said a colour of {customer}; see: care override", customer=current)
            )
    return current


def _acting(connection: Connection, customer_id: str, by: str) -> tuple[int, str]:
    hold(connection, Lock.CARE_STATE)
    people = active_people(connection)
    if by not in people:
        raise NotPossible(not_active(by, people))
    return customer_now(connection, customer_number(connection, customer_id))
