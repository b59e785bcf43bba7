"""Answer the question: which customers' colour has a person said, until when, and why?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from numpy.typing import NDArray
from psycopg.types.json import Jsonb

from carewatch.measure.columns import Numbers
from carewatch.measure.cut import Cut
from carewatch.measure.health import OVERRIDE, Colour
from carewatch.store.database import Connection


@dataclass(frozen=True)
class Override:
    """What a person said of a customer's colour: through `until`, for a reason."""

    override_no: int
    customer_id: str
    colour: str
    until: date
    why: str
    by: str
    set_at: datetime


def columns_at(connection: Connection, cut: Cut, customers: NDArray[np.int32]) -> dict[str, Numbers]:
    """Return the column of colours that people said as known at the cut; none at all where nobody said anything."""
    rows = connection.execute(
        "select customer_no, colour from care.overrides_at(%s, %s, %s)",
        (cut.event_cut, cut.knowledge_cut, cut.day),
    ).fetchall()
    said: dict[int, int] = dict(rows)
    if said.keys().isdisjoint(customers.tolist()):
        return {}
    return {OVERRIDE: np.array([said.get(one, np.nan) for one in customers.tolist()], np.float64)}


def override_at(connection: Connection, cut: Cut, customer_no: int) -> Override | None:
    """Return what is in force of one customer at a cut."""
    row = connection.execute(
        "select o.override_no, c.customer_id, care.colour_name(o.colour), o.until_day, o.why, o.by, o.set_at "
        "from care.overrides_at(%s, %s, %s) o join care.customer c using (customer_no) where customer_no = %s",
        (cut.event_cut, cut.knowledge_cut, cut.day, customer_no),
    ).fetchone()
    return Override(*row) if row is not None else None


def standing(connection: Connection, today: date) -> list[Override]:
    """Return what stands now, what ends first first."""
    rows = connection.execute(
        "select o.override_no, c.customer_id, care.colour_name(o.colour), o.until_day, o.why, o.by, o.set_at "
        "from care.overrides_at('infinity', 'infinity', %s) o join care.customer c using (customer_no) "
        "order by o.until_day, c.customer_id",
        (today,),
    ).fetchall()
    return [Override(*row) for row in rows]


def add(
    connection: Connection, customer_no: int, colour: Colour, until: date, *, why: str, by: str, now: datetime
) -> None:
    """Store that a person said a colour, with its trace; the one before it ends."""
    end(connection, customer_no, by=by, now=now, trace=False)
    connection.execute(
        "insert into care.health_override (customer_no, colour, until_day, why, by, set_at) values (%s, %s, %s, %s, %s, %s)",
        (customer_no, int(colour), until, why, by, now),
    )
    _trace(
        connection,
        customer_no,
        "health_overridden",
        by,
        now,
        colour=colour.name.lower(),
        until=str(until),
        why=why,
    )


def end(connection: Connection, customer_no: int, *, by: str, now: datetime, trace: bool = True) -> bool:
    """End what stands of a customer's colour; return whether there was anything."""
    ended = connection.execute(
        "update care.health_override set ended_at = %s, ended_by = %s where customer_no = %s and ended_at is null",
        (now, by, customer_no),
    ).rowcount
    if ended and trace:
        _trace(connection, customer_no, "health_override_ended", by, now)
    return bool(ended)


def _trace(
    connection: Connection, customer_no: int, what: str, by: str, now: datetime, **detail: str
) -> None:
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) "
        "select %s, %s, %s, customer_id, %s from care.customer where customer_no = %s",
        (now, by, what, Jsonb(detail), customer_no),
    )
