"""What somebody wrote down is a signal on the next night, as severe as it says or as its risk tag is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from openpyxl import Workbook
from tests.facts_given import GivenFacts

from carewatch.cli import main
from carewatch.store.database import Connection, connect

CONFIG = Path(__file__).resolve().parents[2] / "config"
ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = date(2026, 6, 10)
EVENING = datetime(2026, 6, 9, 18, tzinfo=ZONE)


@pytest.fixture
def warehouse(migrated: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("CARE_DB", migrated)
    with connect(migrated, autocommit=True) as connection:
        yield connection


@pytest.fixture
def signals(warehouse: Connection, tmp_path: Path) -> Callable[..., dict[str, dict[str, str]]]:
    """Return a function: type rows of notes, run the night; the severity of the open signals by customer and rule."""

    def at(moment: datetime) -> None:
        warehouse.execute("delete from care.pinned_clock")
        warehouse.execute("insert into care.pinned_clock (at) values (%s)", (moment,))

    def run(rows: list[list[str | None]]) -> dict[str, dict[str, str]]:
        facts = GivenFacts(warehouse, ZONE)
        for key in dict.fromkeys(str(row[0]) for row in rows):
            facts.known(key)
            warehouse.execute("insert into care.party (key_space, customer_key) values ('sales', %s)", (key,))
            warehouse.execute(
                "insert into care.identity (party_no, customer_no, known_from) select party_no, %s, '2000-01-01' "
                "from care.party where key_space = 'sales' and customer_key = %s",
                (facts.customer(key), key),
            )
        for number in range(3 * len(rows)):  # so many others that the night is not held
            facts.known(f"other {number}")
        book = Workbook()
        sheet = book.create_sheet("备注", 0)
        for row in [["客户编号", "日期", "风险标签", "严重程度", "有效期至"], *rows]:
            sheet.append(row)
        book.save(tmp_path / "notes.xlsx")
        at(EVENING)
        assert main(["import", str(tmp_path / "notes.xlsx"), "--config", str(CONFIG)]) == 0
        at(EVENING + timedelta(hours=8))
        assert main(["run", "--day", NIGHT.isoformat(), "--config", str(CONFIG)]) == 0
        found: dict[str, dict[str, str]] = {str(row[0]): {} for row in rows}
        for customer, rule, severity in warehouse.execute(
            "select c.customer_id, s.rule, s.severity from care.signal s join care.customer c using (customer_no) "
            "where s.state = 'open' and s.counts_as = 'noted_risk'"
        ).fetchall():
            found[customer][rule] = severity
        return found

    return run


@pytest.mark.req("S7")
def test_a_note_with_a_risk_tag_is_a_signal_on_the_next_night(
    signals: Callable[..., dict[str, dict[str, str]]], warehouse: Connection
) -> None:
    told = signals(
        [
            ["by-tag", "2026-06-09", "竞品", None, None],
            ["every-tag", "2026-06-09", "关系", None, None],
            ["every-tag", "2026-06-09", "价格", None, None],
            ["every-tag", "2026-06-09", "质量", None, None],
            ["every-tag", "2026-06-09", "服务", None, None],
            ["every-tag", "2026-06-09", "付款", None, None],
            ["every-tag", "2026-06-09", "需求", None, None],
            ["said", "2026-06-09", "需求", "紧急", None],
            ["said-mild", "2026-06-09", "竞品", "轻", None],
            ["chance", "2026-06-09", "商机", "紧急", None],
            ["last-day", "2026-05-11", "价格", None, None],
            ["past", "2026-05-10", "价格", None, None],
            ["until", "2026-01-10", "价格", None, "2026-06-10"],
            ["until-past", "2026-06-08", "价格", None, "2026-06-08"],
        ]
    )
    assert told == {
        "by-tag": {"noted_competitor": "severe"},
        "every-tag": {
            "noted_relation": "severe", "noted_price": "moderate", "noted_quality": "moderate",
            "noted_service": "moderate", "noted_payment": "moderate", "noted_need": "mild",
        },
        "said": {"noted_need": "critical"},
        "said-mild": {"noted_competitor": "mild"},
        "chance": {},
        "last-day": {"noted_price": "moderate"},
        "past": {},
        "until": {"noted_price": "moderate"},
        "until-past": {},
    }  # fmt: skip
    levels = warehouse.execute(
        "select c.customer_id, w.level from care.warning w join care.customer c using (customer_no) "
        "where c.customer_id in ('by-tag', 'said', 'said-mild', 'last-day') order by 1"
    ).fetchall()
    assert levels == [("by-tag", 2), ("last-day", 1), ("said", 3), ("said-mild", 1)]
