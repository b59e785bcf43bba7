"""Answer the question: how fresh is each source, which is due to be loaded, and which cannot be relied on tonight?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carewatch.spec.sources import BaseSource, FilesSource
from carewatch.store.database import Connection

_SLACK = timedelta(minutes=10)


@dataclass(frozen=True)
class Freshness:
    """How a source stands at a moment; all instants are aware, None means never.

    `read_at` is the moment up to which the source has been read and conformed, in all its streams; `rows_at`
    when it last brought a row that was new or changed. `due` says that it should be loaded now, `late` that
    it breaks its promise:
    `reason` then says how, for the person in `owner`, and `known_until` up to when what it brought is complete.
    """

    source: str
    owner: str
    read_at: datetime | None
    rows_at: datetime | None
    due: bool
    late: bool
    reason: str | None
    known_until: datetime | None


@dataclass(frozen=True)
class HeldSource:
    """A source that a night does not rely on: why, who answers for it, up to when it could be relied on (None: never),
    and the facts it supplies."""

    source: str
    owner: str
    reason: str
    known_until: datetime | None
    facts: list[str]


def freshness(connection: Connection, sources: Mapping[str, BaseSource], now: datetime) -> list[Freshness]:
    """Return how each source stands at `now`, in the order of the configuration.

    A database or service is known up to its last reading; files are known up to the last new or changed file,
    because an empty folder tells nothing. A source is due a little before `every` has passed, so that an
    hourly task meets it.
    """
    return [_stand(connection, name, source, now) for name, source in sources.items()]


def due_sources(connection: Connection, sources: Mapping[str, BaseSource], now: datetime) -> list[str]:
    """Return the names of the sources that should be loaded now."""
    return [one.source for one in freshness(connection, sources, now) if one.due]


def unreliable_sources(
    connection: Connection, sources: Mapping[str, BaseSource], now: datetime
) -> list[HeldSource]:
    """Return the sources that cannot be relied on at `now`, each with its reason: the one place that says so."""
    return [
        HeldSource(one.source, one.owner, one.reason, one.known_until, _facts_of(sources[one.source]))
        for one in freshness(connection, sources, now)
        if one.reason is not None
    ]


def held_at(unreliable: Sequence[HeldSource], event_cut: datetime) -> list[HeldSource]:
    """Return those whose facts before the event cut may be incomplete: a feed that died later has told that day whole."""
    return [one for one in unreliable if one.known_until is None or one.known_until < event_cut]


def _facts_of(source: BaseSource) -> list[str]:
    facts = {stream.fact for stream in source.all_streams().values()}
    return sorted(facts | {"customer"} if source.customers == "derived" else facts)


def _stand(connection: Connection, name: str, source: BaseSource, now: datetime) -> Freshness:
    origins = [f"{name}.{stream}" for stream in source.all_streams()]
    # The oldest of the streams' last readings: a source is as fresh as its stalest stream.
    row = connection.execute(
        "select case when count(*) = %(streams)s then min(read_at) end, max(rows_at), max(landed_at) from ("
        "select origin, max(read_at) as read_at, max(read_at) filter (where new + changed > 0) as rows_at, "
        "max(read_at) filter (where landed > 0) as landed_at "
        "from care.load where origin = any(%(origins)s) and read_at <= %(now)s group by origin) s",
        {"streams": len(origins), "origins": origins, "now": now},
    ).fetchone()
    read_at, rows_at, landed_at = row or (None, None, None)
    due = read_at is None or now - read_at >= source.every - min(_SLACK, source.every / 10)
    late = _lateness(source, read_at, landed_at if isinstance(source, FilesSource) else None, rows_at, now)
    reason, known_until = late or (None, read_at)
    return Freshness(name, source.owner, read_at, rows_at, due, late is not None, reason, known_until)


def _lateness(
    source: BaseSource,
    read_at: datetime | None,
    file_at: datetime | None,
    rows_at: datetime | None,
    now: datetime,
) -> tuple[str, datetime | None] | None:
    """Return how the source breaks its promise and up to when it had kept it; None when it keeps it."""
    if read_at is None:
        return "never loaded", None
    if now - read_at > source.fresh_within:
        return f"last read {read_at:%Y-%m-%d %H:%M} UTC", read_at
    if isinstance(source, FilesSource) and (file_at is None or now - file_at > source.fresh_within):
        return (f"last new file {file_at:%Y-%m-%d %H:%M} UTC" if file_at else "no file ever came"), file_at
    if source.silent_after is not None and (rows_at is None or now - rows_at > source.silent_after):
        return (f"no new row since {rows_at:%Y-%m-%d %H:%M} UTC" if rows_at else "no row ever came"), rows_at
    return None
