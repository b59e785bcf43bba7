"""Explain one customer on one night: recompute everything from the facts and show it as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from carewatch.flow.explain_rules import rules_of
from carewatch.flow.night import opened
from carewatch.flow.recompute import Recomputed, recompute_night
from carewatch.flow.unknowns import Asked, why_unknown
from carewatch.measure.cut import Cut
from carewatch.measure.health import Colour, Scores
from carewatch.measure.reads import held_metrics
from carewatch.measure.remedy import Change, Weighed, joint_changes, single_changes, weigh
from carewatch.spec.called import unit_in
from carewatch.spec.configuration import CareSpec, JudgementSpec
from carewatch.spec.document import LANGUAGES
from carewatch.spec.health import HealthModel
from carewatch.spec.saying import joined, said
from carewatch.store.database import Connection
from carewatch.store.health import health_of_night
from carewatch.store.metrics import metrics_of_night
from carewatch.store.nights import held_sources, last_sealed
from carewatch.store.overrides import override_at
from carewatch.store.warning_history import PastWarning, warnings_until


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
    bands: dict[str, float]
    dimensions: list[dict[str, Any]]
    unknown: list[dict[str, Any]]
    back_to_green: dict[str, list[dict[str, Any]]]
    rules: list[dict[str, Any]]
    warning: dict[str, Any] | None
    earlier_warnings: list[dict[str, Any]]

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
        raise UnknownCustomer(
            said("{customer} was not known on the night of {day}", customer=customer_id, day=night.night.day)
        )
    judged, scores = seen.judged, seen.judged.scores
    score, model = float(scores.score[0]), spec.health_models[int(scores.model[0])]
    held = held_sources(connection, night.night)
    weighed = weigh(model, judged.columns, scores, held_metrics(spec.metrics, night.night.held_facts))
    asked = Asked(connection, spec, cut, customer_no, judged.columns, held)
    warnings = [_warning(one, night.care) for one in warnings_until(connection, customer_no, night.night.day)]
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
        held=[asdict(one) for one in held],
        equals_stored=_equals_stored(connection, night.night, spec, seen),
        bands={"green": model.bands.green, "yellow": model.bands.yellow},
        dimensions=_dimensions(spec, model, scores, weighed),
        unknown=[
            {
                "metric": one.metric,
                "label": spec.metrics[one.metric].label.to_data(),
                "dimension": one.dimension,
                "weight": _weight(model, one),
                "why": why_unknown(asked, one.metric),
            }
            for one in weighed
            if np.isnan(one.points)
        ],
        back_to_green={
            "single": [_change(spec, one) for one in single_changes(weighed, model, spec.metrics)],
            "together": [_change(spec, one) for one in joint_changes(weighed, model, spec.metrics)],
        },
        rules=rules_of(connection, spec, judged, cut, customer_no),
        warning=warnings[0] if warnings else None,
        earlier_warnings=warnings[1:],
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
            return said(
                "unknown customer '{customer}'; did you mean {nearest}?",
                customer=customer_id,
                nearest=joined(", ", (row[0] for row in rows)),
            )
    return said("unknown customer '{customer}'", customer=customer_id)


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


def _dimensions(
    spec: JudgementSpec, model: HealthModel, scores: Scores, weighed: list[Weighed]
) -> list[dict[str, Any]]:
    """Return the score as a tree, in the model's order; `lost` points of all metrics add up to 100 minus the score."""
    result = []
    for position, (name, dimension) in enumerate(model.dimensions.items()):
        inside = [one for one in weighed if one.dimension == name]
        result.append(
            {
                "dimension": name, "label": dimension.label.to_data(), "weight": dimension.weight,
                "score": _plain(float(scores.dimensions[0, position])),
                "lost": round(sum(one.lost for one in inside), 2),
                "metrics": [_scored(spec, model, one) for one in inside],
            }
        )  # fmt: skip
    return result


def _scored(spec: JudgementSpec, model: HealthModel, one: Weighed) -> dict[str, Any]:
    metric = spec.metrics[one.metric]
    points = _plain(one.points)
    return {
        "metric": one.metric, "label": metric.label.to_data(), "unit": _units(spec, one.metric),
        "weight": model.dimensions[one.dimension].metrics[one.metric].weight, "value": _plain(one.value),
        "points": None if points is None else round(points, 2), "lost": one.lost, "counts": one.share > 0,
    }  # fmt: skip


def _weight(model: HealthModel, one: Weighed) -> float:
    """Return the weight that a metric has in the whole score when everything is known."""
    dimension = model.dimensions[one.dimension]
    return round(dimension.weight * dimension.metrics[one.metric].weight, 6)


def _change(spec: JudgementSpec, change: Change) -> dict[str, Any]:
    return {
        "metric": change.metric, "label": spec.metrics[change.metric].label.to_data(), "unit": _units(spec, change.metric),
        "now": change.now, "bound": change.bound, "value": change.value, "gain": round(change.gain, 2),
    }  # fmt: skip


def _units(spec: JudgementSpec, name: str) -> dict[str, str]:
    return {language: unit_in(spec.metrics, name, language) for language in LANGUAGES}


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value


def _override(connection: Connection, cut: Cut, customer_no: int) -> dict[str, Any] | None:
    """Return who said which colour, until when and why, when the colour is not the computed one."""
    said = override_at(connection, cut, customer_no)
    if said is None:
        return None
    return {"colour": said.colour, "until": said.until.isoformat(), "by": said.by, "why": said.why}


def _warning(one: PastWarning, care: CareSpec) -> dict[str, Any]:
    """Return a warning as data, with the names of the people it names."""
    people = care.people.people

    def named(person: str | None) -> str | None:
        return people[person].name if person in people else person

    return {
        "warning_no": one.warning_no, "last_event": one.events[-1]["what"], "level": one.level, "peak_level": one.peak_level,
        "state": one.state, "opened_day": one.opened_day.isoformat(),
        "closed_day": one.closed_day and one.closed_day.isoformat(), "result": one.result,
        "owner_id": one.owner_id, "owner": named(one.owner_id), "manager": named(one.manager_id), "reasons": one.reasons,
        "events": [
            event | {"at": event["at"].isoformat(), "day": event["day"].isoformat(), "by": named(event["by"])}
            for event in one.events
        ],
    }  # fmt: skip
