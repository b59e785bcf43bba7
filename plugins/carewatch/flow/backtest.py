"""Replay past days with only the facts then known, on the same functions as the night."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.cut import Cut
from carewatch.measure.health import OVERRIDE
from carewatch.measure.tiers import tier_day
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.saying import said
from carewatch.store import tiers as tier_store
from carewatch.store.database import Connection
from carewatch.store.metrics import metrics_at
from carewatch.store.readings import readings_at
from carewatch.store.tiers import Classes
from carewatch.warn.fold import Memory, fold
from carewatch.warn.judge import Judged, judge, level_of_hits, level_of_memory
from carewatch.warn.level import severities

Every = Literal["day", "week", "month"]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Replayed:
    """One replayed day: customers in order, how they were judged, and the level of each."""

    day: date
    customers: NDArray[np.int32]
    judged: Judged
    level: NDArray[np.int16]


def days_between(first: date, last: date, every: Every) -> list[date]:
    """Return the as-of days from first to last, both included: each day, each week or each month on the same date."""
    if every == "month":
        months = range((last.year - first.year) * 12 + last.month - first.month + 1)
        found = [_month_later(first, count) for count in months]
        return [day for day in found if day <= last]
    step = timedelta(days=1 if every == "day" else 7)
    return [first + step * count for count in range((last - first) // step + 1)]


def _month_later(day: date, count: int) -> date:
    month = day.month - 1 + count
    year, month = day.year + month // 12, month % 12 + 1
    following = date(year + month // 12, month % 12 + 1, 1)
    return min(date(year, month, 1) + timedelta(days=day.day - 1), following - timedelta(days=1))


class _Tiers:
    """Tiers and other classes by tier day, computed once each, as they would have been known on that day."""

    def __init__(self, connection: Connection, spec: JudgementSpec) -> None:
        self._connection, self._spec = connection, spec
        self._known: dict[date, Classes] = {}

    def on(self, day: date) -> Classes:
        stands = tier_day(day)
        if stands not in self._known:
            cut = Cut.at(stands, self._spec.firm.zone)
            self._known[stands] = tier_store.compute(self._connection, self._spec, cut)
        return self._known[stands]


def replay_day(
    connection: Connection, spec: JudgementSpec, day: date, tiers: _Tiers | None = None
) -> Replayed:
    """Replay one day with K = A: the level is that of the hits alone.

    What people said of a colour is left out: a replay asks what the configuration would have seen.
    """
    cut = Cut.at(day, spec.firm.zone)
    customers, columns = metrics_at(
        connection, spec.metrics, list(spec.metrics), cut, closed_days=spec.closed_days
    )
    classes = (tiers or _Tiers(connection, spec)).on(day)
    columns |= readings_at(connection, spec, cut, customers, classes)
    columns.pop(OVERRIDE, None)
    judged = judge(spec, columns, classes.tier_of(customers))
    return Replayed(day, customers, judged, level_of_hits(spec, judged))


def folds(spec: JudgementSpec, every: Every) -> bool:
    """Return whether the steps are the firm's own nights, so that signals are folded from one to the next."""
    return every == ("day" if spec.firm.nights is None else "week")


def replay(
    connection: Connection, spec: JudgementSpec, first: date, last: date, every: Every, progress: Progress
) -> Iterator[Replayed]:
    """Replay days in order.

    In steps of the firm's own nights (every day, or every week of a firm with one night a week) signals are folded,
    starting closed and warming up for twice the longest hold. In larger steps the level is that of the hits
    (`level_basis=hit`).
    """
    if folds(spec, every):
        first = spec.firm.next_night(first)
    tiers = _Tiers(connection, spec)
    days = days_between(first, last, every)
    warm_up: list[date] = []
    if folds(spec, every):
        begin = first - timedelta(days=2 * spec.longest_hold * spec.firm.days_between_nights)
        warm_up = days_between(begin, first - timedelta(days=1), every)
    memory: tuple[NDArray[np.int32], Memory] | None = None
    for number, day in enumerate([*warm_up, *days], start=1):
        replayed = replay_day(connection, spec, day, tiers)
        if folds(spec, every):
            memory = _fold_on(memory, replayed)
            judged = replayed.judged
            level = level_of_memory(spec, judged.book, memory[1], severities(judged.book, judged.columns))
            replayed = Replayed(day, replayed.customers, replayed.judged, level)
        progress(
            said(
                "{number}/{total}  {day}  {customers} customers",
                number=number,
                total=len(warm_up) + len(days),
                day=day,
                customers=len(replayed.customers),
            )
        )
        if day >= first:
            yield replayed


def _fold_on(
    memory: tuple[NDArray[np.int32], Memory] | None, replayed: Replayed
) -> tuple[NDArray[np.int32], Memory]:
    judged = replayed.judged
    before = Memory.empty(len(replayed.customers), len(judged.book.names))
    if memory is not None and len(replayed.customers):
        known, old = memory
        at = np.minimum(np.searchsorted(replayed.customers, known), len(replayed.customers) - 1)
        stays = replayed.customers[at] == known
        for new, was in (
            (before.phase, old.phase),
            (before.true_nights, old.true_nights),
            (before.clear_nights, old.clear_nights),
        ):
            new[at[stays]] = was[stays]
    return replayed.customers, fold(before, judged.states, judged.book, dormant=judged.dormant, missed=0)


PREDICTION_COLUMNS: Sequence[str] = ("as_of", "customer_id", "score", "level", "p_churn")


def predictions(replayed: Replayed, ids: dict[int, str]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield one row a customer: risk = 100 - health (empty when unknown), level 0 to 3, p_churn empty until learned."""
    risk = 100 - replayed.judged.scores.score
    for customer, score, level in zip(replayed.customers, risk, replayed.level, strict=True):
        yield (
            replayed.day.isoformat(),
            ids[int(customer)],
            "" if np.isnan(score) else f"{score:.2f}",
            str(int(level)),
            "",
        )
