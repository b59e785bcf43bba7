"""`care override`: say a customer's colour for a while where the numbers do not show what people know."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import date

from carewatch.commands.console import (
    Mistake,
    config_argument,
    configuration,
    day,
    json_argument,
    print_json,
    warehouse,
)
from carewatch.flow import overrides
from carewatch.store.database import Connection, clock
from carewatch.store.overrides import standing

HELP = "say a customer's colour until a day, with a reason; without a customer: list what stands"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", nargs="?", metavar="CUSTOMER", help="the customer's id")
    parser.add_argument(
        "colour",
        nargs="?",
        choices=overrides.COLOURS,
        help="green, yellow or red; the score stays what it is",
    )
    parser.add_argument("--until", type=day, metavar="DAY", help="the last night on which it stands")
    parser.add_argument("--why", default="", help="what the numbers do not show")
    parser.add_argument("--by", metavar="PERSON", help="who says so (an id of people.yaml)")
    parser.add_argument("--end", action="store_true", help="let the computed colour stand again")
    config_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    with warehouse() as connection:
        today = clock(connection).astimezone(configuration(chosen).firm.zone).date()
        if chosen.customer is None:
            return _list(connection, today, json=chosen.json)
        if chosen.by is None or (chosen.colour is None) != chosen.end or (chosen.until is None) != chosen.end:
            raise Mistake(
                "say who and what: care override CUSTOMER green|yellow|red --until DAY --why WHY --by PERSON, "
                "or care override CUSTOMER --end --by PERSON"
            )
        now = clock(connection)
        if chosen.end:
            customer = overrides.end(connection, chosen.customer, by=chosen.by, now=now)
            print(f"{customer}: the computed colour stands again from the next night on")
            return 0
        customer = overrides.override(
            connection,
            chosen.customer,
            chosen.colour,
            until=chosen.until,
            why=chosen.why,
            by=chosen.by,
            now=now,
            today=today,
        )
    print(f"{customer} is {chosen.colour} from the next night on, through {chosen.until}; the score stays")
    return 0


def _list(connection: Connection, today: date, *, json: bool) -> int:
    found = standing(connection, today)
    if json:
        print_json([asdict(one) for one in found])
    for one in found if not json else ():
        print(f"{one.customer_id}: {one.colour} through {one.until}, by {one.by}: {one.why}")
    if not found and not json:
        print("nobody said a colour: every customer has the computed one")
    return 0
