"""Answer the question: what did a check ask and find, in words, in English and in Chinese?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final

from carewatch.measure.volume import Usual
from carewatch.spec.condition.tree import number_text
from carewatch.spec.elapsed import in_words
from carewatch.spec.fact_names import column_label
from carewatch.spec.facts import FACTS
from carewatch.spec.source_check import (
    Between,
    Known,
    Limit,
    Matches,
    Newest,
    NotEmpty,
    OneOf,
    RowCount,
    SumEquals,
    Test,
    Unique,
    UsualRows,
)
from carewatch.spec.source_check_plan import Answer

Said = Mapping[str, str]
"""The same in each language."""

_COMMON: Final = ("customer", "key", "event_at")
_LEAST_SHARE: Final = 0.1
_WEEKDAYS: Final = "一二三四五六日"


def in_chinese(test: Test, fact: str) -> str:
    """Return what a check of a stream asks; in English its own sentence says it."""
    match test:
        case NotEmpty(column):
            return f"{_zh(column, fact)}不为空"
        case Unique(columns):
            return f"{'、'.join(_zh(column, fact) for column in columns)}唯一"
        case OneOf(column, values):
            options = "、".join(number_text(one) if isinstance(one, float) else one for one in values)
            return f"{_zh(column, fact)}属于 [{options}]"
        case Between(column, low, high):
            return f"{_zh(column, fact)}{_limits_zh(low, high)}"
        case Matches(column, pattern):
            return f'{_zh(column, fact)}匹配 "{pattern}"'
        case Known(column, None, _):
            return f"{_zh(column, fact)}已知"
        case Known(column, of_fact, of):
            return f"{_zh(column, fact)}在已知的{_zh(of or '', of_fact or '')}之中"
        case UsualRows(share):
            return f"行数与往常相差不超过 {number_text(share * 100)} %"
        case RowCount(low, high):
            return f"行数{_limits_zh(low, high)}"
        case Newest(column, within):
            return f"最新的{_zh(column, fact)}不早于 {_elapsed_zh(within)}前"
        case SumEquals(column, stream, other, within):
            return f"{_zh(column, fact)}合计等于 {stream}.{other} 的合计（误差 {number_text(within)}）"


def _zh(column: str, fact: str) -> str:
    known = fact in FACTS and (column in _COMMON or FACTS[fact].column(column) is not None)
    return column_label(fact, column, "zh-CN") if known else f" {column} "


def _limits_zh(low: Limit | None, high: Limit | None) -> str:
    if low is None:
        return f"不大于 {_limit(high)}"
    return f"不小于 {_limit(low)}" if high is None else f"介于 {_limit(low)} 和 {_limit(high)}"


def _limit(limit: Limit | None) -> str:
    return limit.isoformat() if isinstance(limit, date) else number_text(limit or 0.0)


def _elapsed_zh(elapsed: timedelta) -> str:
    count, unit = in_words(elapsed).split(" ")
    return f"{count} {({'d': '天', 'h': '小时', 'm': '分钟'}).get(unit[0], '秒')}"


def rows_found(answer: Answer, held: int) -> Said:
    """Say how many rows failed, and how many of them wait."""
    if not answer.unexpected:
        return {"en": f"all {answer.evaluated:,} rows pass", "zh-CN": f"全部 {answer.evaluated:,} 行符合"}
    share = 100 * answer.unexpected / max(answer.evaluated, 1)
    percent = f"{share:.1f} %" if share >= _LEAST_SHARE else f"< {_LEAST_SHARE} %"
    en = f"{answer.unexpected:,} of {answer.evaluated:,} rows fail ({percent})"
    zh = f"{answer.evaluated:,} 行中有 {answer.unexpected:,} 行不符合（{percent}）"
    if held:
        en, zh = f"{en}; {held:,} wait in quarantine", f"{zh}；{held:,} 行已进入隔离区"
    return {"en": en, "zh-CN": zh}


def count_found(rows: int) -> Said:
    """Say how many rows came."""
    return {"en": f"{rows:,} rows", "zh-CN": f"{rows:,} 行"}


def usual_found(rows: int, usual: Usual, share: float, day: date) -> Said:
    """Say how many rows came, and how many usually do on such a day."""
    low, high = (f"{edge:,.0f}" for edge in usual.range(share))
    if usual.weekday:
        en, zh = f"on a {day:%A}", f"周{_WEEKDAYS[day.weekday()]}"
    else:
        en, zh = "on such a day", "同类日子"
    return {
        "en": f"{rows:,} rows; usual {en}: {usual.rows:,.0f} ({low} to {high})",
        "zh-CN": f"{rows:,} 行；{zh}通常为 {usual.rows:,.0f} 行（{low} 至 {high}）",
    }


def newest_found(newest: object) -> Said:
    """Say which time is the newest."""
    shown = f"{newest.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if isinstance(newest, datetime) and newest.tzinfo else (
        f"{newest:%Y-%m-%d}" if isinstance(newest, date) else "none"
    )  # fmt: skip
    return {"en": f"the newest: {shown}", "zh-CN": f"最新：{shown}"}


def sum_found(observed: object, total: float) -> Said:
    """Say both sums."""
    found = float(observed) if isinstance(observed, int | float) else 0.0
    return {
        "en": f"the sum is {found:,.2f}, the other {total:,.2f}",
        "zh-CN": f"合计为 {found:,.2f}，对照合计为 {total:,.2f}",
    }


def no_history() -> Said:
    """Say that nothing is there yet to compare with."""
    return {
        "en": "too few loads of such days yet to say what is usual",
        "zh-CN": "历史数据还不足以判断往常的行数",
    }


def no_rows() -> Said:
    """Say that no row says anything."""
    return {"en": "no rows to judge by", "zh-CN": "没有可供判断的行"}


def not_asked(error: str) -> Said:
    """Say that the warehouse could not answer."""
    return {"en": f"could not be checked: {error}", "zh-CN": f"无法检查：{error}"}
