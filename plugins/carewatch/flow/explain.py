"""Explain one customer on one night: recompute everything from the facts and show it as a tree."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from carewatch.flow.night import opened
from carewatch.flow.recompute import Recomputed, recompute_night
from carewatch.measure.cut import Cut
from carewatch.measure.health import Colour, metric_points
from carewatch.measure.reads import held_metrics
from carewatch.spec.condition import clauses, names, to_data
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.event import DAYS_SINCE_EVENT
from carewatch.spec.rules import REASON, Rule, Severity
from carewatch.store.database import Connection
from carewatch.store.events import events_of
from carewatch.store.health import health_of_night
from carewatch.store.metrics import metrics_of_night
from carewatch.store.nights import held_sources, last_sealed
from carewatch.store.overrides import override_at
from carewatch.store.readings import excuses_at
from carewatch.warn.excuses import HOLIDAY, Excuse, excuse_for, long_holiday
from carewatch.warn.hits import HEALTH_RULES, State
from carewatch.warn.judge import Judged
from carewatch.warn.level import severities
from carewatch.warn.reasons import reason


class UnknownCustomer(LookupError):
    """No customer has this id."""


@dataclass(frozen=True)
class Explanation:
    """Everything about one customer on one night, plain data for people and programs."""

    customer_id: str
    day: str
    revision: int
    judgement: str
    care: str
    code_version: str
    tier: str
    score: float | None
    colour: str
    dormant: bool
    known_share: float
    model: str
    override: dict[str, Any] | None
    held: list[dict[str, Any]]
    equals_stored: bool
    dimensions: list[dict[str, Any]]
    rules: list[dict[str, Any]]
    warning: dict[str, Any] | None

    def as_data(self) -> dict[str, Any]:
        return asdict(self)


def explain(
    connection: Connection, customer_id: str, day: date | None = None, revision: int | None = None
) -> Explanation:
    """Return the explanation of a customer on the newest sealed night (at or before `day` when given).

    Of a night that was restated the newest revision is explained, unless one is asked for (0: as it was run).

    The numbers are computed again from the facts with the night's own cuts and stored configuration, and compared with
    what was stored, to the last bit; only those that depend on everybody are taken from the night. Raises UnknownCustomer and NoNight.
    """
    customer_no = customer_number(connection, customer_id)
    night = opened(connection, last_sealed(connection, day, revision))
    spec, cut = night.judgement, night.night.cut(night.judgement.firm.zone)
    seen = recompute_night(connection, night.night, spec, customer_no)
    if len(seen.customers) == 0:
        raise UnknownCustomer(f"{customer_id} was not known on the night of {night.night.day}")
    judged, scores = seen.judged, seen.judged.scores
    score = float(scores.score[0])
    return Explanation(
        customer_id=customer_id,
        day=night.night.day.isoformat(),
        revision=night.night.revision,
        judgement=night.night.judgement,
        care=night.night.care,
        code_version=night.night.code_version,
        tier=spec.tiers.names[seen.tier[0]],
        score=None if np.isnan(score) else score,
        colour=Colour(int(scores.colour[0])).name.lower(),
        dormant=bool(judged.dormant[0]),
        known_share=float(scores.known_share[0]),
        model=spec.model_names[int(scores.model[0])],
        override=_override(connection, cut, customer_no),
        held=[asdict(one) for one in held_sources(connection, night.night)],
        equals_stored=_equals_stored(connection, night.night, spec, seen),
        dimensions=_dimensions(spec, judged, held_metrics(spec.metrics, night.night.held_facts)),
        rules=_rules(
            spec,
            judged,
            [*excuses_at(connection, cut, customer_no), *_holiday(spec, cut, customer_no)],
            _events(connection, spec, cut, customer_no),
        ),
        warning=_warning(connection, customer_no, night.night.day),
    )


def customer_number(connection: Connection, customer_id: str) -> int:
    """Return a customer's number; raise UnknownCustomer with those that were probably meant."""
    row = connection.execute(
        "select customer_no from care.customer where customer_id = %s", (customer_id,)
    ).fetchone()
    if row is None:
        raise UnknownCustomer(_nearest(connection, customer_id))
    return int(row[0])


def _nearest(connection: Connection, customer_id: str) -> str:
    """Return that no customer has the id, and up to three that do but for a slip, or that contain it."""
    letters = [rf"\{letter}" if letter in r"\%_" else letter for letter in customer_id.lower()]
    whole = "".join(letters)
    for patterns in ([whole], list(_slips(letters)), [f"%{whole}%"]):
        rows = connection.execute(
            "select customer_id from care.customer where lower(customer_id) like any(%s) order by customer_id limit 3",
            (patterns,),
        ).fetchall()
        if rows:
            return f"unknown customer '{customer_id}'; did you mean {', '.join(row[0] for row in rows)}?"
    return f"unknown customer '{customer_id}'"


def _slips(letters: list[str]) -> Iterator[str]:
    """Yield patterns of one letter wrong, missing, too many, or two exchanged."""
    for at in range(len(letters) + 1):
        before, after = "".join(letters[:at]), letters[at:]
        yield f"{before}_{''.join(after)}"
        if after:
            yield f"{before}_{''.join(after[1:])}"
            yield f"{before}{''.join(after[1:])}"
        if len(after) > 1:
            yield f"{before}{after[1]}{after[0]}{''.join(after[2:])}"


