"""Answer the question: which night is this, what may it see, and how far has it come?

The first task of a night writes its row; every later task, retry and rerun reads that row and never the disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from carewatch.measure.cut import Cut, local_midnight
from carewatch.spec.calendar import WorkCalendar
from carewatch.spec.saying import said
from carewatch.spec.sources import BaseSource
from carewatch.store.database import Connection, clock
from carewatch.store.freshness import HeldSource, held_at, unreliable_sources
from carewatch.store.locks import Lock, hold

NightState = Literal["open", "measured", "judged", "applied", "held", "sealed"]
_ORDER: tuple[NightState, ...] = ("open", "measured", "judged", "applied", "sealed")
_COLUMNS = (
    "night_no, day, revision, event_cut, knowledge_cut, judgement, care, code_version, state, notifies, "
    "array(select distinct load_id from care.load where history and loaded_at > knowledge_cut order by 1), "
    "array(select distinct unnest(facts) from care.held_source where night = night_no order by 1)"
)


class NoNight(LookupError):
    """No such night is stored."""


@dataclass(frozen=True)
class Night:
    """One night revision: its two cuts, the fingerprints it is judged by, its state, and the facts it holds as unknown."""

    night_no: int
    day: date
    revision: int
    event_cut: datetime
    knowledge_cut: datetime
    judgement: str
    care: str
    code_version: str
    state: NightState
    notifies: bool
    later_histories: list[str]
    held_facts: list[str]

    def cut(self, zone: ZoneInfo) -> Cut:
        return Cut(self.day, self.event_cut, self.knowledge_cut, zone, tuple(self.later_histories))

    def reached(self, state: NightState) -> bool:
        """Return whether the night has already come as far as this state (a held night has been judged, no more)."""
        mine = "judged" if self.state == "held" else self.state
        return _ORDER.index(mine) >= _ORDER.index(state)


def knowledge_now(connection: Connection) -> datetime:
    """Return a moment such that everything known up to it is committed.

    A load holds the facts lock until it commits and stamps its rows inside it; taking the lock for an instant therefore
    waits for every load that could still add a row stamped before now.
    """
    with connection.transaction():
        hold(connection, Lock.FACTS)
        return clock(connection)


def knowledge_unless_loading(connection: Connection) -> datetime | None:
    """Return the same moment without waiting: None while a load is being written."""
    tried = connection.execute("select pg_try_advisory_lock(%s)", (int(Lock.FACTS),)).fetchone()
    if tried != (True,):
        return None
    row = connection.execute("select care.clock(), pg_advisory_unlock(%s)", (int(Lock.FACTS),)).fetchone()
    return row[0] if row else None


def open_night(
    connection: Connection,
    day: date,
    calendar: WorkCalendar,
    *,
    judgement: str,
    care: str,
    code_version: str,
    notifies: bool,
    sources: Mapping[str, BaseSource],
) -> Night:
    """Return the night of the day, opening it when there is none; an existing one stays exactly as it is.

    Opening looks at the sources and stores which of them the night cannot rely on.
    """
    known = connection.execute("select 1 from care.night where day = %s", (day,)).fetchone()
    if known is None:
        knowledge_cut = knowledge_now(connection)
        with connection.transaction():
            hold(connection, Lock.NIGHT)
            connection.execute("select care.ensure_partitions(%s)", (day,))
            _insert(
                connection, day, 0, calendar, knowledge_cut,
                judgement=judgement, care=care, code_version=code_version, notifies=notifies, sources=sources,
            )  # fmt: skip
    return night_of(connection, day)


def _insert(
    connection: Connection, day: date, revision: int, calendar: WorkCalendar, knowledge_cut: datetime,
    *, judgement: str, care: str, code_version: str, notifies: bool, sources: Mapping[str, BaseSource],
) -> None:  # fmt: skip
    event_cut = local_midnight(day, calendar.zone)
    held = held_at(unreliable_sources(connection, sources, knowledge_cut, calendar), event_cut)
    opened = connection.execute(
        "insert into care.night (day, revision, event_cut, knowledge_cut, judgement, care, code_version, notifies, "
        "late_sources, opened_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, care.clock()) "
        "on conflict (day, revision) do nothing returning night_no",
        (
            day, revision, event_cut, knowledge_cut, judgement, care, code_version, notifies,
            [one.source for one in held],
        ),
    ).fetchone()  # fmt: skip
    if opened is None:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into care.held_source (night, source, owner, reason, known_until, facts) values (%s, %s, %s, %s, %s, %s)",
            [
                (opened[0], one.source, one.owner, Jsonb(one.reason), one.known_until, one.facts)
                for one in held
            ],
        )


def held_sources(connection: Connection, night: Night) -> list[HeldSource]:
    """Return the sources that the night does not rely on."""
    rows = connection.execute(
        "select source, owner, reason, known_until, facts from care.held_source where night = %s order by source",
        (night.night_no,),
    ).fetchall()
    return [HeldSource(*row) for row in rows]


def held_before(connection: Connection, night: Night, source: str) -> bool:
    """Return whether the night before this one held the source as well."""
    row = connection.execute(
        "select %s = any(late_sources) from care.night where day < %s and revision = 0 order by day desc limit 1",
        (source, night.day),
    ).fetchone()
    return row is not None and bool(row[0])


def night_of(connection: Connection, day: date) -> Night:
    """Return the day's night as it was run, before any restatement; raise NoNight."""
    row = connection.execute(
        f"select {_COLUMNS} from care.night where day = %s and revision = 0", (day,)
    ).fetchone()
    if row is None:
        raise NoNight(said("there is no night of {day}; run it first: care run --day {day}", day=day))
    return Night(*row)


