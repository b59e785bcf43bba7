"""`care warning`: look at warnings, and say what was done about them."""

from __future__ import annotations

import argparse
import statistics
from datetime import date, timedelta
from typing import Any

from carewatch.commands.console import (
    Mistake,
    config_argument,
    configuration,
    day,
    json_argument,
    print_json,
    warehouse,
)
from carewatch.flow import acts
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


def run(chosen: argparse.Namespace) -> int:
    with warehouse() as connection:
        match chosen.action:
            case "list":
                _list(connection, chosen)
            case "show":
                _show(connection, chosen)
            case "delays":
                return _delays(connection, chosen)
            case _:
                print(f"warning {chosen.warning}: {_act(connection, chosen)}")
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
        stake = f", {one['value']:,.0f} at stake" if one["value"] else ""
        manager = f" with {one['manager_id']}" if one["manager_id"] else ""
        print(
            f"{one['warning_no']:>6}  level {one['level']}  {one['priority']:6}  {one['state']:12}  {one['customer_id']}  "
            f"tier {one['tier']}  {one['owner_id']}{manager}{stake}"
        )
    if not found:
        print("no warning lives")


def _show(connection: Connection, chosen: argparse.Namespace) -> None:
    found = stored.shown(connection, chosen.warning)
    if found is None:
        raise Mistake(f"there is no warning {chosen.warning}; see: care warning list")
    if chosen.json:
        print_json(found)
        return
    print(
        f"warning {found['warning_no']} of {found['customer_id']}: {found['state']}, level {found['level']} "
        f"(peak {found['peak_level']}), {found['priority']} priority, tier {found['tier']}, owner {found['owner_id']}"
        + (f", taking part: {found['manager_id']}" if found["manager_id"] else "")
    )
    for reason in found["reasons"]:
        hidden = (
            f" [left out of notices, hidden by {', '.join(reason['hidden_by'])}]"
            if reason.get("hidden_by")
            else ""
        )
        print(f"  {reason['severity']}: {reason['text']['en']} (since {reason['since']}){hidden}")
    if found["plan"]:
        print(f"  plan by {found['planned_by']}: {found['plan']}")
    if found["result_note"]:
        print(f"  note: {found['result_note']}")
    for event in found["history"]:
        print(f"  {event['at']:%Y-%m-%d %H:%M}  {event['what']}, level {event['level']}, by {event['by']}")
    for task in found["tasks"]:
        title = task["title"].get("en") if isinstance(task["title"], dict) else task["title"]
        print(f"  > {title} - {task['owner_id']}, {task['state']}, by {task['due_at']:%Y-%m-%d %H:%M}")


def _delays(connection: Connection, chosen: argparse.Namespace) -> int:
    target = configuration(chosen).care.notices.told_within
    last = chosen.last or date.today()
    found = stored.delays(connection, chosen.first or last - timedelta(days=30), last)
    minutes = [one["minutes"] for one in found]
    within = sum(one <= target for one in minutes)
    if chosen.json:
        print_json({"events": len(found), "within": within, "target_minutes": target, "slowest": found[:20]})
    elif not found:
        print("no event raised a warning in these days")
    else:
        print(
            f"{len(found)} events told of: {within} within {target:g} minutes ({within / len(found):.0%}), "
            f"median {statistics.median(minutes):.0f}, longest {minutes[0]:.0f} minutes"
        )
        for one in found[:5]:
            print(
                f"  {one['minutes']:.0f} minutes  {one['customer_id']}  {one['rule']}  known {one['known_at']:%Y-%m-%d %H:%M}"
            )
    return 0 if within == len(found) else 1
