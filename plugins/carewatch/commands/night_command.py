"""`care night`: which nights were run, which are held; release or reject a held one without the web interface."""

from __future__ import annotations

import argparse
import getpass

from carewatch.commands.console import Mistake, day, language_argument, tell, warehouse
from carewatch.flow.release import reject, release
from carewatch.spec.saying import joined, said
from carewatch.store import holds
from carewatch.store.database import clock

HELP = "list the newest nights and what was held; release or reject a held night"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "release", "reject"))
    parser.add_argument(
        "day", nargs="?", type=day, metavar="DAY", help="the held night, for release and reject"
    )
    parser.add_argument("--by", default=None, metavar="NAME", help="who answers for it (default: your login)")
    parser.add_argument("--because", default="", metavar="TEXT", help="why; kept in the audit trail")
    parser.add_argument(
        "--last", type=int, default=14, metavar="N", help="how many nights to list (default 14)"
    )
    language_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    if chosen.action != "list" and chosen.day is None:
        raise Mistake(
            said("which night? care night {action} DAY; see: care night list", action=chosen.action)
        )
    by = chosen.by or getpass.getuser()
    with warehouse(chosen) as connection:
        if chosen.action == "list":
            for line in _lines(holds.listing(connection, chosen.last)):
                tell(chosen, line)
            return 0
        now = clock(connection)
        if chosen.action == "reject":
            reject(connection, chosen.day, by=by, why=chosen.because, now=now)
            tell(
                chosen,
                said("the night of {day} stays held; the next normal night takes over", day=chosen.day),
            )
            return 0
        done = release(connection, chosen.day, by=by, why=chosen.because, now=now)
    tell(
        chosen,
        said(
            "the night of {day} is released: {warnings} warnings moved, {tasks} care tasks, {messages} messages in the "
            "outbox; later nights are compared with this state",
            day=chosen.day,
            warnings=done.moves,
            tasks=done.tasks,
            messages=done.messages,
        ),
    )
    return 0


def _lines(nights: list[holds.ListedNight]) -> list[str]:
    if not nights:
        return [said("no night has been run yet; run one first: care run --day DAY")]
    return [_line(one) for one in nights]


def _line(one: holds.ListedNight) -> str:
    parts = [said("{day}  {state:8}", day=one.day, state=said(one.state))]
    if one.hold is not None:
        levels = (
            said("{count} to level {level}", count=count, level=level)
            for level, count in one.hold.levels.items()
        )
        parts.append(
            said(
                "{rising} of {customers} customers would have risen ({levels})",
                rising=one.hold.rising,
                customers=one.hold.customers,
                levels=joined(", ", levels),
            )
        )
    if one.held:
        parts.append(said("not relied on: {sources}", sources=joined(", ", one.held)))
    if one.revisions:
        parts.append(said("restated, revision {revision}", revision=one.revisions))
    return joined("  ", parts)
