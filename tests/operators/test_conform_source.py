"""Conforming as a task: facts from what was landed, and a landing that does not grow for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import pytest
from tests.store.landed import MASTER, Landing, sources

from carewatch.store.database import connect
from operators.conform_source import ConformSourceOperator

SOURCES = (
    "version: 1\nsources:\n  sales:\n    label: x\n    owner: x\n    kind: files\n    connection: ./x\n"
    "    every: 1 hour\n    delay: 2 hours\n    fresh_within: 1 day"
)


@pytest.mark.parametrize(("days", "kept"), [(29, 1), (31, 0)])
def test_landed_rows_go_a_month_after_they_became_facts(
    migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, kept: int
) -> None:
    monkeypatch.setenv("CARE_DB", migrated)
    monkeypatch.setenv("CARE_CONFIG", str(tmp_path))
    (tmp_path / "firm.yaml").write_text("version: 1\nname: Firm\ntime_zone: Asia/Shanghai\n")
    (tmp_path / "sources.yaml").write_text(SOURCES + dedent(MASTER).replace("\n", "\n    ") + "\n")
    with connect(migrated, autocommit=True) as connection:
        landing = Landing(connection, sources(sales=MASTER), now=datetime.now(UTC) - timedelta(days=days))
        landing.land("sales", customers=[{"code": "C1", "since": "2020-01-01"}])
        counts = ConformSourceOperator(task_id="conform", source="sales").execute({})
        assert counts["sales.customers 1700000001.5"]["new"] == 1
        assert landing.rows("select count(*) from raw_sales.customers") == [(kept,)]
        assert len(landing.open_facts("customer")) == 1
