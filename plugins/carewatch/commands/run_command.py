"""`care run`: run a night without Airflow, the same steps as the Dag's; or correct past nights by what is known now."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from carewatch.commands.console import (
    Mistake,
    Progress,
    config_argument,
    configuration,
    configured_sources,
    day,
    json_argument,
    print_json,
    warehouse,
)
from carewatch.flow import night as steps
from carewatch.flow.advance import advance
from carewatch.flow.restate import restate
from carewatch.store.database import clock

HELP = "run the night of a day: metrics, health, warnings, playbooks, notices (into the outbox); or restate past ones"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--day", type=day, metavar="DAY", help="the night's day; it counts facts before its 00:00"
    )
    parser.add_argument(
        "--restate",
        action="store_true",
        help="compute past nights again with what is known now; warnings and messages do not move",
    )
    parser.add_argument("--from", dest="first", type=day, metavar="DAY", help="the first night to restate")
    parser.add_argument(
        "--to", dest="last", type=day, metavar="DAY", help="the last night to restate (default: the newest)"
    )
    config_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    if chosen.restate:
        return _restate(chosen)
    if chosen.day is None or chosen.first is not None or chosen.last is not None:
        raise Mistake(
            "care run --day DAY runs a night; care run --restate --from DAY [--to DAY] corrects past ones"
        )
    return _run(chosen)


def _restate(chosen: argparse.Namespace) -> int:
    if chosen.first is None or chosen.day is not None:
        raise Mistake("which nights? care run --restate --from DAY [--to DAY]")
    if chosen.last is not None and chosen.last < chosen.first:
        raise Mistake(f"--to {chosen.last} lies before --from {chosen.first}")
    configured, progress, done = configuration(chosen), Progress(), []
    with warehouse() as connection:
        for one in restate(
            connection, chosen.first, chosen.last,
            sources=configured_sources(chosen), calendar=configured.care.work,
        ):  # fmt: skip
            progress(f"restated {one.day}")
            done.append(one)
    progress.done()
    customers = frozenset[int]().union(*(one.changed for one in done))
    if chosen.json:
        nights = [{"day": one.day, "revision": one.revision, "changed": len(one.changed)} for one in done]
        print_json({"nights": nights, "customers_changed": len(customers)})
        return 0
    for one in done:
        said = (
            f"revision {one.revision}, {len(one.changed)} customers changed"
            if one.changed
            else "nothing changed"
        )
        print(f"{one.day}  {said}")
    print(
        f"{len(done)} nights computed again, {len(customers)} customers changed; no warning and no message moved"
    )
    return 0


def _run(chosen: argparse.Namespace) -> int:
    configured, progress = configuration(chosen), Progress()
    with warehouse() as connection:
        now = clock(connection)
        progress("open the night")
        opened = steps.open_night(
            connection, configured, chosen.day, now=now, sources=configured_sources(chosen)
        )
        if opened.waiting is not None:
            progress(
                f"the changed rules are not approved: judged by {opened.night.judgement}; care approve {opened.waiting}"
            )
        progress("measure")
        steps.measure(connection, chosen.day)
        progress("judge")
        steps.judge(connection, chosen.day)
        progress("advance warnings, care and notices")
        done = advance(connection, opened.care, now)
        steps.seal(connection, chosen.day)
        counted = connection.execute(
            "select count(*), count(*) filter (where colour = 3), count(*) filter (where colour = 2), "
            "count(*) filter (where colour = 1), count(*) filter (where colour = 0) from care.health_night "
            "where day = %s and revision = %s",
            (chosen.day, opened.night.revision),
        ).fetchone()
    progress.done()
    assert counted is not None
    colours = dict(zip(("customers", "green", "yellow", "red", "grey"), counted, strict=True))
    if chosen.json:
        print_json({"day": chosen.day.isoformat(), **colours, **asdict(done)})
    else:
        print(f"night of {chosen.day}: " + ", ".join(f"{count} {name}" for name, count in colours.items()))
        print(
            f"{done.moves} warnings moved, {done.tasks} care tasks, {done.messages} messages in the outbox"
            + ("" if opened.night.notifies else " (a night of the past: it tells nobody)")
        )
        for held in done.held:
            print(
                f"the night of {held} is HELD: too many customers would rise at once; look at the feeds "
                f"(care night list), then: care night release {held}"
            )
    return 0
