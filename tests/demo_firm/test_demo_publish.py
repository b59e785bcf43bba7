"""All three systems together, and the truth that none of them tells."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from care_demo.model import FINANCE_TABLES, SALES_TABLES, TICKET_TABLES, Firm
from care_demo.publish import publish, write_truth
from care_demo.staff import STAFF
from care_demo.stories import CAUSES, DECOYS

END = datetime(2026, 8, 20, tzinfo=UTC)
NewDsn = Callable[[], str]


def texts(home: Path, dsn: str) -> dict[str, str]:
    """Return everything the three systems show, as text."""
    found = {}
    for path in home.rglob("*"):
        if path.is_file() and path.name != "truth.csv":
            content = path.read_bytes()
            found[path.name] = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema !~ '^(pg_|information)'"
        ).fetchall()
        for schema, table in tables:
            rows = connection.execute(f"select row_to_json(t)::text from {schema}.{table} t").fetchall()
            found[f"{schema}.{table}"] = "\n".join(text for (text,) in rows)
    return found


@pytest.mark.req("D20")
def test_the_truth_is_in_no_source(firm: Firm, new_dsn: NewDsn, tmp_path: Path) -> None:
    dsn = new_dsn()
    publish(firm, tmp_path, sales_dsn=dsn, upto=END)
    write_truth(firm, tmp_path / "truth.csv")
    shown = texts(tmp_path, dsn)
    assert {"tickets.jsonl", "crm.orders", "invoices_2026-07.csv.gz"} <= set(shown)
    words = [*CAUSES, *DECOYS, "churn", "symptom", "decoy", "seasonal", "truth"]
    words.remove("budget")  # an everyday word; looked for as a value below
    for name, text in shown.items():
        assert not [word for word in words if word in text.lower()], name
        assert '"budget"' not in text and ",budget," not in text


def test_publish_reports_every_table_and_moves_on(small_firm: Firm, new_dsn: NewDsn, tmp_path: Path) -> None:
    dsn, night = new_dsn(), datetime(2026, 6, 29, 20, tzinfo=UTC)
    first = publish(small_firm, tmp_path, sales_dsn=dsn, upto=night)
    assert {system: set(tables) for system, tables in first.items()} == {
        "sales": set(SALES_TABLES), "tickets": set(TICKET_TABLES), "finance": set(FINANCE_TABLES),
    }  # fmt: skip
    again = publish(small_firm, tmp_path, sales_dsn=dsn, upto=night)
    assert set(again["sales"].values()) == {0}
    assert (again["tickets"], again["finance"]) == (first["tickets"], first["finance"])
    later = publish(small_firm, tmp_path, sales_dsn=dsn, upto=night + timedelta(days=2))
    assert later["sales"]["orders"] > 0
    assert later["finance"]["invoices"] > first["finance"]["invoices"]
    events = [
        json.loads(line) for line in (tmp_path / "tickets" / "ticket_events.jsonl").open(encoding="utf-8")
    ]
    assert len(events) == later["tickets"]["ticket_events"]


def test_the_truth_file_has_one_line_per_customer(firm: Firm, tmp_path: Path) -> None:
    write_truth(firm, tmp_path / "beside" / "truth.csv")
    with (tmp_path / "beside" / "truth.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["customer_code"] for row in rows] == [entry.customer_code for entry in firm.truth]
    for row, entry in zip(rows, firm.truth, strict=True):
        assert row["cause"] == (entry.cause or "")
        assert row["churned_at"] == (entry.churned_at.isoformat() if entry.churned_at else "")
        assert row["decoys"].split() == [f"{decoy.kind}@{decoy.on}" for decoy in entry.decoys]


def test_every_customer_has_an_account_manager_with_a_chief(firm: Firm) -> None:
    people = {person.id: person for person in STAFF}
    managers = {version.values[7] for version in firm.tables["customers"].versions}
    assert (
        managers == {person.id for person in STAFF if person.role == "account_manager"} and len(managers) == 8
    )
    assert all(people[people[manager].manager_id or ""].role == "sales_manager" for manager in managers)
    assert [people[p.manager_id or ""].role for p in STAFF if p.role == "sales_manager"] == ["sales_vp"] * 2
