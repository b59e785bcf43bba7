"""What people type: a template workbook goes out, comes back filled, and becomes facts, or is given back with what is wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from carewatch.cli import main
from carewatch.spec import fact_names as names
from carewatch.spec.facts import FACTS
from carewatch.spec.source_words import WORDS
from carewatch.spec.typed import SHEETS, needed, typed_columns, typed_source
from carewatch.store.database import Connection, connect

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"


@pytest.fixture(scope="module")
def opened(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as connection:
        yield connection


@pytest.fixture
def warehouse(opened: Connection, module_warehouse: str, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A warehouse with the customers C0001 (恒达机械) and C0002 of the sales system, and nothing typed."""
    tables = opened.execute(
        "select tablename from pg_tables where schemaname = 'care' and tablename like 'fact\\_%'"
    ).fetchall()
    listed = ", ".join(f"care.{row[0]}" for row in tables)
    opened.execute(f"truncate {listed}, care.load, care.audit, quarantine.row, care.party cascade".encode())
    for key, name in (("C0001", "恒达机械"), ("C0002", "Grand Valves")):
        opened.execute(
            "with p as (insert into care.party (key_space, customer_key) values ('sales', %s) returning party_no) "
            "insert into care.fact_customer (party_no, origin, source_key, event_at, event_day, known_from, row_hash, load_id, name) "
            "select party_no, 'sales.customers', %s, '2020-01-01', '2020-01-01', '2020-01-01', '', '0', %s from p",
            (key, key, name),
        )
    monkeypatch.setenv("CARE_DB", module_warehouse)
    return opened


def book(path: Path, **sheets: Sequence[Sequence[object]]) -> Path:
    """Write a workbook; the first row of each sheet is its headings."""
    made = Workbook()
    made.remove(made.active)
    for title, rows in sheets.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    made.save(path)
    return path


def care(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return code, said.out + said.err


def imported(capsys: pytest.CaptureFixture[str], path: Path, *arguments: object) -> dict[str, Any]:
    """Import a file of the shipped firm; return the report of each sheet by fact."""
    capsys.readouterr()
    assert main(["import", str(path), "--config", str(CONFIG), "--json", *map(str, arguments)]) in (0, 1)
    told = json.loads(capsys.readouterr().out)
    return {sheet["fact"]: sheet for sheet in told["sheets"]} | {"notes": told["notes"]}


def facts(connection: Connection, fact: str, *columns: str) -> list[tuple[Any, ...]]:
    chosen = ", ".join(columns)
    return connection.execute(
        f"select {chosen} from care.fact_{fact} where known_to is null order by event_at, source_key".encode()
    ).fetchall()


NOTES = ["客户编号*", "日期*", "风险标签*", "严重程度", "我方人员", "说明"]


@pytest.mark.req("S10")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_template_has_a_sheet_for_all_that_people_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: names.Language
) -> None:
    """In a firm without systems every sheet is there; each heading leads back to its column and says what it means."""
    (tmp_path / "firm.yaml").write_text("version: 1\nname: Small\n", encoding="utf-8")
    path = tmp_path / "template.xlsx"
    assert care(capsys, "template", path, "--language", language, "--config", tmp_path)[0] == 0
    pages = load_workbook(path)
    titles = names.facts_by_title()
    found = {titles[names.fold(sheet.title)]: sheet for sheet in pages.worksheets[1:]}
    assert tuple(found) == SHEETS
    for fact, sheet in found.items():
        cells = list(sheet[1])
        known = names.columns_by_heading(fact)
        assert tuple(known[names.fold(cell.value)] for cell in cells) == typed_columns(fact)
        starred = {known[names.fold(cell.value)] for cell in cells if cell.value.endswith("*")}
        assert starred == set(needed(fact))
        lists = {
            str(rule.sqref).split(":")[0].rstrip("2"): rule.formula1
            for rule in sheet.data_validations.dataValidation
        }
        for cell in cells:
            column = known[names.fold(cell.value)]
            assert cell.comment.text.startswith(names.column_help(fact, column, language))
            allowed = names.choices(fact, column, language)
            assert lists.get(cell.column_letter) == (f'"{",".join(allowed)}"' if allowed else None)


