"""The words in which a rule says why it fired."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.warn.book import rule

from carewatch.spec.document import Text
from carewatch.warn.hits import HEALTH_RED, HEALTH_YELLOW
from carewatch.warn.reasons import fill, hidden_by, number_text, reason


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (-0.0, "0"), (7, "7"), (7.0, "7"), (2.5, "2.5"), (2.46, "2.46"), (2.4567, "2.46"), (-12.0, "-12"),
        (1234567, "1,234,567"), (1234.5, "1,234.5"), (0.001, "0"), (-0.001, "0"), (99.999, "100"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_people_do(value: float, text: str) -> None:
    assert number_text(value) == text


@given(st.floats(-1e12, 1e12))
def test_a_written_number_is_the_number(value: float) -> None:
    written = number_text(value)
    assert abs(float(written.replace(",", "")) - value) <= 0.005 + abs(value) * 1e-12
    assert not written.endswith(".") and written != "-0"


def test_values_are_filled_in_with_their_format() -> None:
    text = Text.of("Down {change:.0f} % in {days} days, {amount} left")
    values = {"change": -29.6, "days": 30.0, "amount": 12345.5}
    assert fill(text, values, "en") == "Down -30 % in 30 days, 12,345.5 left"


def test_whole_numbers_take_any_format_too() -> None:
    """Evidence comes back from JSON, where 30.0 is 30."""
    assert fill(Text.of("{a:.1f} {a:.0f} {a}"), {"a": 30}, "en") == "30.0 30 30"


def test_nothing_is_written_as_minus_zero() -> None:
    assert fill(Text.of("{a:.0f} % {a:.1f}"), {"a": -0.04}, "en") == "0 % 0.0"


def test_a_missing_value_is_said_to_be_unknown() -> None:
    text = Text.of({"en": "{a} and {b:.1f} and {c}", "zh-CN": "{a}、{b:.1f}、{c}"})
    values = {"a": None, "b": float("nan")}
    assert fill(text, values, "en") == "unknown and unknown and unknown"
    assert fill(text, values, "zh-CN") == "未知、未知、未知"


def test_a_word_is_shown_whatever_the_format() -> None:
    assert fill(Text.of("{tier} {tier:.1f}"), {"tier": "A"}, "en") == "A A"


def test_braces_that_are_meant_stay() -> None:
    assert fill(Text.of("{{x}} {x}"), {"x": 1}, "en") == "{x} 1"


def test_a_rule_says_why_in_both_languages() -> None:
    spoken = rule(because={"en": "{x} complaints", "zh-CN": "{x} 次投诉"})
    assert reason("any", spoken, {"x": 3}) == {"en": "3 complaints", "zh-CN": "3 次投诉"}


def test_health_says_its_score() -> None:
    assert reason(HEALTH_RED, None, {"score": 31.456})["en"] == "Health is red: 31.46 points."
    assert reason(HEALTH_YELLOW, None, {"score": 60})["zh-CN"] == "健康度低于绿色：60.00 分。"


def test_a_rule_is_hidden_only_while_one_that_hides_it_is_open() -> None:
    rules = {
        "big": rule(hides=["small", "other"]),
        "small": rule(hides=["tiny"]),
        "tiny": rule(),
        "other": rule(),
    }
    assert hidden_by(rules, ["big", "small", "tiny"]) == {"small": ["big"], "tiny": ["small"]}
    assert hidden_by(rules, ["small", "other"]) == {}
    assert hidden_by(rules, [HEALTH_RED, "big"]) == {}
