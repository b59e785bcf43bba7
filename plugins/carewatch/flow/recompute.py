"""Judge customers again from the facts, at any cuts and by any configuration, on the functions of the night."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.cut import Cut
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.metrics import depends_on_everybody
from carewatch.store import tiers as tier_store
from carewatch.store.database import Connection
from carewatch.store.metrics import metrics_at, metrics_of_night
from carewatch.store.nights import Night
from carewatch.store.readings import readings_at
from carewatch.warn.judge import Judged, judge


@dataclass(frozen=True)
class Recomputed:
    """Customers in order, the numbers that were computed again (`own`), and the judgement that they lead to."""

    customers: NDArray[np.int32]
    own: Mapping[str, NDArray[Any]]
    tier: NDArray[np.int16]
    judged: Judged


def recompute_night(
    connection: Connection, night: Night, spec: JudgementSpec, customer_no: int | None = None
) -> Recomputed:
    """Judge a night's customers (or one) again with the night's own cuts, tiers and held facts.

    Of one customer, numbers that depend on everybody are taken from what the night has stored.
    """
    cut = night.cut(spec.firm.zone)
    alone = customer_no is not None
    own = [name for name in spec.metrics if not (alone and depends_on_everybody(spec.metrics, name))]
    customers, numbers = metrics_at(connection, spec.metrics, own, cut, customer_no, spec.closed_days)
    columns: dict[str, NDArray[Any]] = dict(numbers)
    if len(own) < len(spec.metrics):
        _, stored = metrics_of_night(connection, night, spec, customers)
        columns |= {name: stored[name] for name in spec.metrics if name not in numbers and name in stored}
    classes = tier_store.known(connection, spec, cut, customers if alone else None)
    aligned = classes.tier_of(customers)
    columns |= readings_at(connection, spec, cut, customers, classes)
    return Recomputed(customers, numbers, aligned, judge(spec, columns, aligned, night.held_facts))


def judge_between(
    connection: Connection,
    spec: JudgementSpec,
    night: Night,
    cut: Cut,
    customers: NDArray[np.int32],
    numbers: Mapping[str, NDArray[Any]],
    tier: NDArray[np.int16],
) -> Judged:
    """Judge customers between nights: by a night's numbers and tiers, and by what is known of events by the cut."""
    facts = {rule.fact for rule in spec.event_rules().values()}
    return judge(
        spec,
        {**numbers, **readings_at(connection, spec, cut, customers)},
        tier,
        [fact for fact in night.held_facts if fact not in facts],
    )


def judge_at(
    connection: Connection,
    spec: JudgementSpec,
    cut: Cut,
    customer_no: int,
    tier: int,
    held_facts: Collection[str],
) -> Judged | None:
    """Judge one customer at cuts that need not be a night's; None when nobody knew it then."""
    shared = [name for name in spec.metrics if depends_on_everybody(spec.metrics, name)]
    own = [name for name in spec.metrics if name not in shared]
    customers, columns = metrics_at(connection, spec.metrics, own, cut, customer_no, spec.closed_days)
    if not len(customers):
        return None
    if shared:
        everybody, common = metrics_at(connection, spec.metrics, shared, cut, closed_days=spec.closed_days)
        at = np.searchsorted(everybody, customers)
        columns |= {name: values[at] for name, values in common.items()}
    columns |= readings_at(connection, spec, cut, customers)
    return judge(spec, columns, np.array([tier], dtype=np.int16), held_facts)
