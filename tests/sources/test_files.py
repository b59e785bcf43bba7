"""Landing CSV files: encodings, compression, faults, and only what is new."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest
from tests.sources.conftest import Loader, MakeLoader

from care_sources.connection import Connection, SourceError

ORDERS = """
customers: derived
streams:
  orders:
    from: orders*.csv*
    fact: order
    key: 单号
    customer: customer
    event_at: at
    columns: {amount: amount, line: line}
"""
HEADER = "单号,customer,at,amount,line\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def loader(make_loader: MakeLoader, folder: Path) -> Loader:
    return make_loader(ORDERS, Connection(str(folder)))


def lines(*numbers: str, line: str = "水泵") -> str:
    return "".join(f"{number},C1,2026-05-01 09:00,10,{line}\n" for number in numbers)


def loaded(loader: Loader) -> list[Any]:
    return [
        row[0]
        for row in loader.rows("select source_key from care.fact_order where known_to is null order by 1")
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("orders.csv", (HEADER + lines("A")).encode()),
        ("orders.csv", (HEADER + lines("A")).encode("utf-8-sig")),
        ("orders.csv", (HEADER + lines("A")).encode("gb18030")),
        ("orders.csv", (HEADER + lines("A")).encode("utf-16")),
        ("orders.csv.gz", gzip.compress((HEADER + lines("A")).encode("gb18030"))),
        ("orders.csv", (HEADER + lines("A")).replace("\n", "\r\n").encode()),
    ],
    ids=["utf-8", "utf-8 with mark", "gb18030", "utf-16", "gzip", "windows lines"],
)
def test_a_file_is_read_however_it_was_saved(loader: Loader, folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    assert loader.land().warnings == ()
    assert loader.conform()["src.orders"].new == 1
    assert loader.rows("select line, amount from care.fact_order") == [("水泵", 10)]


def test_a_declared_encoding_and_delimiter_are_used(make_loader: MakeLoader, folder: Path) -> None:
    text = "encoding: latin-1\ndelimiter: ';'\ndecimal: comma\ndates: dmy\n" + ORDERS.replace("单号", "no")
    (folder / "orders.csv").write_bytes(
        "no;customer;at;amount;line\nA;C1;31.05.2026;1.234,50;Café\n".encode("latin-1")
    )
    loader = make_loader(text, Connection(str(folder)))
    loader.load()
    assert loader.rows("select line, amount::text, event_day::text from care.fact_order") == [
        ("Café", "1234.5", "2026-05-31")
    ]


def test_only_new_and_changed_files_are_read(loader: Loader, folder: Path) -> None:
    first, second = folder / "orders_1.csv", folder / "orders_2.csv"
    first.write_text(HEADER + lines("A"))
    assert dict(loader.land().rows) == {"orders": 1}
    assert dict(loader.land().rows) == {"orders": 0}
    second.write_text(HEADER + lines("B", "C"))
    assert dict(loader.land().rows) == {"orders": 2}
    os.utime(first, (1, 1))
    assert dict(loader.land().rows) == {"orders": 0}, "touched, but the same bytes"
    first.write_text(HEADER + lines("A", "D"))
    assert dict(loader.land().rows) == {"orders": 2}
    results = loader.conform()
    assert loaded(loader) == ["A", "B", "C", "D"]
    assert results["src.orders"].unchanged == 1


def test_a_file_that_goes_takes_nothing_with_it_and_is_read_when_it_returns(
    loader: Loader, folder: Path
) -> None:
    path = folder / "orders.csv"
    path.write_text(HEADER + lines("A"))
    loader.load()
    path.unlink()
    assert dict(loader.land().rows) == {"orders": 0}
    path.write_text(HEADER + lines("A"))
    assert loader.load()["src.orders"].unchanged == 1


def test_bad_lines_wait_with_file_and_line_and_the_good_ones_go_on(loader: Loader, folder: Path) -> None:
    text = (
        HEADER
        + 'A,C1,2026-05-01,10,"two\nlines"\nB,C1,2026-05-01\n\nC,C1,2026-05-01,10,x,y\n,,,,\nD,C1,2026-05-01,10,x\n'
    )
    (folder / "orders.csv").write_text(text)
    landed = loader.land()
    assert landed.warnings == ("src.orders: orders.csv:4: 3 fields where the header has 5",)
    result = loader.conform()["src.orders"]
    assert (result.landed, result.new, result.quarantined) == (4, 2, 2)
    assert loader.rows("select place, reason, data ->> '_raw' from quarantine.row order by row_no") == [
        ("orders.csv:4", "3 fields where the header has 5", "B,C1,2026-05-01"),
        ("orders.csv:6", "6 fields where the header has 5", "C,C1,2026-05-01,10,x,y"),
    ]
    assert loaded(loader) == ["A", "D"]


def test_bytes_of_another_encoding_spoil_their_line_only(make_loader: MakeLoader, folder: Path) -> None:
    loader = make_loader("encoding: utf-8\n" + ORDERS, Connection(str(folder)))
    (folder / "orders.csv").write_bytes(
        (HEADER + lines("A")).encode() + lines("B").encode("gb18030") + lines("C").encode()
    )
    loader.load()
    assert loaded(loader) == ["A", "C"]
    assert loader.rows("select place, reason from quarantine.row") == [("orders.csv:3", "not utf-8 text")]


def test_a_nul_character_spoils_its_line_only(loader: Loader, folder: Path) -> None:
    (folder / "orders.csv").write_bytes((HEADER + lines("A", "B\x00", "C")).encode())
    loader.load()
    assert loaded(loader) == ["A", "C"]
    assert loader.rows("select reason from quarantine.row") == [("a NUL character",)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            "单号,customer,at,amonut,line\nA,C1,2026-05-01,10,x\n",
            "no column 'amount' (did the header mean 'amonut'?)",
        ),
        ("单号;customer;at;amount;line\nA;C1;2026-05-01;10;x\n", "is the delimiter right?"),
        ("单号,customer,at,amount,line,amount\n", "column 'amount' stands twice"),
        ("", "it is empty"),
    ],
)
def test_a_file_without_its_columns_is_refused_whole_and_taken_when_corrected(
    loader: Loader, folder: Path, content: str, reason: str
) -> None:
    path, good = folder / "orders_1.csv", folder / "orders_2.csv"
    path.write_text(content)
    good.write_text(HEADER + lines("B"))
    assert reason in loader.land().warnings[0]
    assert loader.conform()["src.orders"].quarantined == 1
    assert loaded(loader) == ["B"]
    [(place, told, state)] = loader.rows("select place, reason, state from quarantine.row")
    assert (
        (place, state) == ("orders_1.csv:0", "waiting")
        and told.startswith("file refused: ")
        and reason in told
    )
    assert dict(loader.land().rows) == {"orders": 0}, "not refused anew every hour"
    path.write_text(HEADER + lines("A"))
    loader.load()
    assert loaded(loader) == ["A", "B"]
    assert loader.rows("select state from quarantine.row") == [("dropped",)]


def test_a_file_that_is_cut_off_is_refused_until_it_is_whole(loader: Loader, folder: Path) -> None:
    whole = gzip.compress((HEADER + lines(*map(str, range(999)))).encode())
    (folder / "orders.csv.gz").write_bytes(whole[:-20])
    assert "cut off" in loader.land().warnings[0]
    loader.conform()
    (folder / "orders.csv.gz").write_bytes(whole)
    assert loader.load()["src.orders"].new == 999


def test_a_huge_value_costs_its_line_only(loader: Loader, folder: Path) -> None:
    huge = "x" * 200_000
    (folder / "orders.csv").write_text(HEADER + lines("A") + lines("B", line=huge) + lines("C"))
    result = loader.load()["src.orders"]
    assert (result.landed, result.quarantined) == (3, 1)
    assert loaded(loader) == ["A", "C"]
    [(place, reason)] = loader.rows("select place, reason from quarantine.row")
    assert place == "orders.csv:3" and reason.startswith("it holds a value longer than 131,072 characters")


def test_a_quotation_mark_left_open_costs_what_it_swallows_and_says_how_far(
    loader: Loader, folder: Path
) -> None:
    good = lines(*map(str, range(6_000)))
    (folder / "orders.csv").write_text(HEADER + lines("A") + 'B,C1,2026-05-01,10,"open\n' + good)
    result = loader.load()["src.orders"]
    assert result.landed == result.new + result.quarantined
    [(place, reason)] = loader.rows("select place, reason from quarantine.row")
    end = int(reason.split()[3])
    assert (place, reason[: reason.index(" hold")]) == ("orders.csv:3", f"lines 3 to {end}")
    assert set(loaded(loader)) == {"A", *(str(n) for n in range(end - 3, 6_000))}


def test_a_file_of_one_endless_line_and_a_bomb_are_refused_without_being_held(
    loader: Loader, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("care_sources.refusal.SWOLLEN_FROM", 8 << 20)
    (folder / "orders_1.csv").write_bytes((HEADER + "A,").encode() + b"x" * (18 << 20))
    (folder / "orders_2.csv.gz").write_bytes(gzip.compress(b"\n" * (64 << 20)))
    (folder / "orders_3.csv").write_text(HEADER + lines("C"))
    warnings = loader.land().warnings
    assert ["a line longer than 16 MB" in warnings[0], "more than 400 times its size" in warnings[1]] == [
        True,
        True,
    ]
    assert loader.conform()["src.orders"].quarantined == 2
    assert loaded(loader) == ["C"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("orders.csv.zip", b"PK", "a .zip file is not read: unpack it"),
        ("orders.csv.xls", b"", "a .xls file is not read: save it as .xlsx"),
        ("orders.csv", b"PK\x03\x04", "it is a workbook or a zip archive, not CSV"),
        ("orders.csv", b"\x1f\x8b\x08", "it is compressed; name it .gz"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_to_do(
    loader: Loader, folder: Path, name: str, content: bytes, told: str
) -> None:
    (folder / name).write_bytes(content)
    assert told in loader.land().warnings[0]


def test_a_header_may_hold_any_characters(make_loader: MakeLoader, folder: Path) -> None:
    text = ORDERS.replace("key: 单号", "key: '\"it''s a key, no?\"'").replace(
        "line: line", "line: '\"产品 线\"'"
    )
    (folder / "orders.csv").write_text(
        '"it\'s a key, no?",customer,at,amount,产品 线\nA,C1,2026-05-01,1,水泵\n'
    )
    loader = make_loader(text, Connection(str(folder)))
    assert loader.load()["src.orders"].new == 1
    assert loader.rows("select source_key, line from care.fact_order") == [("A", "水泵")]


def test_a_pattern_may_reach_into_folders(make_loader: MakeLoader, folder: Path) -> None:
    (folder / "2026").mkdir()
    (folder / "2026" / "orders.csv").write_text(HEADER + lines("A"))
    loader = make_loader(ORDERS.replace("orders*.csv*", "'*/orders.csv'"), Connection(str(folder)))
    assert loader.load()["src.orders"].new == 1


def test_hidden_files_are_not_read(loader: Loader, folder: Path) -> None:
    (folder / ".orders.csv.new").write_text(HEADER + lines("A"))
    landed = loader.land()
    assert (dict(landed.rows), landed.warnings) == (
        {"orders": 0},
        ("src.orders: no file matches 'orders*.csv*'",),
    )


def test_a_relative_folder_lies_in_the_project(
    make_loader: MakeLoader, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARE_HOME", str(folder.parent))
    (folder / "orders.csv").write_text(HEADER + lines("A"))
    assert dict(make_loader(ORDERS, Connection(folder.name)).land().rows) == {"orders": 1}


def test_a_missing_folder_is_one_clear_line(make_loader: MakeLoader, folder: Path) -> None:
    with pytest.raises(SourceError, match=r"^src: there is no folder .*nowhere$"):
        make_loader(ORDERS, Connection(str(folder / "nowhere"))).land()


def test_a_changed_mapping_reads_everything_again(make_loader: MakeLoader, folder: Path) -> None:
    (folder / "orders.csv").write_text(HEADER + lines("A"))
    make_loader(ORDERS, Connection(str(folder))).load()
    changed = make_loader(ORDERS.replace("amount: amount", "amount: amount * 2"), Connection(str(folder)))
    assert changed.load()["src.orders"].changed == 1
    assert changed.rows("select amount from care.fact_order where known_to is null") == [(20,)]


def test_two_streams_of_one_file_land_it_once(make_loader: MakeLoader, folder: Path) -> None:
    text = """
