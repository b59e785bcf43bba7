"""Warehouses, as many as a test asks for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from carewatch.store import embedded
from carewatch.store.database import connect
from carewatch.store.migrations import migrate


@pytest.fixture
def new_warehouse(warehouse_server: str) -> Iterator[Callable[[], str]]:
    """Return a function that makes an empty warehouse and returns its URI; they are dropped after the test."""
    made = []

    def make() -> str:
        made.append(f"pack_{uuid.uuid4().hex[:12]}")
        dsn = embedded.create_database(warehouse_server, made[-1])
        with connect(dsn, autocommit=True) as connection:
            migrate(connection)
        return dsn

    yield make
    for name in made:
        embedded.drop_database(warehouse_server, name)
