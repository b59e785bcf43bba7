"""`care explain`: why does this customer stand where it stands?"""

from __future__ import annotations

import argparse

from carewatch.commands.console import day, json_argument, language_argument, print_json, warehouse
from carewatch.commands.explain_text import explain_lines
from carewatch.flow.explain import explain

HELP = "why a customer stands where it stands: what costs points, what would help, which rules fired on what"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="the customer's id")
    parser.add_argument(
        "--day", type=day, default=None, metavar="DAY", help="the newest night at or before this day"
    )
    parser.add_argument(
        "--revision",
        type=int,
        default=None,
        metavar="N",
        help="of a restated night: 0 is the night as it was run",
    )
    language_argument(parser)
    parser.add_argument("--all", action="store_true", help="show rules that did not fire as well")
    parser.add_argument(
        "--ids", action="store_true", help="show what things are called in the configuration as well"
    )
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    with warehouse(chosen) as connection:
        explained = explain(connection, chosen.customer, chosen.day, chosen.revision)
    if chosen.json:
        print_json(explained.as_data())
    else:
        print("\n".join(explain_lines(explained, chosen.language, everything=chosen.all, ids=chosen.ids)))
    return 0 if explained.equals_stored else 1
