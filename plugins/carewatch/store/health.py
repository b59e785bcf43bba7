"""Answer the question: how was every customer judged on a night?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.spec.configuration import JudgementSpec
from carewatch.store.arrays import Field, read, write
from carewatch.store.database import Connection
from carewatch.store.groups import keep_groups
from carewatch.store.metrics import among, metrics_of_night
from carewatch.store.nights import Night, lacks, set_score_definition, set_state
from carewatch.store.readings import readings_at
from carewatch.store.tiers import ensure, stored
from carewatch.warn.hits import HEALTH_RULES
from carewatch.warn.judge import Judged, judge


def _fields(spec: JudgementSpec) -> tuple[Field, ...]:
    return (
        Field("day", "day"),
        Field("revision", "integer"),
        Field("customer_no", "integer"),
        Field("model", "small"),
        Field("override", "small"),
        Field("tier", "small"),
        Field("colour", "small"),
        Field("dormant", "flag"),
        Field("stage", "small"),
        Field("score", "float"),
        Field("known_share", "float"),
        Field("dimensions", "floats", max(len(one.dimensions) for one in spec.health_models)),
        Field("rules", "smalls", len(spec.rules) + len(HEALTH_RULES)),
    )


def judgement_input(
    connection: Connection, night: Night, spec: JudgementSpec
) -> tuple[NDArray[np.int32], dict[str, NDArray[Any]], NDArray[np.int16]]:
    """Return what a night is judged from: customers, metric and attribute columns, tiers."""
    cut = night.cut(spec.firm.zone)
    customers, columns = metrics_of_night(connection, night, spec)
    classes = stored(connection, spec, ensure(connection, spec, night.day, cut, (customers, columns)))
    columns |= readings_at(connection, spec, cut, customers, classes)
    return customers, columns, classes.tier_of(customers)


def judge_night(connection: Connection, night: Night, spec: JudgementSpec) -> None:
    """Judge the night's stored metrics and store health and rule states; a judged night stays as it is."""
    with connection.transaction():
        if not lacks(connection, night, "judged"):
            return
        customers, columns, tier = judgement_input(connection, night, spec)
        judged = judge(spec, columns, tier, night.held_facts)
        write(connection, "care.health_night", _fields(spec), _rows(night, customers, judged), len(customers))
        if spec.health.roll_up is not None:
            keep_groups(connection, night, spec, customers, judged)
        set_score_definition(connection, night, spec.score_definition)
        set_state(connection, night, "judged")


def _rows(night: Night, customers: NDArray[np.int32], judged: Judged) -> dict[str, object]:
    return {
        "day": night.day,
        "revision": night.revision,
        "customer_no": customers,
        "model": judged.scores.model,
        "override": judged.scores.override,
        "tier": judged.tier,
        "colour": judged.scores.colour,
        "dormant": judged.dormant,
        "stage": judged.stage,
        "score": judged.scores.score,
        "known_share": judged.scores.known_share,
        "dimensions": judged.scores.dimensions,
        "rules": judged.states,
    }


def health_of_night(
    connection: Connection, night: Night, spec: JudgementSpec, customers: NDArray[np.int32] | None = None
) -> dict[str, NDArray[Any]]:
    """Return the stored judgement of a night, of everybody or some, as columns in customer order."""
    fields = _fields(spec)
    query = (
        f"select {', '.join(field.name for field in fields)} from care.health_night "
        f"where day = date '{night.day}' and revision = {night.revision} and {among(customers)} order by customer_no"
    )
    return read(connection, query, fields)


def without_erased(connection: Connection, health: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return a night's judgement without customers who were erased since: nothing new is opened about them."""
    rows = connection.execute("select customer_no from care.customer where erased_at is not null").fetchall()
    if not rows:
        return health
    kept = ~np.isin(health["customer_no"], [row[0] for row in rows])
    return {name: column[kept] for name, column in health.items()}
