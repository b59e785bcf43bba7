"""Answer the question: which tier, and which other classes, did each customer have on the last tier day?

Classes are computed once a tier day from the facts before it, stored with their cuts, and read by every night after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns
from carewatch.measure.cut import Cut
from carewatch.measure.tiers import Tiered, class_texts, divide, tier_day, treated
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.tiers import TIER, Tiers
from carewatch.store.arrays import Field, read, write
from carewatch.store.database import Connection
from carewatch.store.locks import Lock, hold
from carewatch.store.metrics import among, attributes_at, metrics_at

_FIELDS = (
    Field("customer_no", "integer"),
    Field("tier", "small"),
    Field("value_score", "float"),
    Field("potential", "flag"),
)


def fingerprint(spec: JudgementSpec, stands: date, name: str = TIER) -> str:
    """Return the digest of what a division depends on: its definition on a tier day, and those of its metrics.

    Weights that are in force only later, or no longer, are no part of it.
    """
    division = spec.divisions()[name]
    parts = [division.model_dump_json(exclude={"weights"})]
    if isinstance(division, Tiers):
        parts += [f"{metric} {weight!r}" for metric, (weight, _) in division.weighted(stands).items()]
    parts += [spec.metric_hash(one) for one in sorted(division.reads()) if one in spec.metrics]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


Measured = tuple[NDArray[np.int32], Columns]
"""Customer numbers in order, and their metrics."""


@dataclass(frozen=True)
class Division:
    """One division of a tier day: customers in order, and their classes."""

    customers: NDArray[np.int32]
    tiered: Tiered


@dataclass(frozen=True)
class Classes:
    """The classes of a tier day, by division; divisions that were configured later may know more customers."""

    spec: JudgementSpec
    divisions: Mapping[str, Division]

    def tier_of(self, customers: NDArray[np.int32]) -> NDArray[np.int16]:
        """Return the tier like which each customer is treated; one who is new since the tier day has the lowest."""
        found = self.divisions[TIER]
        tier = treated(self.spec.tiers, found.tiered)
        return align(customers, found.customers, tier, len(self.spec.tiers.cuts))

    def texts_of(self, customers: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
        """Return what conditions read of each customer's other classes; of one new since the tier day they are missing."""
        result: dict[str, NDArray[Any]] = {}
        for name, found in self.divisions.items():
            known = np.isin(customers, found.customers)
            at = np.searchsorted(found.customers, customers[known])
            for column, texts in class_texts(self.spec, name, found.tiered).items():
                result[column] = np.full(len(customers), None, dtype=object)
                result[column][known] = texts[at]
        return result


def compute(
    connection: Connection,
    spec: JudgementSpec,
    cut: Cut,
    measured: Measured | None = None,
    wanted: Collection[str] | None = None,
) -> Classes:
    """Return the classes at a cut, of all divisions or the wanted ones, without storing them.

    `measured` is what is already known of it.
    """
    names = [name for name in spec.divisions() if wanted is None or name in wanted]
    reads = frozenset().union(*(spec.divisions()[name].reads() for name in names))
    asked = [name for name in spec.metrics if name in reads]
    customers, numbers = measured or metrics_at(
        connection, spec.metrics, asked, cut, closed_days=spec.closed_days
    )
    columns: Columns = {**numbers, **attributes_at(connection, cut, customers, sorted(reads))}
    size = len(customers)
    return Classes(
        spec, {name: Division(customers, divide(spec, name, columns, size, cut.day)) for name in names}
    )


def ensure(
    connection: Connection,
    spec: JudgementSpec,
    day: date,
    knowledge_cut: Cut,
    measured: Measured | None = None,
) -> date:
    """Store the classes of the day's tier day unless they are stored; return the tier day.

    `measured` are the metrics at `knowledge_cut`: a night that stands on its tier day need not measure twice.
    """
    stands = tier_day(day)
    prints = {name: fingerprint(spec, stands, name) for name in spec.divisions()}
    with connection.transaction():
        hold(connection, Lock.NIGHT)
        known = connection.execute(
            "select tiers from care.tier_day where day = %s and tiers = any(%s)",
            (stands, list(prints.values())),
        ).fetchall()
        missing = [name for name, print_ in prints.items() if (print_,) not in known]
        if missing:
            cut = Cut.at(stands, spec.firm.zone, knowledge_cut.knowledge_cut)
            found = compute(connection, spec, cut, measured if cut == knowledge_cut else None, missing)
            for name in missing:
                _store(connection, spec, cut, name, prints[name], found)
    return stands


