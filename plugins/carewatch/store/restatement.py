"""Answer the question: whose numbers are others in this revision of a night than in that one?"""

from __future__ import annotations

from carewatch.store.database import Connection
from carewatch.store.nights import Night

_COMPARED = {
    "metric_night": "metrics",
    "health_night": "model, override, tier, colour, dormant, score, known_share, dimensions, rules",
}


def changed_customers(connection: Connection, before: Night, after: Night) -> frozenset[int]:
    """Return the customers of either revision whose metrics or judgement differ, to the last bit."""
    found: set[int] = set()
    for table, columns in _COMPARED.items():
        side = f"select customer_no, {columns} from care.{table} where day = %s and revision = %s"
        rows = connection.execute(
            f"select customer_no from (({side} except {side}) union ({side} except {side})) as changed".encode(),
            (
                before.day, before.revision, after.day, after.revision,
                after.day, after.revision, before.day, before.revision,
            ),
        ).fetchall()  # fmt: skip
        found.update(row[0] for row in rows)
    return frozenset(found)
