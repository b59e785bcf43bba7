"""`care warning`: look at warnings, and say what was done about them."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from carewatch.commands.console import (
    Mistake,
    config_argument,
    configuration,
    day,
    json_argument,
    language_argument,
    print_json,
    tell,
    warehouse,
)
from carewatch.flow import acts
from carewatch.spec.called import life_in, word_in
from carewatch.spec.saying import joined, said
from carewatch.store import acts as stored
from carewatch.store.database import Connection
from carewatch.warn.acts import RESULTS

HELP = "list and show warnings; acknowledge one, put a plan on file, close it with its result"


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = actions.add_parser("list", help="warnings that live, the most urgent first")
    listed.add_argument("--owner", metavar="PERSON", help="of one person (an id of people.yaml)")
    shown = actions.add_parser("show", help="one warning: why, its history, its tasks")
    acknowledged = actions.add_parser("ack", help="say that you are on it")
    planned = actions.add_parser("plan", help="put the recovery plan on file")
    planned.add_argument("--text", required=True, help="what will be done")
    planned.add_argument("--next", type=day, metavar="DAY", help="when somebody is in touch next")
    closed = actions.add_parser("close", help="say what it came to")
    closed.add_argument("--result", required=True, choices=RESULTS)
    closed.add_argument("--note", default="", help="what is worth knowing later")
    for one in (shown, acknowledged, planned, closed):
        one.add_argument("warning", type=int, metavar="WARNING", help="the warning's number")
    for act in (acknowledged, planned, closed):
        act.add_argument("--by", required=True, metavar="PERSON", help="who did it (an id of people.yaml)")
    delays = actions.add_parser("delays", help="from knowing of an event to deciding who hears of it")
    delays.add_argument("--from", dest="first", type=day, metavar="DAY", help="30 days ago unless said")
    delays.add_argument("--to", dest="last", type=day, metavar="DAY", help="today unless said")
    config_argument(delays)
    for one in (listed, shown, delays):
        json_argument(one)
    for one in (listed, shown, acknowledged, planned, closed, delays):
        language_argument(one)


def run(chosen: argparse.Namespace) -> int:
    with warehouse(chosen) as connection:
        match chosen.action:
            case "list":
                _list(connection, chosen)
            case "show":
                _show(connection, chosen)
            case "delays":
                return _delays(connection, chosen)
            case _:
                state = life_in(_act(connection, chosen), chosen.language)
                tell(chosen, said("warning {number}: {state}", number=chosen.warning, state=state))
    return 0


def _act(connection: Connection, chosen: argparse.Namespace) -> str:
    row = connection.execute("select care.clock()").fetchone()
    assert row is not None
    now = row[0]
    about: dict[str, Any] = {"by": chosen.by, "now": now}
    match chosen.action:
        case "ack":
            return acts.acknowledge(connection, chosen.warning, **about)
        case "plan":
            return acts.plan(connection, chosen.warning, text=chosen.text, next_date=chosen.next, **about)
        case _:
            return acts.close(connection, chosen.warning, result=chosen.result, note=chosen.note, **about)


def _list(connection: Connection, chosen: argparse.Namespace) -> None:
    found = stored.listing(connection, chosen.owner)
    if chosen.json:
        print_json(found)
        return
    for one in found:
        tell(chosen, _listed(one, chosen.language))
    if not found:
        tell(chosen, said("no warning lives"))


def _listed(one: dict[str, Any], language: str) -> str:
    return said(
        "{number:>6}  level {level}  {priority:6}  {state:12}  {customer}  tier {tier}  {owner}{manager}{stake}",
        number=one["warning_no"],
        level=one["level"],
        priority=said(one["priority"]),
        state=life_in(one["state"], language),
        customer=one["customer_id"],
        tier=one["tier"],
        owner=one["owner_id"],
        manager=said(" with {manager}", manager=one["manager_id"]) if one["manager_id"] else "",
        stake=said(", {value:,.0f} at stake", value=one["value"]) if one["value"] else "",
    )


def _show(connection: Connection, chosen: argparse.Namespace) -> None:
    found = stored.shown(connection, chosen.warning)
    if found is None:
        raise Mistake(said("there is no warning {number}; see: care warning list", number=chosen.warning))
    if chosen.json:
        print_json(found)
        return
    for line in _lines(found, chosen.language):
        tell(chosen, line)


def _lines(found: dict[str, Any], language: str) -> Iterator[str]:
    """Yield everything about one warning: itself, why it is there, its history, its tasks."""
    yield said(
        "warning {number} of {customer}: {state}, level {level} (peak {peak}), {priority} priority, tier {tier}, "
        "owner {owner}{manager}",
        number=found["warning_no"],
        customer=found["customer_id"],
        state=life_in(found["state"], language),
        level=found["level"],
        peak=found["peak_level"],
        priority=said(found["priority"]),
        tier=found["tier"],
        owner=found["owner_id"],
        manager=said(", taking part: {manager}", manager=found["manager_id"]) if found["manager_id"] else "",
    )
    for reason in found["reasons"]:
        yield said(
            "  {severity}: {text} (since {since}){hidden}",
            severity=word_in("severity", reason["severity"], language),
            text=reason["text"].get(language) or reason["text"]["en"],
            since=reason["since"],
            hidden=said(" [left out of notices, hidden by {rules}]", rules=joined(", ", reason["hidden_by"]))
            if reason.get("hidden_by")
            else "",
        )
    if found["plan"]:
        yield said("  plan by {by}: {plan}", by=found["planned_by"], plan=found["plan"])
    if found["result_note"]:
        yield said("  note: {note}", note=found["result_note"])
    for event in found["history"]:
        yield said(
            "  {at}  {what}, level {level}, by {by}",
            at=f"{event['at']:%Y-%m-%d %H:%M}",
            what=life_in(event["what"], language),
            level=event["level"],
            by=said("carewatch") if event["by"] == "carewatch" else event["by"],
        )
    for task in found["tasks"]:
        title = task["title"]
        yield said(
            "  > {title} - {owner}, {state}, by {due}",
            title=(title.get(language) or title.get("en")) if isinstance(title, dict) else title,
            owner=task["owner_id"],
            state=life_in(task["state"], language),
            due=f"{task['due_at']:%Y-%m-%d %H:%M}",
        )


def _delays(connection: Connection, chosen: argparse.Namespace) -> int:
    target = configuration(chosen).care.notices.told_within
    last = chosen.last or date.today()
    found = stored.delays(connection, chosen.first or last - timedelta(days=30), last)
    minutes = [one["minutes"] for one in found]
    within = sum(one <= target for one in minutes)
    if chosen.json:
        print_json({"events": len(found), "within": within, "target_minutes": target, "slowest": found[:20]})
    elif not found:
        tell(chosen, said("no event raised a warning in these days"))
    else:
        tell(
            chosen,
            said(
                "{count} events told of: {within} within {target:g} minutes ({share:.0%}), median {median:.0f}, "
                "longest {longest:.0f} minutes",
                count=len(found),
                within=within,
                target=target,
                share=within / len(found),
                median=statistics.median(minutes),
                longest=minutes[0],
            ),
        )
        for one in found[:5]:
            tell(
                chosen,
                said(
                    "  {minutes:.0f} minutes  {customer}  {rule}  known {known}",
                    minutes=one["minutes"],
                    customer=one["customer_id"],
                    rule=one["rule"],
                    known=f"{one['known_at']:%Y-%m-%d %H:%M}",
                ),
            )
    return 0 if within == len(found) else 1
