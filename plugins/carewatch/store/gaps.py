"""Answer the question: what is there of one customer where a number is missing?"""

from __future__ import annotations

from datetime import date

from carewatch.measure.cut import Cut, instant_literal, local_midnight
from carewatch.measure.passes import believed, visible
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import canonical
from carewatch.store.database import Connection


def last_day_with(
    connection: Connection, cut: Cut, customer_no: int, fact: str, where: str | None
) -> date | None:
    """Return the day of the customer's last row of a fact that a condition counts, None when there never was one."""
    counts = f" and ({canonical(where, table='f')})" if where else ""
    row = connection.execute(
        f"select max(f.event_day) {_of_customer(cut, fact)}{counts}".encode(), (customer_no,)
    ).fetchone()
    return row[0] if row else None


def currencies_without_rate(
    connection: Connection, cut: Cut, customer_no: int, fact: str, since: date
) -> list[str]:
    """Return the currencies of the customer's amounts since a day for which no rate is known."""
    rows = connection.execute(
        f"select distinct coalesce(f.currency, '?') {_of_customer(cut, fact)} "
        f"and f.event_at >= {instant_literal(local_midnight(since, cut.zone))} "
        "and f.amount is null and f.amount_original is not null order by 1".encode(),
        (customer_no,),
    ).fetchall()
    return [row[0] for row in rows]


def _of_customer(cut: Cut, fact: str) -> str:
    return (
        f"from {FACTS[fact].table} f join care.identity i using (party_no) "
        f"where i.customer_no = %s and {believed(cut)} and {visible(cut)}"
    )
