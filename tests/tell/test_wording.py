"""The shipped notices as their readers get them, and what a template may not do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from carewatch.commands.notice_samples import SAMPLES
from carewatch.tell import wording
from carewatch.tell.wording import LONGEST_MESSAGE, LONGEST_TEMPLATE, BadTemplate, check_template, compose

ZONE = ZoneInfo("Asia/Shanghai")
LANGUAGES = ("en", "zh-CN")
DUE = datetime(2026, 6, 1, 3, tzinfo=UTC)
TEXTS = {
    "en": ("Health is red: 31.40 points.", "Call and learn the problem", "Go there."),
    "zh-CN": ("健康度为红色：31.40 分。", "电话了解问题", "上门沟通。"),
}


def warning(language: str = "en", **changes: Any) -> dict[str, Any]:
    why, title, advice = TEXTS[language]
    return {
        "receiver": "Ann",
        "warning_no": 7,
        "customer": {"id": "C007", "name": "宏远机械 Ltd"},
        "owner": "林小雨",
        "what": "opened",
        "level": 3,
        "tier": "A",
        "priority": "medium",
        "manager": None,
        "value": 1234567.0,
        "currency": "CNY",
        "score": 48.5,
        "colour": "red" if language == "en" else "红",
        "opened": "2026-05-30",
        "days": 2,
        "earlier": [],
        "reasons": [{"text": why, "severity": "severe", "since": "2026-05-30"}],
        "tasks": [{"step": "first_call", "title": title, "owner": "Bob", "due_at": DUE}],
        "recommends": [advice],
    } | changes


def values_of(kind: str, language: str) -> Mapping[str, Any]:
    one = warning(language)
    late = {key: one[key] for key in ("customer", "warning_no", "level")}
    unheld = {"called": True, "planned": False, "next_date_ahead": False, "since": DUE, "due_at": DUE}
    return {
        "warning": one,
        "digest": {"receiver": "Ann", "day": date(2026, 6, 1), "warnings": [one, one | {"level": 1}]},
        "reminder": {"receiver": "Ann", "tasks": [late | {"title": one["tasks"][0]["title"], "due_at": DUE}] * 2},
        "escalation": {
            "receiver": "Ann",
            "cases": [late | unheld | {"owner": one["owner"], "reasons": one["reasons"]}],
        },
    }[kind]  # fmt: skip


TOLD_OF_CUSTOMERS = ("warning", "digest", "reminder", "escalation")


def shipped() -> list[str]:
    folder = Path(__file__).resolve().parents[2] / "include" / "templates" / "notices"
    return sorted({path.name.removesuffix(".txt.j2") for path in folder.glob("*/*.j2")})


def test_every_notice_is_there_in_every_language() -> None:
    assert shipped() == sorted(SAMPLES)
    folder = Path(__file__).resolve().parents[2] / "include" / "templates" / "notices"
    assert len(list(folder.glob("*/*.j2"))) == len(shipped()) * len(LANGUAGES)


@pytest.mark.parametrize(("kind", "language"), list(product(TOLD_OF_CUSTOMERS, LANGUAGES)))
def test_a_shipped_notice_reads_well(kind: str, language: str) -> None:
    made = compose(kind, language, values_of(kind, language), ZONE)
    assert "\n" not in made["subject"] and 5 < len(made["subject"]) < 80
    text = made["text"]
    assert "宏远机械 Ltd" in text and "C007" in text and "2026-06-01 11:00" in text
    assert text.startswith("Good morning Ann" if (kind, language) == ("digest", "en") else "Ann")
    for trace in ("{", "}", "None", "\n\n\n", "  \n", " ,", "datetime"):
        assert trace not in text, f"{trace!r} in\n{text}"
    has_chinese = any("\u4e00" <= letter <= "\u9fff" for letter in made["subject"])
    assert has_chinese is (language == "zh-CN" or "宏远机械" in made["subject"])


def test_a_red_warning_as_its_reader_gets_it() -> None:
    assert compose("warning", "en", warning(), ZONE) == {
        "subject": "Level 3: 宏远机械 Ltd may be leaving",
        "text": "Ann, this customer needs care now.\n"
        "\n"
        "宏远机械 Ltd (C007), tier A, CNY 1,234,567 at stake, owner 林小雨\n"
        "Health 48.5 of 100, red. Open since 2026-05-30, 2 days. Not warned of before.\n"
        "\n"
        "Why:\n"
        "- Health is red: 31.40 points. (since 2026-05-30)\n"
        "\n"
        "What is under way:\n"
        "- Call and learn the problem - Bob, by 2026-06-01 11:00\n"
        "\n"
        "* Go there.\n",
    }


def test_a_warning_with_nothing_to_add_leaves_no_empty_headings() -> None:
    bare = warning("zh-CN", reasons=[], tasks=[], recommends=[], value=None)
    text = (
        "Ann，该客户需要立即关怀。\n\n宏远机械 Ltd（C007），A 类客户，负责人：林小雨\n"
        "健康分 48.5（满分 100），红。自 2026-05-30 起已 2 天。此前没有预警。\n"
    )
    assert compose("warning", "zh-CN", bare, ZONE)["text"] == text


@pytest.mark.parametrize(
    ("what", "level", "en", "zh"),
    [
        ("opened", 2, "Level 2: X may be leaving", "2 级预警：X 可能流失"),
        ("rose", 3, "Now level 3: X may be leaving", "升至 3 级预警：X 可能流失"),
        ("returned", 2, "Level 2 again: X may be leaving", "再次出现 2 级预警：X 可能流失"),
        ("handed_over", 2, "Handed over to 林小雨: X, level 2", "已移交给林小雨：X（2 级预警）"),
        ("handed_over", 0, "Handed over to 林小雨: X", "已移交给林小雨：X"),
    ],
)
def test_the_subject_says_what_happened(what: str, level: int, en: str, zh: str) -> None:
    values = warning(what=what, level=level, customer={"id": "1", "name": "X"})
    assert compose("warning", "en", values, ZONE)["subject"] == en
    assert compose("warning", "zh-CN", values, ZONE)["subject"] == zh


@pytest.mark.parametrize(("count", "said"), [(1, "1 customer may"), (2, "2 customers may")])
def test_one_is_not_told_as_many(count: int, said: str) -> None:
    values = {"receiver": "Ann", "day": date(2026, 6, 1), "warnings": [warning()] * count}
    assert compose("digest", "en", values, ZONE)["subject"] == f"{said} be leaving, 2026-06-01"


def test_a_name_with_line_breaks_cannot_write_a_header() -> None:
    values = warning(customer={"id": "1", "name": "X\r Bcc: all@firm.example\u2028Y"})
    assert (
        compose("warning", "en", values, ZONE)["subject"]
        == "Level 3: X Bcc: all@firm.example Y may be leaving"
    )


REFUSED = {
    "a text made of a billion": "{{ 'a' * 10**9 }}",
    "a power": "{{ 9 ** 9 ** 9 }}",
    "a format": "{{ '%999999999d' % 1 }}",
    "a sum": "{{ 'a' + 'b' }}",
    "a joint": "{{ 'a' ~ 'b' }}",
    "a range": "{% for x in range(10**9) %}{% endfor %}",
    "a call": "{{ customer.items() }}",
    "a namespace": "{% set n = namespace(x=1) %}",
    "a doubling variable": "{% set a = 'aaaa' %}{% set a = [a, a] %}{{ a }}",
    "an include": "{% include '/etc/passwd' %}",
    "an import": "{% import 'x' as y %}",
    "a parent": "{% extends 'x' %}",
    "a macro": "{% macro a() %}{% endmacro %}",
    "a block": "{% block a %}{% endblock %}",
    "a class": "{{ customer.__class__ }}",
    "a padding filter": "{{ customer.name|center(1000000000) }}",
    "a mapping filter": "{{ reasons|map('upper')|list }}",
    "loops upon loops": "{% for a in x %}" * 4 + "{% endfor %}" * 4,
    "a recursive loop": "{% for a in x recursive %}{{ loop(a) }}{% endfor %}",
    "a mistake": "{{ customer.name }",
    "an unknown tag": "{% nonsense %}",
    "nesting without end": "{{ " + "(" * 5000 + "x" + ")" * 5000 + " }}",
    "branches without end": "{% if x %}" * 150 + "{% endif %}" * 150,
    "length": "x" * (LONGEST_TEMPLATE + 1),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_template_that_does_more_than_place_values_is_refused(what: str) -> None:
    with pytest.raises(BadTemplate, match=r"^en/x\.txt\.j2:"):
        check_template(REFUSED[what], "en/x.txt.j2")


def test_a_refusal_names_the_line_and_what_to_write_instead() -> None:
    with pytest.raises(
        BadTemplate, match=r"^n:2: a notice template may not contain 'call'; expected values, fil"
    ):
        check_template("a\n{{ x() }}", "n")
    with pytest.raises(
        BadTemplate, match=r"^n:1: unknown filter 'big'; expected one of default, first, join"
    ):
        check_template("{{ x|big }}", "n")


def test_a_template_of_the_longest_length_is_taken() -> None:
    check_template("x" * LONGEST_TEMPLATE, "n")


ACCEPTED = (
    "{{ a.b[0] }} {{ a['b'] }} {{ a[1:3] }}",
    "{% for a in b %}{{ loop.index }}{% else %}none{% endfor %}",
    "{% if a and not b or c is defined %}{% elif a > 3 %}{% else %}{% endif %}{{ a if b else 'c' }}",
    "{{ a|default('x')|upper }}{{ b|join(', ') }}{{ c|number }}{{ d|moment }}{{ e|length }}{{ f|first|title }}",
    "{% raw %}{{ as it stands }}{% endraw %}{# a remark #}",
    "{% if a in ('x', 'y') %}{% endif %}",
)


@pytest.mark.parametrize("template", ACCEPTED)
def test_what_a_person_needs_is_accepted(template: str) -> None:
    check_template(template, "n")


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that renders a template of one's own."""
    monkeypatch.setattr(wording, "include", lambda *parts: tmp_path)

    def render(template: str, **values: Any) -> dict[str, str]:
        (tmp_path / "en").mkdir(exist_ok=True)
        (tmp_path / "en" / "mine.txt.j2").write_text("Subject\n" + template, encoding="utf-8")
        wording._loading.cache_clear()
        return compose("mine", "en", values, ZONE)

    return render


