"""Split the change of a customer's score between two nights exactly into what caused it.

From the first night to the second one thing is exchanged after the other, in a fixed order: the tier, the configuration,
the sources that were held, the corrections that became known since (the first night's events with the second night's
knowledge), and at last what the customer did. Each part is the difference of two scores as they are stored, so the parts
add up to the change.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

import numpy as np

from carewatch.flow.explain import UnknownCustomer, customer_number
from carewatch.flow.recompute import judge_at, recompute_night
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.saying import said
from carewatch.store import configurations
from carewatch.store.database import Connection
from carewatch.store.nights import Night, last_sealed

PARTS = ("tier", "configuration", "source gap", "correction", "behaviour")


@dataclass(frozen=True)
class Moved:
    """Why a score moved: the two nights, their scores (None: unknown), and the points of each part.

    Parts sum to after - before to the last stored digit; there are none where one of the two scores is unknown. A step in
    between whose score is unknown adds its points to the next part.
    """

    customer_id: str
    first: date
    last: date
    before: Decimal | None
    after: Decimal | None
    parts: dict[str, Decimal]
    tier: tuple[str, str]
    judgement: tuple[str, str]
    held: tuple[tuple[str, ...], tuple[str, ...]]


def why(connection: Connection, customer_id: str, first: date, last: date) -> Moved:
    """Return why the score moved between the newest sealed nights at or before two days.

    Raises UnknownCustomer (also where the customer was not known on the first night) and NoNight.
    """
    customer = customer_number(connection, customer_id)
    nights = last_sealed(connection, first), last_sealed(connection, last)
    specs = tuple(configurations.judgement(connection, night.judgement) for night in nights)
    tiers = [_tier(connection, night, spec, customer) for night, spec in zip(nights, specs, strict=True)]
    if tiers[0] is None or tiers[1] is None:
        missing = nights[0 if tiers[0] is None else 1].day
        raise UnknownCustomer(
            said("{customer} was not known on the night of {day}", customer=customer_id, day=missing)
        )
    steps = _steps(nights, specs, tiers[0], tiers[1])
    scores = [_score(connection, customer, *step) for step in steps]
    return Moved(
        customer_id,
        nights[0].day,
        nights[1].day,
        scores[0],
        scores[-1],
        _parts(scores),
        (tiers[0], tiers[1]),
        (nights[0].judgement, nights[1].judgement),
        (tuple(nights[0].held_facts), tuple(nights[1].held_facts)),
    )


Step = tuple[JudgementSpec, Night, str]


def _steps(
    nights: tuple[Night, Night], specs: tuple[JudgementSpec, ...], tier: str, later_tier: str
) -> list[Step]:
    """Return the first night, then it with one thing after the other exchanged, the last of them the second night."""
    night, later = nights
    known_later = replace(night, knowledge_cut=later.knowledge_cut, later_histories=later.later_histories)
    # A tier that the first configuration does not have cannot be tried with it: it goes with the configuration.
    by_tier = later_tier if later_tier in specs[0].tiers.names else tier
    return [
        (specs[0], night, tier),
        (specs[0], night, by_tier),
        (specs[1], night, later_tier),
        (specs[1], replace(night, held_facts=later.held_facts), later_tier),
        (specs[1], replace(known_later, held_facts=later.held_facts), later_tier),
        (specs[1], later, later_tier),
    ]


def _score(
    connection: Connection, customer: int, spec: JudgementSpec, night: Night, tier: str
) -> Decimal | None:
    place = spec.tiers.names.index(tier) if tier in spec.tiers.names else len(spec.tiers.cuts)
    judged = judge_at(connection, spec, night.cut(spec.firm.zone), customer, place, night.held_facts)
    score = np.nan if judged is None else float(judged.scores.score[0])
    return None if np.isnan(score) else Decimal(f"{score:.2f}")


def _tier(connection: Connection, night: Night, spec: JudgementSpec, customer: int) -> str | None:
    seen = recompute_night(connection, night, spec, customer)
    return spec.tiers.names[seen.tier[0]] if len(seen.customers) else None


def _parts(scores: list[Decimal | None]) -> dict[str, Decimal]:
    if scores[0] is None or scores[-1] is None:
        return {}
    result, last = {}, scores[0]
    for name, score in zip(PARTS, scores[1:], strict=True):
        result[name] = Decimal("0.00") if score is None else score - last
        last = last if score is None else score
    return result
