"""Everything a warehouse holds as text, and what differs between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.dags.town import Town

SECONDS = {"care.outbox": ("claimed_at", "settled_at")}
"""Delivery takes real seconds, also where the firm's clock stands still."""
FATE = {"care.outbox": (*SECONDS["care.outbox"], "state", "attempts", "answer")}
"""What became of messages whose sender was broken off, which the tests look at one by one."""

Dump = dict[str, list[str]]


def dump(town: Town, but: Mapping[str, Sequence[str]] = SECONDS) -> Dump:
    """Return the rows of all tables of `care` and `quarantine`, some columns left out; "*" are those of every table."""
    tables = town.firm.rows(
        "select relnamespace::regnamespace || '.' || relname from pg_class where relkind = 'r' and relname <> 'pinned_clock' "
        "and relnamespace in ('care'::regnamespace, 'quarantine'::regnamespace) order by 1"
    )
    return {
        name: [
            row[0]
            for row in town.firm.rows(
                f"select (to_jsonb(t) - %s::text[])::text from {name} t order by 1",
                [*but.get("*", ()), *but.get(name, ())],
            )
        ]
        for (name,) in tables
    }


def different(left: Dump, right: Dump) -> dict[str, tuple[list[str], list[str]]]:
    """Return for each table that differs the rows that only the one and only the other has."""
    return {
        name: ([row for row in mine if row not in theirs], [row for row in theirs if row not in mine])
        for name, mine, theirs in (
            (name, left.get(name, []), right.get(name, [])) for name in {**left, **right}
        )
        if mine != theirs
    }
