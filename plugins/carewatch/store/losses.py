"""Answer the question: which customers were lost since the last night, and in which way?

The definition is that of reviews and backtests (`lost` in stages.yaml), found here with a cost that depends on one night's
facts, not on history. Rows that come late change the next night: a loss that they deny is taken back.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from carewatch.measure.cut import Cut, day_literal
from carewatch.measure.passes import visible
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.facts import FACTS
from carewatch.spec.stages import Lost
from carewatch.store.database import Connection
from carewatch.store.metrics import gather_population
from carewatch.store.nights import Night
from carewatch.store.outcomes import facts_of

REGULAR: Final = 3
"""Days of business in the year up to the last one, from which a silence is the loss of a customer."""
YEAR: Final = 365

_WAYS: Final = {
    "active": {
        "contract_event": "f.what = 'cancelled'",
        "ticket": "f.complaint",
        "note": "f.what in ('price', 'quality', 'service')",
    },
    "passive": {
        "contract_event": "f.what = 'ended'",
        "market_event": "f.what in ('competitor', 'cooperation')",
        "note": "f.what = 'competitor'",
    },
}
"""What says how a customer left, first what it did and said itself; who did not say anything is a latent loss."""


def keep_losses(connection: Connection, night: Night, spec: JudgementSpec) -> None:
    """Keep the losses that are certain by a night; called in date order, as warnings are moved.

    A silence is one once its last day is over. While the source that would break it is held nobody is lost: the first night
    that relies on it again looks at all days since.
    """
    lost = spec.stages.lost
    if lost.fact in night.held_facts:
        return
    began, through = _looked_at(connection, night.day)
    cut = night.cut(spec.firm.zone)
    window = lost.within.max_days()
    recent = max(began, night.day - timedelta(days=window))
    gather_population(connection, cut)
    connection.execute(
        "create temp table found (customer_no integer, last_day date, lost_day date) on commit drop"
    )
    if lost.by_event:
        _find_events(connection, lost, cut, recent, window)
        _take_back_events(connection, recent)
    else:
        _find_silences(connection, lost, cut, through, window)
        _take_back_silences(connection, lost, cut, recent)
    _store(connection, cut, spec, window)
    connection.execute("drop table found")
    connection.execute("update care.progress set losses_from = %s, losses_through = %s", (began, night.day))


def _looked_at(connection: Connection, day: date) -> tuple[date, date]:
    """Return since when losses are kept, and the first day on which none was looked for; the first night starts both."""
    row = connection.execute("select losses_from, losses_through from care.progress").fetchone()
    return row if row is not None and row[0] is not None else (day, day)


def _find_events(connection: Connection, lost: Lost, cut: Cut, first: date, window: int) -> None:
    table, where = facts_of(lost)
    connection.execute(
        f"insert into found select distinct customer_no, f.event_day - {window}, f.event_day from {table} f "
        f"join who using (party_no) where {visible(cut)}{where} and f.event_day >= {day_literal(first)}".encode()
    )


def _find_silences(connection: Connection, lost: Lost, cut: Cut, first: date, window: int) -> None:
    """Find whose last business is so long ago that the window was full on a day from `first` to yesterday."""
    table, where = facts_of(lost)
    last, end = (day - timedelta(days=window) for day in (first, cut.day))
    connection.execute(
        f"""
        insert into found
        with went as (
            select distinct customer_no, f.event_day as last_day
            from {table} f join who using (party_no)
            where {visible(cut)}{where} and f.event_day >= {day_literal(last)} and f.event_day < {day_literal(end)}
                and f.event_at between {day_literal(last)} - interval '2 days' and {day_literal(end)} + interval '2 days'
        )
        select went.customer_no, went.last_day, went.last_day + {window}
        from went join who using (customer_no) join {table} f using (party_no)
        where {visible(cut)}{where}
        group by 1, 2
        having not bool_or(f.event_day > went.last_day and f.event_day <= went.last_day + {window})
            and count(distinct f.event_day) filter (
                where f.event_day > went.last_day - {YEAR} and f.event_day <= went.last_day
            ) >= {REGULAR}
        """.encode()
    )


def _take_back_events(connection: Connection, since: date) -> None:
    connection.execute(
        "delete from care.loss l where l.lost_day >= %s and not exists "
        "(select from found f where f.customer_no = l.customer_no and f.lost_day = l.lost_day)",
        (since,),
    )


def _take_back_silences(connection: Connection, lost: Lost, cut: Cut, since: date) -> None:
    table, where = facts_of(lost)
    connection.execute(
        f"delete from care.loss l using who w, {table} f where l.lost_day >= {day_literal(since)} "
        f"and w.customer_no = l.customer_no and f.party_no = w.party_no and {visible(cut)}{where} "
        "and f.event_day > l.last_day and f.event_day <= l.lost_day".encode()
    )


def _store(connection: Connection, cut: Cut, spec: JudgementSpec, window: int) -> None:
    """Store what was found with the way in which each customer left, as it showed from a window before its last business on."""
    before = 0 if spec.stages.lost.by_event else window
    signs = " union all ".join(
        f"select l.customer_no, l.last_day, {rank} as way from found l join who using (customer_no) "
        f"join {FACTS[fact].table} f using (party_no) where {visible(cut)} and {says} "
        f"and f.event_day between l.last_day - {before} and l.lost_day"
        for rank, by_fact in enumerate(_WAYS.values(), start=1)
        for fact, says in by_fact.items()
    )
    connection.execute(
        f"insert into care.loss (customer_no, last_day, lost_day, kind, judgement) "
        f"select l.customer_no, l.last_day, l.lost_day, coalesce((%(ways)s::text[])[min(s.way)], 'latent'), %(judgement)s "
        f"from found l left join ({signs}) s using (customer_no, last_day) group by 1, 2, 3 "
        "on conflict (customer_no, last_day) do update set kind = excluded.kind".encode(),
        {"ways": list(_WAYS), "judgement": spec.fingerprint},
    )
