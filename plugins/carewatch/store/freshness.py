"""Answer the question: how fresh is each source, which is due to be loaded, and which cannot be relied on tonight?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carewatch.measure.cut import local_midnight
from carewatch.spec.calendar import WorkCalendar
from carewatch.spec.sources import BaseSource, FilesSource
from carewatch.store.database import Connection
from carewatch.store.drought import Drought, droughts

Words = dict[str, str]
"""A text by language."""
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
    reason: Words | None
    known_until: datetime | None


@dataclass(frozen=True)
class HeldSource:
    """A source that a night does not rely on: why, who answers for it, up to when it could be relied on (None: never),
    and the facts it supplies."""

    source: str
    owner: str
    reason: Words
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
    connection: Connection, sources: Mapping[str, BaseSource], now: datetime, calendar: WorkCalendar
) -> list[HeldSource]:
    """Return the sources that cannot be relied on at `now`, each with its reason: the one place that says so.

    Its checks stopped what it brought last, it is late, or it was read in time and brought far less than it usually does.
    """
    found = []
    for one in freshness(connection, sources, now):
        source = sources[one.source]
        reason = _stopped(connection, one.source, now) or one.reason
        if reason is not None:
            found.append(HeldSource(one.source, one.owner, reason, one.known_until, _facts_of(source)))
        elif one.known_until is not None:
            dry = droughts(
                connection, one.source, source, read_until=one.known_until, now=now, calendar=calendar
            )
            if dry:
                found.append(_dried_up(one, dry, calendar))
    return found


def _stopped(connection: Connection, source: str, now: datetime) -> Words | None:
    """Return that the newest load of a source that was checked is stopped; None when it is not."""
    row = connection.execute(
        "select checked_at, state from care.source_check where source = %s and checked_at <= %s "
        "order by load_id desc limit 1",
        (source, now),
    ).fetchone()
    if row is None or row[1] != "stopped":
        return None
    said = _said(row[0])
    return {"en": f"its checks stopped the load at {said}", "zh-CN": f"数据检查于 {said} 拦下了这批数据"}


def _dried_up(one: Freshness, dry: Sequence[Drought], calendar: WorkCalendar) -> HeldSource:
    facts = sorted({fact for drought in dry for fact in drought.facts})
    said = [_said_of(drought) for drought in dry]
    reason = {"en": "; ".join(one["en"] for one in said), "zh-CN": "；".join(one["zh-CN"] for one in said)}
    since = min(drought.since for drought in dry)
    return HeldSource(one.source, one.owner, reason, local_midnight(since, calendar.zone), facts)


def _said_of(drought: Drought) -> Words:
    facts, count, usual = drought.facts, drought.rows, f"{drought.usual:.0f}"
    if drought.since == drought.last:
        en, zh = f"of {drought.last}", f"{drought.last}"
    else:
        en, zh = f"from {drought.since} to {drought.last}", f"{drought.since} 至 {drought.last}"
    return {
        "en": f"{', '.join(facts)}: {count} rows {en}, usually about {usual}",
        "zh-CN": f"{'、'.join(facts)}：{zh} 仅 {count} 行，通常约 {usual} 行",
    }


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
    known_until = landed_at if isinstance(source, FilesSource) else read_at
    reason, known_until = _lateness(source, read_at, known_until, rows_at, now) or (None, known_until)
    return Freshness(name, source.owner, read_at, rows_at, due, reason is not None, reason, known_until)


def _lateness(
    source: BaseSource,
    read_at: datetime | None,
    known_until: datetime | None,
    rows_at: datetime | None,
    now: datetime,
) -> tuple[Words, datetime | None] | None:
    """Return how the source breaks its promise and up to when it had kept it; None when it keeps it."""
    if read_at is None:
        return {"en": "never loaded", "zh-CN": "从未加载"}, None
    if now - read_at > source.fresh_within:
        return {"en": f"last read {_said(read_at)}", "zh-CN": f"上次读取：{_said(read_at)}"}, known_until
    if known_until is None:
        return {"en": "no file ever came", "zh-CN": "从未收到文件"}, None
    if now - known_until > source.fresh_within:
        said = _said(known_until)
        return {"en": f"last new file {said}", "zh-CN": f"上一份新文件：{said}"}, known_until
    if source.silent_after is not None and rows_at is None:
        return {"en": "no row ever came", "zh-CN": "从未收到数据行"}, None
    if source.silent_after is not None and rows_at is not None and now - rows_at > source.silent_after:
        return {
            "en": f"no new row since {_said(rows_at)}",
            "zh-CN": f"自 {_said(rows_at)} 起没有新行",
        }, rows_at
    return None


def _said(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
