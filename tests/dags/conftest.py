"""Airflow with the product's Dags, and the tiny firm with receivers for what it sends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.dags.running import Dags, load_dags
from tests.dags.town import Town, settle


@pytest.fixture(scope="session")
def dags() -> Dags:
    """Return the product's Dags, Airflow's own tables made."""
    return load_dags()


@pytest.fixture
def town(migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    """Return the tiny firm at a warehouse of its own, with its sources and receivers, and Airflow told of all of them."""
    with settle(migrated, tmp_path, monkeypatch.setenv) as town:
        yield town
