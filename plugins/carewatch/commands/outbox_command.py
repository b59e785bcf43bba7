"""`care outbox`: which messages did not arrive, and send one again."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from carewatch.commands.console import Mistake, warehouse
from carewatch.store import outbox

HELP = "list messages that failed or of which nobody knows whether they arrived; resend one"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "resend"))
    parser.add_argument("key", nargs="?", help="the message's key, for resend")
    parser.add_argument("--all", action="store_true", help="list sent and waiting ones as well")


def run(chosen: argparse.Namespace) -> int:
    with warehouse() as connection:
        if chosen.action == "resend":
            if not chosen.key or not outbox.resend(connection, chosen.key, now=datetime.now(UTC)):
                raise Mistake(
                    f"no failed or uncertain message has the key '{chosen.key}'; see: care outbox list"
                )
            print(f"{chosen.key} goes out with the next tick")
            return 0
        states = ["failed", "uncertain"] + (["waiting", "claimed", "sent"] if chosen.all else [])
        rows = outbox.listing(connection, states)
    for key, state, attempts, at, answer in rows:
        print(f"{state:9}  {attempts} attempts  {at:%Y-%m-%d %H:%M}  {key}  {answer or ''}")
    if not rows:
        print("nothing failed and nothing is uncertain")
    return 0
