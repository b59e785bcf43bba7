"""Put rows into a landing as a finished load does, and read back what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from textwrap import dedent, indent
from typing import Any

import psycopg

from carewatch.spec.document import parse_document, validate
from carewatch.spec.firm import Firm
from carewatch.spec.sources import SourcesFile, feeds
from carewatch.store.conform import StreamResult, conform
from carewatch.store.raw import landed_name

FIRM = Firm.model_validate(
    {"version": 1, "name": "Test firm", "time_zone": "Asia/Shanghai", "currency": "CNY"}
)
NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)

MASTER = """
customers: master
streams:
  customers:
    from: customers
    fact: customer
    key: code
    event_at: since
    changed_at: updated
    columns: {name: name, credit_limit: credit}
"""
ORDERS = """
  orders:
    from: orders
    fact: order
    key: no
    customer: code
    event_at: at
    changed_at: updated
    columns: {amount: amount, currency: currency, kind: kind}
    bounds: {amount: [-1000, 1000]}
"""


def sources_text(**texts: str) -> str:
    """Return a whole sources.yaml from the parts of it that matter to a test."""
    common = "label: x\nowner: x\nkind: files\nconnection: ./x\nevery: 1 hour\ndelay: 2 hours\nfresh_within: 1 day\n"
    parts = []
    for name, text in texts.items():
        own = dedent(text)
        kept = [
            line
            for line in common.splitlines()
            if not own.startswith(line.split(":")[0] + ":") and f"\n{line.split(':')[0]}:" not in own
        ]
        parts.append(f"  {name}:\n" + indent("\n".join(kept) + "\n" + own, "    "))
    return "version: 1\nsources:\n" + "\n".join(parts)


def sources(**texts: str) -> Mapping[str, Any]:
    """Return sources by name from the part of their YAML that matters to a test."""
    document = parse_document(sources_text(**texts), file="sources.yaml")
    file, problems = validate(document, SourcesFile)
    assert file is not None, "\n".join(map(str, problems))
    return file.sources


@dataclass
class Landing:
    """A warehouse with a pinned clock and the landings of some sources."""

    connection: psycopg.Connection[Any]
    sources: Mapping[str, Any]
    now: datetime = NOW
    loads: int = 0
    taken: list[StreamResult] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.at(self.now)

    def at(self, moment: datetime) -> None:
        """Set the warehouse's clock."""
        self.now = moment
        with self.connection.transaction():
            self.connection.execute("delete from care.pinned_clock")
            self.connection.execute("insert into care.pinned_clock (at) values (%s)", (moment,))

    def later(self, **by: int) -> None:
        """Move the warehouse's clock on."""
        self.at(self.now + timedelta(**by))

    def land(self, source: str, *, finished: bool = True, **rows: Iterable[Mapping[str, Any]]) -> str:
        """Land rows by feed as one load; every feed of the source is read, those not named without rows."""
        self.loads += 1
        load_id = f"17{self.loads:08d}.5"
        with self.connection.transaction():
            self._begin(source)
            read = feeds(source, self.sources[source], FIRM)
            assert set(rows) <= {feed.name for feed in read}
            for feed in read:
                self.connection.execute(
                    f"insert into raw_{source}._reads values (%s, %s, %s, %s)",
                    (feed.name, self.now.isoformat(), feed.digest, load_id),
                )
                self._table(source, feed.name, feed.columns)
                self._copy(source, feed.name, feed.columns, list(rows.get(feed.name, ())), load_id)
            if finished:
                self.connection.execute(
                    f"insert into raw_{source}._dlt_loads values (%s, 0, %s)", (load_id, self.now)
                )
        return load_id

    def take_only(self, source: str, *load_ids: str) -> dict[str, StreamResult]:
        """Take these loads and no other."""
        return self.conform(source, load_ids)

    def conform(self, source: str, load_ids: Sequence[str] | None = None) -> dict[str, StreamResult]:
        """Take what is pending; return the last result of each stream (released ones under `origin released`)."""
        results = conform(self.connection, source, self.sources[source], FIRM, load_ids=load_ids)
        for result in results:
            parts = (
                result.new,
                result.changed,
                result.unchanged,
                result.repeated,
                result.filtered,
                result.quarantined,
            )
            assert result.landed == sum(parts), result
        self.taken += results
        return {result.origin + (" released" if result.released else ""): result for result in results}

    def take(self, source: str, **rows: Iterable[Mapping[str, Any]]) -> dict[str, StreamResult]:
        """Land and conform."""
        self.land(source, **rows)
        return self.conform(source)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self.connection.transaction():
            return self.connection.execute(query, parameters or None).fetchall()

    def open_facts(self, fact: str, *columns: str) -> dict[str, tuple[Any, ...]]:
        """Return the versions believed now by key."""
        chosen = ", ".join(("source_key", *columns))
        found = self.rows(f"select {chosen} from care.fact_{fact} where known_to is null order by source_key")
        return {row[0]: row[1:] for row in found}

    def waiting(self, *columns: str) -> list[tuple[Any, ...]]:
        """Return columns of the rows that wait in quarantine, in the order they came."""
        chosen = ", ".join(columns or ("reason",))
        return self.rows(f"select {chosen} from quarantine.row where state = 'waiting' order by row_no")

    def _begin(self, source: str) -> None:
        self.connection.execute(
            f"create schema if not exists raw_{source};"
            f"create table if not exists raw_{source}._dlt_loads (load_id text, status bigint, inserted_at timestamptz);"
            f"create table if not exists raw_{source}._reads (feed text, read_at text, digest text, _dlt_load_id text);"
        )

    def _table(self, source: str, feed: str, columns: Sequence[str]) -> None:
        table = f'raw_{source}."{feed}"'
        self.connection.execute(
            f"create table if not exists {table} "
            "(_row bigint, _file text, _line bigint, _fault text, _raw text, _dlt_load_id text)"
        )
        for column in columns:
            self.connection.execute(
                f'alter table {table} add column if not exists "{landed_name(column)}" text'
            )

    def _copy(
        self, source: str, feed: str, columns: Sequence[str], rows: list[Mapping[str, Any]], load_id: str
    ) -> None:
        names = ("_row", "_dlt_load_id", "_file", "_line", "_fault", "_raw", *columns)
        stored = [landed_name(name) for name in names]
        statement = f'copy raw_{source}."{feed}" ({", ".join(chr(34) + name + chr(34) for name in stored)}) from stdin'
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            for number, row in enumerate(rows):
                assert set(row) <= {*columns, "_file", "_line", "_fault", "_raw"}, (
                    f"{set(row)} not in {columns}"
                )
                copy.write_row([number, load_id, *(row.get(name) for name in names[2:])])
