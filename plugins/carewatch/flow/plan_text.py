"""Answer the question: how is a plan read by people?"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from carewatch.flow.plan import Load, Plan

_WORDS: Final = {
    "en": {
        "head": "night of {night}, {customers} customers: judgement {old} (in force) against {new} (on disk)",
        "same": "nobody changes colour or level",
        "colour": "colour", "level": "level on the next night", "settled": "level once signals have lasted as long as they must",
        "move": "  {count:5}  tier {tier}: {before} -> {after}",
        "list": "customers whose level or colour changes, the worst rise first, then the most at stake",
        "columns": "  customer           tier  owner   at stake a year  colour            level   settles at",
        "more": "  ... and {count} more; --all lists them",
        "tasks": "care tasks that the higher levels would start", "task": "  {person}: {count}",
        "weeks": "new warnings a week, from the replayed weeks {first} to {last} (in force -> on disk)",
        "load": "  {person}: {before:.1f} -> {after:.1f} a week, {hours:.1f} hours of work",
        "team": "  team of {person}: {before:.1f} -> {after:.1f} a week, {hours:.1f} hours of work",
        "of": " of {capacity:g}", "over": ": MORE THAN THERE IS",
        "fits": "     fits the budget of {budget:g} in {within:.0%} of the weeks without giving anything up",
        "cut": "     keeps the budget of {budget:g} in {within:.0%} of the weeks when only what puts {cut:,.0f} or more at stake is "
        "warned of; that gives up {given_up:.1f} warnings a week with {stake_given_up:,.0f} at stake",
        "nobody": "-", "colours": {"green": "green", "yellow": "yellow", "red": "red", "grey": "grey"},
    },
    "zh-CN": {
        "head": "{night} 当晚，{customers} 个客户：现行判断配置 {old} 与磁盘上的 {new} 对比",
        "same": "没有客户的颜色或预警级别发生变化",
        "colour": "健康颜色", "level": "下一晚的预警级别", "settled": "信号持续足够晚数后的预警级别",
        "move": "  {count:5}  等级 {tier}：{before} -> {after}",
        "list": "颜色或级别变化的客户（升幅大者在前，其次按涉及金额）",
        "columns": "  客户               等级  负责人  年涉及金额       颜色              级别    稳定后级别",
        "more": "  ……另有 {count} 个；用 --all 全部列出",
        "tasks": "升级将启动的关怀任务", "task": "  {person}：{count}",
        "weeks": "每周新预警数，依据 {first} 至 {last} 各周回放（现行 -> 新配置）",
        "load": "  {person}：每周 {before:.1f} -> {after:.1f}，{hours:.1f} 工时",
        "team": "  {person} 的团队：每周 {before:.1f} -> {after:.1f}，{hours:.1f} 工时",
        "of": "，可用 {capacity:g}", "over": "：超出可用工时",
        "fits": "     {within:.0%} 的周不放弃任何预警也在预算 {budget:g} 以内",
        "cut": "     若只预警涉及金额不低于 {cut:,.0f} 的客户，{within:.0%} 的周可控制在预算 {budget:g} 以内；每周放弃 {given_up:.1f} "
        "个预警，涉及金额 {stake_given_up:,.0f}",
        "nobody": "-", "colours": {"green": "绿", "yellow": "黄", "red": "红", "grey": "灰"},
    },
}  # fmt: skip
_SHOWN: Final = 20


def plan_lines(found: Plan, language: str, *, everybody: bool = False, customers: bool = True) -> list[str]:
    """Return the plan in words; `customers` says whether the ones who change are named."""
    words: dict[str, Any] = _WORDS[language]
    lines = [words["head"].format(night=found.night, customers=found.customers, old=found.old, new=found.new)]
    if not found.changes:
        lines.append(words["same"])
    for what in ("colour", "level", "settled"):
        crossings = sorted(found.crossings(what).items(), key=str)
        if crossings:
            lines += ["", f"{words[what]}"]
        for (tier, before, after), count in crossings:
            shown = [words["colours"].get(one, one) for one in (before, after)]
            lines.append(words["move"].format(count=count, tier=tier, before=shown[0], after=shown[1]))
    if found.changes and customers:
        listed = found.changes if everybody else found.changes[:_SHOWN]
        lines += ["", words["list"], words["columns"]]
        for one in listed:
            colour = " -> ".join(words["colours"][colour] for colour in dict.fromkeys(one.colour))
            value = "-" if one.value is None else f"{one.value:,.0f}"
            lines.append(
                f"  {one.customer_id:17}  {one.tier:4}  {one.owner:6}  {value:>15}  {colour:16}  "
                f"{one.level[0]} -> {one.level[1]}  {one.settled[0]} -> {one.settled[1]}"
            )
        if len(found.changes) > len(listed):
            lines.append(words["more"].format(count=len(found.changes) - len(listed)))
    if found.extra_tasks:
        lines += ["", words["tasks"]]
        lines += [
            words["task"].format(person=person, count=count)
            for person, count in sorted(found.extra_tasks.items(), key=lambda item: (-item[1], item[0]))
        ]
    if found.weeks:
        lines += ["", words["weeks"].format(first=found.weeks[0], last=found.weeks[1])]
        for load in found.loads:
            lines += _load(load, words)
    return lines


def _load(load: Load, words: dict[str, Any]) -> list[str]:
    line = words["team" if load.team else "load"].format(**asdict(load))
    if load.capacity is not None:
        line += words["of"].format(capacity=load.capacity)
        line += words["over"] if load.hours > load.capacity else ""
    if load.budget is None:
        return [line]
    return [line, words["cut" if load.budget.cut > 0 else "fits"].format(**asdict(load.budget))]
