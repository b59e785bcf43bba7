"""The pack of bills and payments: on a small ledger with every kind of line, and on the real one where it is at hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.examples.pack import (
    SHARED,
    Dated,
    Table,
    needs,
    no_later_line_moves_a_number,
    read,
    script,
    try_pack,
    write,
)

PACK = "accounts_receivable"
REAL = SHARED / "ibm_accounts_receivable"
needs_real_data = needs("ibm_accounts_receivable")
HEAD = (
    "country_code", "customer_id", "paperless_date", "invoice_number", "invoice_date", "due_date", "invoice_amount",
    "disputed", "settled_date", "paperless_bill", "days_to_settle", "days_late",
)  # fmt: skip
LEDGER = Dated(
    "invoice_date",
    {"settled_date": ("days_to_settle", "days_late")},
    final=("paperless_date", "disputed", "paperless_bill"),
)


def bill(
    customer: str, number: str, written: date, settled_after: int | None, amount: str = "80.50"
) -> dict[str, str]:
    due, settled = written + timedelta(days=30), written + timedelta(days=settled_after or 0)
    values = ["391", customer, "2013-05-01", number, f"{written}", f"{due}", amount, "No"]
    if settled_after is None:
        values += ["", "Paper", "", ""]
    else:
        values += [f"{settled}", "Paper", f"{settled_after}", f"{max(settled_after - 30, 0)}"]
    return dict(zip(HEAD, values, strict=True))


@pytest.fixture
def ledger() -> Table:
    """GOOD pays after 20 days, LATE after 45, TURNS did and does not pay any more; then lines that can be no facts."""
    months = [date(2012 + at // 12, at % 12 + 1, 5) for at in range(18)]
    rows = []
    for at, month in enumerate(months):
        rows.append(bill("GOOD", f"1{at:03}", month, 20))
        rows.append(bill("LATE", f"2{at:03}", month, 45))
        rows.append(bill("TURNS", f"3{at:03}", month, 20 if month < date(2013, 3, 1) else None))
    rows.append(bill("", "4000", months[0], 20))
    rows.append(bill("GOOD", "4001", months[0], 20, amount="eighty"))
    rows.append(bill("GOOD", "4002", months[0], 20, amount="200000"))
    rows += [bill("GOOD", "4003", months[0], 20), bill("GOOD", "4003", months[0], 20, amount="99")]
    return rows


def test_a_ledger_with_every_kind_of_line(
    ledger: Table, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write(tmp_path / "data", {"invoices": ledger})
    tried = try_pack(capsys, PACK, folder, tmp_path / "scores.csv", "2013-04-01", "2013-05-01")
    assert tried.loaded("ledger.invoices") == {"new": 55, "quarantined": 4}, (
        "no customer, no number, too much, a second bill of one number"
    )
    assert tried.loaded("ledger.payments") == {"new": 51, "filtered": 4, "quarantined": 4}
    april, may = (
        {name: tried.level[day, name] for name in ("GOOD", "LATE", "TURNS")}
        for day in ("2013-04-01", "2013-05-01")
    )
    assert april == {"GOOD": 0, "LATE": april["LATE"], "TURNS": 0} and april["LATE"] > 0
    assert may["GOOD"] == 0 and may["TURNS"] > 0, "its bill of 5 March was due on 4 April"
    assert (
        tried.risk["2013-05-01", "LATE"]
        > tried.risk["2013-05-01", "TURNS"]
        > tried.risk["2013-05-01", "GOOD"]
    )


def known_on(rows: Table, days: list[str], folder: Path, new_warehouse: Callable[[], str]) -> list[int]:
    """Check that no later line moves a number of these days; return how many customers each knows."""
    cuts = {date.fromisoformat(day): write(folder / day, {"invoices": LEDGER.on(rows, day)}) for day in days}
    return no_later_line_moves_a_number(new_warehouse, PACK, write(folder / "all", {"invoices": rows}), cuts)


def test_no_later_line_moves_a_number(
    ledger: Table, tmp_path: Path, new_warehouse: Callable[[], str]
) -> None:
    """On the second day a bill is settled, on the third it is due."""
    days = ["2012-02-05", "2013-02-25", "2013-04-04"]
    assert known_on(ledger, days, tmp_path, new_warehouse) == [3, 3, 3]


@needs_real_data
def test_no_later_line_of_the_real_ledger_moves_a_number(
    tmp_path: Path, new_warehouse: Callable[[], str]
) -> None:
    assert known_on(read(REAL / "invoices.csv.gz"), ["2013-03-01"], tmp_path, new_warehouse) > [90]


@needs_real_data
def test_health_ranks_who_pays_the_next_bills_late(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    """The bills of 2013 by the health of the first of their month; by hand the past late share reaches an area of 0.867."""
    tried = try_pack(capsys, PACK, REAL, tmp_path / "scores.csv", "2013-01-01", "2013-11-01")
    assert tried.loaded("ledger.invoices") == tried.loaded("ledger.payments") == {"new": 2466}
    found = script(PACK, "judge_late").rank(tmp_path / "scores.csv", REAL / "invoices.csv.gz")
    record_property("late", repr(found))
    assert found.bills == 1180 and found.late == pytest.approx(0.318, abs=0.001)
    assert found.roc_auc >= 0.85
    assert found.top_decile_lift >= 2.3
