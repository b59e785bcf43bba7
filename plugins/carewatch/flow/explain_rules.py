"""Show every rule of one customer on one night: its clauses in words, what excuses it, how long it still has to last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from carewatch.measure.cut import Cut
from carewatch.spec.called import comparison_in, name_in, unit_in
from carewatch.spec.condition import clauses, comparisons, describe, names
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.document import LANGUAGES
from carewatch.spec.event import DAYS_SINCE_EVENT
from carewatch.spec.problems import Loc
from carewatch.spec.rules import REASON, Rule, Severity
from carewatch.store.database import Connection
from carewatch.store.events import events_of
from carewatch.store.pending import open_on, pending_on
from carewatch.store.readings import excuses_at
from carewatch.warn.excuses import HOLIDAY, Excuse, excuse_for, long_holiday
from carewatch.warn.hits import HEALTH_RULES, State
from carewatch.warn.judge import Judged
from carewatch.warn.level import severities
from carewatch.warn.reasons import reason


def rules_of(
    connection: Connection, spec: JudgementSpec, judged: Judged, cut: Cut, customer_no: int
) -> list[dict[str, Any]]:
    """Return every configured rule in order, and the health rules that hold."""
    row = {name: _plain(values[0]) for name, values in judged.columns.items()}
    ranks = severities(judged.book, judged.columns)[0]
    excuses = [*excuses_at(connection, cut, customer_no), *_holiday(spec, cut, customer_no)]
    events = _events(connection, spec, cut, customer_no)
    is_open = open_on(connection, customer_no, cut.day)
    holds = dict(zip(judged.book.names, np.atleast_2d(judged.book.holds_for)[0].tolist(), strict=True))
    waiting = {
        name: {"nights": nights, "of": holds[name]}
        for name, nights in pending_on(connection, customer_no, cut.day, judged.book, is_open).items()
    }
    result: list[dict[str, Any]] = []
    for number, name in enumerate(judged.book.names):
        state = State(int(judged.states[0, number]))
        if name in HEALTH_RULES:
            if state is State.HIT:
                result.append(
                    {
                        "rule": name, "state": "hit", "severity": None, "text": reason(name, None, row), "clauses": [],
                        "open": name in is_open, "pending": waiting.get(name),
                    }
                )  # fmt: skip
            continue
        rule = spec.rules[name]
        seen = row | {DAYS_SINCE_EVENT: None} | events.get(name, {}) if rule.on == "event" else row
        result.append(
            {
                "rule": name, "label": rule.label.to_data(), "state": state.name.lower(),
                "severity": str(list(Severity)[ranks[number]]), "clauses": _clauses(spec, rule, seen),
                "text": reason(name, rule, seen) if state in (State.HIT, State.COVERED) else None,
                "covered_by": _covered_by(spec, rule, excuses) if state is State.COVERED else None,
                "stays_until": _said(spec, rule.clears_if),
                "open": name in is_open, "pending": waiting.get(name),
            }
        )  # fmt: skip
    return result


def _clauses(spec: JudgementSpec, rule: Rule, seen: dict[str, Any]) -> list[dict[str, Any]]:
    """Return every comparison with its truth, in words, with the groups it stands in below the outermost `all`."""
    places = [loc for loc, _ in comparisons(rule.when)]
    return [
        {
            "clause": clause.text, "holds": None if clause.truth < 0 else bool(clause.truth), "actual": clause.actual,
            "says": {language: comparison_in(spec.metrics, clause.comparison, language) for language in LANGUAGES},
            "unit": {language: unit_in(spec.metrics, clause.comparison.name, language) for language in LANGUAGES},
            "within": _groups(loc),
        }
        for loc, clause in zip(places, clauses(rule.when, seen), strict=True)
    ]  # fmt: skip


def _groups(loc: Loc) -> list[str]:
    """Return the words of the groups around a comparison, each with its place: ['any 1', 'all 0']."""
    groups = [f"{loc[at]} {'.'.join(str(part) for part in loc[:at])}" for at in range(0, len(loc), 2)]
    return groups[1:] if groups and groups[0].startswith("all") else groups


def _said(spec: JudgementSpec, condition: Any) -> dict[str, str] | None:
    if condition is None:
        return None
    return {
        language: describe(condition, language=language, label=_namer(spec, language))
        for language in LANGUAGES
    }


def _namer(spec: JudgementSpec, language: str) -> Callable[[str], str]:
    return lambda name: name_in(spec.metrics, name, language)


def _holiday(spec: JudgementSpec, cut: Cut, customer_no: int) -> list[Excuse]:
    """Return the long holiday that excuses everybody at the cut."""
    until = long_holiday(spec.closed_days, cut.last_day)
    return [] if until is None else [Excuse(customer_no, HOLIDAY, frozenset(), until)]


def _events(
    connection: Connection, spec: JudgementSpec, cut: Cut, customer_no: int
) -> dict[str, dict[str, Any]]:
    """Return what the event in force says, for each event rule that has one."""
    found = (
        events_of(connection, name, rule, cut, [customer_no]) for name, rule in spec.event_rules().items()
    )
    return {event.rule: event.says for events in found for event in events}


def _covered_by(spec: JudgementSpec, rule: Rule, excuses: list[Excuse]) -> dict[str, Any]:
    """Return what excuses a rule that would have fired: a reason of the register and its last day, or its `unless`."""
    excuse = excuse_for(rule, excuses)
    asks = rule.unless is not None and REASON in names(rule.unless)
    unless = _said(spec, rule.unless)
    if excuse is None or not (rule.counts_as in excuse.indicators or asks):
        return {"reason": None, "until": None, "unless": unless}
    return {"reason": excuse.what, "until": excuse.until and excuse.until.isoformat(), "unless": unless}


def _plain(value: Any) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    return None if np.isnan(value) else float(value)