def test_filters_write_numbers_and_moments_for_people(written: Any) -> None:
    template = "{{ a|number }} {{ b|moment }} {{ c|moment }} {{ d|join(', ') }}"
    made = written(template, a=1234.5, b=DUE, c=DUE.isoformat(), d=[1, 2])
    assert made["text"] == "1,234.5 2026-06-01 11:00 2026-06-01 11:00 1, 2\n"


@pytest.mark.parametrize(
    "template",
    [
        "{{ nobody }}",
        "{{ a.nothing }}",
        "{{ a[3] }}",
        "{{ none|number }}",
        "{{ 'x'|number }}",
        "{{ 'x'|moment }}",
        "{{ 'ab'|join('cd') }}",
        "{{ a|join(a) }}",
    ],
)
def test_a_value_that_is_not_there_or_does_not_fit_is_said_in_one_line(written: Any, template: str) -> None:
    with pytest.raises(BadTemplate, match=r"^en/mine\.txt\.j2: [^\n]+$"):
        written(template, a=[1], none=None)


def test_a_message_that_grows_too_long_is_cut_off_before_it_is_made(written: Any) -> None:
    thousand = ["x" * 100] * 1000
    assert len(written("{% for a in b %}{{ a }}{% endfor %}", b=thousand[:999])["text"]) == 99_901
    for template in (
        "{% for a in b %}{% for c in b %}{{ a }}{{ c }}{% endfor %}{% endfor %}",
        "{{ b|join(', ') }}",
    ):
        with pytest.raises(BadTemplate, match=str(LONGEST_MESSAGE)):
            written(template, b=thousand)
