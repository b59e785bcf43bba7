"""A condition as a sentence for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from carewatch.spec.condition.tree import (
    All,
    Any_,
    Comparison,
    Condition,
    NoneOf,
    Op,
    Ref,
    Value,
    number_text,
)

_EN: Final = {
    Op.LT: "is below", Op.LE: "is at most", Op.GT: "is above", Op.GE: "is at least", Op.IS: "is",
    Op.IS_NOT: "is not", Op.IN: "is one of", Op.NOT_IN: "is none of", Op.IS_MISSING: "is not known",
    Op.IS_NOT_MISSING: "is known",
}  # fmt: skip
_ZH: Final = {
    Op.LT: "低于", Op.LE: "不高于", Op.GT: "高于", Op.GE: "不低于", Op.IS: "为", Op.IS_NOT: "不为",
    Op.IN: "属于", Op.NOT_IN: "不属于", Op.IS_MISSING: "未知", Op.IS_NOT_MISSING: "已知",
}  # fmt: skip
_JOINTS: Final = {
    "en": {All: " and ", Any_: " or ", NoneOf: " or ", "none": "none of this holds: ", "list": ", "},
    "zh-CN": {All: " 且 ", Any_: " 或 ", NoneOf: " 或 ", "none": "以下均不成立：", "list": "、"},
}


Shown = Callable[[str, float | str], str]
"""How a value is written that is compared with a name."""


def describe(
    condition: Condition, *, language: str = "en", label: Callable[[str], str] | None = None,
    shown: Shown | None = None,
) -> str:  # fmt: skip
    """Return the condition as one plain sentence part, in English or zh-CN.

    `label` turns a name into words (default: underscores become spaces), `shown` a value that is compared with a name.
    """
    known = "zh-CN" if language == "zh-CN" else "en"
    return _said(condition, known, label or _spaced, shown or _as_written, inner=False)


def _said(
    condition: Condition, language: str, label: Callable[[str], str], shown: Shown, *, inner: bool
) -> str:
    joints = _JOINTS[language]
    if isinstance(condition, Comparison):
        words = (_ZH if language == "zh-CN" else _EN)[condition.op]
        value = _value(condition.name, condition.value, joints["list"], label, shown)
        return f"{label(condition.name)} {words}{value}"
    parts = [_said(item, language, label, shown, inner=True) for item in condition.items]
    sentence = joints[type(condition)].join(parts)
    if isinstance(condition, NoneOf):
        sentence = f"{joints['none']}{sentence}"
    return f"({sentence})" if inner and (len(parts) > 1 or isinstance(condition, NoneOf)) else sentence


def _value(name: str, value: Value, separator: str, label: Callable[[str], str], shown: Shown) -> str:
    if value is None:
        return ""
    items = value if isinstance(value, tuple) else (value,)
    return " " + separator.join(
        label(item.name) if isinstance(item, Ref) else shown(name, item) for item in items
    )


def _as_written(_: str, value: float | str) -> str:
    return value if isinstance(value, str) else number_text(value)


def _spaced(name: str) -> str:
    return name.replace("_", " ")
