"""Put facts into a warehouse by hand: who, when it happened, when we believed it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from psycopg import sql

from carewatch.spec.facts import FACTS
from carewatch.store.database import Connection

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def instant(text: str | datetime, zone: ZoneInfo) -> datetime:
    """Return a moment written as text in UTC; without an offset it is local time."""
    moment = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)


class GivenFacts:
    """Writes parties, identities and facts; parties and customers are named on first use."""

    def __init__(self, connection: Connection, zone: ZoneInfo) -> None:
        self.connection, self.zone = connection, zone
        self.parties: dict[str, int] = {}
        self.customers: dict[str, int] = {}
        self._keys = 0

    def customer(self, name: str) -> int:
        if name not in self.customers:
            query = "insert into care.customer (customer_id) values (%s) returning customer_no"
            self.customers[name] = self._one(query, (name,))
        return self.customers[name]

    def party(self, name: str) -> int:
        """Return a party's number; a new one belongs to nobody yet."""
        if name not in self.parties:
            query = "insert into care.party (key_space, customer_key) values ('given', %s) returning party_no"
            self.parties[name] = self._one(query, (name,))
        return self.parties[name]

    def belongs(
        self, party: str, customer: str, known_from: datetime = LONG_AGO, known_to: datetime | None = None
    ) -> None:
        self.connection.execute(
            "insert into care.identity (party_no, customer_no, known_from, known_to, made_at) values (%s, %s, %s, %s, %s)",
            (self.party(party), self.customer(customer), known_from, known_to, known_from),
        )
        self.connection.execute(
            "update care.party set home_no = %s where party_no = %s and home_no is null",
            (self.customer(customer), self.party(party)),
        )

    def known(self, name: str, since: datetime = LONG_AGO, **columns: object) -> None:
        """Make a customer with one party of the same name and a master record."""
        self.belongs(name, name, since)
        self.add("customer", name, since, **columns)

    def add(
        self,
        fact: str,
        party: str | None,
        at: datetime,
        *,
        known_from: datetime | None = None,
        known_to: datetime | None = None,
        source_key: str | None = None,
        event_day: date | None = None,
        **columns: object,
    ) -> None:
        """Add one version of a fact; it is believed from the moment it happened unless said otherwise.

        A fact of no party is one that needs none, such as market news.
        """
        self._keys += 1
        row: Mapping[str, object] = {
            "party_no": None if party is None else self.party(party), "origin": f"given.{fact}",
            "source_key": source_key or str(self._keys),
            "event_at": at, "event_day": event_day or at.astimezone(self.zone).date(),
            "known_from": at if known_from is None else known_from, "known_to": known_to,
            "row_hash": "", "load_id": "given", **columns,
        }  # fmt: skip
        statement = sql.SQL("insert into {} ({}) values ({})").format(
            sql.Identifier(*FACTS[fact].table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        )
        self.connection.execute(statement, list(row.values()))

    def _one(self, query: str, values: tuple[object, ...]) -> int:
        row = self.connection.execute(query.encode(), values).fetchone()
        assert row is not None
        return int(row[0])
