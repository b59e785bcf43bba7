"""`care night`: which nights were run, which are held; release or reject a held one without the web interface."""

from __future__ import annotations

import argparse
import getpass

from carewatch.commands.console import Mistake, day, warehouse
from carewatch.flow.release import reject, release
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


def run(chosen: argparse.Namespace) -> int:
    if chosen.action != "list" and chosen.day is None:
        raise Mistake(f"which night? care night {chosen.action} DAY; see: care night list")
    by = chosen.by or getpass.getuser()
    with warehouse() as connection:
        if chosen.action == "list":
            print("\n".join(_lines(holds.listing(connection, chosen.last))))
            return 0
        now = clock(connection)
        if chosen.action == "reject":
            reject(connection, chosen.day, by=by, why=chosen.because, now=now)
            print(f"the night of {chosen.day} stays held; the next normal night takes over")
            return 0
        done = release(connection, chosen.day, by=by, why=chosen.because, now=now)
    print(
        f"the night of {chosen.day} is released: {done.moves} warnings moved, {done.tasks} care tasks, "
        f"{done.messages} messages in the outbox; later nights are compared with this state"
    )
    return 0


def _lines(nights: list[holds.ListedNight]) -> list[str]:
    if not nights:
        return ["no night has been run yet; run one first: care run --day DAY"]
    return [_line(one) for one in nights]


def _line(one: holds.ListedNight) -> str:
    parts = [f"{one.day}  {one.state:8}"]
    if one.hold is not None:
        levels = ", ".join(f"{count} to level {level}" for level, count in one.hold.levels.items())
        parts.append(f"{one.hold.rising} of {one.hold.customers} customers would have risen ({levels})")
    if one.held:
        parts.append(f"not relied on: {', '.join(one.held)}")
    if one.revisions:
        parts.append(f"restated, revision {one.revisions}")
    return "  ".join(parts)
