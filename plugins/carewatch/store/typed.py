"""Answer the question: what became of rows that people typed, and which of their cells could not be read?

The landing of a typed file lives only inside the transaction that imports it: what is left are facts, and rows that wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.types.json import Jsonb

from carewatch.spec.facts import FACTS, Kind
from carewatch.spec.firm import Firm
from carewatch.spec.problems import nearest
from carewatch.spec.source_reading import Reading
from carewatch.spec.sources import TYPED, BaseSource, feeds
from carewatch.spec.typed import Fault
from carewatch.store.conform_checks import UNKNOWN_CUSTOMER
from carewatch.store.database import Connection
from carewatch.store.locks import Lock, hold_for
from carewatch.store.raw import schema_of

Rows = Sequence[tuple[int, Mapping[str, str | None]]]
"""Rows of a sheet: line and values by column."""

_OWN = ("_row", "_file", "_line", "_dlt_load_id")
_MANY = 20_000


@dataclass(frozen=True)
class TypedRows:
    """The rows of one sheet and the name under which they are kept apart from those of other files."""

    fact: str
    file: str
    rows: Rows


def land_typed(
    connection: Connection, source: BaseSource, firm: Firm, typed: Sequence[TypedRows], *, load_id: str, now: datetime
) -> None:  # fmt: skip
    """Lay the rows of sheets out as a finished load, for conform to take. To be called inside a transaction."""
    hold_for(connection, Lock.CONFORM, TYPED)
    schema = sql.Identifier(schema_of(TYPED))
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(schema))
    connection.execute(sql.SQL("create schema {}").format(schema))
    connection.execute(
        sql.SQL(
            "create table {0}._dlt_loads (load_id text, status bigint, inserted_at timestamptz);"
            "create table {0}._reads (feed text, read_at text, digest text, _dlt_load_id text);"
        ).format(schema)
    )
    wanted = {one.fact for one in typed}
    for feed in feeds(TYPED, source, firm):
        if feed.name not in wanted:
            continue
        columns = [*_OWN, "_fault", "_raw", *feed.columns]
        kinds = [
            sql.SQL("{} bigint" if name in ("_row", "_line") else "{} text").format(sql.Identifier(name))
            for name in columns
        ]
        table = sql.Identifier(schema_of(TYPED), feed.name)
        connection.execute(sql.SQL("create table {} ({})").format(table, sql.SQL(", ").join(kinds)))
        names = sql.SQL(", ").join(map(sql.Identifier, [*_OWN, *feed.columns]))
        with (
            connection.cursor() as cursor,
            cursor.copy(sql.SQL("copy {} ({}) from stdin").format(table, names)) as copy,
        ):
            number = 0
            for one in typed:
                for line, row in one.rows if one.fact == feed.name else ():
                    copy.write_row(
                        [number, one.file, line, load_id, *(row.get(name) for name in feed.columns)]
                    )
                    number += 1
        connection.execute(
            sql.SQL("insert into {}._reads values (%s, %s, %s, %s)").format(schema),
            (feed.name, now.isoformat(), feed.digest, load_id),
        )
    connection.execute(sql.SQL("insert into {}._dlt_loads values (%s, 0, %s)").format(schema), (load_id, now))


def drop_landing(connection: Connection) -> None:
    """Remove the landing of the import."""
    connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(schema_of(TYPED))))


def settle_refused(connection: Connection, fact: str, load_id: str, *, by: str) -> None:
    """Settle the rows that are given back to whoever typed them; only those whose customer may still arrive wait on."""
    connection.execute(
        "update quarantine.row set state = 'dropped', settled_at = care.clock(), settled_by = %s, "
        "settled_why = 'given back in the file of refused rows' "
        "where origin = %s and load_id = %s and state = 'waiting' and reason <> %s",
        (by, f"{TYPED}.{fact}", load_id, UNKNOWN_CUSTOMER),
    )


def unreadable(connection: Connection, fact: str, lines: Sequence[int], reading: Reading) -> list[Fault]:
    """Return every cell of these lines of a landed sheet that holds something its column cannot be read from."""
    kinds = {column.name: column.kind for column in FACTS[fact].columns if column.kind is not Kind.TEXT}
    kinds |= {"event_at": Kind.INSTANT, "withdrawn": Kind.FLAG}
    kinds.pop("amount_original", None)
    tries = sql.SQL(" union all ").join(
        sql.SQL(
            "select _line, {name}::text, {column} from {table} where _line = any(%(lines)s) and {unread}"
        ).format(
            name=sql.Literal(column),
            column=sql.Identifier(column),
            table=sql.Identifier(schema_of(TYPED), fact),
            unread=sql.SQL(f"{reading.read(column, kind)} is null and care.read_text({column}) is not null"),
        )
        for column, kind in kinds.items()
    )
    words = {Kind.FLAG: "not yes or no", Kind.DAY: "not a date", Kind.INSTANT: "not a time"}
    rows = connection.execute(tries, {"lines": list(lines)}).fetchall()
    return [
        Fault(line, column, words.get(kinds[column], "not a number"), value) for line, column, value in rows
    ]


def nearest_customers(connection: Connection, key_space: str, said: Sequence[str]) -> dict[str, str]:
    """Return for what was said of unknown customers the key that was probably meant: by name, else by likeness."""
    named = connection.execute(
        "select f.name, min(p.customer_key) from care.fact_customer f join care.party p using (party_no) "
        "where p.key_space = %s and f.known_to is null and f.name = any(%s) group by f.name having count(*) = 1",
        (key_space, list(said)),
    ).fetchall()
    found: dict[str, str] = dict(named)
    keys = [
        row[0]
        for row in connection.execute(
            "select customer_key from care.party where key_space = %s order by party_no limit %s",
            (key_space, _MANY),
        ).fetchall()
    ]
    for one in said:
        near = found.get(one) or nearest(one, keys)
        if near is not None:
            found[one] = near
    return found


def record(
    connection: Connection, *, now: datetime, by: str, file: str, counts: Mapping[str, object]
) -> None:
    """Write down who imported which file and what came of it."""
    connection.execute(
        "insert into care.audit (at, by, what, subject, detail) values (%s, %s, 'imported', %s, %s)",
        (now, by, f"file:{file}", Jsonb(dict(counts))),
    )
