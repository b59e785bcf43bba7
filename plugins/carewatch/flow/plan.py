"""Compare two configurations on the last night: who would change colour or level, and how much work that is.

The numbers of the last sealed night are judged twice, by the configuration it was judged by and by the new one, and each
judgement is folded once more onto the live signals, as the next night would do on the same numbers. `settled` is where the
level comes to rest when the numbers stay what they are: after as many nights as the longest hold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.care.owners import in_role, manager_of, owner_of
from carewatch.flow.backtest import Progress, replay
from carewatch.flow.moves import Judgement, moves_of, rising
from carewatch.learn.workload import Budgeted, Week, within_budget
from carewatch.measure.health import risk_of
from carewatch.spec.configuration import CareSpec, Configuration, JudgementSpec
from carewatch.spec.saying import said
from carewatch.store import configurations, nights, outcomes, signals
from carewatch.store import live_warnings as warnings
from carewatch.store import tiers as tier_store
from carewatch.store.database import Connection
from carewatch.store.metrics import metrics_at, metrics_of_night
from carewatch.store.nights import Night
from carewatch.store.readings import readings_at
from carewatch.warn.fold import fold
from carewatch.warn.judge import Judged, colour_texts, judge, level_of_memory
from carewatch.warn.level import severities


@dataclass(frozen=True)
class Standing:
    """How a configuration sees every customer: colour, level on the next night, and the level it settles at."""

    customers: NDArray[np.int32]
    judged: Judged
    level: NDArray[np.int16]
    settled: NDArray[np.int16]


@dataclass(frozen=True)
class Change:
    """A customer whom the new configuration sees differently: tier and owner as the new one has them."""

    customer_id: str
    tier: str
    owner: str
    value: float | None
    colour: tuple[str, str]
    level: tuple[int, int]
    settled: tuple[int, int]


@dataclass(frozen=True)
class Load:
    """New warnings a week of one person (or of the team below a manager) by both configurations, and hours of work."""

    person: str
    team: bool
    before: float
    after: float
    hours: float
    capacity: float | None
    budget: Budgeted | None


@dataclass(frozen=True)
class Plan:
    """What a new configuration would change; `loads` is empty where no weeks were replayed.

    `held` is how many customers would rise at once when that would hold the next night, else None.
    """

    night: date
    old: str
    new: str
    customers: int
    changes: tuple[Change, ...]
    extra_tasks: Mapping[str, int]
    weeks: tuple[date, date] | None
    loads: tuple[Load, ...]
    held: int | None = None

    def crossings(self, what: str) -> Counter[tuple[str, object, object]]:
        """Count by tier how many go from which colour or level (`level` or `settled`) to which."""
        return Counter(
            (one.tier, *getattr(one, what))
            for one in self.changes
            if getattr(one, what)[0] != getattr(one, what)[1]
        )


def plan(
    connection: Connection,
    configuration: Configuration,
    *,
    weeks: int = 0,
    progress: Progress = lambda _: None,
) -> Plan:
    """Return what the configuration would change on the last sealed night; nothing is stored. Raise NoNight.

    With `weeks`, so many past weeks are replayed by both configurations for the expected number of new warnings.
    """
    night = nights.last_sealed(connection)
    old, new = configurations.judgement(connection, night.judgement), configuration.judgement
    progress(said("judge the night of {day} by both configurations", day=night.day))
    before, after = standing(connection, night, old), standing(connection, night, new)
    changes, owners = _changes(connection, night, new, configuration.care, before, after)
    weekly = _weeks(connection, night.day, (old, new), owners, weeks, progress) if weeks else None
    span = (night.day - timedelta(weeks=weeks), night.day) if weeks else None
    return Plan(
        night.day,
        old.fingerprint,
        new.fingerprint,
        len(after.customers),
        tuple(changes),
        dict(_extra_tasks(configuration.care, changes)),
        span,
        tuple(_loads(configuration.care, *weekly)) if weekly else (),
        _held(connection, night, new, after),
    )


def _held(connection: Connection, night: Night, spec: JudgementSpec, after: Standing) -> int | None:
    """Return how many would rise on the next night when it would be held for that, as `apply_night` decides it."""
    if nights.folded(connection) < spec.longest_hold:
        return None
    unasked = np.zeros(len(after.customers))
    found = Judgement(
        customers=after.customers, level=after.level, priority=unasked.astype(np.int8), tier=after.judged.tier,
        risk=unasked, money=unasked, dormant=after.judged.dormant,
    )  # fmt: skip
    moves = moves_of(found, warnings.live_warnings(connection), spec, night.day + timedelta(days=1))
    count = rising(moves)
    return count if count * 100 > spec.levels.hold_if_more_than * len(after.customers) else None


def standing(connection: Connection, night: Night, spec: JudgementSpec) -> Standing:
    """Return how a configuration sees the customers of a night; what the night has stored is not measured again."""
    cut = night.cut(spec.firm.zone)
    stored_by = configurations.judgement(connection, night.judgement)
    same = [name for name in spec.metrics if name in stored_by.metrics and _alike(spec, stored_by, name)]
    customers, columns = metrics_of_night(connection, night, stored_by)
    measured = {name: columns[name] for name in same}
    if missing := [name for name in spec.metrics if name not in measured]:
        _, more = metrics_at(connection, spec.metrics, missing, cut, closed_days=spec.closed_days)
        measured |= more
    classes = tier_store.known(connection, spec, cut)
    readings = readings_at(connection, spec, cut, customers, classes)
    judged = judge(spec, measured | readings, classes.tier_of(customers), night.held_facts)
    severity = severities(judged.book, judged.columns)
    memory = signals.live_memory(connection, customers, judged.book)
    levels = []
    nights_to_rest = int(max(judged.book.holds_for.max(), judged.book.clears_after.max()))
    for count in range(1, nights_to_rest + 1):
        memory = fold(memory, judged.states, judged.book, dormant=judged.dormant, missed=0)
        day = night.day + timedelta(days=count)
        phase = signals.counted(connection, customers, judged.book, memory, day)
        levels.append(level_of_memory(spec, judged.book, replace(memory, phase=phase), severity))
    return Standing(customers, judged, levels[0], levels[-1])


def _alike(one: JudgementSpec, other: JudgementSpec, name: str) -> bool:
    return one.metric_hash(name) == other.metric_hash(name)


def _changes(
    connection: Connection,
    night: Night,
    spec: JudgementSpec,
    care: CareSpec,
    before: Standing,
    after: Standing,
) -> tuple[list[Change], dict[int, str]]:
    colours = [colour_texts(one.judged.scores.colour) for one in (before, after)]
    differs = (colours[0] != colours[1]) | (before.level != after.level) | (before.settled != after.settled)
    seen = warnings.masters(connection, after.customers.tolist(), night.knowledge_cut)
    owners = {number: owner_of(care.people, one.owner) for number, one in seen.items()}
    money = after.judged.columns[spec.tiers.money] if spec.tiers.money else np.full(len(differs), np.nan)
    found = [
        Change(
            seen[int(after.customers[at])].customer_id,
            spec.tiers.names[after.judged.tier[at]],
            owners[int(after.customers[at])],
            None if np.isnan(money[at]) else float(money[at]),
            (str(colours[0][at]), str(colours[1][at])),
            (int(before.level[at]), int(after.level[at])),
            (int(before.settled[at]), int(after.settled[at])),
        )
        for at in np.flatnonzero(differs)
    ]
    found.sort(key=lambda one: (one.settled[0] - one.settled[1], -(one.value or 0.0), one.customer_id))
    return found, owners


def _extra_tasks(care: CareSpec, changes: Sequence[Change]) -> Counter[str]:
    """Count by person the care tasks that playbooks would start for customers who settle at a higher level."""
    return Counter(
        person
        for one in changes
        if one.settled[1] > one.settled[0]
        for person, _ in _tasks(care, one.settled[1], one.tier, one.owner)
    )


def _tasks(care: CareSpec, level: int, tier: str, owner: str) -> Iterator[tuple[str, float]]:
    """Yield who gets a task at a level, and the hours of work it takes."""
    for book in care.playbooks_of(level, tier):
        for step in book.steps.values():
            yield in_role(care.people, step.role, owner), step.effort


@dataclass
class _Weekly:
    """What past weeks brought by one configuration: by owner, the stakes of each week's new warnings, and the tasks' hours."""

    stakes: dict[str, list[list[float]]]
    raised: list[tuple[int, str, str]]


def _weeks(
    connection: Connection, until: date, specs: tuple[JudgementSpec, ...], owners: Mapping[int, str], weeks: int,
    progress: Progress,
) -> tuple[int, list[_Weekly]]:  # fmt: skip
    """Replay past weeks by the level of the hits; a warning is new when the level was lower a week before."""
    found = []
    ids = outcomes.customer_ids(connection)
    for spec in specs:
        weekly = _Weekly(defaultdict(lambda: [[] for _ in range(weeks)]), [])
        before: dict[int, int] = {}
        first = until - timedelta(weeks=weeks)
        for number, replayed in enumerate(replay(connection, spec, first, until, "week", progress)):
            level = dict(zip(replayed.customers.tolist(), replayed.level.tolist(), strict=True))
            stakes = _stakes(spec, replayed.judged)
            for at, (customer, now) in enumerate(level.items() if number else ()):
                if now > before.get(customer, 0) and customer in ids:
                    owner = owners.get(customer)
                    if owner is not None:
                        weekly.stakes[owner][number - 1].append(float(stakes[at]))
                        weekly.raised.append((now, spec.tiers.names[replayed.judged.tier[at]], owner))
            before = level
        found.append(weekly)
    return weeks, found


def _stakes(spec: JudgementSpec, judged: Judged) -> NDArray[np.float64]:
    money: NDArray[Any] = (
        np.nan_to_num(judged.columns[spec.tiers.money]) if spec.tiers.money else np.ones(len(judged.tier))
    )
    return np.asarray(risk_of(judged.scores.score) * money)


def _loads(care: CareSpec, weeks: int, weekly: list[_Weekly]) -> Iterator[Load]:
    before, after = weekly
    hours: defaultdict[str, float] = defaultdict(float)
    for level, tier, owner in after.raised:
        for person, effort in _tasks(care, level, tier, owner):
            hours[person] += effort / weeks
    everybody = sorted({*before.stakes, *after.stakes, *hours})
    for person in everybody:
        entry = care.people.people.get(person)
        yield Load(
            person, False, _mean(before, [person], weeks), _mean(after, [person], weeks), hours[person],
            entry.capacity if entry else None, _budgeted(after, [person], weeks, entry.budget if entry else None),
        )  # fmt: skip
    for manager, entry in care.people.people.items():
        team = [one for one in everybody if one != manager and manager_of(care.people, one) == manager]
        if team and entry.team_budget is not None:
            yield Load(
                manager, True, _mean(before, team, weeks), _mean(after, team, weeks), sum(hours[one] for one in team),
                None, _budgeted(after, team, weeks, entry.team_budget),
            )  # fmt: skip


def _mean(weekly: _Weekly, people: Sequence[str], weeks: int) -> float:
    return sum(len(week) for person in people for week in weekly.stakes.get(person, ())) / weeks


def _budgeted(weekly: _Weekly, people: Sequence[str], weeks: int, budget: float | None) -> Budgeted | None:
    if budget is None:
        return None
    together: list[Week] = [
        np.array(
            [stake for person in people if person in weekly.stakes for stake in weekly.stakes[person][week]]
        )
        for week in range(weeks)
    ]
    return within_budget(together, budget)
