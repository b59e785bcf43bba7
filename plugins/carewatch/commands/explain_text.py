"""Say an explanation in the reader's language: the answer first, then what costs most, then what would help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from carewatch.flow.explain import Explanation
from carewatch.spec.called import life_in, word_in
from carewatch.spec.fact_names import Language, fact_label, word_label
from carewatch.spec.health import DEFAULT_MODEL
from carewatch.warn.reasons import number_text

_WORDS: Final[dict[str, dict[str, str]]] = {
    "en": {
        "head": "{id}, night of {day}: health {score}, {colour}, tier {tier}", "dormant": ", dormant",
        "unknown": "unknown", "model": "judged by the health model {model}",
        "override": "{by} said {colour} through {until}, so the colour is not the computed one: {why}",
        "held": "source held: {source} ({facts}), {reason}; ask {owner}",
        "score": "What costs points, the most first ({lost} lacking to 100):",
        "no_score": "No score: too little is known.",
        "dimension": "  {lost}  {label}: {points} of 100, weight {weight}",
        "dimension_unknown": "       ?  {label}: unknown, weight {weight}",
        "metric": "     {lost}  {label}: {value} earns {points}", "by_default": "     {lost}  {label}: unknown earns {points}",
        "not_counted": "          -  {label}: {value} earns {points}, not counted: too little else is known here",
        "full": "  full marks: {labels}",
        "missing": "Unknown ({share} of the weight):", "missing_one": "  {label}: {why}",
        "because_held": "{source} is held; ask {owner}", "because_part": "{label} is unknown, {why}",
        "because_rate": "no exchange rate for {currencies}", "because_rows": "no {fact} {window}{last}",
        "because_rows_counted": "nothing to count in the {fact} {window}{last}",
        "because_few": "too few {fact}, or the value is empty", "because_little": "too little to compare with",
        "window": "in {count} {unit}", "ever": "at all", "last": ", the last one on {day}", "never": ", and none before",
        "green": "Back to green ({green}) by one of:", "green_both": "Back to green ({green}) only together:",
        "green_hopeless": "No change of what is known is enough for green ({green}).",
        "green_grey": "Grey as long as so little is known; what is missing stands above.",
        "change": "  {label}: {bound} {value} (now {now})", "more": "  and {more} others (--all)",
        "at_least": "at least", "at_most": "at most", "about": "about",
        "rules": "Rules that fired:", "no_rules": "No rule fired.", "others": "Other rules:",
        "hit": "fired", "lingering": "not over", "open": "stays open", "covered": "excused", "clear": "did not fire",
        "state_unknown": "unknown",
        "health_yellow": "Health below green", "health_red": "Health red",
        "rule": "  {label} ({what})", "because": "    {text}", "clause": "    {mark}  {says}{found}",
        "found": " (it is {actual})", "yes": "yes", "no": "no ", "none": "?  ",
        "any": "    one of these is enough:", "all": "    all of these:", "none_of": "    none of these may hold:",
        "stays": "    until {says}", "excused": "    {reason} is on record {until}", "unless": "    unless {says}",
        "until": "until {day}", "no_end": "with no end",
        "pending": "    {nights} of {of} nights; {left} more until it counts",
        "paused": "  {label} ({nights} of {of} nights, paused tonight)", "waiting": "Waiting:",
        "warning": "Warning: level {level} since {opened}, owner {owner}{manager}", "peak": " (was {peak})",
        "manager": ", taking part: {manager}", "closed": "Last warning: {opened} to {closed}, peak level {peak}, {result}",
        "event": "  {day}  {what}, level {level}, by {by}", "earlier": "Earlier warnings:",
        "earlier_one": "  {opened} to {closed}, peak level {peak}, {result}", "no_warning": "No warning so far.",
        "equal": "Recomputed from the facts: equal to what was stored.",
        "different": "RECOMPUTED DIFFERENTLY from what was stored.",
        "carewatch": "the system",
    },
    "zh-CN": {
        "head": "{id}，{day} 夜间：健康分 {score}，{colour}，{tier} 类客户", "dormant": "，已沉睡",
        "unknown": "未知", "model": "采用健康模型 {model}",
        "override": "{by} 指定为{colour}，至 {until}，因此颜色并非计算所得：{why}",
        "held": "暂停采信的数据源：{source}（{facts}），{reason}；请联系 {owner}",
        "score": "扣分项，从多到少（距 100 分共差 {lost}）：",
        "no_score": "没有得分：已知数据太少。",
        "dimension": "  {lost}  {label}：{points}（满分 100），权重 {weight}",
        "dimension_unknown": "       ?  {label}：未知，权重 {weight}",
        "metric": "     {lost}  {label}：{value}，得 {points} 分", "by_default": "     {lost}  {label}：未知，按规定得 {points} 分",
        "not_counted": "          -  {label}：{value}，得 {points} 分，但该维度已知数据太少，不计入",
        "full": "  满分：{labels}",
        "missing": "未知（占权重 {share}）：", "missing_one": "  {label}：{why}",
        "because_held": "数据源 {source} 暂停采信；请联系 {owner}", "because_part": "{label}未知（{why}）",
        "because_rate": "缺少 {currencies} 的汇率", "because_rows": "{window}没有{fact}{last}",
        "because_rows_counted": "{window}没有计入的{fact}{last}",
        "because_few": "{fact}太少，或该值为空", "because_little": "可比数据太少",
        "window": "{count}{unit}内", "ever": "从来", "last": "，最近一次在 {day}", "never": "，此前也没有",
        "green": "恢复绿色（{green} 分）只需其中一项：", "green_both": "恢复绿色（{green} 分）需同时做到：",
        "green_hopeless": "已知指标无论怎样变化，都不足以恢复绿色（{green} 分）。",
        "green_grey": "已知数据这么少时保持灰色；缺少的数据见上。",
        "change": "  {label}：{bound} {value}（现为 {now}）", "more": "  另有 {more} 项（--all）",
        "at_least": "不低于", "at_most": "不高于", "about": "约为",
        "rules": "触发的规则：", "no_rules": "没有触发任何规则。", "others": "其他规则：",
        "hit": "触发", "lingering": "尚未解除", "open": "保持打开", "covered": "已豁免", "clear": "未触发", "state_unknown": "未知",
        "health_yellow": "健康度低于绿色", "health_red": "健康度为红色",
        "rule": "  {label}（{what}）", "because": "    {text}", "clause": "    {mark}  {says}{found}",
        "found": "（实际 {actual}）", "yes": "是", "no": "否", "none": "？",
        "any": "    满足其一即可：", "all": "    须全部满足：", "none_of": "    以下均不得成立：",
        "stays": "    直到{says}", "excused": "    已登记合理原因：{reason}，{until}", "unless": "    除非{says}",
        "until": "至 {day}", "no_end": "无截止日期",
        "pending": "    已持续 {nights} 晚，共需 {of} 晚，还差 {left} 晚生效",
        "paused": "  {label}（已 {nights} 晚，共需 {of} 晚，今晚暂停计数）", "waiting": "等待中：",
        "warning": "预警：{level} 级，自 {opened}，负责人：{owner}{manager}", "peak": "（最高 {peak} 级）",
        "manager": "，参与的管理者：{manager}", "closed": "最近一次预警：{opened} 至 {closed}，最高 {peak} 级，{result}",
        "event": "  {day}  {what}，{level} 级，{by}", "earlier": "更早的预警：",
        "earlier_one": "  {opened} 至 {closed}，最高 {peak} 级，{result}", "no_warning": "至今没有预警。",
        "equal": "已用原始数据重新计算：与存储结果一致。",
        "different": "重新计算的结果与存储结果不一致！",
        "carewatch": "系统",
    },
}  # fmt: skip
_UNITS_ZH: Final = {"day": "天", "week": "周", "month": "个月", "year": "年"}
_MOST_CHANGES: Final = 5
_GROUPS: Final = {"any": "any", "all": "all", "none": "none_of"}


def explain_lines(
    explained: Explanation, language: str, *, everything: bool = False, ids: bool = False
) -> list[str]:
    """Return the explanation as lines; `everything` shows rules that did not fire, `ids` what things are called inside."""
    return list(_Telling(explained, language, everything=everything, ids=ids).lines())


class _Telling:
    def __init__(self, explained: Explanation, language: str, *, everything: bool, ids: bool) -> None:
        self.told, self.everything, self.ids = explained, everything, ids
        self.language: Language = "zh-CN" if language == "zh-CN" else "en"
        self.words = _WORDS[self.language]

    def lines(self) -> Iterator[str]:
        yield from self._head()
        yield from self._score()
        yield from self._unknown()
        yield from self._green()
        yield from self._rules()
        yield from self._warnings()
        yield self.words["equal" if self.told.equals_stored else "different"]
        if self.ids:
            told = self.told
            yield f"judgement {told.judgement}, care {told.care}, code {told.code_version}, revision {told.revision}"

    def _say(self, word: str, /, **values: object) -> str:
        return self.words[word].format(**values)

    def _label(self, thing: dict[str, Any], key: str) -> str:
        label = thing.get("label", thing[key])
        said = label if isinstance(label, str) else self._one(label)
        return f"{said} [{thing[key]}]" if self.ids else said

    def _one(self, by_language: dict[str, str]) -> str:
        return str(by_language.get(self.language) or next(iter(by_language.values())))

    def _value(self, value: float | str | None, unit: dict[str, str] | None = None) -> str:
        if value is None:
            return self.words["unknown"]
        return value if isinstance(value, str) else number_text(value) + (self._one(unit) if unit else "")

    def _head(self) -> Iterator[str]:
        told = self.told
        score = self.words["unknown"] if told.score is None else f"{told.score:.2f}"
        colour = word_in("colour", told.colour, self.language)
        yield self._say(
            "head", id=told.customer_id, day=told.day, score=score, colour=colour, tier=told.tier
        ) + (self.words["dormant"] if told.dormant else "")
        if told.model != DEFAULT_MODEL:
            yield self._say("model", model=told.model)
        if told.override:
            yield self._say(
                "override",
                **told.override | {"colour": word_in("colour", told.override["colour"], self.language)},
            )
        for one in told.held:
            facts = ", ".join(map(self._fact, one["facts"]))
            yield self._say(
                "held", source=one["source"], facts=facts, reason=self._one(one["reason"]), owner=one["owner"]
            )

    def _score(self) -> Iterator[str]:
        told = self.told
        yield (
            self._say("score", lost=f"{100 - told.score:.2f}")
            if told.score is not None
            else self.words["no_score"]
        )
        for dimension in sorted(told.dimensions, key=lambda one: -one["lost"]):
            label, weight = self._label(dimension, "dimension"), f"{dimension['weight']:.0%}"
            if dimension["score"] is None:
                yield self._say("dimension_unknown", label=label, weight=weight)
            else:
                yield self._say(
                    "dimension",
                    lost=_cost(dimension["lost"]),
                    label=label,
                    points=number_text(dimension["score"]),
                    weight=weight,
                )
            yield from self._metrics(dimension)

    def _metrics(self, dimension: dict[str, Any]) -> Iterator[str]:
        known = [one for one in dimension["metrics"] if one["points"] is not None]
        for one in sorted(known, key=lambda metric: -metric["lost"]):
            if one["counts"] and one["points"] == 100:
                continue
            word = (
                "not_counted" if not one["counts"] else "metric" if one["value"] is not None else "by_default"
            )
            yield self._say(
                word, lost=_cost(one["lost"]), label=self._label(one, "metric"),
                value=self._value(one["value"], one["unit"]), points=number_text(one["points"]),
            )  # fmt: skip
        full = [self._label(one, "metric") for one in known if one["counts"] and one["points"] == 100]
        if full:
            yield "   " + self._say("full", labels=("、" if self.language == "zh-CN" else ", ").join(full))

    def _unknown(self) -> Iterator[str]:
        missing = self.told.unknown
        if not missing:
            return
        yield self._say("missing", share=f"{sum(one['weight'] for one in missing):.0%}")
        for one in sorted(missing, key=lambda metric: -metric["weight"]):
            yield self._say("missing_one", label=self._label(one, "metric"), why=self._why(one["why"]))

    def _why(self, why: dict[str, Any]) -> str:
        match why["kind"]:
            case "held":
                return "; ".join(self._say("because_held", **source) for source in why["sources"])
            case "part":
                return self._say(
                    "because_part", label=self._one_label(why["label"]), why=self._why(why["because"])
                )
            case "rate":
                return self._say("because_rate", currencies=", ".join(why["currencies"]))
            case "rows":
                word = "because_rows_counted" if why["counted"] else "because_rows"
                return self._say(
                    word,
                    fact=self._fact(why["fact"]),
                    window=self._window(why["window"]),
                    last=self._last(why["last"]),
                )
            case "few":
                return self._say("because_few", fact=self._fact(why["fact"]))
        return self.words["because_little"]

    def _one_label(self, label: Any) -> str:
        return label if isinstance(label, str) else self._one(label)

    def _fact(self, fact: str) -> str:
        label = fact_label(fact, self.language)
        return label if self.language == "zh-CN" else label.lower()

    def _window(self, window: dict[str, Any] | None) -> str:
        if window is None:
            return self.words["ever"]
        unit = window["unit"]
        if self.language == "zh-CN":
            return self._say("window", count=window["count"], unit=_UNITS_ZH[unit])
        return self._say("window", count=window["count"], unit=unit if window["count"] == 1 else f"{unit}s")

    def _last(self, day: str | None) -> str:
        return self._say("last", day=day) if day else self.words["never"]

    def _green(self) -> Iterator[str]:
        told, green = self.told, number_text(self.told.bands["green"])
        if told.colour == "green" or told.override:
            return
        if told.colour == "grey":
            yield self.words["green_grey"]
            return
        single, together = told.back_to_green["single"], told.back_to_green["together"]
        if not single and not together:
            yield self._say("green_hopeless", green=green)
            return
        yield self._say("green" if single else "green_both", green=green)
        changes = single or together
        shown = changes if self.everything or not single else changes[:_MOST_CHANGES]
        for change in shown:
            yield self._say(
                "change", label=self._label(change, "metric"), bound=self.words[change["bound"]],
                value=self._value(change["value"], change["unit"]), now=self._value(change["now"], change["unit"]),
            )  # fmt: skip
        if len(shown) < len(changes):
            yield self._say("more", more=len(changes) - len(shown))

    def _rules(self) -> Iterator[str]:
        fired = [one for one in self.told.rules if one["open"] or one["state"] in ("hit", "covered")]
        yield self.words["rules"] if fired else self.words["no_rules"]
        for one in sorted(fired, key=_worst_first):
            yield from self._rule(one)
        others = [one for one in self.told.rules if one not in fired]
        paused = [one for one in others if one["pending"]]
        if paused:
            yield self.words["waiting"]
            for one in paused:
                yield self._say("paused", label=self._label(one, "rule"), **one["pending"])
        if self.everything and others:
            yield self.words["others"]
            for one in others:
                yield from self._rule(one)

    def _rule(self, one: dict[str, Any]) -> Iterator[str]:
        stays = one["open"] and one["state"] not in ("hit", "covered")
        state = self.words[
            "open" if stays else "state_unknown" if one["state"] == "unknown" else one["state"]
        ]
        severity = [word_in("severity", one["severity"], self.language)] if one["severity"] else []
        what = ("，" if self.language == "zh-CN" else ", ").join([state, *severity])
        yield self._say("rule", label=self._rule_label(one), what=what)
        if one["text"]:
            yield self._say("because", text=self._one_label(one["text"]))
        if one.get("covered_by"):
            yield self._excused(one["covered_by"])
        if stays and one.get("stays_until"):
            yield self._say("stays", says=self._one(one["stays_until"]))
        if one["pending"]:
            yield self._say("pending", **one["pending"], left=one["pending"]["of"] - one["pending"]["nights"])
        shown: list[str] = []
        for clause in one["clauses"]:
            for depth, group in enumerate(clause["within"]):
                if shown[depth : depth + 1] != [group]:
                    yield "  " * depth + self.words[_GROUPS[group.split()[0]]]
            shown = clause["within"]
            yield "  " * len(shown) + self._clause(clause)

    def _rule_label(self, one: dict[str, Any]) -> str:
        if "label" in one:
            return self._label(one, "rule")
        return self.words[one["rule"]]

    def _clause(self, clause: dict[str, Any]) -> str:
        mark = self.words["none" if clause["holds"] is None else "yes" if clause["holds"] else "no"]
        actual = clause["actual"]
        found = self._say(
            "found", actual=self._value(actual, None if isinstance(actual, str) else clause["unit"])
        )
        return self._say("clause", mark=mark, says=self._one(clause["says"]), found=found)

    def _excused(self, by: dict[str, Any]) -> str:
        if by["reason"] is None:
            return self._say("unless", says=self._one(by["unless"]))
        until = self._say("until", day=by["until"]) if by["until"] else self.words["no_end"]
        return self._say("excused", reason=word_label(by["reason"], self.language), until=until)

    def _warnings(self) -> Iterator[str]:
        newest = self.told.warning
        if newest is None:
            yield self.words["no_warning"]
            return
        if newest["closed_day"]:
            yield self._say("closed", **self._ended(newest))
        else:
            manager = self._say("manager", manager=newest["manager"]) if newest["manager"] else ""
            peak = (
                self._say("peak", peak=newest["peak_level"]) if newest["peak_level"] > newest["level"] else ""
            )
            owner = f"{newest['owner']} [{newest['owner_id']}]" if self.ids else newest["owner"]
            yield self._say(
                "warning",
                level=f"{newest['level']}{peak}",
                opened=newest["opened_day"],
                owner=owner,
                manager=manager,
            )
        for event in newest["events"]:
            by = self.words["carewatch"] if event["by"] == "carewatch" else event["by"]
            yield self._say(
                "event", day=event["day"], what=self._life(event["what"]), level=event["level"], by=by
            )
        if self.told.earlier_warnings:
            yield self.words["earlier"]
            for one in self.told.earlier_warnings:
                yield self._say("earlier_one", **self._ended(one))

    def _ended(self, one: dict[str, Any]) -> dict[str, Any]:
        return {
            "opened": one["opened_day"], "closed": one["closed_day"], "peak": one["peak_level"], "result": self._life(one["result"])
        }  # fmt: skip

    def _life(self, word: str | None) -> str:
        return self.words["unknown"] if word is None else life_in(word, self.language)


def _cost(points: float) -> str:
    return f"{-points:6.2f}" if points else "  0.00"


_SEVERITIES: Final = ("critical", "severe", "moderate", "mild", "watch", None)


def _worst_first(one: dict[str, Any]) -> tuple[bool, int]:
    return one["state"] != "hit", _SEVERITIES.index(one["severity"])
