"""Warehouses, as many as a test asks for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import pytest

from carewatch.store import embedded
from carewatch.store.database import connect
from carewatch.store.migrations import migrate


@pytest.fixture(scope="module")
def _migrated_once(warehouse_server: str) -> Iterator[str]:
    name = f"packs_{uuid.uuid4().hex[:12]}"
    with connect(embedded.create_database(warehouse_server, name), autocommit=True) as connection:
        migrate(connection)
    yield name
    embedded.drop_database(warehouse_server, name)


@pytest.fixture
def new_warehouse(warehouse_server: str, _migrated_once: str) -> Iterator[Callable[[], str]]:
    """Return a function that makes an empty warehouse and returns its URI; they are dropped after the test."""
    made: list[str] = []

    def make() -> str:
        made.append(f"pack_{uuid.uuid4().hex[:12]}")
        return embedded.create_database(warehouse_server, made[-1], template=_migrated_once)

    yield make
    for name in made:
        embedded.drop_database(warehouse_server, name)
