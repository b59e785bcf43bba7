"""Simulated firms shared by the tests, and names of databases for their sales systems."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import date

import pytest

from care_demo.firm import simulate
from care_demo.model import Firm
from carewatch.store import embedded

SMALL = {"seed": 7, "customers": 40, "start": date(2025, 6, 1), "end": date(2026, 7, 31)}


@pytest.fixture(scope="session")
def firm() -> Firm:
    """The firm the demo shows."""
    return simulate()


@pytest.fixture(scope="session")
def small_firm() -> Firm:
    """A firm quick to publish."""
    return simulate(**SMALL)


@pytest.fixture
def new_dsn(warehouse_server: str) -> Iterator[Callable[[], str]]:
    """Name databases that do not exist yet; drop those that were made."""
    names: list[str] = []

    def make() -> str:
        names.append(f"sales_{uuid.uuid4().hex[:12]}")
        return warehouse_server.rsplit("/", 1)[0] + f"/{names[-1]}"

    yield make
    for name in names:
        embedded.drop_database(warehouse_server, name)