def _equals_stored(
    connection: Connection,
    night: Any,
    spec: JudgementSpec,
    seen: Recomputed,
) -> bool:
    stored_customers, stored = metrics_of_night(connection, night, spec, seen.customers)
    health = health_of_night(connection, night, spec, seen.customers)
    same_metrics = all(
        np.array_equal(stored[name], values, equal_nan=True) for name, values in seen.own.items()
    )
    same_score = np.array_equal(health["score"], seen.judged.scores.score, equal_nan=True)
    same_rules = np.array_equal(health["rules"], seen.judged.states)
    return np.array_equal(stored_customers, seen.customers) and same_metrics and same_score and same_rules


def _dimensions(spec: JudgementSpec, judged: Judged, held: Collection[str]) -> list[dict[str, Any]]:
    result = []
    for position, (name, dimension) in enumerate(
        spec.health_models[judged.scores.model[0]].dimensions.items()
    ):
        metrics = []
        for metric_name, scored in dimension.metrics.items():
            value = float(judged.columns[metric_name][0])
            known = metric_points(metric_name, scored, judged.columns)[0]
            points = float("nan") if metric_name in held else float(known)
            metric = spec.metrics[metric_name]
            metrics.append(
                {
                    "metric": metric_name, "label": metric.label.to_data(), "unit": metric.unit, "weight": scored.weight,
                    "value": None if np.isnan(value) else value, "points": None if np.isnan(points) else round(points, 2),
                    "held": metric_name in held,
                }
            )  # fmt: skip
        score = float(judged.scores.dimensions[0, position])
        result.append(
            {
                "dimension": name, "label": dimension.label.to_data(), "weight": dimension.weight,
                "score": None if np.isnan(score) else score, "metrics": metrics,
            }
        )  # fmt: skip
    return result


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


def _rules(
    spec: JudgementSpec, judged: Judged, excuses: list[Excuse], events: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    row = {name: _plain(values[0]) for name, values in judged.columns.items()}
    ranks = severities(judged.book, judged.columns)[0]
    result: list[dict[str, Any]] = []
    for number, name in enumerate(judged.book.names):
        state = State(int(judged.states[0, number]))
        if name in HEALTH_RULES:
            if state is State.HIT:
                result.append(
                    {
                        "rule": name,
                        "state": "hit",
                        "severity": None,
                        "text": reason(name, None, row),
                        "clauses": [],
                    }
                )
            continue
        rule = spec.rules[name]
        severity = list(Severity)[ranks[number]]
        seen = row | {DAYS_SINCE_EVENT: None} | events.get(name, {}) if rule.on == "event" else row
        shown = [
            {"clause": clause.text, "holds": _truth(clause.truth), "actual": clause.actual}
            for clause in clauses(rule.when, seen)
        ]
        result.append(
            {
                "rule": name, "state": state.name.lower(), "severity": str(severity), "clauses": shown,
                "text": reason(name, rule, seen) if state in (State.HIT, State.COVERED) else None,
                "covered_by": _covered_by(rule, excuses) if state is State.COVERED else None,
            }
        )  # fmt: skip
    return result


def _covered_by(rule: Rule, excuses: list[Excuse]) -> dict[str, Any]:
    """Return what excuses a rule that would have fired: a reason of the register and its last day, or its `unless`."""
    excuse = excuse_for(rule, excuses)
    unless = None if rule.unless is None else to_data(rule.unless)
    asks = rule.unless is not None and REASON in names(rule.unless)
    if excuse is None or not (rule.counts_as in excuse.indicators or asks):
        return {"reason": None, "until": None, "unless": unless}
    return {"reason": excuse.what, "until": excuse.until and excuse.until.isoformat(), "unless": unless}


def _plain(value: Any) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    return None if np.isnan(value) else float(value)


def _truth(value: int) -> bool | None:
    return None if value < 0 else bool(value)


def _override(connection: Connection, cut: Cut, customer_no: int) -> dict[str, Any] | None:
    """Return who said which colour, until when and why, when the colour is not the computed one."""
    said = override_at(connection, cut, customer_no)
    if said is None:
        return None
    return {"colour": said.colour, "until": said.until.isoformat(), "by": said.by, "why": said.why}


def _warning(connection: Connection, customer_no: int, day: date) -> dict[str, Any] | None:
    row = connection.execute(
        "select w.warning_no, e.what, e.level, w.peak_level, w.state, w.opened_day, w.owner_id, e.reasons "
        "from care.warning_event e "
        "join care.warning w using (warning_no) where w.customer_no = %s and e.day <= %s "
        "order by e.day desc, e.at desc, e.transition desc limit 1",
        (customer_no, day),
    ).fetchone()
    if row is None:
        return None
    names = ("warning_no", "last_event", "level", "peak_level", "state", "opened_day", "owner_id", "reasons")
    return dict(zip(names, row, strict=True)) | {"opened_day": row[5].isoformat()}
