"""`care night` and `care run --restate`: what a person without the web interface does and reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.firm import FILES, MONDAY, TinyFirm

from carewatch.cli import main
from carewatch.commands.erase_command import _lines as erasure_lines
from carewatch.flow.erase import Erasure
from carewatch.spec.saying import in_language

NAMES = ("C1", "C2", "C3")
HOLDING = FILES["levels.yaml"].replace("hold_if_more_than: 100", "hold_if_more_than: 30")
CAPTURED = pytest.CaptureFixture[str]


def day(number: int) -> date:
    return MONDAY + timedelta(days=number - 1)


@pytest.fixture
def held(
    make_firm: Callable[..., TinyFirm], shared_warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> TinyFirm:
    """Return the firm after three calm nights and a held one, its warehouse the configured one."""
    monkeypatch.setenv("CARE_DB", shared_warehouse)
    firm = make_firm({"levels.yaml": HOLDING})
    for name in NAMES:
        firm.customer(name)
    for number in (1, 2, 3, 4):
        for name in NAMES:
            firm.dial(name, day(number), quiet=0, strain=0, halt=float(number == 4), mood=90)
        firm.night(day(number))
    return firm


def said(captured: CAPTURED) -> list[str]:
    return captured.readouterr().out.splitlines()


@pytest.mark.req("D9")
def test_a_held_night_is_listed_released_and_cannot_be_released_again(
    held: TinyFirm, capsys: CAPTURED
) -> None:
    assert main(["night", "list", "--last", "2"]) == 0
    assert said(capsys) == [
        "2026-06-04  held      3 of 3 customers would have risen (3 to level 2)",
        "2026-06-03  sealed  ",
    ]
    chinese = ["--language", "zh-CN"]
    assert main(["night", "list", "--last", "2", *chinese]) == 0
    assert said(capsys) == [
        "2026-06-04  已扣下  3 个客户中有 3 个本来要升级（3 个到 2 级）",
        "2026-06-03  已封存",
    ]
    assert main(["night", "reject", "2026-06-04", "--by", "zoe", "--because", "the feed"]) == 0
    assert main(["night", "release", "2026-06-04", "--by", "zoe", "--because", "it is true"]) == 0
    assert said(capsys)[-1].startswith("the night of 2026-06-04 is released: 3 warnings moved")
    assert held.rows(
        "select by, what, detail ->> 'why' from care.audit where what like 'night%%' order by audit_no"
    ) == [
        ("zoe", "night_rejected", "the feed"),
        ("zoe", "night_released", "it is true"),
    ]
    assert main(["night", "release", "2026-06-04"]) == 2
    assert "is not held, it is sealed: there is nothing to release" in capsys.readouterr().err
    assert main(["night", "release", "2026-06-04", *chinese]) == 2
    assert capsys.readouterr().err == "2026-06-04 这一晚没有被扣下（状态：已封存），无需放行\n"
    assert main(["night", "release"]) == 2
    assert "which night? care night release DAY; see: care night list" in capsys.readouterr().err


@pytest.mark.req("S5")
def test_a_restatement_says_how_many_customers_changed(
    held: TinyFirm, capsys: CAPTURED, tmp_path: Path
) -> None:
    noon = held.moment(day(1), 12)
    for name in NAMES[:2]:
        held.facts.add("survey", name, noon, score=95, known_from=held.moment(day(4), 5))
    held.clock_at(held.moment(day(4), 9))
    command = ["run", "--restate", "--from", "2026-06-01", "--config", str(tmp_path / "config")]
    assert main([*command, "--to", "2026-06-03"]) == 0
    assert said(capsys) == [
        "2026-06-01  nothing changed",
        "2026-06-02  revision 1, 2 customers changed",
        "2026-06-03  nothing changed",
        "3 nights computed again, 2 customers changed; no warning and no message moved",
    ]
    assert main(["night", "list"]) == 0
    assert "2026-06-02  sealed    restated, revision 1" in said(capsys)
    assert main([*command, "--to", "2026-05-01"]) == 2
    assert "--to 2026-05-01 lies before --from 2026-06-01" in capsys.readouterr().err
    for mistake in (["run"], ["run", "--restate"], ["run", "--day", "2026-06-01", "--from", "2026-06-01"]):
        assert main(mistake) == 2
        assert "care run" in capsys.readouterr().err


@pytest.mark.req("D14")
def test_a_backtest_counts_customers_by_level_in_chinese(
    held: TinyFirm, capsys: CAPTURED, tmp_path: Path
) -> None:
    command = [
        "backtest",
        "--from",
        "2026-06-01",
        "--config",
        str(tmp_path / "config"),
        "--language",
        "zh-CN",
    ]
    assert main([*command, "--to", "2026-06-01"]) == 0
    head, line = said(capsys)
    assert head.startswith("判断配置 ") and head.endswith("，level_basis=hit")
    assert line.split() == ["2026-06-01", "3", "个客户", "1", "级：0", "2", "级：0", "3", "级：0"]
    assert main([*command, "--to", "2026-05-01"]) == 2
    assert capsys.readouterr().err == "--to 2026-05-01 早于 --from 2026-06-01\n"


@pytest.mark.req("D14")
def test_an_erasure_says_in_chinese_what_it_did(capsys: CAPTURED) -> None:
    done = Erasure("erased-1", Counter({"care.fact_note": 2}))
    for dry_run, last in (
        (True, "没有做任何改动；去掉 --dry-run 就会执行，而且无法撤回"),
        (False, "接下来："),
    ):
        rows, *lines = (in_language(line, "zh-CN") for line in erasure_lines(done, dry_run=dry_run))
        assert rows.split() == ["2", "care.fact_note"] and lines[-1].startswith(last)
        assert ("已删除；统计数字以假名 erased-1 保留" in lines) == (not dry_run)
