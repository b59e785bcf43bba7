"""Answer the question: what does judgement read of customers beside their metrics?

Texts of the master record, events that rules wait for, and the register of reasonable reasons, as known at a cut.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import tier_texts
from carewatch.measure.cut import Cut
from carewatch.measure.passes import believed, visible
from carewatch.measure.stages import DAYS_WATCHED, stage_texts
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.stages import STAGE
from carewatch.store import events, overrides, tiers
from carewatch.store.database import Connection
from carewatch.store.metrics import attributes_at
from carewatch.store.tiers import Classes
from carewatch.warn.excuses import HOLIDAY, Excuse, indicators_named, long_holiday, reason_columns
from carewatch.warn.judge import colour_texts


def names_read(spec: JudgementSpec) -> list[str]:
    """Return every name that rules, reasons, health models and stages read."""
    read_by_rules = {
        name
        for rule in spec.rules.values()
        for name in (*rule.names(), *rule.placeholders(), *rule.classes())
    }
    by_models = frozenset[str]().union(
        *(one.asks() for one in spec.health_models), *(one.chosen_by() for one in spec.models)
    )
    return sorted(read_by_rules | by_models | spec.stages.reads())


def readings_at(
    connection: Connection,
    spec: JudgementSpec,
    cut: Cut,
    customers: NDArray[np.int32],
    classes: Classes | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the columns that `judge` reads beside metrics and tier; `classes` are those of the tier day when known."""
    alone = int(customers[0]) if len(customers) == 1 else None
    columns: dict[str, NDArray[Any]] = {**attributes_at(connection, cut, customers, names_read(spec))}
    known = classes or tiers.known(connection, spec, cut, None if alone is None else customers)
    columns |= known.texts_of(customers)
    if spec.stages.watched_from is not None:
        watched = (cut.day - spec.stages.watched_from).days
        columns[DAYS_WATCHED] = np.full(len(customers), float(watched))
    columns |= events.columns_at(connection, spec, cut, customers)
    holiday = HOLIDAY if long_holiday(spec.closed_days, cut.last_day) else None
    columns |= reason_columns(excuses_at(connection, cut, alone), customers, holiday)
    columns |= overrides.columns_at(connection, cut, customers)
    return columns


def excuses_at(connection: Connection, cut: Cut, customer_no: int | None = None) -> list[Excuse]:
    """Return the reasonable reasons that are in force on the last day that the cut sees, of everybody or of one."""
    rows = connection.execute(
        "select i.customer_no, f.what, f.covers, f.ends_on from care.fact_reasonable_reason f "
        f"join care.identity i using (party_no) where {visible(cut)} and {believed(cut)} "
        "and coalesce(f.starts_on, f.event_day) <= %(day)s and coalesce(f.ends_on, 'infinity') >= %(day)s "
        "and (%(only)s::integer is null or i.customer_no = %(only)s)".encode(),
        {"day": cut.last_day, "only": customer_no},
    ).fetchall()
    return [Excuse(number, what, indicators_named(covers), until) for number, what, covers, until in rows]


def class_texts(
    connection: Connection, spec: JudgementSpec, cut: Cut, health: dict[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Return the classes by which severities go, from a night's stored judgement and the master record at its cut."""
    classes = {name for rule in spec.rules.values() for name in rule.classes()}
    texts: dict[str, NDArray[Any]] = {
        **attributes_at(connection, cut, health["customer_no"], sorted(classes))
    }
    grading = {name: rule for name, rule in spec.event_rules().items() if events.says_severity(rule)}
    texts |= events.columns_of(connection, grading, cut, health["customer_no"])
    texts |= tiers.known(connection, spec, cut).texts_of(health["customer_no"])
    texts["tier"] = tier_texts(health["tier"], spec.tiers.names)
    texts[STAGE] = stage_texts(spec.stages, health["stage"])
    texts["colour"] = colour_texts(health["colour"])
    return texts
