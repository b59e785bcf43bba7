"""`care quarantine` from a shell: what waits, why, and what a person decides; nothing personal is shown."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tests.store.landed import MASTER, ORDERS, Landing, sources

from carewatch.cli import main
from carewatch.store.database import connect

TEXT = MASTER.replace("credit_limit: credit", "email: mail, credit_limit: credit") + ORDERS
SOURCES = (
    "version: 1\nsources:\n  sales:\n    label: x\n    owner: sales operations\n    kind: files\n    connection: ./x\n"
    "    every: 1 hour\n    delay: 2 hours\n    fresh_within: 1 day"
)
ANN = {"code": "C1", "since": "2026-01-01", "mail": "ann@firm.cn", "name": "Firm"}


@pytest.fixture
def landing(migrated: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("CARE_DB", migrated)
    monkeypatch.setenv("CARE_CONFIG", str(tmp_path))
    (tmp_path / "firm.yaml").write_text("version: 1\nname: Firm\ntime_zone: Asia/Shanghai\n")
    configure(tmp_path, TEXT)
    with connect(migrated, autocommit=True) as connection:
        yield Landing(connection, sources(sales=TEXT))


def configure(folder: Path, text: str) -> None:
    (folder / "sources.yaml").write_text(SOURCES + dedent(text).replace("\n", "\n    ") + "\n")


def order(no: str, amount: str, **more: Any) -> dict[str, Any]:
    return {"no": no, "amount": amount, "at": "2026-05-01", "code": "C1", **more}


@pytest.mark.req("S10")
def test_rows_are_listed_shown_replayed_and_dropped(
    landing: Landing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def care(*arguments: str, code: int = 0) -> str:
        assert main(["quarantine", *arguments]) == code
        said = capsys.readouterr()
        return said.out + said.err

    assert "no row waits" in care("list")
    bad_master = {**ANN, "code": "C2", "credit": "much", "_file": "c.csv", "_line": 3}
    torn = {
        "_fault": "2 fields where the header has 5",
        "_raw": "C3,bob@firm.cn",
        "_file": "c.csv",
        "_line": 4,
    }
    rows = [order("A", "1"), order("B", "2000"), order("D", "1"), order("D", "2"), order("E", "1", code="C9")]
    landing.take("sales", customers=[ANN, bad_master, torn], orders=rows)

    told = care("list")
    assert "1  sales.orders  absurd value: outside its bounds  (since 2026-06-01 04:00)" in told
    assert "care quarantine show ROW" in told
    told = care("list", "--source", "sales.orders", "--reason", "unknown customer")
    assert "sales.orders key E  unknown customer in customer: C9" in told
    assert "sales.customers" not in told

    listed = json.loads(care("list", "--source", "sales", "--json"))
    assert sorted(count["rows"] for count in listed["counts"]) == [1, 1, 1, 1, 1]
    row_of = {one["reason"]: str(one["row"]) for one in listed["rows"]}
    told = care("show", row_of["not a number"], row_of["2 fields where the header has 5"])
    assert "c.csv:3" in told and "answered for by  sales operations" in told and "credit: much" in told
    assert "mail = xxx@xxxx.xx" in told and "the line = x9,xxx@xxxx.xx" in told
    assert "ann@" not in told and "bob@" not in told
    assert "nobody can read this line" in told and "what to do" in told

    assert "which row" in care("show", code=2)
    assert "there is no row 999" in care("show", "999", code=2)
    assert "which rows?" in care("replay", code=2)

    configure(tmp_path, TEXT.replace("1000]", "2000]"))
    told = care("replay", "--source", "sales.orders", code=1)
    assert "1 rows became facts" in told and "1 still wait" in told
    assert landing.open_facts("order", "amount")["B"] == (2000,)
    assert landing.open_facts("order", "amount")["D"] == (2,), "a duplicate is judged by number only"
    care("replay", row_of["duplicate key"], "--by", "ann")
    assert landing.open_facts("order", "amount")["D"] == (1,)
    assert "does not wait any more" in care("replay", row_of["duplicate key"], code=2)

    assert "say why" in care("drop", row_of["unknown customer"], code=2)
    care("drop", row_of["unknown customer"], "--because", "test data", "--by", "ann")
    assert "settled          test data, by ann" in care("show", row_of["unknown customer"])
    assert landing.rows(
        "select what, subject, detail ->> 'origin' from care.audit where by = 'ann' order by audit_no"
    ) == [
        ("quarantine_replay", f"quarantine:{row_of['duplicate key']}", "sales.orders"),
        ("quarantine_drop", f"quarantine:{row_of['unknown customer']}", "sales.orders"),
    ]


def test_values_of_a_source_that_is_gone_are_all_hidden_and_its_rows_can_only_be_dropped(
    landing: Landing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    landing.take("sales", customers=[ANN], orders=[order("B", "2000")])
    path = tmp_path / "sources.yaml"
    path.write_text(path.read_text().replace("  sales:", "  shop:"))
    assert main(["quarantine", "list", "--source", "sales"]) == 0
    assert "bounds in amount: 9999" in capsys.readouterr().out
    assert main(["quarantine", "replay", "--source", "sales"]) == 2
    assert "sources.yaml has no source sales" in capsys.readouterr().err
