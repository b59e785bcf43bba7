"""Landing Excel workbooks: what a person sees in the sheet, row by row, and nothing lost in silence."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from tests.sources.conftest import Loader, MakeLoader

from care_sources.connection import Connection
from care_sources.excel_file import cell_text

ORDERS = """
customers: derived
streams:
  orders:
    from: "*.xlsx"
    fact: order
    key: 单号
    customer: 客户
    event_at: 日期
    columns: {amount: 金额, line: 产品线}
"""
HEADING = ["单号", "客户", "日期", "金额", "产品线"]
ROW = ["A1", "C1", date(2026, 5, 1), 10.5, "水泵"]


def book(path: Path, *rows: Any, sheet: str | None = None, merge: tuple[str, ...] = ()) -> Path:
    """Write a workbook with one sheet of rows, and an empty one before it if the sheet is named."""
    made = openpyxl.Workbook()
    active = made.active if sheet is None else made.create_sheet(sheet)
    assert active is not None
    for row in rows:
        active.append(row)
    for area in merge:
        active.merge_cells(area)
    made.save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def loader(make_loader: MakeLoader, folder: Path) -> Loader:
    return make_loader(ORDERS, Connection(str(folder)))


def loaded(loader: Loader) -> list[Any]:
    return loader.rows(
        "select source_key, amount::text, line, event_day::text from care.fact_order where known_to is null order by 1"
    )


def test_the_first_sheet_is_read_and_only_when_the_file_changes(loader: Loader, folder: Path) -> None:
    book(folder / "o.xlsx", HEADING, ROW, [2.0, "C1", datetime(2026, 5, 2, 9, 30), 0.1 + 0.2, None])
    assert loader.land().warnings == ()
    assert dict(loader.land().rows) == {"orders": 0}
    loader.conform()
    assert loaded(loader) == [("2", "0.3", None, "2026-05-02"), ("A1", "10.5", "水泵", "2026-05-01")]
    assert loader.rows("select event_at::text from care.fact_order where source_key = '2'") == [
        ("2026-05-02 01:30:00+00",)
    ]


def test_a_sheet_by_name_with_lines_above_its_header(make_loader: MakeLoader, folder: Path) -> None:
    text = ORDERS.replace("    fact: order\n", "    fact: order\n    sheet: 订单\n")
    loader = make_loader(text, Connection(str(folder)))
    book(
        folder / "o.xlsx",
        ["五月订单"],
        [],
        [None, "制表", date(2026, 6, 1)],
        [None, *HEADING],
        [None, *ROW],
        sheet="订单",
    )
    loader.load()
    assert loaded(loader) == [("A1", "10.5", "水泵", "2026-05-01")]
    assert loader.rows("select count(*) from quarantine.row") == [(0,)]


def test_empty_rows_are_none_and_a_merged_area_speaks_for_all_its_cells(loader: Loader, folder: Path) -> None:
    first, second, third = (
        ["A1", "C1", ROW[2], 1, "x"],
        ["A2", None, None, 2, "y"],
        ["A3", None, None, 3, "z"],
    )
    rows = [first, second, [], [None, None, "", None, ""], third]
    book(folder / "o.xlsx", HEADING, *rows, merge=("B2:B6", "C2:C3", "D6:E6"))
    loader.land()
    result = loader.conform()["src.orders"]
    assert (result.landed, result.new, result.quarantined) == (3, 2, 1)
    assert loaded(loader) == [("A1", "1", "x", "2026-05-01"), ("A2", "2", "y", "2026-05-01")]
    assert loader.rows("select place, reason from quarantine.row") == [("o.xlsx:6", "no event time")]
    assert loader.rows("select customer_key from care.party") == [("C1",)]


def test_a_formula_gives_its_stored_value_and_one_without_is_a_fault(loader: Loader, folder: Path) -> None:
    path = book(folder / "o.xlsx", HEADING, [*ROW[:3], "=5*2", "x"], ["A2", *ROW[1:]])
    result = loader.load()["src.orders"]
    assert (result.new, result.quarantined) == (1, 1)
    assert loader.rows("select place, reason from quarantine.row") == [
        ("o.xlsx:2", "cell D2 is a formula without a stored value; open the file in Excel and save it")
    ]
    stored = changed(path, "sheet1.xml", b"<f>5*2</f><v />", b"<f>5*2</f><v>10</v>")
    stored = stored or changed(path, "sheet1.xml", b"<f>5*2</f><v></v>", b"<f>5*2</f><v>10</v>")
    assert stored
    loader.load()
    assert loaded(loader)[0] == ("A1", "10", "x", "2026-05-01")


def changed(path: Path, part: str, old: bytes, new: bytes) -> bool:
    """Replace bytes in one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    name = next(name for name in parts if name.endswith(part))
    found = old in parts[name]
    parts[name] = parts[name].replace(old, new)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for one, content in parts.items():
            archive.writestr(one, content)
    return found


def test_an_error_in_a_cell_is_a_fault_of_its_row(loader: Loader, folder: Path) -> None:
    book(folder / "o.xlsx", HEADING, [*ROW[:3], "#DIV/0!", "x"], ["A2", *ROW[1:]])
    landed = loader.land()
    assert landed.warnings == ("src.orders: o.xlsx:2: cell D2 holds the error #DIV/0!",)
    assert loader.conform()["src.orders"].new == 1


