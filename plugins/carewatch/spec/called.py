"""Answer the question: what are the things of a configuration called in the reader's language?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from carewatch.spec.condition import Comparison, describe
from carewatch.spec.condition.tree import Op
from carewatch.spec.event import DAYS_SINCE_EVENT
from carewatch.spec.metrics import Metric
from carewatch.spec.rules import REASON
from carewatch.spec.vocabulary import FIXED

_EN: Final = {
    "score": "health score", "colour": "health colour", DAYS_SINCE_EVENT: "days since the event", REASON: "reasonable reason"
}  # fmt: skip
_ZH: Final = {DAYS_SINCE_EVENT: "事件发生后的天数", REASON: "合理原因"}
_UNITS_ZH: Final = {
    "days": "天", "day": "天", "weeks": "周", "months": "个月", "years": "年", "h": "小时", "hours": "小时", "s": "秒",
    "of 5": "分（满分5分）", "times": "次", "orders": "单",
}  # fmt: skip
_LIFE_ZH: Final = {
    "opened": "新建", "rose": "升级", "fell": "降级", "cleared": "信号消除", "returned": "再次出现", "closed": "关闭",
    "acknowledged": "已接手", "planned": "已定方案", "handed_over": "移交", "changed": "变更", "merged": "合并",
    "open": "进行中", "plan": "已定方案", "in_care": "关怀中", "recovered": "已挽回", "lost": "已流失",
    "false_alarm": "误报", "expired": "已过期", "erased": "已删除",
    "done": "已完成", "superseded": "已被取代", "cancelled": "已取消",
}  # fmt: skip
"""What happens to a warning and its tasks, and what they end as, in Chinese."""
_COUNTED_IN_DAYS: Final = {DAYS_SINCE_EVENT: "days"}


def name_in(metrics: Mapping[str, Metric], name: str, language: str) -> str:
    """Return what a name that conditions read is called: a metric's label, or a word of our own."""
    if name in metrics:
        return metrics[name].label.in_(language)
    if language == "zh-CN":
        return _ZH.get(name) or FIXED["name"].get(name, (name,))[0]
    return _EN.get(name, name.replace("_", " "))


def word_in(kind: str, word: str, language: str) -> str:
    """Return a severity or a colour in the language."""
    return FIXED[kind].get(word, (word,))[0] if language == "zh-CN" else word


def life_in(word: str, language: str) -> str:
    """Return what happened to a warning or a task, or what it ended as, in the language."""
    return _LIFE_ZH.get(word, word) if language == "zh-CN" else word.replace("_", " ")


def unit_in(metrics: Mapping[str, Metric], name: str, language: str) -> str:
    """Return the unit that a name is counted in, as it stands behind a number; empty without one."""
    unit = metrics[name].unit if name in metrics else _COUNTED_IN_DAYS.get(name, "")
    if not unit or unit == "%":
        return f" {unit}" if unit and language != "zh-CN" else unit
    return f" {_UNITS_ZH.get(unit.lower(), unit) if language == 'zh-CN' else unit}"


def comparison_in(metrics: Mapping[str, Metric], comparison: Comparison, language: str) -> str:
    """Return a comparison in plain words, its number with the unit."""
    value = comparison.value
    if comparison.name == "colour" and isinstance(value, str):
        comparison = replace(comparison, value=word_in("colour", value, language))
    said = describe(comparison, language=language, label=lambda name: name_in(metrics, name, language))
    counted = isinstance(value, int | float) and comparison.op in (
        Op.LT,
        Op.LE,
        Op.GT,
        Op.GE,
        Op.IS,
        Op.IS_NOT,
    )
    return said + (unit_in(metrics, comparison.name, language) if counted else "")
