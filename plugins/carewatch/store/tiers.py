"""Answer the question: which tier did each customer have on the last tier day?

Tiers are computed once a tier day from the facts before it, stored with their cuts, and read by every night after it.
"""

from __future__ import annotations

import hashlib
from datetime import date

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns
from carewatch.measure.cut import Cut
from carewatch.measure.tiers import Tiered, tier_day, tiers
from carewatch.spec.configuration import JudgementSpec
from carewatch.store.arrays import Field, read, write
from carewatch.store.database import Connection
from carewatch.store.locks import Lock, hold
from carewatch.store.metrics import metrics_at

_FIELDS = (Field("customer_no", "integer"), Field("tier", "small"), Field("value_score", "float"))


def tiers_fingerprint(spec: JudgementSpec) -> str:
    """Return the digest of what tiers depend on: the tier model and the definitions of its metrics."""
    parts = [spec.tiers.model_dump_json(), *(spec.metric_hash(name) for name in spec.tiers.metrics)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


Measured = tuple[NDArray[np.int32], Columns]
"""Customer numbers in order, and their metrics."""


def compute(
    connection: Connection, spec: JudgementSpec, cut: Cut, measured: Measured | None = None
) -> tuple[NDArray[np.int32], Tiered]:
    """Return customer numbers and tiers at a cut, without storing them; `measured` is what is already known of it."""
    customers, columns = measured or metrics_at(
        connection, spec.metrics, list(spec.tiers.metrics), cut, closed_days=spec.closed_days
    )
    return customers, tiers(spec.tiers, columns, len(customers))


def ensure(
    connection: Connection,
    spec: JudgementSpec,
    day: date,
    knowledge_cut: Cut,
    measured: Measured | None = None,
) -> date:
    """Store the tiers of the day's tier day unless they are stored; return the tier day.

    `measured` are the metrics at `knowledge_cut`: a night that stands on its tier day need not measure twice.
    """
    stands, fingerprint = tier_day(day), tiers_fingerprint(spec)
    with connection.transaction():
        hold(connection, Lock.NIGHT)
        known = connection.execute(
            "select 1 from care.tier_day where day = %s and tiers = %s", (stands, fingerprint)
        ).fetchone()
        if known is not None:
            return stands
        cut = Cut.at(stands, spec.firm.zone, knowledge_cut.knowledge_cut)
        customers, tiered = compute(connection, spec, cut, measured if cut == knowledge_cut else None)
        connection.execute(
            "insert into care.tier_day (day, tiers, event_cut, knowledge_cut, judgement) values (%s, %s, %s, %s, %s)",
            (stands, fingerprint, cut.event_cut, cut.knowledge_cut, spec.fingerprint),
        )
        fields = (Field("day", "day"), *_FIELDS)
        # The fingerprint is text: rows go in through a table of fixed width.
        connection.execute(
            "create temp table tier_rows (day date, customer_no integer, tier smallint, value_score float8) on commit drop"
        )
        columns = {
            "day": stands,
            "customer_no": customers,
            "tier": tiered.tier,
            "value_score": tiered.value_score,
        }
        write(connection, "pg_temp.tier_rows", fields, columns, len(customers))
        connection.execute(
            "insert into care.customer_tier (day, tiers, customer_no, tier, value_score) "
            "select day, %s, customer_no, tier, value_score from tier_rows",
            (fingerprint,),
        )
        connection.execute("drop table tier_rows")
    return stands


def stored(
    connection: Connection, spec: JudgementSpec, stands: date
) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Return the stored customers and tiers of a tier day, in customer order."""
    query = (
        f"select customer_no, tier, value_score from care.customer_tier where day = date '{stands}' "
        f"and tiers = '{tiers_fingerprint(spec)}' order by customer_no"
    )
    table = read(connection, query, _FIELDS)
    return table["customer_no"], table["tier"]


def align(
    customers: NDArray[np.int32], known: NDArray[np.int32], tier: NDArray[np.int16], lowest: int
) -> NDArray[np.int16]:
    """Return the tier of each customer; one without a tier yet (new since the tier day) has the lowest."""
    result = np.full(len(customers), lowest, dtype=np.int16)
    if len(known):
        at = np.minimum(np.searchsorted(known, customers), len(known) - 1)
        found = known[at] == customers
        result[found] = tier[at[found]]
    return result