def night_numbered(connection: Connection, night_no: int) -> Night:
    """Return the night revision of a number; raise NoNight."""
    row = connection.execute(f"select {_COLUMNS} from care.night where night_no = %s", (night_no,)).fetchone()
    if row is None:
        raise NoNight(f"there is no night number {night_no}; see: care night list")
    return Night(*row)


def is_open(connection: Connection, day: date) -> bool:
    """Return whether the day's night has been opened: it keeps its own configuration."""
    return connection.execute("select 1 from care.night where day = %s", (day,)).fetchone() is not None


def last_care(connection: Connection, judgement: str) -> str | None:
    """Return the care configuration of the last night that a judgement judged."""
    row = connection.execute(
        "select care from care.night where judgement = %s order by opened_at desc, night_no desc limit 1",
        (judgement,),
    ).fetchone()
    return row[0] if row else None


def judged_nights(connection: Connection, first: date, last: date | None) -> list[Night]:
    """Return the nights from `first` to `last` (None: to the newest) that were judged, as they were run, in date order."""
    rows = connection.execute(
        f"select {_COLUMNS} from care.night where revision = 0 and state not in ('open', 'measured') "
        "and day >= %s and day <= coalesce(%s::date, 'infinity') order by day",
        (first, last),
    ).fetchall()
    return [Night(*row) for row in rows]


def newest_revision(connection: Connection, night: Night) -> Night:
    """Return a night as it was last restated."""
    return _revision(connection, night.day, None)


def reopen(
    connection: Connection,
    before: Night,
    calendar: WorkCalendar,
    *,
    knowledge_cut: datetime,
    code_version: str,
    sources: Mapping[str, BaseSource],
) -> Night:
    """Open the next revision of a night with its own configuration and another knowledge cut; it tells nobody."""
    _insert(
        connection, before.day, before.revision + 1, calendar, knowledge_cut,
        judgement=before.judgement, care=before.care, code_version=code_version, notifies=False, sources=sources,
    )  # fmt: skip
    return _revision(connection, before.day, before.revision + 1)


def _revision(connection: Connection, day: date, revision: int | None) -> Night:
    row = connection.execute(
        f"select {_COLUMNS} from care.night where day = %s and revision = coalesce(%s, revision) "
        "order by revision desc limit 1",
        (day, revision),
    ).fetchone()
    if row is None:
        raise NoNight(
            said(
                "there is no revision {revision} of the night of {day}; see: care night list",
                revision=revision or 0,
                day=day,
            )
        )
    return Night(*row)


