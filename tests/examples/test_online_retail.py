"""The wholesale pack: on a small file with every kind of line, and on the real invoices where they are at hand."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from carewatch.cli import main

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "examples" / "online_retail"
REAL = ROOT.parent / "shared" / "data" / "online_retail_ii_dev"
HEADER = ("invoice", "invoice_ts", "customer_id", "country", "stock_code", "quantity", "unit_price")

needs_real_data = pytest.mark.skipif(
    not (REAL / "invoice_lines.csv.gz").exists(),
    reason="the Online Retail II invoices are not beside this checkout",
)


def _weekly(customer: str, first: date, last: date, number: int) -> list[tuple[object, ...]]:
    days = range(0, (last - first).days, 7)
    return [
        (
            str(number + at),
            f"{first + timedelta(days=at)} 10:00",
            customer,
            "United Kingdom",
            "21733",
            6,
            "2.55",
        )
        for at in days
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A shop of two customers: 1 stays, 2 stops in March; with credit notes, postage and free lines among the rows."""
    rows = _weekly("1", date(2010, 1, 4), date(2011, 6, 1), 100_000)
    rows += _weekly("2", date(2010, 1, 5), date(2011, 3, 2), 200_000)
    rows += [
        ("C300001", "2011-03-20 09:00", "2", "United Kingdom", "21733", -6, "2.55"),
        ("300002", "2011-03-21 09:00", "2", "United Kingdom", "POST", 1, "18.00"),
        ("300003", "2011-03-22 09:00", "2", "United Kingdom", "21733", 6, "0"),
        ("300004", "2011-03-23 09:00", "", "United Kingdom", "21733", 6, "2.55"),
        ("300005", "2011-03-24 09:00", "1", "United Kingdom", "21733", "six", "2.55"),
    ]
    rows.sort(key=lambda row: str(row[1]))
    data = tmp_path / "data"
    data.mkdir()
    with gzip.open(data / "invoice_lines.csv.gz", "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(rows)
    return data


def _try(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> dict[str, object]:
    assert main(["try", str(PACK), "--data", str(folder), "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


def test_only_product_business_keeps_a_customer_alive(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After March customer 2 has a credit note, postage and a free item: none of them is an order."""
    file = tmp_path / "predictions.csv"
    days = ("--from", "2011-02-01", "--to", "2011-06-01", "--every", "month", "--predictions", str(file))
    told = _try(capsys, folder, *days)
    assert (told["lost"], told["warned_ahead"], told["missed"]) == (1, 1, 0)
    rows = {(row["as_of"], row["customer_id"]): row for row in csv.DictReader(file.open(encoding="utf-8"))}
    assert list(next(iter(rows.values()))) == ["as_of", "customer_id", "score", "level", "p_churn"]
    assert {customer for _, customer in rows} == {"1", "2"}
    assert [rows[f"2011-0{month}-01", "2"]["level"] > "0" for month in range(2, 7)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    assert float(rows["2011-06-01", "2"]["score"]) > float(rows["2011-06-01", "1"]["score"])
    loaded = told["loaded"]["shop.orders"]  # type: ignore[index]
    parts = ("new", "changed", "unchanged", "repeated", "filtered", "quarantined")
    assert sum(loaded[part] for part in parts) == loaded["landed"]
    assert loaded["quarantined"] >= 2, (
        "a line without a customer and a line without a number wait in quarantine"
    )


def test_a_trial_leaves_nothing_behind(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert main(["try", str(PACK), "--data", str(folder), "--from", "2011-03-01", "--to", "2011-03-01"]) == 0
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "{nowhere}", "--from", "2011-01-01", "--to", "2011-02-01"], "there is no folder"),
        (["--data", "{folder}", "--from", "2011-03-01", "--to", "2011-02-01"], "lies before"),
        (["--data", "{empty}", "--from", "2011-01-01", "--to", "2011-02-01"], "invoice_lines*.csv*"),
    ],
)
def test_mistakes_are_said_in_one_line(
    arguments: list[str], said: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    names = {"nowhere": str(tmp_path / "nowhere"), "folder": str(folder), "empty": str(tmp_path / "empty")}
    assert main(["try", str(PACK), *(one.format(**names) for one in arguments)]) == 2
    told = capsys.readouterr().err
    assert said in told and "Traceback" not in told


@needs_real_data
def test_the_points_follow_from_data_before_the_judged_days() -> None:
    """The knots of health.yaml are what derive_points.py prints from lines before December 2010."""
    done = subprocess.run(
        [sys.executable, str(PACK / "derive_points.py"), str(REAL / "invoice_lines.csv.gz")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    printed = YAML(typ="safe").load(io.StringIO(done.stdout))
    shipped = YAML(typ="safe").load((PACK / "health.yaml").read_text(encoding="utf-8"))
    assert printed["dimensions"] == shipped["dimensions"]


@needs_real_data
def test_the_shipped_model_ranks_real_wholesale_customers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    """Active customers against "no order in the next 90 days", ten monthly as-of days, one command."""
    file = tmp_path / "predictions.csv"
    days = ("--from", "2010-12-01", "--to", "2011-09-01", "--every", "month", "--predictions", str(file))
    told = _try(capsys, REAL, *days)
    record_property("trial", told)
    assert told["judged_days"] == 10
    assert told["active_customer_days"] == 8306
    assert told["base_rate"] == pytest.approx(0.314, abs=0.001)
    assert told["pr_auc"] >= 0.50  # type: ignore[operator]
    assert told["top_decile_lift"] >= 1.85  # type: ignore[operator]
    with file.open(encoding="utf-8") as rows:
        assert sum(1 for _ in rows) > 25_000


@needs_real_data
def test_the_shipped_model_ranks_by_own_rhythm_finds_key_accounts_and_does_not_flicker(
    capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    """The table of bench/quality.py: the shipped model keeps its bars, and beats what nothing was argued for."""
    from bench.quality import main as quality

    assert quality([str(REAL), "--draws", "2"]) == 0
    table = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    record_property("table", table)
    found = {
        row[0].strip(): [float(cell.split("[")[0]) for cell in row[1:]]
        for row in table[1:]
        if "---" not in row[0]
    }
    lapse, lift, own, top_quarter, newly_flagged = found["shipped model"]
    assert lapse >= 0.50 and lift >= 1.85
    assert own >= 0.36 and top_quarter >= 0.65
    assert newly_flagged <= 12
    assert found["BG/NBD, expected orders"][0] == pytest.approx(0.505, abs=0.01), (
        "methods' reference for this label"
    )
    assert lapse > max(values[0] for name, values in found.items() if name != "shipped model")
    assert found["random"][0] < 0.35 < found["recency"][0] < found["RFM by ranks"][0]
