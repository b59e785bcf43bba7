"""Answer the question: what are the things of a configuration called, in the reader's language?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from carewatch.spec.condition import Condition
from carewatch.spec.condition.tree import number_text
from carewatch.spec.condition.words import describe
from carewatch.spec.configuration import Configuration
from carewatch.spec.document import Text
from carewatch.spec.duration import Window
from carewatch.spec.event import DAYS_SINCE_EVENT
from carewatch.spec.fact_names import Language, fact_label
from carewatch.spec.rules import REASON
from carewatch.spec.saying import in_language, joined, said
from carewatch.spec.vocabulary import FIXED

_UNITS: Final = {
    "days": "天", "weeks": "周", "hours": "小时", "months": "个月", "years": "年", "working days": "个工作日",
    "of 5": "（满分 5）", "%": "%",
}  # fmt: skip
_WINDOWS: Final = {"day": "天", "week": "周", "month": "个月", "year": "年"}
_PLACEHOLDER: Final = re.compile(r"\{[^{}]+\}")
_REASONS: Final = {
    "low_season": "淡季", "holiday": "假期", "stocktaking": "盘点", "relocation": "搬迁", "agreed_pause": "约定暂停", "other": "其他",
}  # fmt: skip


@dataclass(frozen=True)
class Words:
    """The labels of one configuration in one language."""

    configuration: Configuration
    language: Language

    @property
    def chinese(self) -> bool:
        return self.language == "zh-CN"

    def say(self, template: str, /, **values: object) -> str:
        """Return a sentence in the language; the values are in it already."""
        return in_language(said(template, **values), self.language)

    def word(self, text: str) -> str:
        """Return one of our own words in the language."""
        return in_language(text, self.language)

    def list(self, words: Iterable[str]) -> str:
        return in_language(joined(", ", words), self.language)

    def text(self, text: Text) -> str:
        return text.in_(self.language)

    def name(self, name: str) -> str:
        """Return what a name in a condition is called."""
        metric = self.configuration.judgement.metrics.get(name)
        if metric is not None:
            return self.text(metric.label)
        if name == DAYS_SINCE_EVENT:
            return self.word("days since the event")
        if name == REASON:
            return self.word("the reasonable reason on record")
        if name == "colour":
            return self.word("the health colour")
        fixed = FIXED["name"].get(name)
        return fixed[0] if fixed is not None and self.chinese else _spaced(name)

    def condition(self, condition: Condition) -> str:
        return describe(condition, language=self.language, label=self.name, shown=self.value)

    def value(self, name: str, value: float | str) -> str:
        """Return a value as people write it, with the unit of what it is compared with."""
        if isinstance(value, str):
            known = FIXED["colour"].get(value) if name == "colour" else None
            if self.chinese and known is not None:
                return known[0]
            if self.chinese and name == REASON:
                return _REASONS.get(value, _spaced(value))
            return _spaced(value)
        metric = self.configuration.judgement.metrics.get(name)
        return self.amount(value, metric.unit if metric is not None else "")

    def amount(self, value: float, unit: str) -> str:
        shown = number_text(value)
        if not unit:
            return shown
        if self.chinese:
            return f"{shown}{self.unit(unit)}" if unit in _UNITS else f"{shown} {unit}"
        return f"{shown} {unit.removesuffix('s') if value == 1 else unit}"

    def unit(self, unit: str) -> str:
        return _UNITS.get(unit, unit) if self.chinese else unit

    def window(self, window: Window) -> str:
        return f"{window.count} {_WINDOWS[window.unit]}" if self.chinese else str(window)

    def fact(self, fact: str) -> str:
        return fact_label(fact, self.language)

    def dimension(self, name: str) -> str:
        for model in self.configuration.judgement.health_models:
            if name in model.dimensions:
                return self.text(model.dimensions[name].label)
        return _spaced(name)

    def role(self, role: str) -> str:
        """Return what a role is called; owner and manager are relative to the customer."""
        if role == "owner":
            return self.word("the owner of the customer")
        if role == "manager":
            return self.word("the manager above the owner")
        label = self.configuration.care.people.roles.get(role)
        return self.text(label) if label is not None else _spaced(role)

    def quote(self, text: Text) -> str:
        """Return a reason text, its numbers left open."""
        return _PLACEHOLDER.sub("…", self.text(text)).replace("{{", "{").replace("}}", "}")


def _spaced(name: str) -> str:
    return name.replace("_", " ")
