"""A literal's unit becomes the unit that the compared number is counted in, or is refused."""

from __future__ import annotations

import pytest

from carewatch.spec.condition import parse
from carewatch.spec.condition.tree import Comparison
from carewatch.spec.document import SpecProblem
from carewatch.spec.vocabulary import Vocabulary, vocabulary

WORDS = vocabulary(
    metrics=[
        {
            "silent": {"label": {"en": "Days of silence", "zh-CN": "沉默天数"}, "unit": "days"},
            "years": {"label": "Years", "unit": "years"},
            "to_resolve": {"label": "To resolve", "unit": "hours"},
            "sales": {"label": {"zh-CN": "销售额"}, "unit": "CNY"},
            "sales_change": {"label": {"zh-CN": "销售额环比（90天）"}, "unit": "%"},
            "mood": {"label": "Mood", "unit": "of 5"},
            "twin": {"label": "Same"},
            "double": {"label": "Same"},
        }
    ],
    dimensions=[],
    roles={},
)


def value(text: str, words: Vocabulary = WORDS) -> tuple[str, object]:
    parsed = parse(text, words)
    assert isinstance(parsed, Comparison)
    return parsed.name, parsed.value


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("silent >= 60 days", "silent", 60),
        ("silent >= 60天", "silent", 60),
        ("silent >= 2个月", "silent", 60),
        ("silent >= 1 year", "silent", 365),
        ("silent >= 36 hours", "silent", 1.5),
        ("years < 18个月", "years", 1.5),
        ("years < 2 years", "years", 2),
        ("to_resolve > 4工时", "to_resolve", 4),
        ("to_resolve > 2 days", "to_resolve", 48),
        ("sales > 200万元", "sales", 2_000_000),
        ("sales > 200万", "sales", 2_000_000),
        ("sales_change <= -30%", "sales_change", -30),
        ("mood < 3", "mood", 3),
        ("mood < 3天", "mood", 3),
        ("unheard_of > 2 weeks", "unheard_of", 14),
        # by label, in either language, with or without blanks
        ("沉默天数 >= 60天", "silent", 60),
        ("沉默天数大于60天", "silent", 60),
        ("Days of silence >= 60", "silent", 60),
        ("days OF silence is missing", "silent", None),
        ("销售额 > 200万元", "sales", 2_000_000),
        ("销售额环比（90天） <= -30%", "sales_change", -30),
        ("健康度 是 红色", "colour", "red"),
        ("健康度 属于 [红, yellow]", "colour", ("red", "yellow")),
        ("行业 是 红色", "industry", "红色"),
    ],
)
def test_a_literal_is_read_in_the_unit_of_its_name(text: str, name: str, expected: object) -> None:
    assert value(text) == (name, expected)


def test_a_name_on_the_right_may_be_a_label_too() -> None:
    assert str(parse("silent > {Years}", WORDS).text) == "silent > {years}"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("silent > 30%", 10, "'silent' is counted in days, not in %; expected a number of days"),
        ("sales > 3天", 9, "'sales' is counted in CNY, not in days; expected a number of CNY"),
        ("sales_change > 5万元", 16, "'sales_change' is counted in %, not in money; expected a number of %"),
        ("Same > 3", 1, "'Same' is what twin and double are both called; expected the id of one of them"),
        (
            "silent > {Same}",
            10,
            "'Same' is what twin and double are both called; expected the id of one of them",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_at_its_place(text: str, column: int, message: str) -> None:
    with pytest.raises(SpecProblem) as caught:
        parse(text, WORDS)
    assert (caught.value.column_offset + 1, str(caught.value)) == (column, message)
