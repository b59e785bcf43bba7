"""The tiny firm as Airflow sees it: two small sources, a warehouse, and servers that take its mails and chat messages."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

from tests.firm import MONDAY, TinyFirm, changed, configure

from care_demo.receivers import Receivers, receiving
from carewatch.store import embedded
from carewatch.store.database import connect
from carewatch.store.migrations import migrate

SOURCES = """
version: 1
sources:
  book:
    label: Customer book
    owner: the book keeper
    kind: files
    connection: care_book
    customers: master
    every: 1 hour
    delay: 1 hour
    fresh_within: 26 hours
    streams:
      customers:
        from: "customers*.csv"
        fact: customer
        key: code
        customer: code
        event_at: since
        columns: {name: name, owner: owner, profit_rate: rate}
  meter:
    label: Meter
    owner: the engine room
    kind: database
    connection: care_meter
    schema: meter
    customers: as in book
    every: 1 hour
    delay: 1 hour
    fresh_within: 26 hours
    streams:
      usage:
        from: usage
        fact: usage_day
        key: no
        customer: code
        event_at: at
        columns: {logins: quiet, active_users: strain, seconds: halt}
      moods: {from: moods, fact: survey, key: no, customer: code, event_at: at, columns: {score: mood}}
"""
ORIGINS = ("book.customers", "meter.usage", "meter.moods")
FILES = {
    # a halt of an A customer is critical: one customer at each level
    **changed(
        "warnings/dials.yaml", ("severity: severe", "severity: severe\n    severity_by_tier: {A: critical}")
    ),
    "sources.yaml": SOURCES,
}


def day(number: int) -> date:
    """Return a day of June 2026; the first is a Monday."""
    return MONDAY + timedelta(days=number - 1)


@dataclass
class Town:
    """The firm, the folder of its things, and what its receivers took."""

    dsn: str
    firm: TinyFirm
    folder: Path
    receivers: Receivers

    def at(self, number: int, hour: float) -> datetime:
        """Return a moment of a day of June and let the warehouse's clock stand there."""
        moment = self.firm.moment(day(number), hour)
        self.firm.clock_at(moment)
        return moment

    def people(self) -> None:
        """Make six customers, every third of tier A, and let the sources be fresh in June."""
        for number in range(1, 7):
            tier, owner = "A" if number % 3 == 0 else "B", "lin" if number == 2 else "ann"
            self.firm.customer(f"C{number}", tier=tier, owner=owner)
        self.fresh(*(day(number) for number in range(1, 11)))

    def fresh(self, *days: date) -> None:
        """Let every source have been read before each of these nights."""
        for night in days:
            for origin in ORIGINS:
                self.firm.rows(
                    "insert into care.load (origin, load_id, loaded_at, landed, new, changed, unchanged, repeated, "
                    "filtered, quarantined, read_at) values (%s, %s, %s, 1, 1, 0, 0, 0, 0, 0, %s) returning 1",
                    origin, f"{night}", *[self.firm.moment(night, 1)] * 2,
                )  # fmt: skip

    def dials(self, number: int, **odd: str) -> None:
        """Let customers be as these dials say on the night of a day of June, and all others calm."""
        for name in self.firm.facts.customers:
            on = odd.get(name, "").split()
            self.firm.dial(
                name,
                day(number),
                **{dial: float(dial in on) for dial in ("quiet", "strain", "halt")},
                mood=90,
            )

    def mails(self) -> list[tuple[str, str]]:
        """Return key and address of every mail that arrived, in order."""
        paths = sorted((self.folder / "mail").glob("*.eml"))
        letters = [message_from_bytes(path.read_bytes(), policy=default) for path in paths]
        return [(letter["X-Carewatch-Key"], letter["To"]) for letter in letters]

    def chats(self) -> list[str]:
        """Return the text of every chat message that arrived, in order."""
        file = self.folder / "chat.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        return [json.loads(line)["key"] for line in lines]

    def arrived(self) -> Counter[str]:
        """Return how often the message of each key arrived."""
        return Counter([key for key, _ in self.mails()] + self.chats())

    def outbox(self) -> dict[str, str]:
        """Return the state of every message by its key."""
        return dict(self.firm.rows("select key, state from care.outbox order by key"))


@contextmanager
def settle(dsn: str, folder: Path, set_variable: Callable[[str, str], Any]) -> Iterator[Town]:
    """Open the town at a migrated warehouse: configuration, receivers, and the environment that Airflow reads."""
    configuration = configure(folder / "config", FILES)
    with connect(dsn, autocommit=True) as connection, receiving(folder) as receivers:
        for name, value in environment(dsn, folder, receivers).items():
            set_variable(name, value)
        yield Town(dsn, TinyFirm(connection, configuration), folder, receivers)


@contextmanager
def prepare(server: str, folder: Path, story: Callable[[Town], None]) -> Iterator[str]:
    """Tell a story in a town of its own; yield the name of its warehouse, of which copies may be taken."""
    name = f"test_town_{uuid.uuid4().hex[:12]}"
    dsn = embedded.create_database(server, name)
    with connect(dsn, autocommit=True) as connection:
        migrate(connection)
        story(Town(dsn, TinyFirm(connection, configure(folder / "config", FILES)), folder, Receivers(0, 0)))
    yield name
    embedded.drop_database(server, name)


@contextmanager
def another(server: str, like: str, folder: Path, set_variable: Callable[[str, str], Any]) -> Iterator[Town]:
    """Open a town whose warehouse is a copy of a prepared one."""
    name = f"test_town_{uuid.uuid4().hex[:12]}"
    dsn = embedded.create_database(server, name, template=like)
    try:
        with settle(dsn, folder, set_variable) as town:
            yield town
    finally:
        embedded.drop_database(server, name)


def environment(dsn: str, folder: Path, receivers: Receivers) -> dict[str, str]:
    """Return what a process needs to know to work in the town."""
    mail = {
        "conn_type": "smtp", "host": "127.0.0.1", "port": receivers.mail_port,
        "extra": {"disable_tls": True, "disable_ssl": True, "from_email": "carewatch@tiny.example"},
    }  # fmt: skip
    chat = {
        "conn_type": "http",
        "schema": "http",
        "host": "127.0.0.1",
        "port": receivers.chat_port,
        "password": "s",
    }
    book = {"conn_type": "fs", "extra": {"path": str(folder / "book")}}
    return {
        "CARE_DB": dsn,
        "CARE_CONFIG": str(folder / "config"),
        "NO_PROXY": "127.0.0.1",
        "AIRFLOW_CONN_CARE_MAIL": json.dumps(mail),
        "AIRFLOW_CONN_CARE_CHAT": json.dumps(chat),
        "AIRFLOW_CONN_CARE_BOOK": json.dumps(book),
        "AIRFLOW_CONN_CARE_METER": dsn,
    }
