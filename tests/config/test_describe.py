"""What a configuration says in plain sentences, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.config.files import FOLDERS_OF_CONFIGURATION, ROOT

from carewatch.cli import main
from carewatch.spec.loading import load
from carewatch.spec.plain import everything, named
from carewatch.spec.plain.document import sentences

ID = re.compile(r"[A-Za-z0-9]+_[A-Za-z0-9_]*")


@pytest.mark.req("D14")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_nothing_that_is_shipped_is_said_by_an_id(language: str) -> None:
    for folder in (ROOT / "config", ROOT / "examples" / "small_firm"):
        for one in sentences(load(folder), language):
            assert one.lines
            text = "\n".join((one.label, *one.lines))
            assert not ID.search(text), (one.name, text)


@pytest.mark.req("D14")
def test_a_chinese_document_has_no_english_sentence() -> None:
    for one in sentences(load(ROOT / "config"), "zh-CN"):
        lines = [line for line in one.lines if not line.startswith("口径负责人")]
        # words of customers' data (an industry, a reason's label) stay as they are written
        assert not re.search(r"[a-z]+ [a-z]+ [a-z]+", "\n".join(lines)), (one.name, lines)


@pytest.mark.req("D14")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_whole_configuration_reads_as_a_document(language: str) -> None:
    written = (Path(__file__).parent / "described" / f"small_firm.{language}.md").read_text(encoding="utf-8")
    assert everything(load(ROOT / "examples" / "small_firm"), language) == written


@pytest.mark.req("D14")
def test_a_rule_says_when_it_fires_when_it_is_over_and_who_is_warned_of_what() -> None:
    configuration = load(ROOT / "config")
    [rule] = named(configuration, "订单额下降10%至20%", "en")
    assert rule.name == "order_amount_down_10"
    assert rule.lines[0] == (
        "Fires when Sales against the 90 days before is at most -10 % and Sales against the 90 days before is above -20 % "
        "and Orders in a year is at least 50, 3 nights running."
    )
    [playbook] = named(configuration, "level2_recovery", "zh-CN")
    assert "- 客户负责人：电话了解问题，工时期限：A 类 2、B 类 4、C 类 8。" in playbook.lines
    assert playbook.lines[-1] == "未受控时升级给负责人的上级，工时期限：A 类 16、B 类 16、C 类 24。"


@pytest.mark.req("D14")
def test_the_shell_says_one_thing_or_all_and_helps_with_misspelt_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["describe", "unhappy", "--language", "zh-CN"]) == 0
    said = capsys.readouterr().out
    assert (
        said.startswith("### 满意度低\n\n- 满足以下条件时触发：180天满意度 低于 3（满分 5）。\n")
        and "解除条件" in said
    )
    assert main(["describe", "unhapy"]) == 2
    assert (
        "there is no rule, model, playbook or metric 'unhapy'; did you mean unhappy?"
        in capsys.readouterr().err
    )
    assert main(["describe"]) == 2
    capsys.readouterr()
    folder = FOLDERS_OF_CONFIGURATION[-1]
    assert main(["describe", "--all", "--config", str(folder)]) == 0
    assert capsys.readouterr().out.startswith("# ")
