"""Answer the question: does a source that is read in time still bring what it usually brings on such days?

A feed that answers and is all but empty is as dead as one that does not answer: every count that lives on it falls. A day
is judged once the source has been read after it and its usual `delay`; a refilled day is no drought any more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from psycopg import sql

from carewatch.measure.cut import local_midnight
from carewatch.measure.volume import LOOK_BACK, Usual, usual_rows, workdays
from carewatch.spec.calendar import WorkCalendar
from carewatch.spec.facts import FACTS
from carewatch.spec.sources import BaseSource
from carewatch.store.database import Connection

DEAD_BELOW: Final = 0.2
"""Below this share of the usual number a feed is dead: a slow week is none, an all but empty feed is."""
_LAST_DAYS: Final = 7


@dataclass(frozen=True)
class Drought:
    """Facts that stopped coming: from the first dry day to the last, how many rows came, and how many usually do."""

    facts: tuple[str, ...]
    since: date
    last: date
    rows: int
    usual: float


def droughts(
    connection: Connection,
    name: str,
    source: BaseSource,
    *,
    read_until: datetime,
    now: datetime,
    calendar: WorkCalendar,
) -> list[Drought]:
    """Return the droughts of a source that was read until a moment, as known at `now`: of all of it, else of single facts."""
    last = (read_until - source.delay).astimezone(calendar.zone).date() - timedelta(days=1)
    counts = _rows_by_day(connection, name, source, last, now, calendar)
    everything: Counter[date] = Counter()
    for one in counts.values():
        everything.update(one)
    whole = _drought(sorted(counts), everything, last, calendar)
    if whole is not None:
        return [whole]
    alone = (_drought([fact], rows, last, calendar) for fact, rows in sorted(counts.items()))
    return [drought for drought in alone if drought is not None]


def _rows_by_day(
    connection: Connection, name: str, source: BaseSource, last: date, now: datetime, calendar: WorkCalendar
) -> dict[str, Counter[date]]:
    """Return by fact how many rows of each day are believed, up to the last day."""
    begin = last - LOOK_BACK - timedelta(days=_LAST_DAYS)
    found: dict[str, Counter[date]] = {}
    for stream_name, stream in source.all_streams().items():
        query = sql.SQL(
            "select event_day, count(*) from {} where origin = %(origin)s and event_day <= %(last)s "
            "and event_at >= %(begin)s and event_at < %(end)s "
            "and known_from <= %(now)s and (known_to is null or known_to > %(now)s) group by 1"
        ).format(sql.Identifier(*FACTS[stream.fact].table.split(".")))
        values = {
            "origin": f"{name}.{stream_name}",
            "last": last,
            "begin": local_midnight(begin, calendar.zone),
            "end": local_midnight(last + timedelta(days=2), calendar.zone),
            "now": now,
        }
        rows = connection.execute(query, values).fetchall()
        found.setdefault(stream.fact, Counter()).update(dict(rows))
    return found


def _drought(facts: Iterable[str], rows: Counter[date], last: date, calendar: WorkCalendar) -> Drought | None:
    """Return the drought that lasts to the last day; None when the newest days that can tell say that the feed lives.

    A thick feed tells by its last day. Days on which little comes, Sundays or those of a small firm, are looked at
    together with the days before, up to a week, until so much is usual that chance cannot explain its absence.
    """
    if not rows:
        return None
    first = min(rows)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    history = [(day, rows[day]) for day in days]
    found, since_dry = None, None
    got, expected, swings = 0, 0.0, 0.0
    for back in range(_LAST_DAYS):
        day = last - timedelta(days=back)
        usual = usual_rows(history, day, workdays(calendar))
        if usual is None:
            continue
        got, expected, swings = got + rows[day], expected + usual.rows, swings + usual.swing**2
        least = Usual(expected, swings**0.5, 1, weekday=False).range(1 - DEAD_BELOW)[0]
        if rows[day] < DEAD_BELOW * usual.rows:
            since_dry = Drought(tuple(facts), day, last, got, expected)
        if least <= 0:
            continue
        if got >= least:
            break
        found = since_dry
    return found
