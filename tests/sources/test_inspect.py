"""`care source inspect`: what it drafts can be used, and it says what it is unsure of."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.sources.conftest import MakeLoader
from tests.sources.desk import TOKEN, desk, ticket
from tests.sources.test_workbooks import book

from care_sources.connection import Connection
from carewatch.cli import main
from carewatch.spec.fact_losses import WITHOUT_FACT, lost_without
from carewatch.spec.facts import FACTS
from carewatch.spec.source_draft import draft, expression
from carewatch.spec.source_words import WORDS
from carewatch.spec.sources import Sources, load_sources

FIRM = "version: 1\nname: x\ntime_zone: Asia/Shanghai\n"


def inspected(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: str) -> tuple[Sources, str]:
    """Run the command, write what it prints to sources.yaml as it stands, and load that."""
    capsys.readouterr()
    assert main(["source", "inspect", *arguments]) == 0, capsys.readouterr().err
    text = capsys.readouterr().out
    folder = tmp_path / "drafted"
    folder.mkdir(exist_ok=True)
    (folder / "firm.yaml").write_text(FIRM, encoding="utf-8")
    (folder / "sources.yaml").write_text(text, encoding="utf-8")
    return load_sources(folder), text


def only(sources: Sources) -> Any:
    [source] = sources.sources.values()
    [stream] = source.all_streams().values()
    return source, stream


CHINESE = (
    "订单编号,客户编号,订单日期,金额,币种,产品 线,备注\n"
    "D001,K01,2026年5月1日,¥1200.50,CNY,水泵,x\nD002,K02,2026年5月3日,86万元,CNY,阀门,y\n"
)


@pytest.mark.req("S11")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_chinese_headings_become_a_mapping_that_loads_its_own_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, make_loader: MakeLoader, encoding: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "销售订单_2026-05.csv").write_bytes(CHINESE.encode(encoding))
    sources, text = inspected(capsys, tmp_path, str(folder))
    source, stream = only(sources)
    assert (source.kind, stream.from_, stream.fact) == ("files", "销售订单_*.csv", "order")
    assert (stream.key, stream.customer, stream.event_at) == ("订单编号", "客户编号", "订单日期")
    assert stream.columns == {"order_no": "订单编号", "amount": "金额", "currency": "币种"}
    assert "# not used: 产品 线, 备注" in text
    assert (
        "kind (regular, spare, one_off or credit; regular when empty): spare parts and one-off orders count"
        in text
    )
    loader = make_loader(
        "kind: files\nstreams: {x: {from: x, fact: customer, key: x, event_at: x}}\ncustomers: master",
        Connection(str(folder)),
    )
    loader.source = source
    loader.load()
    assert loader.rows("select order_no, amount::text, event_day::text from care.fact_order order by 1") == [
        ("D001", "1200.5", "2026-05-01"), ("D002", "860000", "2026-05-03"),
    ]  # fmt: skip


def test_words_of_a_closed_set_are_translated_and_strange_ones_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "拜访记录.csv"
    path.write_text(
        "编号,客户编号,日期,类型,联系人\n1,K1,2026-05-01,拜访,张\n2,K1,2026-05-02,电话,李\n3,K2,2026-05-03,饭局,王\n",
        encoding="utf-8",
    )
    sources, text = inspected(capsys, tmp_path, str(path))
    _, stream = only(sources)
    assert stream.fact == "interaction"
    assert (
        stream.columns["what"]
        == "case when 类型 = '拜访' then 'visit' when 类型 = '电话' then 'call' else 类型 end"
    )
    assert f"1 of the words in it is none of {', '.join(sorted(WORDS['interaction', 'what']))}" in text
    assert "饭局" not in text, "no value of a row is shown"


def test_dates_and_decimals_are_told_by_their_shape(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "invoices.csv"
    path.write_text(
        "invoice no;customer id;invoice date;amount;due date;updated_at\nR1;K1;31.05.2026;1.234,50;30.06.2026;2026-06-01\n"
        "R2;K1;01.06.2026;99,90;30.06.2026;2026-06-02\n"
    )
    source, stream = only(inspected(capsys, tmp_path, str(path))[0])
    assert (source.dates, source.decimal, source.delimiter) == ("dmy", "comma", ";")
    assert (stream.fact, stream.key, stream.event_at, stream.changed_at) == (
        "invoice", '"invoice no"', '"invoice date"', "updated_at",
    )  # fmt: skip
    assert stream.columns == {"invoice_no": '"invoice no"', "amount": "amount", "due_on": '"due date"'}


def test_workbook_parquet_and_sqlite(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    rows = [
        ["客户编号", "公司名称", "行业", "合作开始日"],
        ["K1", "华兴", "机械", "2020-01-01"],
        ["K2", "大地", "化工", "2021-01-01"],
    ]
    book(tmp_path / "firm.xlsx", ["客户一览"], [], *rows, sheet="客户")
    _, stream = only(inspected(capsys, tmp_path, str(tmp_path / "firm.xlsx"), "--sheet", "客户")[0])
    assert (stream.fact, stream.sheet, stream.key, stream.columns) == (
        "customer", "客户", "客户编号", {"name": "公司名称", "industry": "行业"},
    )  # fmt: skip
    with sqlite3.connect(tmp_path / "shop.db") as shop:
        shop.executescript(
            "create table orders (order_no int, customer_code text, order_date text, total numeric, updated_at text);"
            "insert into orders values (1, 'C1', '2026-05-01', 10, '2026-05-02'), (2, 'C1', '2026-05-01', 10, '2026-05-02');"
        )
    source, stream = only(inspected(capsys, tmp_path, str(tmp_path / "shop.db"), "--table", "orders")[0])
    assert (source.kind, source.connection, stream.from_, stream.key) == (
        "database",
        "care_shop",
        "orders",
        "order_no",
    )
    assert (stream.fact, stream.columns["amount"], stream.changed_at) == ("order", "total", "updated_at")


def test_a_parquet_file_with_fields_inside_fields(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    at = pa.array([0, 86400], pa.timestamp("s"))
    pq.write_table(
        pa.table(
            {
                "ticket_no": [1, 2],
                "customer code": ["C1", "C2"],
                "date": at,
                "投诉": [True, False],
                "more": [{"a": 1}] * 2,
            }
        ),
        tmp_path / "tickets.parquet",
    )
    _, stream = only(inspected(capsys, tmp_path, str(tmp_path / "tickets.parquet"))[0])
    assert (stream.fact, stream.key, stream.columns) == (
        "ticket",
        "ticket_no",
        {"ticket_no": "ticket_no", "complaint": "投诉"},
    )


def test_an_endpoint_by_an_airflow_connection(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with desk() as served:
        served.items = [
            {**ticket(n), "ticket_no": f"T{n}", "customer_code": "C1", "priority": "high"} for n in range(5)
        ]
        host = served.url.removeprefix("http://")
        given = {
            "conn_type": "http",
            "schema": "http",
            "host": host.split(":")[0],
            "port": int(host.split(":")[1]),
            "password": TOKEN,
        }
        monkeypatch.setenv("AIRFLOW_CONN_CARE_DESK", json.dumps(given))
        sources, text = inspected(capsys, tmp_path, "care_desk", "--endpoint", "api/tickets")
        assert [query.get("page") for query in served.asked] == [None, ["2"]]
    source, stream = only(sources)
    assert (source.kind, source.connection, source.items, source.total, source.paging.by) == (
        "rest", "care_desk", "items", "total", "link",
    )  # fmt: skip
    assert (stream.fact, stream.key, stream.customer) == ("ticket", "ticket_no", "customer_code")
    assert TOKEN not in text


def test_a_table_of_mariadb_and_of_postgresql(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, mariadb: str, database: str
) -> None:
    import psycopg
    import sqlalchemy as sa

    made = ("create table payments (payment_no int, customer_code varchar(9), paid_on date, amount decimal(9, 2), invoice_no varchar(9))",
            "insert into payments values (1, 'C1', '2026-05-01', 1.5, 'I1'), (2, 'C1', '2026-05-02', 2.5, 'I2')")  # fmt: skip
    with sa.create_engine(mariadb.replace("mysql:", "mysql+pymysql:")).begin() as session:
        for statement in made:
            session.execute(sa.text(statement))
    with psycopg.connect(database) as connection:
        for statement in made:
            connection.execute(statement.encode())
    for uri in (mariadb, database):
        sources, text = inspected(capsys, tmp_path, uri, "--table", "payments")
        _, stream = only(sources)
        assert (stream.fact, stream.key, stream.event_at) == ("payment", "payment_no", "paid_on")
        assert stream.columns == {"invoice_no": "invoice_no", "amount": "amount"}
        assert "secret" not in text and "p%40ss" not in text and "@" not in text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{folder}"], "which file? Say --file with one of a.csv, b.csv"),
        (["{folder}", "--file", "c.csv"], "no file matches 'c.csv'; there is b.csv"),
        (["{folder}/nowhere.csv"], "there is no file or folder"),
        (["sqlite:///{folder}/nowhere.db"], "there is no file"),
        (["{folder}/shop.db"], "which table? Say --table; it has orders"),
        (
            ["{folder}/shop.db", "--table", "oders"],
            "there is no table oders; it has orders; did you mean orders?",
        ),
        (["http://127.0.0.1:1"], "which endpoint? Say --endpoint"),
        (["no_such_thing"], "is no source of sources.yaml, no Airflow connection, no file and no address"),
    ],
)
def test_a_mistake_is_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], told: str
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    if "shop.db" in arguments[0]:
        with sqlite3.connect(folder / "shop.db") as shop:
            shop.execute("create table orders (a int)")
    else:
        (folder / "a.csv").write_text("x\n1\n")
        (folder / "b.csv").write_text("x\n1\n")
    assert main(["source", "inspect", *(one.format(folder=folder) for one in arguments)]) == 2
    assert told in capsys.readouterr().err


def test_a_table_that_can_be_nothing_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text("colour,size\nred,1\nblue,1\n")
    assert main(["source", "inspect", str(tmp_path / "x.csv"), "--fact", "order"]) == 1
    said = capsys.readouterr()
    assert "# customer: ? no heading names the customer's key" in said.out
    assert "# amount: ? needed (order amount, in the firm's currency), and no heading names it" in said.out
    assert "lacks what a stream needs" in said.err


def test_every_fact_says_what_is_lost_without_it() -> None:
    assert list(WITHOUT_FACT) == list(FACTS)
    assert lost_without("invoice", "due_on") == "nothing is ever overdue"
    assert lost_without("order", "line") == "no rules and no partial churn by business line"


@pytest.mark.parametrize(
    "heading", ["order", "date", "a b", "金额(元)", 'say "so"', "1st", "a.b", "count", "产品 线", "null"]
)
def test_any_heading_becomes_an_expression_that_means_it(heading: str) -> None:
    made = draft("orders", ["customer", "date", heading], [], fact="order")
    assert made.fact == "order"
    from carewatch.spec.facts import Kind
    from carewatch.spec.source_expression import compile_expression
    from carewatch.spec.source_reading import Reading, Reads

    compiled = compile_expression(
        expression(heading), want=Kind.TEXT, types={}, reading=Reading(), reads=Reads()
    )
    assert compiled.column == heading
