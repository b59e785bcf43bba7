"""Run one night: open it, measure, judge, seal. Every step can be killed and run again without changing a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from carewatch import __version__
from carewatch.flow.approval import in_force
from carewatch.flow.engineers import tell_outages
from carewatch.spec.configuration import CareSpec, Configuration, JudgementSpec
from carewatch.spec.saying import said
from carewatch.spec.sources import BaseSource
from carewatch.store import configurations, nights
from carewatch.store.database import Connection
from carewatch.store.health import judge_night
from carewatch.store.metrics import measure_night
from carewatch.store.nights import Night, NoNight
from carewatch.tell.decide import may_notify


class NotReady(RuntimeError):
    """A night cannot be sealed yet."""


@dataclass(frozen=True)
class Opened:
    """A night with the stored configuration it is judged by."""

    night: Night
    judgement: JudgementSpec
    care: CareSpec
    waiting: str | None = None
    """The judgement that was given and not used: it waits for an approval, or was rejected."""


def open_night(
    connection: Connection,
    configuration: Configuration,
    day: date,
    *,
    now: datetime,
    backfill: bool = False,
    sources: Mapping[str, BaseSource] = MappingProxyType({}),
) -> Opened:
    """Open the night of a day, or return the one that was opened before with its own configuration.

    Where changes need an approval, a judgement that nobody approved is proposed, and the night keeps the last approved one.

    Facts of sources that cannot be relied on at the moment of opening are held as unknown all night.

    Raise NoNight for a day that has not begun: its night would see half a day, and every night until then would count
    as past.
    """
    today = now.astimezone(configuration.firm.zone).date()
    if day > today:
        raise NoNight(said("the night of {day} has not come yet: today is {today}", day=day, today=today))
    newest = connection.execute("select max(day) from care.night").fetchone()
    latest = newest[0] if newest else None
    notifies = may_notify(day, today, newest=latest is None or day >= latest, backfill=backfill)
    given = configuration.judgement.fingerprint
    if not nights.is_open(connection, day):
        configuration = in_force(connection, configuration, now)
    with connection.transaction():
        judgement = configurations.keep(connection, configuration.judgement)
        care = configurations.keep(connection, configuration.care)
    night = nights.open_night(
        connection,
        day,
        configuration.care.work,
        judgement=judgement,
        care=care,
        code_version=__version__,
        notifies=notifies,
        sources=sources,
    )
    made = opened(connection, night)
    tell_outages(connection, night, made.care, now)
    return replace(made, waiting=given) if judgement != given else made


def opened(connection: Connection, night: Night) -> Opened:
    """Return a night with the configuration that its row names."""
    return Opened(
        night,
        configurations.judgement(connection, night.judgement),
        configurations.care(connection, night.care),
    )


def reopened(connection: Connection, day: date) -> Opened:
    """Return the stored night of a day with its configuration; raise NoNight."""
    return opened(connection, nights.night_of(connection, day))


def measure(connection: Connection, day: date) -> None:
    """Compute and store the day's metrics."""
    night = reopened(connection, day)
    measure_night(connection, night.night, night.judgement)


def judge(connection: Connection, day: date) -> None:
    """Judge the day's metrics and store health and hits."""
    night = reopened(connection, day)
    judge_night(connection, night.night, night.judgement)


def seal(connection: Connection, day: date) -> None:
    """Seal the night: from now on pages, the clock and explanations read it. A held night stays held.

    Raise NotReady for a night that has not been judged.
    """
    with connection.transaction():
        night = nights.night_of(connection, day)
        if not night.reached("judged"):
            raise NotReady(f"the night of {day} has not been judged yet; run it first: care run --day {day}")
        if night.state != "held" and not night.reached("sealed"):
            nights.set_state(connection, night, "sealed")