@pytest.mark.req("S10")
def test_the_template_leaves_out_what_a_system_brings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "template.xlsx"
    code, said = care(capsys, "template", path, "--language", "zh-CN", "--config", CONFIG)
    assert code == 0 and "left out: 订单, which sales.orders brings" in said
    titles = load_workbook(path).sheetnames
    assert {"备注", "沟通记录", "合理原因", "市场与竞品事件", "每周指标"} <= set(
        titles
    ) and "订单" not in titles


@pytest.mark.req("S7", "S10")
def test_every_sheet_of_the_template_becomes_its_fact(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One row in each sheet, with every cell filled, typed in Chinese."""
    given = {}
    for fact in SHEETS:
        if fact == "customer":
            continue
        row = []
        for column in typed_columns(fact):
            own = FACTS[fact].column(column)
            words = WORDS.get((fact, column))
            if column in ("customer", "event_at"):
                row.append("C0001" if column == "customer" else datetime(2026, 3, 2, 9, 30))
            elif column in ("key", "withdrawn"):
                row.append(None)
            elif column == "currency":
                row.append("CNY")
            elif words:
                row.append(names.word_label(words[-1], "zh-CN"))
            else:
                kind = own.kind.value if own else "text"
                row.append(
                    {"flag": "是", "day": "2026年3月9日", "text": f"{column}一", "integer": 3}.get(
                        kind, "1.2万"
                    )
                )
        title, headings = (
            names.fact_label(fact, "zh-CN"),
            [names.column_label(fact, one, "zh-CN") for one in typed_columns(fact)],
        )
        given[title] = [headings, row]
    told = imported(capsys, book(tmp_path / "all.xlsx", **given))
    for fact in SHEETS:
        if fact == "customer":
            continue
        assert (told[fact]["new"], told[fact]["refused"]) == (1, 0), told[fact]["problems"]
        columns = [
            column
            for column in typed_columns(fact)
            if column not in ("customer", "event_at", "key", "withdrawn")
        ]
        (row,) = facts(warehouse, fact, "event_day", "origin", *columns)
        assert str(row[0]) == "2026-03-02" and row[1] == f"typed.{fact}"
        assert None not in row, fact
        for column, value in zip(columns, row[2:], strict=True):
            words = WORDS.get((fact, column))
            assert not words or value == words[-1]


@pytest.mark.req("S10")
def test_each_bad_cell_is_told_with_its_address_what_was_expected_and_what_was_meant(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = book(
        tmp_path / "notes.xlsx",
        备注=[
            NOTES,
            ["C0001", "2026年3月2日", "价格", "重度", "am01", "要求降价"],
            ["C0001", "3月3日", "价各", "很重", "am01", "第三行"],
            ["C0O02", "2026/3/4", "服务", None, "am01", "第四行"],
            ["恒达机械", datetime(2026, 3, 5), "质量", None, None, "第五行"],
            [None, "2026-03-06", None, None, None, "第六行"],
            ["C0002", "明天", "关系", None, None, "第七行"],
        ],
    )
    code, said = care(capsys, "import", path, "--language", "zh-CN", "--config", CONFIG)
    assert code == 1
    lines = said.splitlines()
    assert lines[:9] == [
        "备注!B3：'3月3日' 没有年份；应为带年份的日期，如 2025年9月9日",
        "备注!C3：'价各' 不是可选的词；应为价格、质量、服务、竞争对手、关系、付款、需求变化、机会；是否想写“价格”？",
        "备注!D3：'很重' 不是可选的词；应为关注、轻度、中度、重度、紧急；是否想写“重度”？",
        "备注!A4：没有编号为 'C0O02' 的客户；该行将等待此客户出现；应为已有的客户编号；是否想写“C0002”？",
        "备注!A5：没有编号为 '恒达机械' 的客户；该行将等待此客户出现；应为已有的客户编号；是否想写“C0001”？",
        "备注!A6：“客户编号”为空；应为填写内容",
        "备注!C6：“风险标签”为空；应为填写内容",
        "备注!B7：'明天' 不是日期；应为2025-09-09、2025/9/9 或 2025年9月9日",
        "备注：1 行通过（新增 1，修改 0，不变 0），5 行未通过",
    ]
    assert facts(warehouse, "note", "what", "severity", "person", "text") == [
        ("price", "severe", "am01", "要求降价")
    ]
    assert warehouse.execute("select by, what, subject, detail from care.audit").fetchall() == [
        ("care import", "imported", "file:notes.xlsx", {"note": {"rows": 6, "refused": 5}})
    ]


@pytest.mark.req("S10")
def test_refused_rows_come_back_and_can_be_corrected_and_imported(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The good row is not doubled; a cell that looks like a formula is given back as the text it was."""
    rows = [
        ["C0001", "2026-03-02", "价格", None, None, "=1+1 是原话"],
        ["C0001", "2026-03-03", "价各", None, None, "@客服 -5%"],
    ]
    path = book(tmp_path / "week.xlsx", 备注=[NOTES, *rows])
    load = load_workbook(path)
    load["备注"]["F2"].data_type = load["备注"]["F3"].data_type = "s"
    load.save(path)
    assert imported(capsys, path)["note"]["refused"] == 1
    back = tmp_path / "week.refused.xlsx"
    sheet = load_workbook(back)["备注"]
    assert [cell.value for cell in sheet[1]] == [*NOTES, "Problem"]
    assert sheet["F2"].value == "@客服 -5%" and sheet["F2"].quotePrefix and sheet["F2"].data_type == "s"
    assert "'价各' is none of the words here" in sheet["G2"].value
    made = load_workbook(back)
    made["备注"]["C2"] = "价格"
    made.save(back)
    told = imported(capsys, back)
    assert (told["note"]["new"], told["note"]["refused"], told["notes"]) == (1, 0, [])
    assert imported(capsys, path)["note"]["same"] == 1
    assert [row[0] for row in facts(warehouse, "note", "text")] == ["=1+1 是原话", "@客服 -5%"]
    assert warehouse.execute("select count(*) from quarantine.row where state = 'waiting'").fetchone() == (0,)


@pytest.mark.req("S10")
def test_every_cell_of_the_refused_file_is_text_whatever_it_begins_with(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "备注.csv"
    cells = ["=cmd|' /C calc'!A0", "+86 10", "-7", "@SUM(A1)", "\tx"]
    path.write_text(
        "".join(
            f"{','.join(row)}\r\n"
            for row in [NOTES, *(["C9", "x", "y", "", "", f'"{one}"'] for one in cells)]
        ),
        encoding="gb18030",
    )
    assert imported(capsys, path)["note"]["refused"] == 5
    sheet = load_workbook(tmp_path / "备注.refused.xlsx")["备注"]
    written = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert {cell.data_type for cell in written} == {"s"}
    assert [row[5].value.strip() for row in sheet.iter_rows(min_row=2)] == [one.strip() for one in cells]
    assert all(row[5].quotePrefix for row in sheet.iter_rows(min_row=2))


@pytest.mark.req("S10")
def test_importing_again_or_with_a_correction_doubles_nothing(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def of(day: object, text: str, *, void: object = None) -> Path:
        return book(
            tmp_path / "n.xlsx", 备注=[[*NOTES, "作废"], ["C0001", day, "价格", None, "am01", text, void]]
        )

    assert imported(capsys, of("2026-03-02", "a"))["note"]["new"] == 1
    assert imported(capsys, of(datetime(2026, 3, 2), "a"))["note"]["same"] == 1
    assert imported(capsys, of("2026年3月2日", "b"))["note"]["changed"] == 1
    assert facts(warehouse, "note", "text") == [("b",)]
    assert warehouse.execute("select count(*) from care.fact_note").fetchone() == (2,)
    assert imported(capsys, of("2026/3/2", "b", void="是"))["note"]["changed"] == 1
    assert facts(warehouse, "note", "text") == []


@pytest.mark.req("S10")
def test_a_dry_run_says_the_same_and_changes_nothing(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = book(tmp_path / "n.xlsx", 备注=[NOTES, ["C0001", "2026-03-02", "价格"], ["C0001", "3月", "价格"]])
    dry = imported(capsys, path, "--dry-run")
    assert (dry["note"]["new"], dry["note"]["refused"]) == (1, 1)
    for table in ("care.fact_note", "care.load", "care.audit", "quarantine.row"):
        assert warehouse.execute(f"select count(*) from {table}".encode()).fetchone() == (0,)
    assert not (tmp_path / "n.refused.xlsx").exists()
    assert imported(capsys, path) == dry
    left = warehouse.execute(
        "select count(*) from information_schema.schemata where schema_name = 'raw_typed'"
    ).fetchone()
    assert left == (0,)


@pytest.mark.req("S10")
def test_rows_of_an_unknown_customer_wait_and_load_when_it_arrives(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from carewatch.spec.sources import load_sources
    from carewatch.store.conform import conform

    path = book(tmp_path / "n.xlsx", 备注=[NOTES, ["C0003", "2026-03-02", "价格", None, None, "waits"]])
    assert imported(capsys, path)["note"]["problems"][0]["cell"] == "备注!A2"
    assert imported(capsys, path)["note"]["refused"] == 1
    warehouse.execute("insert into care.party (key_space, customer_key) values ('sales', 'C0003')")
    sources = load_sources(CONFIG)
    results = conform(warehouse, "typed", typed_source(sources.sources), sources.firm)
    assert [(one.origin, one.new, one.released) for one in results] == [("typed.note", 1, True)]
    assert imported(capsys, path)["note"]["same"] == 1
    assert facts(warehouse, "note", "text") == [("waits",)]


@pytest.mark.req("S10")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_file_in_any_of_the_usual_encodings(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str], encoding: str
) -> None:
    """Amounts, percents and dates as people write them; the sheet is known by its headings."""
    rows = [
        "2026年3月2日,采购额,86万元",
        '2026/3/9,采购额,"¥1,200.50"',
        '46097,采购额,"(1,234)"',
        "2026-W13,毛利率,30%",
    ]
    text = "\n".join(["客户,周次,指标名称,数值", *(f"C0001,{row}" for row in rows)])
    path = tmp_path / "每周.csv"
    path.write_bytes(text.encode(encoding))
    told = imported(capsys, path)
    assert told["indicator_value"]["refused"] == 0, told
    found = facts(warehouse, "indicator_value", "event_day::text", "indicator", "value::text")
    assert found == [
        ("2026-03-02", "采购额", "860000"),
        ("2026-03-09", "采购额", "1200.5"),
        ("2026-03-16", "采购额", "-1234"),
        ("2026-03-23", "毛利率", "30"),
    ]


@pytest.mark.req("S10")
def test_cells_that_excel_keeps_as_numbers_dates_and_durations(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from datetime import time

    path = book(
        tmp_path / "n.xlsx",
        市场与竞品事件=[
            ["客户编号", "日期", "事件类型", "价差（%）", "标题"],
            ["C0001", datetime(2026, 3, 2), "竞品", 0.12, "offer"],
        ],
        沟通记录=[
            ["客户编号", "日期", "沟通类型", "时长", "结果"],
            ["C0001", datetime(2026, 3, 2, 9, 30), "电话", time(0, 5, 7), "接通"],
        ],
    )
    made = load_workbook(path)
    made["市场与竞品事件"]["D2"].number_format = "0%"
    made.save(path)
    told = imported(capsys, path)
    assert told["market_event"]["refused"] == told["interaction"]["refused"] == 0, told
    assert facts(warehouse, "market_event", "what", "price_gap::text", "title") == [
        ("competitor", "12", "offer")
    ]
    at = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert facts(warehouse, "interaction", "what", "elapsed", "result", "event_at") == [
        ("call", 307, "answered", at)
    ]


@pytest.mark.req("S10")
def test_a_formula_that_was_never_computed_is_told(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [["客户编号", "周", "指标", "数值"], ["C0001", "2026-W10", "采购额", "=1+1"]]
    told = imported(capsys, book(tmp_path / "n.xlsx", 每周指标=rows), "--language", "en")["indicator_value"]
    assert [(one["cell"], one["said"]) for one in told["problems"]] == [
        ("每周指标!D2", "'=1+1' is no number; expected a number such as 1200.50, 86万 or 30%")
    ]


@pytest.mark.req("S10")
def test_two_rows_that_say_different_things_of_one_key(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = ["C0001", "2026-03-02", "价格", None, "am01"]
    path = book(tmp_path / "n.xlsx", 备注=[NOTES, [*row, "a"], [*row, "b"]])
    told = imported(capsys, path, "--language", "en")["note"]
    assert told["refused"] == 1 and "expected a Number of its own" in told["problems"][0]["said"]
    numbered = book(tmp_path / "n.xlsx", 备注=[[*NOTES, "编号"], [*row, "a", 1], [*row, "b", 2]])
    assert imported(capsys, numbered)["note"]["refused"] == 0


@pytest.mark.req("S10")
def test_headings_and_sheets_that_nobody_knows_are_told(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = book(
        tmp_path / "n.xlsx",
        备注=[["客户编号", "曰期", "风险标签"], ["C0001", "2026-03-02", "价格"]],
        杂项=[["a", "b"], [1, 2]],
        合理原因=[["客户编号", "日期", "原因", "颜色"], ["C0001", "2026-03-02", "盘点", "红"]],
    )
    code, said = care(capsys, "import", path, "--language", "zh-CN", "--config", CONFIG)
    assert code == 1
    assert "备注：缺少“日期”列；应为表头“日期”；是否想写“曰期”？" in said
    assert "杂项：不是模板中的表，未读取" in said and "合理原因!D1：“颜色”列不认识，未读取" in said
    assert (
        facts(warehouse, "reasonable_reason", "what") == [("stocktaking",)]
        and facts(warehouse, "note", "what") == []
    )


@pytest.mark.req("S10")
def test_two_sheets_of_one_kind_are_imported_one_at_a_time(
    warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = ["C0001", "2026-03-02", "价格"]
    path = book(tmp_path / "n.xlsx", 备注=[NOTES, row], 会议纪要=[NOTES, row])
    code, said = care(capsys, "import", path, "--config", CONFIG)
    assert code == 2 and said.startswith("备注 and 会议纪要 both hold Notes;")
    assert imported(capsys, path, "--sheet", "会议纪要")["note"]["new"] == 1


@pytest.mark.req("S10")
def test_who_typed_it(warehouse: Connection, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = book(
        tmp_path / "n.xlsx",
        备注=[NOTES, ["C0001", "2026-03-02", "价格"], ["C0001", "2026-03-02", "质量", None, "am02"]],
    )
    code, said = care(capsys, "import", path, "--by", "am1", "--config", CONFIG)
    assert (code, said) == (2, "people.yaml knows nobody with the id 'am1'; did you mean am01?\n")
    imported(capsys, path, "--by", "am01")
    assert sorted(facts(warehouse, "note", "person")) == [("am01",), ("am02",)]
    assert warehouse.execute("select by from care.audit").fetchall() == [("am01",)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.xls", b"", "x.xls: '.xls' files are not read; save it as .xlsx or .csv\n"),
        ("x.xlsx", b"no workbook", "x.xlsx: it is no .xlsx workbook, or it is cut off\n"),
        ("x.csv", b"a,b\n1,2\n", "x: no sheet of the template; it is not read\n"
         "x.csv holds no row of a sheet of the template; see: care template FILE.xlsx\n"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert care(capsys, "import", path, "--config", CONFIG) == (2, said)
