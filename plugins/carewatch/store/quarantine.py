"""Answer the question: which rows wait, because they could be no fact yet?"""

from __future__ import annotations

from collections.abc import Mapping

from carewatch.spec.source_reading import literal
from carewatch.store.conform_checks import UNKNOWN_CUSTOMER
from carewatch.store.database import Connection


def known_customers(key_space: str) -> str:
    """Return the SQL condition that a waiting row `q` names a customer who is known now."""
    return (
        "exists (select from care.party p where p.key_space = "
        f"{literal(key_space)} and p.customer_key = q.data ->> '_customer')"
    )


def _waits(origin: str, known: str) -> str:
    return (
        f"q.origin = {literal(origin)} and q.state = 'waiting' "
        f"and q.reason = {literal(UNKNOWN_CUSTOMER)} and {known}"
    )


def releasable(connection: Connection, origin: str, known: str) -> list[tuple[str, int]]:
    """Return load and number of the rows whose customer is known by now, oldest load first."""
    query = f"select q.load_id, count(*) from quarantine.row q where {_waits(origin, known)} group by 1"
    return connection.execute(f'{query} order by q.load_id collate "C"'.encode()).fetchall()


def waiting_rows(origin: str, load_id: str, known: str, aliases: Mapping[str, str]) -> str:
    """Return a query of a load's rows whose customer is known by now, in the shape of landed rows."""
    columns = "".join(f", q.data ->> {literal(name)} as {alias}" for name, alias in aliases.items())
    return (
        "select q.row_no, q.load_id, q.data ->> '_file' as file, (q.data ->> '_line')::bigint as line, "
        f"null::text as fault, q.data ->> '_raw' as raw{columns} from quarantine.row q "
        f"where q.load_id = {literal(load_id)} and {_waits(origin, known)}"
    )


def has_waiting(connection: Connection, origin: str) -> bool:
    """Return whether any row of the stream waits."""
    query = "select 1 from quarantine.row where origin = %s and state = 'waiting' limit 1"
    return connection.execute(query, (origin,)).fetchone() is not None
