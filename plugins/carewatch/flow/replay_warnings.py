"""Recompute stored warnings: from the facts of their nights to the signals, and from the signals to the level.

Every signal that a warning names must have fired on the night it opened, or at the moment at which a tick raised it, on the
numbers kept with it; its severity must be what its customer's classes ask for; and the signals that were open at a
transition must add up to its level: all by the configuration and the cuts of that night.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from carewatch.flow.recompute import Recomputed, judge_between, recompute_night
from carewatch.measure.cut import Cut
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.rules import Severity
from carewatch.store import configurations, signals
from carewatch.store import live_warnings as warnings
from carewatch.store.database import Connection
from carewatch.store.events import events_of
from carewatch.store.live_warnings import StoredTransition
from carewatch.store.nights import Night, NoNight, last_sealed, night_numbered, night_of
from carewatch.store.signals import Raised
from carewatch.warn.fold import Phase
from carewatch.warn.hits import State, rule_book
from carewatch.warn.judge import Judged
from carewatch.warn.level import NOTHING, levels, severities
from carewatch.warn.reasons import ERASED, reason

_OF_THE_NIGHT = ("score", "colour", "tier")
"""What a tick takes from the night on which warnings stand."""


@dataclass(frozen=True)
class Replayed:
    """One warning computed again: how many transitions and signals were compared, and what came out otherwise."""

    warning_no: int
    customer_id: str
    transitions: int
    signals: int
    differences: tuple[str, ...]


def replay_warnings(
    connection: Connection,
    wanted: Sequence[int] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Replayed]:
    """Return every stored warning (or the wanted ones) recomputed, in order of their numbers; nothing is stored."""
    found: dict[int, list[StoredTransition]] = defaultdict(list)
    for transition in warnings.stored_transitions(connection, wanted):
        found[transition.warning_no].append(transition)
    replaying = _Replaying(connection, progress, alone=wanted is not None and len(wanted) == 1)
    return [replaying.warning(number, transitions) for number, transitions in sorted(found.items())]


@dataclass(frozen=True)
class _Seen:
    """One customer as a moment saw it: the row in what was judged, and what of that the evidence must equal."""

    spec: JudgementSpec
    cut: Cut
    judged: Judged
    row: int
    columns: Mapping[str, Any]

    def severity(self, rule: str) -> str:
        """Return the severity that a rule has for the customer."""
        ranks = severities(self.judged.book, self.judged.columns)
        return list(Severity)[int(ranks[self.row, self.judged.book.number(rule)])].value


class _Replaying:
    """Keeps what several warnings need: configurations, and the nights that were judged again."""

    def __init__(self, connection: Connection, progress: Callable[[str], None], *, alone: bool) -> None:
        self.connection, self.progress, self.alone = connection, progress, alone
        self.specs: dict[str, JudgementSpec] = {}
        self.nights: dict[tuple[int, int | None], Recomputed] = {}

    def warning(self, number: int, transitions: Sequence[StoredTransition]) -> Replayed:
        named = {signal["signal"]: signal for one in transitions for signal in one.reasons}
        raised = signals.raised(self.connection, named)
        differences: list[str] = []
        for one in transitions:
            differences += self._level(one, raised)
        for signal_no, signal in named.items():
            source = raised.get(signal_no, Raised(transitions[0].customer_no, None, None))
            differences += self._signal(source, signal)
        return Replayed(number, transitions[0].customer_id, len(transitions), len(named), tuple(differences))

    def _spec(self, fingerprint: str) -> JudgementSpec:
        if fingerprint not in self.specs:
            self.specs[fingerprint] = configurations.judgement(self.connection, fingerprint)
        return self.specs[fingerprint]

    def _night(self, night: Night, customer_no: int) -> Recomputed:
        key = (night.night_no, customer_no if self.alone else None)
        if key not in self.nights:
            self.progress(f"judge the night of {night.day} again")
            self.nights[key] = recompute_night(self.connection, night, self._spec(night.judgement), key[1])
        return self.nights[key]

    def _seen_by_night(self, night: Night, customer_no: int) -> _Seen | None:
        spec, found = self._spec(night.judgement), self._night(night, customer_no)
        row = int(np.searchsorted(found.customers, customer_no))
        if row >= len(found.customers) or found.customers[row] != customer_no:
            return None
        columns = {name: column[row] for name, column in found.judged.columns.items()}
        return _Seen(spec, night.cut(spec.firm.zone), found.judged, row, columns)

    def _seen_by_tick(self, night: Night, customer_no: int, at: datetime) -> _Seen | None:
        before = self._seen_by_night(night, customer_no)
        if before is None:
            return None
        spec, found, only = before.spec, self._night(night, customer_no), slice(before.row, before.row + 1)
        cut = Cut(at.astimezone(spec.firm.zone).date(), at, at, spec.firm.zone)
        numbers = {name: found.own.get(name, found.judged.columns[name])[only] for name in spec.metrics}
        judged = judge_between(
            self.connection, spec, night, cut, found.customers[only], numbers, found.tier[only]
        )
        columns = {name: column[0] for name, column in judged.columns.items()}
        kept = {name: before.columns[name] for name in _OF_THE_NIGHT}
        return _Seen(spec, cut, judged, 0, columns | kept)

    def _seen(self, source: Raised, day: date) -> _Seen | None:
        """Return how a signal's customer was seen when it opened; raise NoNight."""
        if source.at is None or source.night_no is None:
            return self._seen_by_night(night_of(self.connection, day), source.customer_no)
        night = night_numbered(self.connection, source.night_no)
        return self._seen_by_tick(night, source.customer_no, source.at)

    def _level(self, one: StoredTransition, raised: Mapping[int, Raised]) -> Iterator[str]:
        """Say whether the signals that were open at a transition have other severities, or add up to another level."""
        night = self._standing(one, raised)
        spec = self._spec(night.judgement)
        book = rule_book(spec.rules, spec.health.hold_nights)
        phase = np.full((1, len(book.names)), Phase.NONE, dtype=np.int8)
        severity = np.full((1, len(book.names)), NOTHING, dtype=np.int8)
        for signal in one.reasons:
            if signal["rule"] not in book.names:
                yield f"transition {one.transition}: the rule {signal['rule']} is not in the configuration of {one.day}"
                continue
            at = book.number(signal["rule"])
            phase[0, at] = Phase.OPEN
            severity[0, at] = Severity(signal["severity"]).rank if signal["rule"] in spec.rules else NOTHING
            yield from self._severity(one, night, signal, raised)
        level = int(levels(spec.levels, book, phase, severity)[0])
        if level != one.level:
            yield f"transition {one.transition} on {one.day}: its signals add up to level {level}, stored is {one.level}"

    def _standing(self, one: StoredTransition, raised: Mapping[int, Raised]) -> Night:
        """Return the night that moved a warning, or the one on which it stood when a tick did."""
        if one.between_nights:
            sources = [raised[signal["signal"]] for signal in one.reasons if signal["signal"] in raised]
            ticks = [(source.at, source.night_no) for source in sources if source.at and source.night_no]
            if ticks:
                return night_numbered(self.connection, max(ticks)[1])
        try:
            return night_of(self.connection, one.day)
        except NoNight:
            return last_sealed(self.connection, one.day, 0)

    def _severity(
        self, one: StoredTransition, night: Night, signal: Mapping[str, Any], raised: Mapping[int, Raised]
    ) -> Iterator[str]:
        """Say whether a night gives a signal of this very customer another severity than its reason has."""
        source = raised.get(signal["signal"])
        named = signal["rule"] in self._spec(night.judgement).rules
        if one.between_nights or not named or source is None or source.customer_no != one.customer_no:
            return
        seen = self._seen_by_night(night, one.customer_no)
        if seen is not None and (found := seen.severity(signal["rule"])) != signal["severity"]:
            yield f"rule {signal['rule']} is {found} on {one.day}, stored is {signal['severity']}"

    def _signal(self, source: Raised, signal: Mapping[str, Any]) -> Iterator[str]:
        """Say where a signal comes out otherwise at the moment it opened: its rule, its numbers, its words."""
        day = date.fromisoformat(signal["since"])
        try:
            seen = self._seen(source, day)
        except NoNight as missing:
            yield f"signal {signal['signal']}: {missing}"
            return
        name, evidence = signal["rule"], signal["evidence"]
        if seen is None:
            yield f"signal {signal['signal']}: the customer was not known on {day}"
            return
        state = State(int(seen.judged.states[seen.row, seen.judged.book.number(name)]))
        if state is not State.HIT:
            yield f"rule {name} is {state.name.lower()} on {day}, when its signal opened"
        values = {**seen.columns, **self._event(seen, name, source.customer_no)}
        for key, value in evidence.items():
            if key in values and not _same(values[key], value):
                yield f"rule {name} was opened on {key} = {value}, recomputed is {values[key]}"
        if signal["text"] == ERASED:
            return
        said = reason(name, seen.spec.rules.get(name), evidence)
        if said != signal["text"]:
            yield f"rule {name} says {said}, stored is {signal['text']}"

    def _event(self, seen: _Seen, name: str, customer_no: int) -> Mapping[str, Any]:
        """Return what the event says that a rule waited for."""
        rule = seen.spec.rules.get(name)
        if rule is None or rule.on != "event":
            return {}
        found = events_of(self.connection, name, rule, seen.cut, [customer_no])
        return found[0].says if found else {}


def _same(found: Any, stored: Any) -> bool:
    if isinstance(found, str) or found is None:
        return bool(found == stored)
    if stored is None:
        return bool(np.isnan(found))
    return not isinstance(stored, str) and bool(found == stored)
