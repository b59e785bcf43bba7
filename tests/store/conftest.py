"""Fixtures of the store's tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from carewatch.store.database import connect


@pytest.fixture
def connection(module_warehouse: str) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection to a warehouse without facts; what the test writes is rolled back."""
    with connect(module_warehouse) as opened:
        opened.execute("select 1")
        yield opened
        opened.rollback()
