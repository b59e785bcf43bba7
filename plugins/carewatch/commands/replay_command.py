"""`care replay`: does every stored warning come out of the facts again?"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from carewatch.commands.console import Mistake, Progress, json_argument, print_json, warehouse
from carewatch.flow.replay_warnings import replay_warnings

HELP = "recompute stored warnings from the facts of their nights: signals, reasons and level must be the same"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("warnings", nargs="*", type=int, metavar="WARNING", help="numbers (default: all)")
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    progress = Progress()
    with warehouse() as connection:
        found = replay_warnings(connection, chosen.warnings or None, progress)
    progress.done()
    missing = {*chosen.warnings} - {one.warning_no for one in found}
    if missing:
        raise Mistake(f"there is no warning {min(missing)}; `care warning list` shows those that live")
    different = [one for one in found if one.differences]
    if chosen.json:
        print_json([asdict(one) for one in found])
    else:
        for one in different:
            print(f"warning {one.warning_no} of {one.customer_id}:")
            print("\n".join(f"  {line}" for line in one.differences))
        transitions, signals = (
            sum(getattr(one, what) for one in found) for what in ("transitions", "signals")
        )
        same = "all come out the same" if not different else f"{len(different)} come out DIFFERENTLY"
        print(
            f"{len(found)} warnings with {transitions} transitions and {signals} signals recomputed: {same}"
        )
    return 1 if different else 0
