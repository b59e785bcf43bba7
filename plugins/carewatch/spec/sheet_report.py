"""Answer the question: how is a mistake in a sheet told to the person who typed it?"""

from __future__ import annotations

import re
from typing import Final

from carewatch.spec.fact_names import KEY, Language, column_label, columns_by_heading
from carewatch.spec.facts import FACTS, Privacy
from carewatch.spec.typed import Fault, Sheet

_SAID: Final[dict[str, tuple[str, str, str, str]]] = {
    "no such column": ("the column {label} is missing", "缺少“{label}”列", "a heading '{label}'", "表头“{label}”"),
    "a needed value is missing": ("{label} is empty", "“{label}”为空", "a value", "填写内容"),
    "no customer": ("{label} is empty", "“{label}”为空", "the customer's key", "客户编号"),
    "no event time": ("{label} is empty", "“{label}”为空", "a date such as 2025-09-09", "日期，如 2025年9月9日"),
    "unknown customer": ("no customer has the key {value}; the row waits until one does",
                         "没有编号为 {value} 的客户；该行将等待此客户出现", "a known customer key", "已有的客户编号"),
    "unknown word": ("{value} is none of the words here", "{value} 不是可选的词", "", ""),
    "not a number": ("{value} is no number", "{value} 不是数字",
                     "a number such as 1200.50, 86万 or 30%", "数字，如 1200.50、86万元或 30%"),
    "not a time": ("{value} is no date", "{value} 不是日期",
                   "2025-09-09, 2025/9/9 or 2025年9月9日", "2025-09-09、2025/9/9 或 2025年9月9日"),
    "not yes or no": ("{value} is neither yes nor no", "{value} 不是“是”或“否”", "yes or no", "是 或 否"),
    "not a whole number": ("{value} is no whole number", "{value} 不是整数", "a number without a fraction", "整数"),
    "no year": ("{value} has no year", "{value} 没有年份",
                "a date with its year, such as 2025-09-09",
                "带年份的日期，如 2025年9月9日"),
    "duplicate key": ("another row of this file says the same of the same customer and day, and something else",
                      "本文件中另有一行的客户、日期等相同而内容不同", "a {label} of its own", "各自的“{label}”"),
    "event time in the future or before 1900": ("{value} lies in the future or before 1900",
                                                "{value} 在未来或早于 1900 年", "a day up to tomorrow", "不晚于明天的日期"),
    "absurd value: beyond 10^15": ("{value} is too large to be true", "{value} 大得不可信", "less than 10^15", "小于 10^15"),
    "a key this long is none": ("this text is too long to tell rows apart", "文字过长，无法区分各行",
                                "at most 400 characters", "不超过 400 字"),
}  # fmt: skip
"""Conform's reasons as people are told: what is wrong, and what was expected, in English and Chinese."""

_WITHOUT_YEAR = re.compile(r"\s*\d{1,2}\s*[月/.-]\s*\d{1,2}\s*日?\s*(\d{1,2}[:时点].*)?")


def cell(sheet: Sheet, fault: Fault) -> str:
    """Return the address of a fault: 备注!C12, 备注!12 when it is the row's, 备注 when it is the sheet's."""
    at = sheet.places.get(fault.column or "")
    if fault.line == 0:
        return sheet.title
    return f"{sheet.title}!{_letters(at) if at is not None else ''}{fault.line}"


def _letters(at: int) -> str:
    """Return the letters of a column, from 0: A, …, Z, AA, …"""
    letters, left = "", at + 1
    while left:
        left, letter = divmod(left - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


def sentence(sheet: Sheet, fault: Fault, language: Language) -> str:
    """Say what is wrong, what was expected and what was probably meant, without the address.

    A personal value is not repeated.
    """
    zh = language == "zh-CN"
    reason = fault.reason
    if reason in ("not a time", "not a date"):
        reason = "no year" if _WITHOUT_YEAR.fullmatch(fault.value or "") else "not a time"
    column = KEY if reason == "duplicate key" else fault.column
    label = column_label(sheet.fact, column, language) if column else ""
    what_en, what_zh, expected_en, expected_zh = _SAID.get(reason, (reason, reason, "", ""))
    said = (what_zh if zh else what_en).format(label=label, value=_shown(sheet, fault))
    expected = (expected_zh if zh else expected_en).format(label=label)
    if fault.expected:
        expected = "、".join(fault.expected) if zh else "one of " + ", ".join(fault.expected)
    parts = [said, f"应为{expected}" if zh else f"expected {expected}"] if expected else [said]
    if fault.near:
        parts.append(f"是否想写“{fault.near}”？" if zh else f"did you mean {fault.near}?")
    return ("；" if zh else "; ").join(parts)


def _shown(sheet: Sheet, fault: Fault) -> str:
    own = FACTS[sheet.fact].column(fault.column or "")
    if own is not None and own.privacy in (Privacy.PERSONAL, Privacy.SECRET):
        return "…"
    return f"'{' '.join((fault.value or '').split())[:60]}'"


def strange_headings(sheet: Sheet, language: Language) -> list[str]:
    """Return a line for each heading that no column has: it is not read."""
    lines = []
    for at, heading, near in sheet.strange:
        meant = (
            column_label(sheet.fact, near_column, language) if (near_column := _column(sheet, near)) else None
        )
        address = f"{sheet.title}!{_letters(at)}{sheet.head_line}"
        if language == "zh-CN":
            lines.append(
                f"{address}：“{heading}”列不认识，未读取" + (f"；是否想写“{meant}”？" if meant else "")
            )
        else:
            lines.append(
                f"{address}: no column is called '{heading}'; it is not read"
                + (f"; did you mean {meant}?" if meant else "")
            )
    return lines


def _column(sheet: Sheet, heading: str | None) -> str | None:
    return columns_by_heading(sheet.fact).get(heading) if heading else None
