"""Recompute stored warnings: from the facts of their nights to the signals, and from the signals to the level.

Every signal that a warning names must have fired on the night it opened, on the numbers kept with it, and the signals
that were open at a transition must add up to its level, all by the configuration and the cuts of that night.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from carewatch.flow.recompute import Recomputed, recompute_night
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.rules import Severity
from carewatch.store import configurations
from carewatch.store import live_warnings as warnings
from carewatch.store.database import Connection
from carewatch.store.live_warnings import StoredTransition
from carewatch.store.nights import Night, NoNight, last_sealed, night_of
from carewatch.warn.fold import Phase
from carewatch.warn.hits import State, rule_book
from carewatch.warn.level import NOTHING, levels
from carewatch.warn.reasons import ERASED, reason


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


class _Replaying:
    """Keeps what several warnings need: configurations, and the nights that were judged again."""

    def __init__(self, connection: Connection, progress: Callable[[str], None], *, alone: bool) -> None:
        self.connection, self.progress, self.alone = connection, progress, alone
        self.specs: dict[str, JudgementSpec] = {}
        self.nights: dict[tuple[date, int | None], tuple[JudgementSpec, Recomputed]] = {}

    def warning(self, number: int, transitions: Sequence[StoredTransition]) -> Replayed:
        signals: dict[int, Mapping[str, Any]] = {}
        differences: list[str] = []
        for one in transitions:
            signals |= {signal["signal"]: signal for signal in one.reasons}
            differences += self._level(one)
        for signal in signals.values():
            differences += self._signal(transitions[0], signal)
        return Replayed(
            number, transitions[0].customer_id, len(transitions), len(signals), tuple(differences)
        )

    def _spec(self, fingerprint: str) -> JudgementSpec:
        if fingerprint not in self.specs:
            self.specs[fingerprint] = configurations.judgement(self.connection, fingerprint)
        return self.specs[fingerprint]

    def _night(self, day: date, customer_no: int) -> tuple[JudgementSpec, Recomputed]:
        key = (day, customer_no if self.alone else None)
        if key not in self.nights:
            self.progress(f"judge the night of {day} again")
            night = night_of(self.connection, day)
            spec = self._spec(night.judgement)
            self.nights[key] = spec, recompute_night(self.connection, night, spec, key[1])
        return self.nights[key]

    def _level(self, one: StoredTransition) -> Iterator[str]:
        """Say whether the signals that were open at a transition add up to another level than the stored one."""
        spec = self._spec(_standing(self.connection, one.day).judgement)
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
        level = int(levels(spec.levels, book, phase, severity)[0])
        if level != one.level:
            yield f"transition {one.transition} on {one.day}: its signals add up to level {level}, stored is {one.level}"

    def _signal(self, one: StoredTransition, signal: Mapping[str, Any]) -> Iterator[str]:
        """Say where a signal comes out otherwise on the night it opened: its rule, its numbers, its words."""
        day = date.fromisoformat(signal["since"])
        try:
            spec, seen = self._night(day, one.customer_no)
        except NoNight as missing:
            yield f"signal {signal['signal']}: {missing}"
            return
        name, evidence = signal["rule"], signal["evidence"]
        row = int(np.searchsorted(seen.customers, one.customer_no))
        if row >= len(seen.customers) or seen.customers[row] != one.customer_no:
            yield f"signal {signal['signal']}: the customer was not known on {day}"
            return
        state = State(int(seen.judged.states[row, seen.judged.book.number(name)]))
        if state is not State.HIT:
            yield f"rule {name} is {state.name.lower()} on {day}, when its signal opened"
        for key, value in evidence.items():
            column = seen.judged.columns.get(key)
            if column is not None and not _same(column[row], value):
                yield f"rule {name} was opened on {key} = {value}, recomputed is {column[row]}"
        if signal["text"] == ERASED:
            return
        said = reason(name, spec.rules.get(name), evidence)
        if said != signal["text"]:
            yield f"rule {name} says {said}, stored is {signal['text']}"


def _standing(connection: Connection, day: date) -> Night:
    """Return the night of a day, or the one that stood when a tick moved a warning between nights."""
    try:
        return night_of(connection, day)
    except NoNight:
        return last_sealed(connection, day, 0)


def _same(found: Any, stored: Any) -> bool:
    if isinstance(found, str) or found is None:
        return bool(found == stored)
    if stored is None:
        return bool(np.isnan(found))
    return not isinstance(stored, str) and bool(found == stored)
