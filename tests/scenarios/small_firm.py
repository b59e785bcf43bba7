"""A small firm made from a seed: facts of every kind, known late, corrected, withdrawn, customers merged.

Everything lies around one night, so that a good part of it has not happened yet or was not known yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from psycopg import sql

from carewatch.flow import night as nights
from carewatch.paths import home
from carewatch.spec.configuration import Configuration, JudgementSpec
from carewatch.spec.facts import FACTS, Column, Kind
from carewatch.spec.loading import load
from carewatch.store.database import Connection
from carewatch.store.health import health_of_night
from carewatch.store.metrics import metrics_of_night
from carewatch.store.nights import night_of

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = date(2026, 6, 15)
A = datetime.combine(NIGHT, time(), ZONE).astimezone(UTC)
K = A + timedelta(hours=2)
CUSTOMERS = 30

WORDS: dict[str, tuple[object, ...]] = {
    "kind": ("regular", "regular", None, "spare", "credit"),
    "line": ("valves", "pumps", None),
    "industry": ("machinery", "export", None),
    "region": ("north", "south"),
    "owner": ("am01", "am02"),
    "tone": ("warm", "neutral", "distant", "negative", None),
    "severity": ("mild", "severe", None),
    "covers": ("tone complaints", "order_silence", None),
    "product": ("p1", "p2", "p3", "p4", "p5"),
}
WHAT = {
    "contact_event": ("joined", "changed", "left"),
    "contract_event": ("signed", "renewed", "cancelled", "ended"),
    "interaction": ("call", "inquiry", "inquiry", "inquiry", "event"),
    "ticket_event": ("first_response", "resolved", "reopened"),
    "market_event": ("competitor", "policy", "cooperation"),
    "survey": ("satisfaction", "recommend", "renewal", None),
    "order_event": ("confirmed", "delivered", "cancelled"),
    "note": ("price", "competitor", "chance"),
    "reasonable_reason": ("low_season", "stocktaking"),
}
EVERY_DAYS = {
    "order": 14, "order_line": 20, "interaction": 8, "ticket": 60, "ticket_event": 60, "survey": 70, "invoice": 40,
    "payment": 45, "usage_day": 9, "contact_event": 50, "contract_event": 200, "market_event": 120, "note": 40,
    "reasonable_reason": 300, "order_event": 25,
}  # fmt: skip
EXTRA_METRICS: dict[str, Any] = {
    "logins_30d": {"label": "logins", "kind": "sum", "fact": "usage_day", "of": "logins", "window": "30 days"},
    "hours_each_30d": {"label": "h", "kind": "average", "fact": "usage_day", "of": "seconds", "window": "1 month", "per": 3600},
    "least_score": {"label": "least", "kind": "minimum", "fact": "survey", "of": "score", "window": "2 years"},
    "credit_share": {"label": "share", "kind": "ratio", "metric": "credits_365d", "over": "amount_365d", "at_least": 1},
    "credits_365d": {"label": "c", "kind": "sum", "fact": "order", "of": "-amount", "where": "amount < 0", "window": "365 days"},
    "third_best": {"label": "m", "kind": "sql", "sql": "select customer_no, percentile_disc(0.7) within group (order by amount) / 3 "
                   "as value from fact_order group by customer_no"},
}  # fmt: skip
EXTRA_RULE = {
    "label": "exporters", "severity": "watch", "counts_as": "export", "dimension": "environment",
    "when": "industry is export", "because": "An exporter, looked after by {owner}.",
}  # fmt: skip

NOTED = {
    "label": "noted", "severity": "moderate", "counts_as": "noted", "dimension": "interaction", "on": "event", "fact": "note",
    "where": "what <> 'chance'", "when": "days_since_event <= 20", "unless": "reason is low_season", "because": "Noted: {what}.",
}  # fmt: skip


def configuration() -> Configuration:
    """Return the shipped configuration with metrics over the remaining facts and a rule about the master record."""
    shipped = load(home() / "config")
    canonical = shipped.judgement.canonical()
    canonical["metrics"] |= EXTRA_METRICS
    canonical["rules"] |= {"exporter": EXTRA_RULE, "noted": NOTED}
    return Configuration(JudgementSpec.from_canonical(canonical), shipped.care)


def draw(*about: object) -> float:
    """Return a number from 0 to 1 that depends on nothing but what it is about, so that no new column moves another."""
    digest = hashlib.blake2b("/".join(map(str, about)).encode(), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48


def pick(choices: Sequence[Any], *about: object) -> Any:
    return choices[int(draw(*about) * len(choices))]


@dataclass
class SmallFirm:
    """Makes rows; `write` puts them into an empty, migrated warehouse."""

    seed: int
    rows: dict[str, list[dict[str, object]]] = field(default_factory=lambda: {fact: [] for fact in FACTS})
    identities: list[tuple[int, int, datetime, datetime | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for customer in range(1, CUSTOMERS + 1):
            self._customer(customer)
        self._merges()

    def write(self, connection: Connection) -> None:
        numbers = range(1, 2 * CUSTOMERS + 1)
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into care.party (key_space, customer_key) values ('firm', %s)",
                [(f"P{n}",) for n in numbers],
            )
            cursor.executemany(
                "insert into care.customer (customer_id) values (%s)",
                [(f"C{n:03}",) for n in numbers[:CUSTOMERS]],
            )
            cursor.executemany("insert into care.identity values (%s, %s, %s, %s)", self.identities)
            for fact, rows in self.rows.items():
                insert_facts(cursor, fact, rows)
        connection.execute("analyze")

    def _customer(self, number: int) -> None:
        start = A - timedelta(days=200 + 2300 * draw(self.seed, "start", number))
        pace = 0.6 + 1.9 * draw(self.seed, "pace", number)
        quiet = number % 5 == 0
        stops = (
            A - timedelta(days=40 + 260 * draw(self.seed, "stops", number))
            if quiet
            else A + timedelta(days=60)
        )
        for party in [number, number + CUSTOMERS] if number % 3 == 0 else [number]:
            self.identities.append((party, number, start, None))
            self._master(number, party, start)
            for fact, days in EVERY_DAYS.items():
                moment, count = max(start, A - timedelta(days=760)), 0
                while moment < stops:
                    count += 1
                    moment += timedelta(
                        days=(0.1 + 1.8 * draw(self.seed, fact, party, count, "gap")) * days * pace
                    )
                    self._versions(fact, party, moment, f"{fact}-{party}-{count}")

    def _master(self, number: int, party: int, start: datetime) -> None:
        """Add a master record: of every second one the version changes before K and after; 7 is late, 8 begins after A."""
        begins = A + timedelta(days=3) if number == 8 else start
        turns = [start] if number % 2 else [start, K - timedelta(days=30), K + timedelta(days=5)]
        if number == 7:
            turns = [K + timedelta(days=1)]
        for known, closed in zip(turns, [*turns[1:], None], strict=True):
            self._add("customer", party, begins, f"master-{party}", known, closed)

    def _merges(self) -> None:
        """Customers 2 and 4 go into 1 and 3, one merge known before K, one after."""
        for gone, stays, known in ((2, 1, K - timedelta(days=9)), (4, 3, K + timedelta(days=9))):
            for position, (party, customer, since, _) in enumerate(self.identities):
                if customer == gone:
                    self.identities[position] = (party, customer, since, known)
                    self.identities.append((party, stays, known, None))

    def _versions(self, fact: str, party: int, at: datetime, key: str) -> None:
        """Add a fact with its later versions: most stay as they are, some are corrected, a few withdrawn."""
        late = 1500 if draw(self.seed, key, "late") < 0.15 else 3
        known = at + timedelta(hours=0.1 + late * draw(self.seed, key, "delay"))
        fate = draw(self.seed, key, "fate")
        if fate >= 0.2:
            self._add(fact, party, at, key, known, None)
            return
        turn = known + timedelta(
            days=pick((30, 800), self.seed, key, "how long") * draw(self.seed, key, "turn")
        )
        self._add(fact, party, at, key, known, turn)
        if fate < 0.16:
            moved = at + timedelta(days=pick((0, 0, -3, 5), self.seed, key, "moved"))
            self._add(fact, party, moved, key, turn, None)

    def _add(
        self, fact: str, party: int, at: datetime, key: str, known_from: datetime, known_to: datetime | None
    ) -> None:
        row: dict[str, object] = {
            "party_no": party, "event_at": at, "event_day": at.astimezone(ZONE).date(), "source_key": key,
            "known_from": known_from, "known_to": known_to,
        }  # fmt: skip
        for column in FACTS[fact].columns:
            row[column.name] = value_of(fact, column, at, (self.seed, key, known_from))
        self.rows[fact].append(row)


def value_of(fact: str, column: Column, at: datetime, about: tuple[object, ...]) -> object:
    name, chance = column.name, draw(*about, column.name)
    if name == "what":
        return pick(WHAT[fact], *about, name)
    if name in WORDS:
        return pick(WORDS[name], *about, name)
    if name.endswith("_no"):
        return f"n{1 + int(chance * 15)}"
    if column.kind in (Kind.AMOUNT, Kind.NUMBER):
        low, high = {"score": (1, 5), "profit_rate": (1, 40)}.get(name, (-2000, 30000))
        return round(low + (high - low) * chance, 2)
    if column.kind is Kind.INTEGER:
        return int(chance * 90000)
    if column.kind is Kind.FLAG:
        return (True, True, False, None)[int(chance * 4)]
    if column.kind is Kind.DAY:
        return (at + timedelta(days=int(chance * 90))).date()
    return f"t{int(chance * 9)}"


def insert_facts(cursor: Any, fact: str, rows: list[dict[str, object]]) -> None:
    """Insert rows that all have the same columns."""
    if not rows:
        return
    fixed: dict[str, object] = {"origin": f"firm.{fact}", "row_hash": "", "load_id": "1"}
    names = list(fixed | rows[0])
    statement = sql.SQL("insert into {} ({}) values ({})").format(
        sql.Identifier("care", f"fact_{fact}"),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(", ").join(sql.Placeholder() * len(names)),
    )
    cursor.executemany(statement, [list((fixed | row).values()) for row in rows])


def pin(connection: Connection, moment: datetime) -> None:
    """Set the warehouse clock."""
    connection.execute("delete from care.pinned_clock")
    connection.execute("insert into care.pinned_clock (at) values (%s)", (moment,))


def run_night(connection: Connection, given: Configuration, day: date, knowledge_cut: datetime) -> None:
    """Run one night as far as its judgement and seal it."""
    pin(connection, knowledge_cut)
    nights.open_night(connection, given, day, now=knowledge_cut)
    nights.measure(connection, day)
    nights.judge(connection, day)
    nights.seal(connection, day)


Columns = dict[str, np.ndarray]


def stored(connection: Connection, spec: JudgementSpec, day: date) -> Columns:
    """Return everything the night stored: metrics, tiers, health and rule states, by column."""
    night = night_of(connection, day)
    customers, metrics = metrics_of_night(connection, night, spec)
    judged = health_of_night(connection, night, spec)
    return {"customers": customers} | {f"metric {name}": column for name, column in metrics.items()} | judged


def different(left: Columns, right: Columns) -> list[str]:
    """Return the columns that are not the same to the last bit."""
    assert left.keys() == right.keys()
    return [
        name
        for name in left
        if left[name].shape != right[name].shape
        or np.ascontiguousarray(left[name]).tobytes() != np.ascontiguousarray(right[name]).tobytes()
    ]
