"""The tiny firm at a warehouse that is empty for every test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.firm import TinyFirm, configure, empty

from carewatch.store import embedded
from carewatch.store.database import connect
from carewatch.store.migrations import migrate


@pytest.fixture(scope="session")
def shared_warehouse(warehouse_server: str) -> Iterator[str]:
    """Return the URI of a migrated warehouse that this worker's tests empty before they use it."""
    name = f"test_flow_{uuid.uuid4().hex[:12]}"
    dsn = embedded.create_database(warehouse_server, name)
    with connect(dsn, autocommit=True) as connection:
        migrate(connection)
    yield dsn
    embedded.drop_database(warehouse_server, name)


@pytest.fixture
def make_firm(shared_warehouse: str, tmp_path: Path) -> Iterator[Callable[..., TinyFirm]]:
    """Return a maker of the tiny firm at an empty warehouse, some of its files replaced or added."""
    with connect(shared_warehouse, autocommit=True) as connection:
        empty(connection)
        yield lambda files=None: TinyFirm(connection, configure(tmp_path / "config", files))


@pytest.fixture
def firm(make_firm: Callable[..., TinyFirm]) -> TinyFirm:
    """Return the tiny firm at an empty warehouse."""
    return make_firm()
