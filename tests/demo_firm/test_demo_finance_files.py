"""The finance exports: monthly CSV files with the same bytes for the same moment."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from care_demo.finance_files import publish_finance
from care_demo.model import COLUMNS, FINANCE_TABLES, Firm
from care_demo.span import FIRM_ZONE

NIGHT = datetime(2026, 6, 29, 20, tzinfo=UTC)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def lines(folder: Path, table: str) -> list[list[str]]:
    """Read every data line of a table, oldest file first."""
    found: list[list[str]] = []
    for name in sorted(path.name for path in folder.glob(f"{table}_*")):
        content = (folder / name).read_bytes()
        text = (gzip.decompress(content) if name.endswith(".gz") else content).decode("utf-8")
        header, *rows = csv.reader(io.StringIO(text))
        assert header == list(COLUMNS[table])
        found += rows
    return found


def test_finished_months_are_compressed_and_the_current_one_is_plain(
    small_firm: Firm, tmp_path: Path
) -> None:
    publish_finance(small_firm, tmp_path, NIGHT)
    names = sorted(files(tmp_path))
    months = ["2025-06", "2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12",
              "2026-01", "2026-02", "2026-03", "2026-04", "2026-05"]  # fmt: skip
    invoices = [name for name in names if name.startswith("invoices_")]
    assert invoices == [*(f"invoices_{month}.csv.gz" for month in months), "invoices_2026-06.csv"]
    assert "payments_2026-06.csv" in names


def test_the_same_moment_gives_the_same_bytes(small_firm: Firm, tmp_path: Path) -> None:
    publish_finance(small_firm, tmp_path / "a", NIGHT)
    publish_finance(small_firm, tmp_path / "b", NIGHT)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    stamps = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a").iterdir()}
    publish_finance(small_firm, tmp_path / "a", NIGHT)
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "a").iterdir()} == stamps


def test_day_by_day_ends_where_at_once_does_also_over_a_month_end(small_firm: Firm, tmp_path: Path) -> None:
    for day in range(-10, 12):
        publish_finance(small_firm, tmp_path / "daily", NIGHT + timedelta(days=day))
    publish_finance(small_firm, tmp_path / "once", NIGHT + timedelta(days=11))
    assert files(tmp_path / "daily") == files(tmp_path / "once")
    assert "invoices_2026-06.csv" not in files(tmp_path / "daily")  # finished, so only the .gz


def test_a_finished_month_never_changes_again(small_firm: Firm, tmp_path: Path) -> None:
    publish_finance(small_firm, tmp_path, NIGHT)
    before = {name: content for name, content in files(tmp_path).items() if name.endswith(".gz")}
    publish_finance(small_firm, tmp_path, NIGHT + timedelta(days=31))
    after = files(tmp_path)
    assert all(after[name] == content for name, content in before.items())


def test_files_hold_every_visible_record_and_exact_copies_are_counted(firm: Firm, tmp_path: Path) -> None:
    upto = NIGHT + timedelta(days=30)
    reported = publish_finance(firm, tmp_path, upto)
    for table in FINANCE_TABLES:
        rows = lines(tmp_path, table)
        assert len(rows) == reported[table]
        assert {row[0] for row in rows} == {values[0] for values in firm.tables[table].state(upto)}
        copies = {key: count for key, count in Counter(map(tuple, rows)).items() if count > 1}
        doubled = {
            f.key for f in firm.dirt if f.group == "duplicate" and f.table == table and f.visible_at <= upto
        }
        assert {key[0] for key in copies} == doubled
        assert set(copies.values()) == {2}


def test_a_correction_from_an_earlier_month_stands_in_a_later_file(firm: Firm, tmp_path: Path) -> None:
    publish_finance(firm, tmp_path, datetime(2026, 7, 31, 20, tzinfo=UTC))
    crossing = 0
    for flaw in firm.dirt:
        if (flaw.group, flaw.table) != ("correction", "invoices"):
            continue
        old, new = [v for v in firm.tables["invoices"].versions if v.values[0] == flaw.key]
        amounts = [row[4] for row in lines(tmp_path, "invoices") if row[0] == flaw.key]
        if f"{old.visible_at.astimezone(FIRM_ZONE):%Y-%m}" == f"{new.visible_at.astimezone(FIRM_ZONE):%Y-%m}":
            assert amounts == [f"{new.values[4]}"]
        else:
            assert amounts == [f"{old.values[4]}", f"{new.values[4]}"]
            crossing += 1
    assert crossing >= 1


def test_values_are_written_as_a_finance_system_would(small_firm: Firm, tmp_path: Path) -> None:
    publish_finance(small_firm, tmp_path, NIGHT)
    dirty = {flaw.key for flaw in small_firm.dirt}
    for row in lines(tmp_path, "invoices"):
        if row[0] in dirty:
            continue
        issued, due, amount, currency, updated = row[2:]
        assert datetime.fromisoformat(due) > datetime.fromisoformat(issued)
        assert amount == f"{float(amount):.2f}" and currency == "CNY"
        assert updated.startswith(issued) and datetime.fromisoformat(updated).tzinfo is None


def test_a_month_that_has_just_begun_has_a_header_only(small_firm: Firm, tmp_path: Path) -> None:
    publish_finance(small_firm, tmp_path, datetime(2026, 6, 30, 16, tzinfo=UTC))
    assert (tmp_path / "invoices_2026-07.csv").read_text("utf-8") == ",".join(COLUMNS["invoices"]) + "\n"


def test_a_naive_moment_is_refused(small_firm: Firm, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="without an offset"):
        publish_finance(small_firm, tmp_path, datetime(2026, 6, 30))
