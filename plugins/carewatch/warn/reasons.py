"""Answer the question: in which words does a rule say why it fired?"""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Mapping
from typing import Any, Final

from carewatch.spec.document import LANGUAGES, Text
from carewatch.spec.rules import Rule
from carewatch.warn.hits import HEALTH_RED

ERASED: Final = {"en": "erased", "zh-CN": "已删除"}
"""What is left of a reason's words when its customer is erased."""
_MISSING = {"en": "unknown", "zh-CN": "未知"}
_HEALTH = {
    True: Text.of({"en": "Health is red: {score:.2f} points.", "zh-CN": "健康度为红色：{score:.2f} 分。"}),
    False: Text.of(
        {"en": "Health is below green: {score:.2f} points.", "zh-CN": "健康度低于绿色：{score:.2f} 分。"}
    ),
}


def number_text(value: float) -> str:
    """Return a number as people write it: no trailing zeros, thousands separated, at most two decimals."""
    return _without_sign_of_zero(f"{value:,.2f}".rstrip("0").rstrip("."))


def _without_sign_of_zero(text: str) -> str:
    return text if any(digit in "123456789" for digit in text) else text.replace("-", "", 1)


class _Reason(string.Formatter):
    def __init__(self, language: str) -> None:
        self.language = language

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        return kwargs.get(key)

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None or (isinstance(value, float) and math.isnan(value)):
            return _MISSING.get(self.language, _MISSING["en"])
        if not isinstance(value, int | float):
            return str(value)
        # Evidence that went through JSON has 30 for 30.0: formats are those of floats all the same.
        return _without_sign_of_zero(format(float(value), format_spec)) if format_spec else number_text(value)


def fill(text: Text, values: Mapping[str, object], language: str) -> str:
    """Return the text with its `{names}` filled in; a missing value is said to be unknown."""
    return _Reason(language).vformat(text.in_(language), (), dict(values))


def reason(rule_name: str, rule: Rule | None, evidence: Mapping[str, object]) -> dict[str, str]:
    """Return why the rule fired, per language, from the numbers it fired on; `rule` is None for the health rules."""
    text = rule.because if rule is not None else _HEALTH[rule_name == HEALTH_RED]
    return {language: fill(text, evidence, language) for language in LANGUAGES}


def hidden_by(rules: Mapping[str, Rule], found: Iterable[str]) -> dict[str, list[str]]:
    """Return which of the open rules a notice leaves out, each with the open rules that hide it."""
    names = list(found)
    hiding = {
        name: [other for other in names if other in rules and name in rules[other].hides] for name in names
    }
    return {name: others for name, others in hiding.items() if others}
