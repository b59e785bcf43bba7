"""The documented ways to connect: the examples are configurations that load, the samples become facts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from tests.sources.conftest import NOW

from care_sources.connection import Connection
from care_sources.landing import land
from carewatch.cli import main
from carewatch.paths import home
from carewatch.spec.fact_losses import lost_without
from carewatch.spec.facts import FACTS
from carewatch.spec.sources import load_sources
from carewatch.store.conform import conform
from carewatch.store.database import connect

SAMPLES = home() / "docs" / "samples"
PAGE = (home() / "docs" / "connect.md").read_text(encoding="utf-8")


def test_the_examples_in_the_comments_load_when_they_are_uncommented(tmp_path: Path) -> None:
    shipped = (home() / "config" / "sources.yaml").read_text(encoding="utf-8")
    shutil.copy(home() / "config" / "firm.yaml", tmp_path / "firm.yaml")
    uncommented = re.sub(r"^#(?= {2,})", "", shipped, flags=re.MULTILINE)
    (tmp_path / "sources.yaml").write_text(uncommented, encoding="utf-8")
    found = load_sources(tmp_path).sources
    added = {
        name: source.kind
        for name, source in found.items()
        if name not in load_sources(home() / "config").sources
    }
    assert added == {"erp": "database", "desk": "rest", "exports": "files", "lake": "files"}


@pytest.mark.req("S6")
def test_every_sample_becomes_the_facts_that_its_contract_names(migrated: str, tmp_path: Path) -> None:
    sources = load_sources(SAMPLES)
    counted = {}
    with connect(migrated, autocommit=True) as connection:
        for name, source in sources.sources.items():
            landed = land(
                name, source, firm=sources.firm, warehouse_dsn=migrated, secrets=Connection(str(SAMPLES)),
                pipelines_dir=tmp_path, now=NOW,
            )  # fmt: skip
            assert landed.warnings == ()
            for result in conform(connection, name, source, sources.firm):
                assert result.new == result.landed > 0, result
                counted[result.origin] = result.new
        [(parties,)] = connection.execute("select count(*) from care.party").fetchall()
        talks = connection.execute(
            "select direction, channel, contact, person, reference from care.fact_interaction order by source_key"
        ).fetchall()
        resolved = connection.execute(
            "select what, elapsed from care.fact_ticket_event order by event_at"
        ).fetchall()
    assert counted == {
        "analytics.usage": 3, "desk.tickets": 2, "desk.ticket_events": 2, "wecom.conversations": 2, "bi.weekly": 2,
    }  # fmt: skip
    assert parties == 2
    assert talks == [
        ("in", "chat", "P01", "am01", "archive/2026/05/04/W77"),
        ("out", "chat", "P07", "am02", "archive/2026/05/05/W78"),
    ]
    assert resolved == [("first_response", 28 * 60), ("resolved", 29 * 3600 + 48 * 60)]


@pytest.mark.req("S6")
def test_every_sample_stands_in_the_guide_and_every_system_has_one() -> None:
    named = set(re.findall(r"\(samples/([\w.-]+\.csv)\)", PAGE))
    assert named == {path.name for path in SAMPLES.glob("*.csv")}
    for system in ("product analytics", "ticket system", "WeCom conversation archive", "BI"):
        assert f"| {system}" in PAGE or f"out of {system} |" in PAGE


def test_the_data_contract_says_what_is_lost_without_each_column() -> None:
    page = (home() / "docs" / "facts.md").read_text(encoding="utf-8")
    for fact in FACTS.values():
        [section] = re.findall(rf"^## {fact.name}\n(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL)
        assert "Without this fact: " in section
        for column in fact.columns:
            [row] = [line for line in section.splitlines() if line.startswith(f"| `{column.name}` |")]
            if not column.required and column.name != "amount_original":
                assert row.endswith(f"| {lost_without(fact.name, column.name)} |")


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.csv")), ids=lambda path: path.stem)
def test_a_sample_is_drafted_as_its_contract_says_or_the_draft_doubts(
    capsys: pytest.CaptureFixture[str], path: Path
) -> None:
    code = main(["source", "inspect", str(path)])
    drafted = capsys.readouterr().out
    [(fact, doubt)] = re.findall(r"^        fact: (\w+)(  # \?)?", drafted, flags=re.MULTILINE)
    [meant] = [
        stream.fact
        for source in load_sources(SAMPLES).sources.values()
        for stream in source.all_streams().values()
        if path.name.startswith(stream.from_.removesuffix("*"))
    ]
    if path.stem.startswith("wecom"):
        assert doubt, "nothing in its name or headings tells a conversation from a change of contact"
    else:
        assert (code, fact) == (0, meant)
