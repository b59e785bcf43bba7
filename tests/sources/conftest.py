"""Fixtures of the loader's tests: a warehouse, and a way to land and conform a source there."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests import servers
from tests.store.landed import FIRM, sources

from care_sources.connection import Connection
from care_sources.landing import Landed, land
from carewatch.store.conform import StreamResult, conform
from carewatch.store.database import connect

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


@dataclass
class Loader:
    """A source and the warehouse it is loaded into."""

    connection: psycopg.Connection[Any]
    dsn: str
    folder: Path
    way: Connection
    source: Any
    name: str = "src"
    now: datetime = NOW

    def land(self) -> Landed:
        return land(
            self.name, self.source, firm=FIRM, warehouse_dsn=self.dsn, secrets=self.way, pipelines_dir=self.folder, now=self.now
        )  # fmt: skip

    def conform(self) -> dict[str, StreamResult]:
        return {result.origin: result for result in conform(self.connection, self.name, self.source, FIRM)}

    def load(self) -> dict[str, StreamResult]:
        self.land()
        return self.conform()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection.transaction():
            return self.connection.execute(query.encode()).fetchall()


MakeLoader = Callable[..., Loader]


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    """Return the URI of a MariaDB server that this worker alone uses."""
    with servers.mariadb() as uri:
        yield uri


@pytest.fixture
def mariadb(mariadb_server: str) -> Iterator[str]:
    """Return the URI of an empty database of MariaDB."""
    import sqlalchemy as sa

    name = f"test_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(mariadb_server.replace("mysql://", "mysql+pymysql://"))
    with engine.connect() as session:
        session.execute(sa.text(f"create database {name} character set utf8mb4"))
        yield mariadb_server + name
        session.execute(sa.text(f"drop database {name}"))
    engine.dispose()


@pytest.fixture
def make_loader(migrated: str, tmp_path: Path) -> Iterator[MakeLoader]:
    """Return a function that makes a loader from a source's YAML and the way to it."""
    with connect(migrated) as connection:
        connection.execute("insert into care.pinned_clock (at) values (%s)", (NOW,))
        connection.commit()

        def make(text: str, way: Connection, **more: Any) -> Loader:
            return Loader(connection, migrated, tmp_path / "pipelines", way, sources(src=text)["src"], **more)

        yield make
