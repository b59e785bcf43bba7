"""Answer the question: which rows wait, because they could be no fact yet?

A row waits because conform could not read or believe it, or because a check held it back (`hold_back`). It is never
deleted: it is `loaded` when it became a fact after all, or `dropped` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def whose_customer_came(key_space: str) -> str:
    """Return the SQL condition that a waiting row `q` names a customer who was unknown and is known now."""
    return (
        f"q.reason = {literal(UNKNOWN_CUSTOMER)} and exists (select from care.party p where p.key_space = "
        f"{literal(key_space)} and p.customer_key = q.data ->> '_customer')"
    )


def with_numbers(rows: Iterable[int]) -> str:
    """Return the SQL condition that a waiting row `q` is one of these."""
    return f"q.row_no = any('{{{','.join(map(str, rows))}}}'::bigint[])"


def _waits(origin: str, chosen: str) -> str:
    return f"q.origin = {literal(origin)} and q.state = 'waiting' and {chosen}"


def loads_of(connection: Connection, origin: str, chosen: str) -> list[tuple[str, int]]:
    """Return load and number of the chosen rows that wait, oldest load first."""
    query = f"select q.load_id, count(*) from quarantine.row q where {_waits(origin, chosen)} group by 1"
    return connection.execute(f'{query} order by q.load_id collate "C"'.encode()).fetchall()


def waiting_rows(origin: str, load_id: str, chosen: str, aliases: Mapping[str, str]) -> str:
    """Return a query of a load's chosen rows in the shape of landed rows; a line nobody could read stays one."""
    columns = "".join(f", q.data ->> {literal(name)} as {alias}" for name, alias in aliases.items())
    return (
        "select q.row_no, q.load_id, q.data ->> '_file' as file, (q.data ->> '_line')::bigint as line, "
        f"case when q.data ? '_raw' then q.reason end as fault, q.data ->> '_raw' as raw, {NOT_HELD}{columns} from quarantine.row q "
        f"where q.load_id = {literal(load_id)} and {_waits(origin, chosen)}"
    )


def has_waiting(connection: Connection, origin: str) -> bool:
    """Return whether any row of the stream waits, or was settled by a person and may come again."""
    query = "select 1 from quarantine.row where origin = %s and (state = 'waiting' or settled_by is not null) limit 1"
    return connection.execute(query, (origin,)).fetchone() is not None


def landed_without(connection: Connection, origin: str, chosen: str, columns: Sequence[str]) -> list[str]:
    """Return which of these columns of the source some chosen row was landed without."""
    query = (
        "select distinct c.name from quarantine.row q, unnest(%s::text[]) c (name) "
        f"where {_waits(origin, chosen)} and q.columns is not null and c.name <> all (q.columns) order by 1"
    )
    return [row[0] for row in connection.execute(query.encode(), (list(columns),)).fetchall()]


def torn_groups(connection: Connection, origin: str, rows: Sequence[int]) -> bool:
    """Return whether a chosen row has no key, or a waiting row of its key is not chosen or came with another load."""
    row = connection.execute(
        "select exists (select from quarantine.row q where q.origin = %(origin)s and q.row_no = any(%(rows)s) "
        "and q.state = 'waiting' and (q.source_key is null or exists (select from quarantine.row o "
        "where o.origin = q.origin and o.state = 'waiting' and o.source_key = q.source_key "
        "and o.data ->> '_file' is not distinct from q.data ->> '_file' "
        "and (o.load_id <> q.load_id or o.row_no <> all (%(rows)s)))))",
        {"origin": origin, "rows": list(rows)},
    ).fetchone()
    return bool(row and row[0])


def accept_suspect(connection: Connection, origin: str, rows: Sequence[int], by: str) -> bool:
    """Settle the entry of a suspicious snapshot when it is among these rows; return whether it was."""
    done = connection.execute(
        "update quarantine.row set state = 'loaded', settled_at = care.clock(), settled_by = %s, settled_why = 'replayed' "
        "where origin = %s and row_no = any(%s) and reason = %s and state = 'waiting'",
        (by, origin, list(rows), SUSPICIOUS_SNAPSHOT),
    )
    return done.rowcount > 0


@dataclass(frozen=True)
class WaitingRow:
    """One row of the quarantine, as it was caught."""

    row_no: int
    origin: str
    load_id: str
    key: str | None
    place: str | None
    reason: str
    field: str | None
    value: str | None
    data: Mapping[str, str]
    by_check: bool
    state: str
    caught_at: datetime
    settled_at: datetime | None
    settled_by: str | None
    settled_why: str | None


_FIELDS = (
    "row_no, origin, load_id, source_key, place, reason, field, value, data, by_check, state, caught_at, settled_at, "
    "settled_by, settled_why"
)
_FILTER = (
    "(%(source)s::text is null or origin = %(source)s or split_part(origin, '.', 1) = %(source)s) "
    "and (%(reason)s::text is null or reason = %(reason)s)"
)


def counts(
    connection: Connection, source: str | None, reason: str | None
) -> list[tuple[str, str, int, datetime]]:
    """Return stream, reason, number and oldest catch of the rows that wait; `source` may name a stream as well."""
    query = (
        f"select origin, reason, count(*), min(caught_at) from quarantine.row where state = 'waiting' and {_FILTER} "
        "group by 1, 2 order by 1, 3 desc, 2"
    )
    return connection.execute(query.encode(), {"source": source, "reason": reason}).fetchall()


def find_rows(
    connection: Connection, source: str | None, reason: str | None, *, limit: int | None = None
) -> list[WaitingRow]:
    """Return the rows that wait, oldest first."""
    query = f"select {_FIELDS} from quarantine.row where state = 'waiting' and {_FILTER} order by row_no limit %(limit)s"
    found = connection.execute(query.encode(), {"source": source, "reason": reason, "limit": limit})
    return [WaitingRow(*row) for row in found.fetchall()]


def get_rows(connection: Connection, numbers: Sequence[int]) -> list[WaitingRow]:
    """Return these rows, whatever their state."""
    query = f"select {_FIELDS} from quarantine.row where row_no = any(%s) order by row_no"
    return [WaitingRow(*row) for row in connection.execute(query.encode(), (list(numbers),)).fetchall()]


def drop(connection: Connection, numbers: Sequence[int], *, by: str, why: str) -> int:
    """Give up rows that wait, with an audit row for each; return how many. They are kept and not caught again."""
    with connection.transaction():
        done = connection.execute(
            "with given_up as (update quarantine.row set state = 'dropped', settled_at = care.clock(), settled_by = %(by)s, "
            "settled_why = %(why)s where row_no = any(%(rows)s) and state = 'waiting' returning row_no, origin, reason) "
            "insert into care.audit (at, by, what, subject, detail) "
            "select care.clock(), %(by)s, 'quarantine_drop', 'quarantine:' || row_no, "
            "jsonb_build_object('origin', origin, 'reason', reason, 'why', %(why)s::text) from given_up",
            {"by": by, "why": why, "rows": list(numbers)},
        )
    return done.rowcount


def note_replay(connection: Connection, numbers: Sequence[int], *, by: str) -> None:
    """Write to the audit trail that a person replayed rows, and what became of each."""
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) "
        "select care.clock(), %s, 'quarantine_replay', 'quarantine:' || row_no, "
        "jsonb_build_object('origin', origin, 'state', state) from quarantine.row where row_no = any(%s)",
        (by, list(numbers)),
    )
