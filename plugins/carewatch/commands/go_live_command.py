"""`care go-live`: let what was recorded go live, day by day within everybody's capacity."""

from __future__ import annotations

import argparse

from carewatch.commands.console import by_argument, config_argument, configuration, warehouse
from carewatch.flow.advance import EVERYTHING, Moment, advance
from carewatch.flow.launch import preview, say_go

HELP = "release recorded warnings, the worst first, within each owner's capacity a working day"


def arguments(parser: argparse.ArgumentParser) -> None:
    config_argument(parser)
    by_argument(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="say what each day would bring, and release nothing"
    )


def run(chosen: argparse.Namespace) -> int:
    care = configuration(chosen).care
    with warehouse() as connection:
        row = connection.execute("select care.clock()").fetchone()
        assert row is not None
        now = row[0]
        found = preview(connection, care, now)
        for owner, (waiting, by_day) in found.items():
            never = waiting - sum(by_day)
            kept = f"; {never} never: give {owner} a budget or capacity in people.yaml" if never else ""
            days = ", ".join(map(str, by_day[:10])) + (", ..." if len(by_day) > 10 else "")
            print(f"{owner}: {waiting} recorded, by working day: {days or 'none'}{kept}")
        if not found:
            print("nothing is recorded that waits to go live")
        if chosen.dry_run:
            return 0

        def say(moment: Moment) -> None:
            say_go(connection, moment.care, chosen.by, now)

        done = advance(connection, care, now, (say, *EVERYTHING))
        print(f"released now: {done.released}; the rest follows on working days")
    return 0
