"""Answer the question: which keys of which systems are one customer, and whose word on it counts?

The identity of a key is never rewritten: a row ends and another begins, so that a past night still finds its customers.
"""

from __future__ import annotations

from datetime import datetime

from carewatch.spec.source_identity import ranks
from carewatch.spec.sources import Sources
from carewatch.store.database import Connection
from carewatch.store.locks import Lock, hold

_EVIDENCE = (
    "select exists (select from care.fact_same_customer) or exists (select from care.identity_ruling) "
    "or exists (select from care.fact_customer where credit_code is not null)"
)
_NEWS = "select exists (select from candidate where coalesce(fate, 'new') in ('new', 'changed'))"


def resolve(connection: Connection, moment: datetime) -> int:
    """Bring every key to the customer that the evidence says; return how many moved. Call it under the lock `facts`."""
    row = connection.execute(_EVIDENCE).fetchone()
    if row is None or not row[0]:
        return 0
    row = connection.execute("select care.resolve_identity(%s)", (moment,)).fetchone()
    assert row is not None
    return int(row[0])


def resolve_load(connection: Connection, moment: datetime) -> None:
    """Resolve when the load under way, in the temporary table `candidate`, said anything new."""
    row = connection.execute(_NEWS).fetchone()
    if row is not None and row[0]:
        resolve(connection, moment)


def sync_priority(connection: Connection, sources: Sources) -> bool:
    """Bring `care.field_priority` to what sources.yaml says, known from now on; return whether it changed.

    Before the first night there was no other priority, so the first one has always been in force.
    """
    wanted = {
        (name, source): rank
        for name, order in ranks(sources.sources, sources.priority).items()
        for rank, source in enumerate(order)
    }
    with connection.transaction():
        hold(connection, Lock.FACTS)
        rows = connection.execute(
            "select field, source, rank from care.field_priority where known_to is null"
        ).fetchall()
        believed = {(name, source): rank for name, source, rank in rows}
        if believed == wanted:
            return False
        gone = [key for key, rank in believed.items() if wanted.get(key) != rank]
        come = [(*key, rank) for key, rank in wanted.items() if believed.get(key) != rank]
        row = connection.execute(
            "select care.facts_clock(), exists (select from care.night) or exists (select from care.field_priority)"
        ).fetchone()
        assert row is not None
        moment, begun = row
        with connection.cursor() as cursor:
            cursor.executemany(
                "update care.field_priority set known_to = %s where field = %s and source = %s and known_to is null",
                [(moment, *key) for key in gone],
            )
            cursor.executemany(
                "insert into care.field_priority (field, source, rank, known_from) values (%s, %s, %s, %s)",
                [(*one, moment if begun else "-infinity") for one in come],
            )
    return True
