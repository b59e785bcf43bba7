"""The planted flaws: counted, listed, and really there."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from tests.demo_firm.conftest import SMALL

from care_demo.dirt import CORRECTIONS, DUPLICATES, LATE, LATE_MASTERS, MALFORMED
from care_demo.firm import simulate
from care_demo.model import COLUMNS, Dirt, Firm, Version


def versions(firm: Firm, flaw: Dirt) -> list[Version]:
    found = [v for v in firm.tables[flaw.table].versions if str(v.values[0]) == flaw.key]
    assert found, flaw
    return found


def named(firm: Firm, table: str, version: Version) -> dict[str, Any]:
    return dict(zip(COLUMNS[table], version.values, strict=True))


def of(firm: Firm, group: str, kind: str | None = None) -> list[Dirt]:
    return [flaw for flaw in firm.dirt if flaw.group == group and kind in (None, flaw.kind)]


@pytest.mark.parametrize("seed", [7, 8])
def test_every_flaw_is_counted(seed: int) -> None:
    counts = simulate(**{**SMALL, "seed": seed}).dirt_counts()
    expected = Counter({("late", table): count for table, count in LATE.items()})
    expected[("late", "customers")] = LATE_MASTERS
    expected.update({("duplicate", table): count for table, count in DUPLICATES.items()})
    expected.update({("correction", table): count for table, count in CORRECTIONS.items()})
    expected.update(Counter(("malformed", flaw.table) for flaw in MALFORMED))
    assert counts == expected
    assert 30 <= sum(counts.values()) <= 60
    tidy = sum(n for (_, table), n in counts.items() if table not in ("orders", "activities", "customers"))
    assert tidy > 0.8 * sum(counts.values())  # mostly finance files and the ticket service


def test_each_flaw_has_a_record_of_its_own_and_half_are_recent(firm: Firm) -> None:
    assert len({(flaw.table, flaw.key) for flaw in firm.dirt}) == len(firm.dirt)
    recent = [flaw for flaw in firm.dirt if abs((flaw.visible_at.date() - firm.today).days) <= 50]
    assert 0.4 < len(recent) / len(firm.dirt) < 0.8


def test_late_rows_hide_from_a_reader_who_trusts_updated_at(firm: Firm) -> None:
    for flaw in of(firm, "late", "late_row"):
        (only,) = versions(firm, flaw)
        row = named(firm, flaw.table, only)
        assert only.visible_at == flaw.visible_at
        if flaw.table == "orders":
            assert row["updated_at"] == only.visible_at
            assert only.visible_at - row["ordered_at"] >= timedelta(days=3)
        elif flaw.table == "payments":
            assert (only.visible_at.date() - row["paid_on"]).days >= 3
        else:
            assert only.visible_at - row["updated_at"] >= timedelta(days=3)


def test_late_masters_come_after_the_first_invoice(firm: Firm) -> None:
    for flaw in of(firm, "late", "late_master"):
        first = min(v.visible_at for v in firm.tables["invoices"].versions if v.values[1] == flaw.key)
        assert flaw.visible_at - first == timedelta(days=3)


def test_corrections_are_newer_versions_with_one_fact_changed(firm: Firm) -> None:
    for flaw in of(firm, "correction"):
        *_, old, new = versions(firm, flaw)
        before, after = named(firm, flaw.table, old), named(firm, flaw.table, new)
        assert {name for name in before if before[name] != after[name]} == {flaw.kind, "updated_at"}
        assert after["updated_at"] > before["updated_at"]
        assert new.visible_at == flaw.visible_at > old.visible_at


def test_a_corrected_order_date_reaches_its_lines(firm: Firm) -> None:
    for flaw in of(firm, "correction", "ordered_at"):
        date = versions(firm, flaw)[-1].values[2]
        state = firm.tables["order_lines"].state(flaw.visible_at)
        lines = [dict(zip(COLUMNS["order_lines"], row, strict=True)) for row in state if row[0] == flaw.key]
        assert lines and {line["ordered_at"] for line in lines} == {date}


def test_malformed_rows_are_mended_or_strangers(firm: Firm) -> None:
    mended = {flaw.kind for flaw in of(firm, "malformed") if flaw.mended_at}
    assert {"unparsable_amount", "unparsable_date", "missing_customer", "absurd_amount"} <= mended
    real = {
        row[0] for row in firm.tables["customers"].state(firm.tables["customers"].versions[-1].visible_at)
    }
    for flaw in of(firm, "malformed"):
        found = versions(firm, flaw)
        if flaw.mended_at is None:
            assert len(found) == 1 and flaw.key.endswith("X")
            continue
        bad, good = found
        assert (bad.visible_at, good.visible_at) == (flaw.visible_at, flaw.mended_at)
        assert timedelta(days=2) <= good.visible_at - bad.visible_at <= timedelta(days=5)
        assert named(firm, flaw.table, good)["customer_code"] in real


def test_each_kind_of_malformed_row_is_what_it_says(firm: Firm) -> None:
    real = {version.values[0] for version in firm.tables["customers"].versions}
    seen = set()
    for flaw in of(firm, "malformed"):
        row = named(firm, flaw.table, versions(firm, flaw)[0])
        seen.add(flaw.kind)
        if flaw.kind == "missing_customer":
            assert row["customer_code"] in (None, "")
        elif flaw.kind == "unknown_customer":
            assert row["customer_code"] and row["customer_code"] not in real
        elif flaw.kind == "absurd_amount":
            assert row["amount"] > 100_000_000
        elif flaw.kind == "future_date":
            assert any(
                value.date() > flaw.visible_at.date() + timedelta(days=300)
                if hasattr(value, "hour")
                else value > flaw.visible_at.date() + timedelta(days=300)
                for name, value in row.items()
                if name in ("issued_on", "opened_at", "ordered_at")
            )
        else:
            column = {"unparsable_amount": ("amount",), "unparsable_score": ("score",)}.get(
                flaw.kind, ("issued_on", "due_on", "paid_on", "happened_at")
            )
            assert any(isinstance(row[name], str) for name in column if name in row)
    assert seen == {flaw.kind for flaw in MALFORMED}
