"""Answer the question: where do landed rows stand while they are checked?

In a schema of their own, read by the stream's own expressions exactly as conform will read them: `rows_N` holds what a
stream's load says, `load_N` those rows that say a fact, with a column for each thing that has to be known. The schema lives
as long as the checks do; one left by a killed process goes when the next begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from carewatch.spec.firm import Firm
from carewatch.spec.source_check import Between, Known, Newest, SourceCheck, SumEquals
from carewatch.spec.source_check_plan import Named, day_column, named_values, names_of
from carewatch.spec.source_reading import identifier, literal
from carewatch.spec.sources import BaseSource
from carewatch.spec.stream_plan import Feed, StreamPlan
from carewatch.store import raw
from carewatch.store.conform_checks import raw_aliases
from carewatch.store.conform_sql import render, stream_context
from carewatch.store.database import Connection
from carewatch.store.locks import Lock, held

SCHEMA: Final = "checking"
_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Subject:
    """What one load brought to one stream, and the checks it has to pass."""

    source: BaseSource
    plan: StreamPlan
    feed: Feed
    load: raw.PendingLoad
    checks: tuple[SourceCheck, ...]
    number: int

    @property
    def values(self) -> dict[str, Named]:
        return named_values(self.plan)

    @property
    def key_space(self) -> str:
        return self.source.key_space or self.plan.source

    def is_beside(self, other: Subject, stream: str) -> bool:
        """Return whether this is what the other's load brought to a stream of the same source."""
        beside = (other.plan.source, stream, other.load.load_id)
        return (self.plan.source, self.plan.name, self.load.load_id) == beside

    @property
    def rows(self) -> str:
        return f"rows_{self.number}"

    @property
    def facts(self) -> str:
        return f"load_{self.number}"


@contextmanager
def tables(connection: Connection, subjects: Sequence[Subject], firm: Firm) -> Iterator[None]:
    """Make the tables of all subjects for the length of a block; nobody else checks meanwhile."""
    with held(connection, Lock.CHECKS):
        connection.execute(f"drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}".encode())
        try:
            wanted = _wanted(subjects)
            for subject in subjects:
                _make_rows(connection, subject, firm, sorted(wanted[subject.number]))
            for subject in subjects:
                _make_facts(connection, subject, subjects)
            yield
        finally:
            connection.execute(f"drop schema if exists {SCHEMA} cascade".encode())


def seen_column(value: Named) -> str:
    """Return the name of the column that holds a time which is not in the future."""
    return f"{value.sql}_seen"


def _wanted(subjects: Sequence[Subject]) -> dict[int, set[str]]:
    """Return for each subject the values that checks ask for, its own or another's, by the names of their columns."""
    wanted: dict[int, set[str]] = {subject.number: set() for subject in subjects}
    for subject in subjects:
        values = subject.values
        for check in subject.checks:
            wanted[subject.number] |= {values[name].sql for name in names_of(check.test)}
            match check.test:
                case SumEquals(_, stream, other):
                    for one in subjects:
                        if one.is_beside(subject, stream):
                            wanted[one.number].add(one.values[other].sql)
                case Known():
                    for one in providers(check.test, subject, subjects):
                        wanted[one.number].add(_provided(check.test, one))
    return wanted


def providers(test: Known, subject: Subject, subjects: Iterable[Subject]) -> list[Subject]:
    """Return the subjects whose landed rows may name what a check wants to be known."""
    if test.fact is None:
        return [
            one for one in subjects if one.plan.fact.name == "customer" and one.key_space == subject.key_space
        ]
    return [one for one in subjects if one.plan.fact.name == test.fact and test.of in one.values]


def _provided(test: Known, provider: Subject) -> str:
    return provider.values["customer" if test.of is None else test.of].sql


def _make_rows(connection: Connection, subject: Subject, firm: Firm, columns: Sequence[str]) -> None:
    plan, load = subject.plan, subject.load
    landed = raw.landed_rows(plan.source, subject.feed.name, load.load_id, raw_aliases(plan))
    read = render("rows.sql.j2", {**stream_context(plan, firm), "landed": landed})
    own = [column for column in columns if column != "key"]
    days = [
        f"{value.day} as {day_column(value)}"
        for value in {value.sql: value for value in _dated(subject)}.values()
    ]
    ahead = f"timestamptz {literal((load.read_at + _AHEAD).isoformat())}"
    seen = [
        f"case when {value.sql} <= {ahead} then {value.sql} end as {seen_column(value)}"
        for value in {value.sql: value for value in _newest(subject)}.values()
    ]
    chosen = ", ".join(
        ["row_no", "coalesce(file || ':' || line, '') as place", "key", "withdrawn", *own, *days, *seen]
    )
    connection.execute(
        f"create unlogged table {SCHEMA}.{subject.rows} as select {chosen} from ({read}) r "
        f"where row_problem is distinct from 0; analyze {SCHEMA}.{subject.rows}".encode()
    )


def _dated(subject: Subject) -> Iterator[Named]:
    for check in subject.checks:
        if isinstance(check.test, Between) and (
            isinstance(check.test.low, date) or isinstance(check.test.high, date)
        ):
            yield subject.values[check.test.column]


def _newest(subject: Subject) -> Iterator[Named]:
    for check in subject.checks:
        if isinstance(check.test, Newest):
            yield subject.values[check.test.column]


def _make_facts(connection: Connection, subject: Subject, subjects: Sequence[Subject]) -> None:
    extra, joined = "", ""
    for number, (column, test) in enumerate(_knowns(subject).items()):
        known = f"known_{subject.number}_{number}"
        _make_known(connection, known, test, subject, subjects)
        extra += f", case when r.{column} is not null then k{number}.value is not null end as {column}_known"
        joined += f" left join {SCHEMA}.{known} k{number} on k{number}.value = r.{column}"
    connection.execute(
        f"create view {SCHEMA}.{subject.facts} as select r.*{extra} from {SCHEMA}.{subject.rows} r{joined} "
        "where not r.withdrawn".encode()
    )


def _knowns(subject: Subject) -> dict[str, Known]:
    return {
        subject.values[check.test.column].sql: check.test
        for check in subject.checks
        if isinstance(check.test, Known)
    }


def _make_known(
    connection: Connection, name: str, test: Known, subject: Subject, subjects: Sequence[Subject]
) -> None:
    """Make the table of what is known by now: what facts say, and what has landed and is not taken yet."""
    if test.fact is None:
        known = f"select customer_key as value from care.party where key_space = {literal(subject.key_space)}"
    else:
        known = (
            f"select {identifier(test.of or '')} as value from care.{identifier('fact_' + test.fact)} "
            "where known_to is null"
        )
    landed = "".join(
        f" union all select {_provided(test, one)} from {SCHEMA}.{one.rows}"
        for one in providers(test, subject, subjects)
    )
    connection.execute(
        f"create unlogged table {SCHEMA}.{name} as select distinct value from ({known}{landed}) k "
        f"where value is not null; alter table {SCHEMA}.{name} add primary key (value); analyze {SCHEMA}.{name}".encode()
    )