def last_sealed(connection: Connection, up_to: date | None = None, revision: int | None = None) -> Night:
    """Return the newest sealed night, at or before a day when given, as it was last restated or in one revision.

    Raise NoNight.
    """
    row = connection.execute(
        f"select {_COLUMNS} from care.night where state = 'sealed' and day <= coalesce(%s::date, 'infinity') "
        "and revision = coalesce(%s, revision) order by day desc, revision desc limit 1",
        (up_to, revision),
    ).fetchone()
    if row is None:
        raise NoNight(said("no night has been run yet; run one first: care run --day DAY"))
    return Night(*row)


def standing_night(connection: Connection) -> Night | None:
    """Return the night on which warnings stand: the last that moved them; None before the first."""
    row = connection.execute(
        f"select {_COLUMNS} from care.night where state in ('applied', 'sealed') "
        "and day = (select applied_through from care.progress) order by revision desc limit 1"
    ).fetchone()
    return Night(*row) if row is not None else None


def events_through(connection: Connection) -> datetime | None:
    """Return up to when events have been looked at between nights."""
    row = connection.execute("select events_through from care.progress").fetchone()
    return row[0] if row else None


def set_events_through(connection: Connection, moment: datetime) -> None:
    """Record that events have been looked at up to a moment."""
    connection.execute("update care.progress set events_through = %s", (moment,))


def waiting_nights(connection: Connection) -> list[Night]:
    """Return judged nights that the fold has not passed, in date order; one that was sealed too early waits as well.

    A restatement is never folded: it corrects numbers and moves nobody.
    """
    rows = connection.execute(
        f"select {_COLUMNS} from care.night where state in ('judged', 'sealed') and revision = 0 "
        "and day > coalesce((select applied_through from care.progress), '-infinity') order by day"
    ).fetchall()
    return [Night(*row) for row in rows]


def care_opened_after(connection: Connection, care: str) -> str | None:
    """Return the care configuration of the night opened last, when another one was in force before; else None."""
    row = connection.execute(
        "select n.care from care.night n where n.care <> %(care)s and n.revision = 0 and n.opened_at > "
        "(select max(o.opened_at) from care.night o where o.care = %(care)s and o.revision = 0) "
        "order by n.opened_at desc, n.night_no desc limit 1",
        {"care": care},
    ).fetchone()
    return row[0] if row else None


def newest_care(connection: Connection) -> str | None:
    """Return the care configuration of the night opened last."""
    row = connection.execute(
        "select care from care.night where revision = 0 order by opened_at desc, night_no desc limit 1"
    ).fetchone()
    return row[0] if row else None


def applied_through(connection: Connection) -> date | None:
    """Return the day of the last night that moved warnings."""
    row = connection.execute("select applied_through from care.progress").fetchone()
    return row[0] if row else None


def folded(connection: Connection) -> int:
    """Return how many nights have moved warnings, or lie before one that did."""
    row = connection.execute(
        "select count(*) from care.night where state in ('applied', 'sealed') and revision = 0 "
        "and day <= (select applied_through from care.progress)"
    ).fetchone()
    assert row is not None
    return int(row[0])


def set_applied_through(connection: Connection, day: date) -> None:
    """Record that the fold has passed the day."""
    connection.execute("update care.progress set applied_through = %s", (day,))


def lacks(connection: Connection, night: Night, state: NightState) -> bool:
    """Lock the night until the transaction ends and return whether it has still not come as far as the state.

    A task that was taken for dead may still be running when its retry begins: the second waits, and finds it done.
    """
    row = connection.execute(
        "select state from care.night where night_no = %s for update", (night.night_no,)
    ).fetchone()
    assert row is not None
    return not replace(night, state=row[0]).reached(state)


def set_score_definition(connection: Connection, night: Night, digest: str) -> None:
    """Record what the night's scores are computed by."""
    connection.execute(
        "update care.night set score_definition = %s where night_no = %s", (digest, night.night_no)
    )


def set_state(connection: Connection, night: Night, state: NightState) -> None:
    """Move the night to a state; sealing stamps the time."""
    connection.execute(
        "update care.night set state = %s, sealed_at = case when %s = 'sealed' then care.clock() end where night_no = %s",
        (state, state, night.night_no),
    )
