"""A configuration written with the words of business people is the one written with ids."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.firm import FILES, PLAYBOOKS, changed, configure

from carewatch.spec.document import SpecError

ROLES = """
roles: {sales_manager: 销售经理, executive: {en: Executive, zh-CN: 高管}, account_manager: 客户经理, service: 客服}
"""


def in_words(text: str, *words: tuple[str, str]) -> str:
    """Return a text with ids replaced by words; each of them must be there."""
    for old, new in words:
        assert old in text, f"no {old!r}"
        text = text.replace(old, new)
    return text


LABELLED = {
    **changed("metrics/dials.yaml", ("label: quiet", "label: {en: Quiet weeks, zh-CN: 安静周数}")),
    **changed("health.yaml", ("label: Use", "label: {en: Use, zh-CN: 使用}")),
}
IN_WORDS = {
    **LABELLED,
    "health.yaml": in_words(LABELLED["health.yaml"], ("{mood: {", "{Mood: {")).replace(
        "Mood: {weight", "mood: {weight"
    ),
    "tiers.yaml": in_words(
        FILES["tiers.yaml"], ("profit_rate:", "Profit rate:"), ("money: sales", "money: Sales")
    ),
    "stages.yaml": in_words(FILES["stages.yaml"], ("quiet >= 99", "安静周数 不小于 99")),
    "warnings/dials.yaml": in_words(
        FILES["warnings/dials.yaml"],
        ("severity: mild", "severity: 轻度"),
        ("severity: severe", "severity: 重度"),
        ("dimension: use", "dimension: 使用"),
        ("when: quiet >= 1", "when: Quiet weeks >= 1"),
        ("quiet is {quiet}", "quiet is {安静周数}"),
    ),
    "levels.yaml": in_words(
        FILES["levels.yaml"], ("critical: 1", "紧急: 1"), ("moderate: 1, mild: 2", "中度: 1, 轻度: 2")
    ),
    "people.yaml": in_words(FILES["people.yaml"], ("[executive]", "[高管]"), ("[service]", "[客服]")) + ROLES,
    "playbooks/level3.yaml": in_words(
        PLAYBOOKS["playbooks/level3.yaml"],
        ("role: owner", "role: 负责人"),
        ("role: executive", "role: 高管"),
        ("escalate_to: executive", "escalate_to: 高管"),
    ),
    **{name: text for name, text in PLAYBOOKS.items() if not name.endswith("level3.yaml")},
}
BY_IDS = {**LABELLED, "people.yaml": FILES["people.yaml"] + ROLES, **PLAYBOOKS}


@pytest.mark.req("S153")
def test_labels_and_ids_have_one_fingerprint(tmp_path: Path) -> None:
    words, ids = configure(tmp_path / "words", IN_WORDS), configure(tmp_path / "ids", BY_IDS)
    assert words.judgement.canonical() == ids.judgement.canonical()
    assert words.care.canonical() == ids.care.canonical()
    assert (words.judgement.fingerprint, words.care.fingerprint) == (
        ids.judgement.fingerprint,
        ids.care.fingerprint,
    )


def problems(folder: Path, files: dict[str, str]) -> list[str]:
    with pytest.raises(SpecError) as caught:
        configure(folder, files)
    return [str(one).removeprefix(f"{folder}/") for one in caught.value.problems]


def test_a_label_that_two_metrics_share_is_refused_where_it_is_used(tmp_path: Path) -> None:
    files = {
        **changed("metrics/dials.yaml", ("label: quiet", "label: Sales")),
        **changed("tiers.yaml", ("money: sales", "money: Sales")),
    }
    assert problems(tmp_path, files) == [
        "tiers.yaml:6:8: 'Sales' is what quiet and sales are both called; expected the id of one of them"
    ]


def test_a_misspelt_label_is_shown_the_label_that_was_probably_meant(tmp_path: Path) -> None:
    files = {**LABELLED, **changed("stages.yaml", ("quiet >= 99", "安静周 >= 99"))}
    assert problems(tmp_path, files) == [
        "stages.yaml:4:15: unknown name '安静周'; expected a metric or attribute that is defined; did you mean 安静周数?"
    ]


def test_the_id_and_its_label_side_by_side_are_told_at_the_label(tmp_path: Path) -> None:
    files = changed(
        "tiers.yaml",
        ("{profit_rate: {weight: 1,", "{sales: {weight: 0.5, points: {0: 0, 1: 1}}, Sales: {weight: 0.5,"),
    )
    assert problems(tmp_path, files) == [
        "tiers.yaml:3:55: unknown metric 'Sales'; expected a metric of the folder metrics; did you mean sales?"
    ]
