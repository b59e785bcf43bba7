"""`care go-live`: let what was recorded go live, day by day within everybody's capacity."""

from __future__ import annotations

import argparse
from typing import Final

from carewatch.commands.console import (
    by_argument,
    config_argument,
    configuration,
    language_argument,
    speak,
    tell,
    warehouse,
)
from carewatch.flow.advance import EVERYTHING, Moment, advance
from carewatch.flow.launch import preview, say_go
from carewatch.spec.saying import joined, said

_DAYS: Final = 10
"""How many working days are listed of each owner."""

HELP = "release recorded warnings, the worst first, within each owner's capacity a working day"


def arguments(parser: argparse.ArgumentParser) -> None:
    config_argument(parser)
    by_argument(parser)
    language_argument(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="say what each day would bring, and release nothing"
    )


def run(chosen: argparse.Namespace) -> int:
    care = configuration(chosen).care
    speak(chosen, care.firm)
    with warehouse() as connection:
        row = connection.execute("select care.clock()").fetchone()
        assert row is not None
        now = row[0]
        found = preview(connection, care, now)
        for owner, (waiting, by_day) in found.items():
            tell(chosen, _waits(owner, waiting, by_day))
        if not found:
            tell(chosen, said("nothing is recorded that waits to go live"))
        if chosen.dry_run:
            return 0

        def say(moment: Moment) -> None:
            say_go(connection, moment.care, chosen.by, now)

        done = advance(connection, care, now, (say, *EVERYTHING))
        tell(chosen, said("released now: {count}; the rest follows on working days", count=done.released))
    return 0


def _waits(owner: str, waiting: int, by_day: list[int]) -> str:
    days = [*map(str, by_day[:_DAYS]), *(["..."] if len(by_day) > _DAYS else [])]
    never = waiting - sum(by_day)
    return said(
        "{owner}: {waiting} recorded, by working day: {days}{never}",
        owner=owner,
        waiting=waiting,
        days=joined(", ", days) if any(by_day) else said("none"),
        never=said(
            "; {never} never: give {owner} a budget or capacity in people.yaml", never=never, owner=owner
        )
        if never
        else "",
    )