customers: derived
streams:
  orders:
    from: lines.csv
    fact: order
    key: invoice
    customer: customer
    event_at: at
    combine: per_file
    columns: {amount: sum(quantity * price)}
  lines:
    from: lines.csv
    fact: order_line
    key: [invoice, _line]
    customer: customer
    event_at: at
    columns: {quantity: quantity, product: product}
"""
    header = "invoice,customer,at,quantity,price,product\n"
    (folder / "lines.csv").write_text(
        header + "1,C1,2026-05-01,2,3,P1\n1,C1,2026-05-01,1,4,P2\n2,C1,2026-05-02,1,1,P1\n"
    )
    loader = make_loader(text, Connection(str(folder)))
    assert dict(loader.land().rows) == {"orders": 3}
    results = loader.conform()
    assert (results["src.orders"].new, results["src.lines"].new) == (3, 3)
    assert loader.rows("select source_key, amount::int from care.fact_order order by 1") == [
        ("1", 10),
        ("2", 1),
    ]
    assert loader.rows("select source_key from care.fact_order_line order by 1") == [
        ("1/2",),
        ("1/3",),
        ("2/4",),
    ]


def test_per_load_reads_all_files_again_when_one_changes(make_loader: MakeLoader, folder: Path) -> None:
    text = ORDERS.replace("key: 单号", "key: 单号\n    combine: per_load").replace(
        "{amount: amount, line: line}", "{amount: sum(amount)}"
    )
    loader = make_loader(text, Connection(str(folder)))
    (folder / "orders_1.csv").write_text(HEADER + lines("A"))
    (folder / "orders_2.csv").write_text(HEADER + lines("A"))
    loader.load()
    (folder / "orders_2.csv").write_text(HEADER + lines("A", "A"))
    assert dict(loader.land().rows) == {"orders": 3}
    loader.conform()
    assert loader.rows("select amount::int from care.fact_order where known_to is null") == [(30,)]


def test_a_folder_that_is_a_snapshot_ends_the_rows_of_files_that_went(
    make_loader: MakeLoader, folder: Path
) -> None:
    text = ORDERS.replace("columns:", "snapshot: true\n    ends_at_most: 50\n    columns:")
    loader = make_loader(text, Connection(str(folder)))
    (folder / "orders_1.csv").write_text(HEADER + lines("A", "B"))
    (folder / "orders_2.csv").write_text(HEADER + lines("C"))
    loader.load()
    assert loader.load()["src.orders"].landed == 0, "nothing changed, nothing is read"
    (folder / "orders_2.csv").unlink()
    result = loader.load()["src.orders"]
    assert (result.landed, result.unchanged, result.ended) == (2, 2, 1)
    assert loaded(loader) == ["A", "B"]
    (folder / "orders_1.csv").write_text(HEADER)
    assert loader.land().warnings == (
        "src.orders: orders*.csv*:0: the snapshot is empty: no file holds a row",
    )
    assert loader.conform()["src.orders"].ended == 0
    assert loader.rows(
        "select reason, value from quarantine.row where state = 'waiting' order by row_no"
    ) == [
        ("the snapshot is empty: no file holds a row", None),
        ("suspicious snapshot", "2 of 2 keys are missing, and 1 of its lines cannot be read"),
    ]
    (folder / "orders_1.csv").write_text(HEADER + lines("A", "B", "D"))
    assert loader.load()["src.orders"].new == 1
    assert loader.rows("select count(*) from quarantine.row where state = 'waiting'") == [(0,)]
