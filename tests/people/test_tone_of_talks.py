"""How a customer sounded when called back: a choice on the sheet of talks, and three cool ones are a signal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest
from openpyxl import Workbook, load_workbook
from tests.facts_given import GivenFacts

from carewatch.cli import main
from carewatch.measure.cut import Cut
from carewatch.spec.loading import load
from carewatch.store.database import Connection, connect
from carewatch.store.metrics import metrics_at
from carewatch.warn.hits import State, rule_state

CONFIG = Path(__file__).resolve().parents[2] / "config"
SPEC = load(CONFIG).judgement
ZONE = SPEC.firm.zone
NIGHT = date(2026, 6, 10)


@pytest.fixture
def warehouse(migrated: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("CARE_DB", migrated)
    with connect(migrated, autocommit=True) as connection:
        yield connection


@pytest.mark.req("S30")
def test_the_sheet_of_talks_has_a_choice_of_tones(tmp_path: Path) -> None:
    (tmp_path / "firm.yaml").write_text("version: 1\nname: Small\n", encoding="utf-8")
    page = tmp_path / "talks.xlsx"
    assert main(["template", str(page), "--language", "zh-CN", "--config", str(tmp_path)]) == 0
    sheet = load_workbook(page)["沟通记录"]
    [tone] = [cell for cell in sheet[1] if cell.value == "语气"]
    lists = {str(one.sqref)[0]: one.formula1 for one in sheet.data_validations.dataValidation}
    assert lists[tone.column_letter] == '"热情,一般,冷淡,负面"'


@pytest.mark.req("S30")
def test_cool_talks_that_people_typed_are_a_signal(warehouse: Connection, tmp_path: Path) -> None:
    typed = {"three": ("冷淡", "负面", "冷淡", "热情"), "two": ("冷淡", "负面", "一般", None)}
    book = Workbook()
    sheet = book.create_sheet("沟通记录", 0)
    sheet.append(["客户编号", "日期", "沟通类型", "语气", "内容摘要"])
    given = GivenFacts(warehouse, ZONE)
    for customer, tones in typed.items():
        given.known(customer)
        warehouse.execute(
            "with p as (insert into care.party (key_space, customer_key) values ('sales', %s) returning party_no) "
            "insert into care.identity (party_no, customer_no, known_from) select party_no, %s, '2000-01-01' from p",
            (customer, given.customer(customer)),
        )
        for number, tone in enumerate(tones, start=1):
            sheet.append([customer, f"2026-06-0{number}", "电话", tone, "挺好的，暂时不需要"])
    book.save(tmp_path / "talks.xlsx")
    assert main(["import", str(tmp_path / "talks.xlsx"), "--config", str(CONFIG)]) == 0
    cut = Cut.at(NIGHT, ZONE, datetime.now(UTC))
    numbers, columns = metrics_at(warehouse, SPEC.metrics, ["distant_talks_60d"], cut)
    assert numbers.tolist() == [given.customer("three"), given.customer("two")]
    states = rule_state(SPEC.rules["talks_turned_distant"], {**columns, "reason": np.full(2, None, object)})
    assert columns["distant_talks_60d"].tolist() == [3, 2]
    assert states.tolist() == [State.HIT, State.LINGERING]
