"""`care run`: run a night without Airflow, the same steps as the Dag's."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import UTC, datetime

from carewatch.commands.console import (
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

HELP = "run the night of a day: metrics, health, warnings, playbooks, notices (into the outbox)"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--day",
        type=day,
        required=True,
        metavar="DAY",
        help="the night's day; it counts facts before its 00:00",
    )
    config_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    configured, progress = configuration(chosen), Progress()
    with warehouse() as connection:
        now = _moment(connection)
        progress("open the night")
        opened = steps.open_night(
            connection, configured, chosen.day, now=now, sources=configured_sources(chosen)
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
                f"the night of {held} is HELD: too many customers would rise at once; look at the feeds before it is released"
            )
    return 0


def _moment(connection: object) -> datetime:
    row = connection.execute("select care.clock()").fetchone()  # type: ignore[attr-defined]
    return row[0] if row else datetime.now(UTC)
