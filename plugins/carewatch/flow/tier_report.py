"""Report a quarter's tiers: who went where, how many rose, how many of the best were lost, and how few bring how much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from carewatch.learn.outcomes import Events, losses
from carewatch.measure.cut import Cut
from carewatch.measure.tiers import Concentration, concentration
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.saying import said
from carewatch.spec.tiers import TIER
from carewatch.store import nights, outcomes
from carewatch.store.database import Connection
from carewatch.store.metrics import metrics_of_night


class NoTiers(LookupError):
    """No tiers are kept of both ends of the quarter."""


@dataclass(frozen=True)
class Moved:
    """One cell of the matrix; '' stands for not known (before, or any more)."""

    was: str
    now: str
    customers: int


@dataclass(frozen=True)
class TierReport:
    """A quarter's matrix; of each class at its start how many there were, rose and were lost."""

    scheme: str
    first: date
    end: date
    classes: tuple[str, ...]
    matrix: tuple[Moved, ...]
    at_start: dict[str, int]
    rose: dict[str, int]
    lost: dict[str, int]
    until: date
    money: str | None
    concentration: Concentration | None


def tier_report(
    connection: Connection, spec: JudgementSpec, first: date, end: date, scheme: str = TIER
) -> TierReport:
    """Return the report of the quarter [first, end) as far as the nights have seen it; raise NoTiers."""
    rows = connection.execute(
        "select from_class, to_class, upgraded, customers from care.class_transition "
        "where scheme = %s and quarter_begins = %s order by 1, 2",
        (scheme, first),
    ).fetchall()
    if not rows:
        raise NoTiers(
            said(
                "no classes of '{scheme}' are kept of both {first} and {end}: each is computed by the first night of its month",
                scheme=scheme,
                first=first,
                end=end,
            )
        )
    night = nights.last_sealed(connection)
    cut = Cut.at(night.day, spec.firm.zone, night.knowledge_cut)
    events = Events(*outcomes.event_days(connection, spec, cut), are_losses=spec.stages.lost.by_event)
    window = spec.stages.lost.within.max_days()
    gone = {loss.customer for loss in losses(events, first, min(end, night.day), window, data_end=night.day)}
    standing = connection.execute(
        "select class, customer_no from care.customer_class where scheme = %s and day = %s", (scheme, first)
    ).fetchall()
    classes = connection.execute(
        "select classes from care.tier_day where scheme = %s and day = %s order by knowledge_cut desc limit 1",
        (scheme, first),
    ).fetchone()
    names = tuple(classes[0]) if classes else ()
    return TierReport(
        scheme=scheme,
        first=first,
        end=end,
        classes=names,
        matrix=tuple(Moved(was, now, customers) for was, now, _, customers in rows),
        at_start={name: sum(one == name for one, _ in standing) for name in names},
        rose={name: sum(row[3] for row in rows if row[0] == name and row[2]) for name in names},
        lost={name: sum(one == name and number in gone for one, number in standing) for name in names},
        until=min(end, night.day),
        money=spec.tiers.money,
        concentration=_concentration(connection, spec, night),
    )


def _concentration(connection: Connection, spec: JudgementSpec, night: nights.Night) -> Concentration | None:
    if spec.tiers.money is None:
        return None
    _, columns = metrics_of_night(connection, night, spec)
    return concentration(columns[spec.tiers.money])
