"""Compute past nights again with what is known now: a new revision of their numbers, which moves nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from carewatch import __version__
from carewatch.flow.night import opened
from carewatch.spec.calendar import WorkCalendar
from carewatch.spec.sources import BaseSource
from carewatch.store import nights
from carewatch.store.database import Connection
from carewatch.store.health import judge_night
from carewatch.store.metrics import measure_night
from carewatch.store.restatement import changed_customers


@dataclass(frozen=True)
class Restated:
    """One night after it was computed again: its newest revision, and the customers whose numbers are others now."""

    day: date
    revision: int
    changed: frozenset[int]


class _NothingChanged(Exception):
    """The new revision is the old one: it is rolled back."""


def restate(
    connection: Connection,
    first: date,
    last: date | None,
    *,
    sources: Mapping[str, BaseSource],
    calendar: WorkCalendar,
) -> Iterator[Restated]:
    """Compute every judged night from `first` to `last` (the newest when None) again, each in a transaction of its own.

    A night keeps its event cut, configuration and tiers; its knowledge cut becomes now. A night that comes out as it was
    gets no revision. Warnings, signals and messages follow the nights as they were run and never move.
    """
    for night in nights.judged_nights(connection, first, last):
        before = nights.newest_revision(connection, night)
        knowledge_cut = nights.knowledge_now(connection)
        changed: frozenset[int] = frozenset()
        try:
            with connection.transaction():
                again = nights.reopen(
                    connection, before, calendar,
                    knowledge_cut=knowledge_cut, code_version=__version__, sources=sources,
                )  # fmt: skip
                spec = opened(connection, again).judgement
                measure_night(connection, again, spec)
                judge_night(connection, again, spec)
                changed = changed_customers(connection, before, again)
                if not changed:
                    raise _NothingChanged
                nights.set_state(connection, again, "sealed")
        except _NothingChanged:
            yield Restated(night.day, before.revision, changed)
        else:
            yield Restated(night.day, again.revision, changed)
