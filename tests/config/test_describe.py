"""What a configuration says in plain sentences, in both languages."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from tests.config.files import FOLDERS_OF_CONFIGURATION, ROOT

from carewatch.cli import main
from carewatch.spec.configuration import Configuration
from carewatch.spec.fact_names import Language
from carewatch.spec.loading import load
from carewatch.spec.plain import everything, named
from carewatch.spec.plain.document import sentences
from carewatch.spec.plain.rule import rule_sentences
from carewatch.spec.plain.where import rows_that_count
from carewatch.spec.plain.words import Words
from carewatch.spec.rules import Rule

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


@cache
def shipped() -> Configuration:
    return load(ROOT / "config")


FULL = {
    "label": "Late", "severity": "mild", "severity_by_tier": {"A": "critical"}, "priority": "high", "counts_as": "overdue",
    "dimension": "finance", "when": {"all": ["overdue_days > 60", {"any": ["tier is A", "orders_30d < 2"]}]}, "holds_for": 3,
    "clears_if": "overdue_days < 10", "clears_after": 2, "unless": "reason is low_season", "hides": ["unhappy"],
    "because": "Late by {overdue_days:.0f} days.",
}  # fmt: skip
EVENT = {
    "label": "Dearer", "severity": "watch", "severity_by": {"segment": {"key": "severe"}}, "counts_as": "dearer",
    "dimension": "environment", "on": "event", "fact": "market_event", "concerns": "market", "lasts": "10 days",
    "where": "what = 'policy' and coalesce(cost_rise, 20) >= 20", "mails": "owner", "because": "Dearer: {title}.",
}  # fmt: skip


@pytest.mark.req("D14")
@pytest.mark.parametrize(
    ("rule", "language", "said"),
    [
        (FULL, "en", [
            "Fires when Days the oldest unpaid bill is overdue is above 60 days and (tier is A or Orders in 30 days is below 2), "
            "3 nights running.",
            "Not while the reasonable reason on record is low season.",
            "Is over when Days the oldest unpaid bill is overdue is below 10 days, 2 nights running.",
            "Its severity is mild.",
            "Where tier is A, it is critical.",
            "Belongs to Finance, and counts once together with: A bill is overdue more than 60 days.",
            "Its priority is at least high.",
            "While it is open, notices leave out: Satisfaction is low.",
            "People read: Late by … days.",
        ]),
        (FULL, "zh-CN", [
            "连续 3 晚满足以下条件时触发：最早未付账单逾期天数 高于 60天 且 (客户等级 为 A 或 30天订单数 低于 2)。",
            "除外：登记的合理原因 为 淡季。",
            "连续 2 晚满足以下条件时解除：最早未付账单逾期天数 低于 10天。",
            "严重程度：轻度。",
            "客户等级为 A 时：紧急。",
            "属于“财务”，与以下规则合计一次：账单逾期超过60天。",
            "优先级至少为高。",
            "信号存在期间，通知中不再列出：满意度低。",
            "展示给人员的原因：Late by … days.",
        ]),
        (EVENT, "en", [
            "Fires as soon as it is known, from Market events, and counts for 10 days.",
            "Only those count for which: Kind of event is policy and (Cost rise in % is at least 20 or Cost rise in % is not known).",
            "One event concerns every customer of its industry, country or line.",
            "Its severity is watch.",
            "Where segment is key, it is severe.",
            "Belongs to Environment, and counts on its own.",
            "Sends one mail by itself to the owner of the customer.",
            "People read: Dearer: ….",
        ]),
        (EVENT, "zh-CN", [
            "一经得知即触发（来源：市场与竞品事件），有效期 10 天。",
            "只计入满足以下条件的记录：事件类型 为 政策 且 (成本上涨（%） 不低于 20 或 成本上涨（%） 未知)。",
            "一个事件涉及其行业、国家或产品线的所有客户。",
            "严重程度：关注。",
            "细分为 key 时：重度。",
            "属于“环境”，单独计数。",
            "自动发送一封邮件给客户负责人。",
            "展示给人员的原因：Dearer: ….",
        ]),
    ],
)  # fmt: skip
def test_everything_that_a_rule_may_say_is_said(
    rule: dict[str, object], language: Language, said: list[str]
) -> None:
    words = Words(shipped(), language)
    assert [*rule_sentences("new", Rule.model_validate(rule), words)] == said


@pytest.mark.req("D14")
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("invited and not attended", "Invited is yes and Attended is no"),
        ("not coalesce(attended, false)", "Attended is no or Attended is not known"),
        ("coalesce(attended, false)", "Attended is yes"),
        ("coalesce(attended, true)", "Attended is yes or Attended is not known"),
        ("tone in ('distant', 'negative')", "Tone is one of distant, negative"),
        ("tone not in ('distant', 'negative')", "Tone is none of distant, negative"),
        ("coalesce(direction, 'out') <> 'in'", "Direction is not in or Direction is not known"),
        ("coalesce(direction, 'in') <> 'in'", "Direction is not in"),
        ("coalesce(tone, 'warm') in ('warm', 'negative')", "Tone is one of warm, negative or Tone is not known"),
        ("tone is null", "Tone is not known"),
        ("tone is not null or what <> 'event'", "Tone is known or Kind of contact is not event"),
        ("not (what = 'call' or invited)", "none of this holds: (Kind of contact is call or Invited is yes)"),
    ],
)  # fmt: skip
def test_which_rows_count_is_said_as_people_say_it(where: str, said: str) -> None:
    words = Words(shipped(), "en")
    assert rows_that_count("interaction", where, words) == f"Only those count for which: {said}."


@pytest.mark.req("D14")
def test_what_has_no_words_is_said_to_have_none() -> None:
    for language, said in (("en", "which ones is written in SQL"), ("zh-CN", "以 SQL 写明")):
        words = Words(shipped(), language)  # type: ignore[arg-type]
        for where in ("length(tone) > 3", "what like 'c%'", "coalesce(tone, what, 'warm') = 'warm'"):
            assert said in rows_that_count("interaction", where, words)
    for folder in FOLDERS_OF_CONFIGURATION:
        judged = load(folder).judgement
        for one in (*judged.rules.values(), *judged.metrics.values()):
            if one.where is not None and one.fact is not None:
                assert "SQL" not in rows_that_count(one.fact, one.where, Words(shipped(), "en"))


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
