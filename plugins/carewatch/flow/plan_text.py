"""Answer the question: how is a plan read by people, in a shell, in a mail, and on a page of Airflow?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from carewatch.flow.plan import Change, Load, Plan
from carewatch.tell.tables import Part

_WORDS: Final = {
    "en": {
        "head": "night of {night}, {customers} customers: judgement {old} (in force) against {new} (edited)",
        "same": "nobody changes colour or level",
        "held": "the next night would be HELD: {held} of {customers} customers would rise at once; care_release would ask a person",
        "colour": "colour", "level": "level on the next night", "settled": "level once signals have lasted as long as they must",
        "move": "  {count:5}  tier {tier}: {before} -> {after}", "moves": ("customers", "tier", "from", "to"),
        "list": "customers whose level or colour changes, the worst rise first, then the most at stake",
        "columns": "  customer           tier  owner   at stake a year  colour            level   settles at",
        "named": ("customer", "tier", "owner", "at stake a year", "colour", "level", "settles at"),
        "more": "... and {count} more", "all": "; --all lists them",
        "tasks": "care tasks that the higher levels would start", "task": "  {person}: {count}", "owed": ("person", "care tasks"),
        "weeks": "new warnings a week, from the replayed weeks {first} to {last} (in force -> edited)",
        "load": "  {person}: {before:.1f} -> {after:.1f} a week, {hours:.1f} hours of work",
        "team": "  team of {person}: {before:.1f} -> {after:.1f} a week, {hours:.1f} hours of work",
        "of": " of {capacity:g}", "over": ": MORE THAN THERE IS",
        "fits": "     fits the budget of {budget:g} in {within:.0%} of the weeks without giving anything up",
        "cut": "     keeps the budget of {budget:g} in {within:.0%} of the weeks when only what puts {cut:,.0f} or more at stake is "
        "warned of; that gives up {given_up:.1f} warnings a week with {stake_given_up:,.0f} at stake",
        "nobody": "-", "colours": {"green": "green", "yellow": "yellow", "red": "red", "grey": "grey"},
    },
    "zh-CN": {
        "head": "{night} 当晚，{customers} 个客户：现行判断配置 {old} 与修改后的 {new} 对比",
        "same": "没有客户的颜色或预警级别发生变化",
        "held": "下一晚将被暂扣：{customers} 个客户中有 {held} 个会同时升级；care_release 会请人确认是否属实",
        "colour": "健康颜色", "level": "下一晚的预警级别", "settled": "信号持续足够晚数后的预警级别",
        "move": "  {count:5}  等级 {tier}：{before} -> {after}", "moves": ("客户数", "等级", "原为", "变为"),
        "list": "颜色或级别变化的客户（升幅大者在前，其次按涉及金额）",
        "columns": "  客户               等级  负责人  年涉及金额       颜色              级别    稳定后级别",
        "named": ("客户", "等级", "负责人", "年涉及金额", "颜色", "级别", "稳定后级别"),
        "more": "……另有 {count} 个", "all": "；用 --all 全部列出",
        "tasks": "升级将启动的关怀任务", "task": "  {person}：{count}", "owed": ("人员", "关怀任务"),
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
_SHOWN_ON_A_PAGE: Final = 100


def plan_lines(
    found: Plan, language: str, *, everybody: bool = False, customers: bool = True, shell: bool = True
) -> list[str]:
    """Return the plan as lines, for a shell or the text of a mail; `customers` says whether the ones who change are named."""
    words: dict[str, Any] = _WORDS[language]
    lines = [_head(found, words), *_at_once(found, words)]
    for what, crossings in _crossings(found, words):
        lines += ["", words[what]]
        lines += [words["move"].format(**one) for one in crossings]
    if found.changes and customers:
        lines += ["", words["list"], words["columns"]]
        shown = found.changes if everybody else found.changes[: _SHOWN if shell else _SHOWN_ON_A_PAGE]
        lines += [_LISTED.format(*_named(one, words)) for one in shown]
        if len(found.changes) > len(shown):
            more = words["more"].format(count=len(found.changes) - len(shown))
            lines.append(f"  {more}{words['all'] if shell else ''}")
    if found.extra_tasks:
        lines += ["", words["tasks"]]
        lines += [words["task"].format(person=person, count=count) for person, count in _owed(found)]
    if found.weeks:
        lines += ["", *_weeks(found, words)]
    return lines


def plan_parts(found: Plan, language: str) -> list[Part]:
    """Return the plan as headings and tables for a page or a mail."""
    words: dict[str, Any] = _WORDS[language]
    parts = [Part(_head(found, words), lines=_at_once(found, words))]
    for what, crossings in _crossings(found, words):
        moved = [(str(one["count"]), one["tier"], one["before"], one["after"]) for one in crossings]
        parts.append(Part(words[what], words["moves"], moved))
    if found.changes:
        shown = found.changes[:_SHOWN_ON_A_PAGE]
        left = len(found.changes) - len(shown)
        more = (words["more"].format(count=left),) if left else ()
        parts.append(Part(words["list"], words["named"], [_named(one, words) for one in shown], more))
    if found.extra_tasks:
        tasks = [(person, str(count)) for person, count in _owed(found)]
        parts.append(Part(words["tasks"], words["owed"], tasks))
    return parts


def _head(found: Plan, words: dict[str, Any]) -> str:
    return str(
        words["head"].format(night=found.night, customers=found.customers, old=found.old, new=found.new)
    )


def _at_once(found: Plan, words: dict[str, Any]) -> list[str]:
    """Return what has to be read first: that nothing would change, that the next night would be held."""
    same = [] if found.changes else [words["same"]]
    held = [] if found.held is None else [words["held"].format(held=found.held, customers=found.customers)]
    return same + held


def _crossings(found: Plan, words: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield what changes (`colour`, `level`, `settled`) with how many of which tier go from where to where."""
    for what in ("colour", "level", "settled"):
        crossings = [
            {"count": count, "tier": tier, "before": _said(before, words), "after": _said(after, words)}
            for (tier, before, after), count in sorted(found.crossings(what).items(), key=str)
        ]
        if crossings:
            yield what, crossings


def _said(state: object, words: dict[str, Any]) -> str:
    return str(words["colours"].get(state, state))


_LISTED: Final = "  {:17}  {:4}  {:6}  {:>15}  {:16}  {}  {}"


def _named(one: Change, words: dict[str, Any]) -> tuple[str, ...]:
    """Return what is told of a customer who changes, in the order of the columns."""
    colour = " -> ".join(_said(colour, words) for colour in dict.fromkeys(one.colour))
    value = words["nobody"] if one.value is None else f"{one.value:,.0f}"
    level, settled = (f"{before} -> {after}" for before, after in (one.level, one.settled))
    return one.customer_id, one.tier, one.owner, value, colour, level, settled


def _owed(found: Plan) -> list[tuple[str, int]]:
    return sorted(found.extra_tasks.items(), key=lambda item: (-item[1], item[0]))


def _weeks(found: Plan, words: dict[str, Any]) -> list[str]:
    assert found.weeks is not None
    lines = [words["weeks"].format(first=found.weeks[0], last=found.weeks[1])]
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