def _store(
    connection: Connection, spec: JudgementSpec, cut: Cut, name: str, print_: str, found: Classes
) -> None:
    connection.execute(
        "insert into care.tier_day (day, tiers, event_cut, knowledge_cut, judgement, scheme, classes) "
        "values (%s, %s, %s, %s, %s, %s, %s)",
        (
            cut.day, print_, cut.event_cut, cut.knowledge_cut, spec.fingerprint, name,
            list(spec.divisions()[name].names),
        ),
    )  # fmt: skip
    # The fingerprint is text: rows go in through a table of fixed width.
    connection.execute(
        "create temp table tier_rows (customer_no integer, tier smallint, value_score float8, potential boolean) "
        "on commit drop"
    )
    customers, tiered = found.divisions[name].customers, found.divisions[name].tiered
    columns = {
        "customer_no": customers,
        "tier": tiered.tier,
        "value_score": tiered.value_score,
        "potential": tiered.potential,
    }
    write(connection, "pg_temp.tier_rows", _FIELDS, columns, len(customers))
    connection.execute(
        "insert into care.customer_tier (day, tiers, customer_no, tier, value_score, potential) "
        "select %s, %s, customer_no, tier, value_score, potential from tier_rows",
        (cut.day, print_),
    )
    connection.execute("drop table tier_rows")


def stored(
    connection: Connection, spec: JudgementSpec, stands: date, customers: NDArray[np.int32] | None = None
) -> Classes:
    """Return the stored classes of a tier day, of everybody or some, without the divisions that are not stored."""
    found: dict[str, Division] = {}
    for name in spec.divisions():
        print_ = fingerprint(spec, stands, name)
        query = (
            f"select {', '.join(field.name for field in _FIELDS)} from care.customer_tier "
            f"where day = date '{stands}' and tiers = '{print_}' and {among(customers)} order by customer_no"
        )
        table = read(connection, query, _FIELDS)
        if len(table["customer_no"]) or _is_stored(connection, stands, print_):
            tiered = Tiered(table["tier"], table["value_score"], table["potential"].astype(bool))
            found[name] = Division(table["customer_no"], tiered)
    return Classes(spec, found)


def _is_stored(connection: Connection, stands: date, print_: str) -> bool:
    return (
        connection.execute(
            "select 1 from care.tier_day where day = %s and tiers = %s", (stands, print_)
        ).fetchone()
        is not None
    )


def known(
    connection: Connection, spec: JudgementSpec, cut: Cut, customers: NDArray[np.int32] | None = None
) -> Classes:
    """Return the classes that stand at a cut, of everybody or at least of some customers.

    They are those stored of its tier day, and the others as known at the cut.
    """
    stands = tier_day(cut.day)
    found = dict(stored(connection, spec, stands, customers).divisions)
    missing = [name for name in spec.divisions() if name not in found]
    if missing:
        at = Cut.at(stands, spec.firm.zone, cut.knowledge_cut)
        found |= compute(connection, spec, at, wanted=missing).divisions
    return Classes(spec, {name: found[name] for name in spec.divisions()})


def tiers_now(connection: Connection, customers: list[int]) -> dict[int, str | None]:
    """Return the tier of each of these customers on the newest tier day, None of those who have none."""
    rows = connection.execute(
        "select distinct on (customer_no) customer_no, class from care.customer_class "
        "where scheme = 'tier' and customer_no = any(%s) order by customer_no, day desc",
        (customers,),
    ).fetchall()
    return dict.fromkeys(customers) | dict(rows)


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
