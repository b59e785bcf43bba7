"""Answer the question: which nights were held, what would they have done, and who answered for them?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.types.json import Jsonb

from carewatch.store.database import Connection
from carewatch.store.nights import Night


@dataclass(frozen=True)
class Hold:
    """What a held night would have done: customers that would have risen, by level; the rules that opened most signals."""

    customers: int
    rising: int
    levels: dict[str, int]
    rules: dict[str, int]

    @classmethod
    def stored(cls, customers: int, rising: int, levels: dict[str, int], rules: dict[str, int]) -> Hold:
        """Return a stored one: the highest level and the rule with most signals first, an order that jsonb does not keep."""
        highest = dict(sorted(levels.items(), reverse=True))
        return cls(customers, rising, highest, dict(sorted(rules.items(), key=lambda one: (-one[1], one[0]))))


@dataclass(frozen=True)
class ListedNight:
    """One day's night for a listing: `held` are the sources it did not rely on, `hold` is there when it was ever held."""

    day: date
    state: str
    revisions: int
    held: list[str]
    hold: Hold | None


def keep(connection: Connection, night: Night, hold: Hold, at: datetime) -> None:
    """Store why a night is held."""
    connection.execute(
        "insert into care.hold (night, at, customers, rising, levels, rules) values (%s, %s, %s, %s, %s, %s) "
        "on conflict do nothing",
        (night.night_no, at, hold.customers, hold.rising, Jsonb(hold.levels), Jsonb(hold.rules)),
    )


def hold_of(connection: Connection, night: Night) -> Hold | None:
    """Return why a night was held; None when it never was."""
    row = connection.execute(
        "select customers, rising, levels, rules from care.hold where night = %s", (night.night_no,)
    ).fetchone()
    return None if row is None else Hold.stored(*row)


def newest_held(connection: Connection) -> date | None:
    """Return the day of the newest night when it is held: only that one can be released."""
    row = connection.execute(
        "select day, state from care.night where revision = 0 order by day desc limit 1"
    ).fetchone()
    return row[0] if row is not None and row[1] == "held" else None


def newest_day(connection: Connection) -> date | None:
    """Return the day of the newest night, whatever became of it."""
    row = connection.execute("select max(day) from care.night").fetchone()
    return row[0] if row else None


def audit(connection: Connection, night: Night, *, by: str, what: str, why: str, at: datetime) -> None:
    """Write down who answered for a held night."""
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) values (%s, %s, %s, %s, %s)",
        (at, by, what, f"night:{night.day}", Jsonb({"why": why})),
    )


def listing(connection: Connection, most: int) -> list[ListedNight]:
    """Return the newest nights, the newest first."""
    rows = connection.execute(
        "select n.day, n.state, (select max(r.revision) from care.night r where r.day = n.day), "
        "n.late_sources, h.customers, h.rising, h.levels, h.rules "
        "from care.night n left join care.hold h on h.night = n.night_no where n.revision = 0 order by n.day desc limit %s",
        (most,),
    ).fetchall()
    return [
        ListedNight(day, state, revisions, held, Hold.stored(*hold) if hold[0] is not None else None)
        for day, state, revisions, held, *hold in rows
    ]
