"""Answer the question: how do the first rows of a table come in fast?

Into an empty table that nobody else is using, they come first; its indexes and foreign keys are made from them afterwards,
in one pass each, in the same transaction. A foreign key checked row by row costs more than all the rest of an insert.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg

from carewatch.store.database import Connection

_ASIDE = """
select format('drop index %%s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
from pg_index i
where i.indrelid = %(table)s::regclass
    and not exists (select from pg_constraint c where c.conindid = i.indexrelid and c.conrelid = i.indrelid)
union all
select
    format('alter table %%s drop constraint %%I', c.conrelid::regclass, c.conname)
    , format('alter table %%s add constraint %%I %%s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
from pg_constraint c
where c.conrelid = %(table)s::regclass and c.contype = 'f'
"""
_CONCERNED = """
select %(table)s::regclass::text
union
select confrelid::regclass::text from pg_constraint where conrelid = %(table)s::regclass and contype = 'f'
"""


@contextmanager
def first_rows(connection: Connection, tables: Sequence[str]) -> Iterator[None]:
    """Set aside, for the length of a block, the indexes and foreign keys of those tables that are empty.

    Never waits: a table that somebody reads or writes, or that is not ours to alter, stays as it is. To be called inside a
    transaction, which keeps the others out until it ends.
    """
    later: list[str] = []
    for table in tables:
        if _is_ours_alone(connection, table):
            aside = connection.execute(_ASIDE, {"table": table}).fetchall()
            for drop, make in aside:
                connection.execute(drop)
                later.append(make)
    yield
    for make in later:
        connection.execute(make.encode())


def _is_ours_alone(connection: Connection, table: str) -> bool:
    """Return whether the table is empty and is locked now, with all that its foreign keys point to."""
    if connection.execute(f"select 1 from {table} limit 1".encode()).fetchone() is not None:
        return False
    names = [name for (name,) in connection.execute(_CONCERNED, {"table": table}).fetchall()]
    lock = f"lock table {', '.join(names)} in access exclusive mode nowait"
    try:
        with connection.transaction():
            connection.execute(lock.encode())
    except (psycopg.errors.LockNotAvailable, psycopg.errors.InsufficientPrivilege):
        return False
    return connection.execute(f"select 1 from {table} limit 1".encode()).fetchone() is None
