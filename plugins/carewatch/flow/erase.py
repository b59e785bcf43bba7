"""Erase a customer: take out of the warehouse what names and describes it, keep what counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from psycopg import Rollback

from carewatch.flow.check_report import report
from carewatch.flow.explain import customer_number
from carewatch.spec.sources import Sources
from carewatch.store import customer_file, database, erasure
from carewatch.store.database import Connection


@dataclass(frozen=True)
class Erasure:
    """What an erasure did: the pseudonym under which the numbers stay, rows by table; `before` when it had been done."""

    pseudonym: str | None
    rows: Counter[str] = field(default_factory=Counter)
    before: datetime | None = None


def erase(
    connection: Connection, sources: Sources, customer_id: str, *, by: str, why: str, dry_run: bool = False
) -> Erasure:
    """Erase a customer in one transaction; with `dry_run` do it and take it back. Doing it again changes nothing.

    Raises UnknownCustomer for an id that nobody has or had.
    """
    with connection.transaction():
        erasure.lock(connection, sources)
        before = erasure.erased_before(connection, customer_id)
        if before is not None:
            return Erasure(None, before=before)
        number, _ = customer_file.customer_now(connection, customer_number(connection, customer_id))
        day = database.clock(connection).astimezone(sources.firm.zone).date()
        pseudonym, rows = erasure.erase(connection, sources, number, by=by, why=why, day=day)
        for run_id in erasure.reports_to_write_again(connection):
            erasure.replace_report(connection, run_id, report(connection, sources, run_id))
            rows["care.check_report"] += 1
        if dry_run:
            raise Rollback
    return Erasure(pseudonym, rows)
