"""`care why`: why did a customer's score move between two nights?"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Final

from carewatch.commands.console import day, json_argument, language_argument, print_json, warehouse
from carewatch.flow.why import Moved, why

HELP = "split the change of a customer's score between two nights exactly into what caused it"

_WORDS: Final = {
    "en": {
        "head": "{customer_id} from {first} to {last}: health {before} -> {after}, {change} points",
        "unknown": "unknown", "cannot": "a score that is unknown cannot be split: `care explain` says what is missing",
        "tier": "tier", "configuration": "configuration", "source gap": "source gap", "correction": "data correction",
        "behaviour": "behaviour", "from_to": "{0} -> {1}", "held": "held {0} -> {1}", "nothing": "nothing",
    },
    "zh-CN": {
        "head": "{customer_id} 从 {first} 到 {last}：健康分 {before} -> {after}，变化 {change} 分",
        "unknown": "未知", "cannot": "得分未知，无法拆分；用 care explain 查看缺少什么",
        "tier": "客户等级", "configuration": "配置", "source gap": "数据源缺口", "correction": "数据更正", "behaviour": "客户行为",
        "from_to": "{0} -> {1}", "held": "暂停采信 {0} -> {1}", "nothing": "无",
    },
}  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="the customer's id")
    parser.add_argument("--from", dest="first", type=day, required=True, metavar="DAY")
    parser.add_argument("--to", dest="last", type=day, required=True, metavar="DAY")
    language_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    with warehouse(chosen) as connection:
        moved = why(connection, chosen.customer, chosen.first, chosen.last)
    if chosen.json:
        print_json(asdict(moved))
    else:
        print("\n".join(why_lines(moved, chosen.language)))
    return 0


def why_lines(moved: Moved, language: str) -> list[str]:
    """Return the split in words."""
    words = _WORDS[language]
    scores = [words["unknown"] if one is None else f"{one:.2f}" for one in (moved.before, moved.after)]
    change = words["unknown"]
    if moved.before is not None and moved.after is not None:
        change = f"{moved.after - moved.before:+.2f}"
    lines = [
        words["head"].format(
            customer_id=moved.customer_id, first=moved.first, last=moved.last, before=scores[0], after=scores[1], change=change
        )
    ]  # fmt: skip
    if not moved.parts:
        return [*lines, words["cannot"]]
    notes = {
        "tier": words["from_to"].format(*moved.tier) if moved.tier[0] != moved.tier[1] else "",
        "configuration": words["from_to"].format(*moved.judgement)
        if moved.judgement[0] != moved.judgement[1]
        else "",
        "source gap": words["held"].format(*(", ".join(one) or words["nothing"] for one in moved.held))
        if moved.held[0] != moved.held[1]
        else "",
    }
    for part, points in moved.parts.items():
        note = notes.get(part, "")
        lines.append(f"  {points:+8.2f}  {words[part]}" + (f" ({note})" if note else ""))
    return lines