def refusals() -> Iterator[Any]:
    yield "no heading", lambda path: book(path, HEADING[:4], ROW[:4]), "no column '产品线'"
    yield (
        "misspelt",
        lambda path: book(path, [*HEADING[:3], "金 额", "产品线"], ROW),
        "did the header mean '金 额'?",
    )
    yield "twice", lambda path: book(path, [*HEADING, "金额"], ROW), "column '金额' stands twice"
    yield "empty", lambda path: book(path), "no column '单号'"
    yield "text", lambda path: path.write_text("单号,客户\n"), "it is no .xlsx workbook"
    yield (
        "old",
        lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(99)),
        "an old .xls workbook, or protected",
    )
    yield (
        "cut off",
        lambda path: path.write_bytes(book(path, HEADING, ROW).read_bytes()[:-300]),
        "or it is cut off",
    )
    yield "no book", lambda path: archive(path, {"a": b""}), "it cannot be read as a workbook"
    yield (
        "bomb",
        lambda path: archive(path, {"xl/x": bytes(300 << 20)}),
        "it unpacks to more than 400 times its size",
    )


def archive(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)


REFUSALS = list(refusals())


@pytest.mark.parametrize(("make", "told"), [one[1:] for one in REFUSALS], ids=[one[0] for one in REFUSALS])
def test_a_file_that_is_no_such_workbook_is_refused_and_the_others_go_on(
    loader: Loader, folder: Path, make: Any, told: str
) -> None:
    make(folder / "bad.xlsx")
    book(folder / "good.xlsx", HEADING, ROW)
    assert told in loader.land().warnings[0]
    assert loader.conform()["src.orders"].quarantined == 1
    assert len(loaded(loader)) == 1
    [(place, reason)] = loader.rows("select place, reason from quarantine.row")
    assert place == "bad.xlsx:0" and reason.startswith("file refused: ") and told in reason


def test_a_sheet_that_is_not_there_is_named_with_the_nearest(make_loader: MakeLoader, folder: Path) -> None:
    text = ORDERS.replace("    fact: order\n", "    fact: order\n    sheet: Ordres\n")
    book(folder / "o.xlsx", HEADING, ROW, sheet="Orders")
    landed = make_loader(text, Connection(str(folder))).land()
    assert landed.warnings == (
        "src.orders: o.xlsx:0: file refused: no sheet 'Ordres'; it has Sheet, Orders; did you mean Orders?",
    )


def test_a_damaged_sheet_gives_what_stands_before_the_damage(loader: Loader, folder: Path) -> None:
    path = book(folder / "o.xlsx", HEADING, *[[f"A{n}", *ROW[1:]] for n in range(50)])
    assert changed(path, "sheet1.xml", b'<row r="40">', b'<row r="40"><<')
    result = loader.load()["src.orders"]
    assert result.new + result.quarantined == result.landed and 30 <= result.new <= 38
    [(reason,)] = loader.rows("select reason from quarantine.row")
    assert reason.startswith("unreadable from here to the end of the sheet")


def test_two_sheets_of_one_file_are_two_streams(make_loader: MakeLoader, folder: Path) -> None:
    text = ORDERS + ORDERS.partition("streams:\n")[2].replace("orders:", "more:").replace(
        "fact: order", "fact: order\n    sheet: 2"
    )
    text = text.replace("sheet: 2", "sheet: '2'")
    made = openpyxl.Workbook()
    made.active.append(HEADING)  # type: ignore[union-attr]
    made.active.append(ROW)  # type: ignore[union-attr]
    other = made.create_sheet("2")
    other.append(HEADING)
    other.append(["B1", *ROW[1:]])
    other.append(["B2", *ROW[1:]])
    made.save(folder / "o.xlsx")
    assert dict(make_loader(text, Connection(str(folder))).land().rows) == {"orders": 1, "more": 2}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.5600000000001, "1234.56"),
        (0.1 + 0.2, "0.3"),
        (12345678901234567, "12345678901234567"),
        (1e-7, "0.0000001"),
        (-0.0, "0"),
        (100.0, "100"),
        (True, "true"),
        (datetime(2026, 5, 1), "2026-05-01"),
        (datetime(2026, 5, 1, 9, 29, 59, 999999), "2026-05-01 09:30:00"),
        (datetime(2026, 5, 1, 23, 59, 59, 999700), "2026-05-02"),
        (time(9, 30), "09:30:00"),
        (timedelta(hours=1, minutes=30), "5400"),
        (None, None),
        (" 上海 ", " 上海 "),
    ],
)
def test_a_cell_is_the_text_that_a_person_reads(value: Any, text: str | None) -> None:
    assert cell_text(value) == text


def test_a_percentage_is_read_as_it_is_shown(make_loader: MakeLoader, folder: Path) -> None:
    text = """
customers: master
streams:
  customers:
    from: "*.xlsx"
    fact: customer
    key: code
    event_at: since
    columns: {profit_rate: rate}
"""
    path = book(folder / "c.xlsx", ["code", "since", "rate"], ["C1", date(2026, 1, 1), 0.155])
    made = openpyxl.load_workbook(path)
    made.active["C2"].number_format = "0.0%"  # type: ignore[index]
    made.save(path)
    loader = make_loader(text, Connection(str(folder)))
    loader.load()
    assert loader.rows("select profit_rate::text from care.fact_customer") == [("15.5",)]
