"""`care explain`: why does this customer stand where it stands?"""

from __future__ import annotations

import argparse
from typing import Any

from carewatch.commands.console import day, json_argument, print_json, warehouse
from carewatch.flow.explain import Explanation, explain
from carewatch.spec.health import DEFAULT_MODEL
from carewatch.warn.reasons import number_text

HELP = "show a customer's score as a tree down to the numbers, and every rule with the clause that was true"
_MARK = {True: "yes", False: "no", None: "unknown"}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="the customer's id")
    parser.add_argument(
        "--day", type=day, default=None, metavar="DAY", help="the newest night at or before this day"
    )
    parser.add_argument(
        "--revision",
        type=int,
        default=None,
        metavar="N",
        help="of a restated night: 0 is the night as it was run",
    )
    parser.add_argument("--language", choices=("en", "zh-CN"), default="en")
    parser.add_argument("--all", action="store_true", help="show rules that did not fire as well")
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    with warehouse() as connection:
        explained = explain(connection, chosen.customer, chosen.day, chosen.revision)
    if chosen.json:
        print_json(explained.as_data())
    else:
        print("\n".join(_lines(explained, chosen.language, everything=chosen.all)))
    return 0 if explained.equals_stored else 1


def _word(label: Any, language: str) -> str:
    if isinstance(label, dict):
        return str(label.get(language) or next(iter(label.values())))
    return str(label)


def _earned(metric: dict[str, Any]) -> str:
    if metric["points"] is None:
        return "held, skipped" if metric["held"] else "unknown, skipped"
    value = f"{_number(metric['value'])} {metric['unit']}".strip()
    return f"{value} -> {_number(metric['points'])} points"


def _excused(by: dict[str, Any]) -> str:
    if by["reason"] is None:
        return f"would have fired; excused, because {by['unless']}"
    until = f"until {by['until']}" if by["until"] else "with no end on record"
    return f"would have fired; covered by {by['reason']} {until}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else number_text(value)


def _lines(explained: Explanation, language: str, *, everything: bool) -> list[str]:
    score = "unknown" if explained.score is None else f"{explained.score:.2f}"
    lines = [
        f"{explained.customer_id} on the night of {explained.day}: health {score}, {explained.colour}, tier {explained.tier}"
        + (", dormant" if explained.dormant else ""),
    ]
    if explained.model != DEFAULT_MODEL:
        lines.append(f"judged by the health model {explained.model}")
    if explained.override:
        said = explained.override
        lines.append(
            f"the colour is not computed: {said['by']} said {said['colour']} through {said['until']}: {said['why']}"
        )
    lines += [
        f"held: {one['source']} ({', '.join(one['facts'])}), {one['reason'][language]}, answered for by {one['owner']}"
        for one in explained.held
    ]
    for dimension in explained.dimensions:
        lines.append(
            f"|- {_word(dimension['label'], language)}: {_number(dimension['score'])} points, weight {dimension['weight']:.0%}"
        )
        for metric in dimension["metrics"]:
            lines.append(
                f"|  |- {_word(metric['label'], language)}: {_earned(metric)}, weight {metric['weight']:.0%}"
            )
    for rule in explained.rules:
        if rule["state"] not in ("hit", "covered") and not everything:
            continue
        severity = f", {rule['severity']}" if rule["severity"] else ""
        lines.append(f"rule {rule['rule']}: {rule['state']}{severity}")
        if rule["text"]:
            lines.append(f"   {_word(rule['text'], language)}")
        if rule.get("covered_by"):
            lines.append(f"   {_excused(rule['covered_by'])}")
        for clause in rule["clauses"]:
            actual = clause["actual"] if isinstance(clause["actual"], str) else _number(clause["actual"])
            lines.append(f"   {_MARK[clause['holds']]}: {clause['clause']} (it is {actual})")
    if explained.warning:
        warning = explained.warning
        lines.append(
            f"warning {warning['warning_no']}: level {warning['level']} (peak {warning['peak_level']}), {warning['state']}, "
            f"open since {warning['opened_day']}, owner {warning['owner_id']}"
        )
    lines.append(
        f"judgement {explained.judgement}, care {explained.care}, code {explained.code_version}, revision {explained.revision}"
    )
    lines.append(
        "recomputed from the facts: equal to what was stored"
        if explained.equals_stored
        else "RECOMPUTED DIFFERENTLY from what was stored"
    )
    return lines
