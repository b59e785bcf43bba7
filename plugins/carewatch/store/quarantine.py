"""Answer the question: which rows wait, because they could be no fact yet?

A row waits because conform could not read or believe it, or because a check held it back (`hold_back`). It is never
deleted: it is `loaded` when it became a fact after all, or `dropped` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from carewatch.spec.source_reading import literal
from carewatch.store.conform_checks import SUSPICIOUS_SNAPSHOT, UNKNOWN_CUSTOMER
from carewatch.store.database import Connection
from carewatch.store.raw import NOT_HELD


@dataclass(frozen=True)
class HeldRow:
    """A landed row that a check holds back: its `_row` in the landing, why, and the source's column and its value."""

    row: int
    reason: str
    field: str | None = None
    value: str | None = None


def hold_back(connection: Connection, origin: str, load_id: str, rows: Iterable[HeldRow]) -> int:
    """Let landed rows of a load wait in quarantine instead of becoming facts; return how many are held now.

    `origin` is `source.stream`: streams that read the same feed are held one by one. To be called between landing and
    conform, also twice; the first reason of a row is kept. Conform then counts the row as quarantined, with this reason,
    field and value; rows that are no business of the stream (`where`), cannot be read or have no key go their usual way,
    and so do all rows of a load that was conformed already. Of combined rows, one that is held holds the whole key.
    """
    with connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(
            "insert into quarantine.held (origin, load_id, landed_row, reason, field, value) "
            "select %(origin)s, %(load)s, %(row)s, %(reason)s, %(field)s, %(value)s "
            "where not exists (select from care.load where origin = %(origin)s and load_id = %(load)s) "
            "on conflict do nothing",
            [
                {"origin": origin, "load": load_id, "row": one.row, "reason": one.reason,
                 "field": one.field, "value": one.value}
                for one in rows
            ],
        )  # fmt: skip
        counted = cursor.execute(
            "select count(*) from quarantine.held where origin = %s and load_id = %s", (origin, load_id)
        ).fetchone()
    return int(counted[0]) if counted else 0


def has_held(connection: Connection, origin: str, load_id: str) -> bool:
    """Return whether a check holds back any row that a stream is to take."""
    query = "select 1 from quarantine.held where origin = %s and load_id = %s limit 1"
    return connection.execute(query, (origin, load_id)).fetchone() is not None


def forget_held(connection: Connection, origin: str, load_id: str) -> None:
    """Forget what checks held back of a load that was taken: those rows wait in quarantine now."""
    connection.execute("delete from quarantine.held where origin = %s and load_id = %s", (origin, load_id))


def suspect(connection: Connection, origin: str, load_id: str, value: str, moment: datetime) -> None:
    """Let a snapshot that lacks too much wait for a person; one entry a stream, about its newest snapshot."""
    parameters = {
        "origin": origin,
        "load": load_id,
        "value": value,
        "at": moment,
        "reason": SUSPICIOUS_SNAPSHOT,
    }
    waits = connection.execute(
        "update quarantine.row set load_id = %(load)s, value = %(value)s "
        "where origin = %(origin)s and reason = %(reason)s and state = 'waiting'",
        parameters,
    )
    if not waits.rowcount:
        connection.execute(
            "insert into quarantine.row (origin, load_id, reason, value, data, caught_at) "
            "values (%(origin)s, %(load)s, %(reason)s, %(value)s, '{}', %(at)s)",
            parameters,
        )


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
        f"null::text as fault, q.data ->> '_raw' as raw, {NOT_HELD}{columns} from quarantine.row q "
        f"where q.load_id = {literal(load_id)} and {_waits(origin, known)}"
    )


def has_waiting(connection: Connection, origin: str) -> bool:
    """Return whether any row of the stream waits."""
    query = "select 1 from quarantine.row where origin = %s and state = 'waiting' limit 1"
    return connection.execute(query, (origin,)).fetchone() is not None
