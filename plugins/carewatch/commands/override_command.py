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
    language_argument,
    print_json,
    speak,
    tell,
    warehouse,
)
from carewatch.flow import overrides
from carewatch.spec.called import word_in
from carewatch.spec.saying import said
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
    language_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    with warehouse() as connection:
        firm = configuration(chosen).firm
        today, language = clock(connection).astimezone(firm.zone).date(), speak(chosen, firm)
        if chosen.customer is None:
            return _list(connection, today, chosen)
        if chosen.by is None or (chosen.colour is None) != chosen.end or (chosen.until is None) != chosen.end:
            raise Mistake(
                said(
                    "say who and what: care override CUSTOMER green|yellow|red --until DAY --why WHY --by PERSON, "
                    "or care override CUSTOMER --end --by PERSON"
                )
            )
        now = clock(connection)
        if chosen.end:
            customer = overrides.end(connection, chosen.customer, by=chosen.by, now=now)
            tell(
                chosen,
                said(
                    "{customer}: the computed colour stands again from the next night on", customer=customer
                ),
            )
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
    tell(
        chosen,
        said(
            "{customer} is {colour} from the next night on, through {until}; the score stays",
            customer=customer,
            colour=word_in("colour", chosen.colour, language),
            until=chosen.until,
        ),
    )
    return 0


def _list(connection: Connection, today: date, chosen: argparse.Namespace) -> int:
    found = standing(connection, today)
    if chosen.json:
        print_json([asdict(one) for one in found])
        return 0
    for one in found:
        tell(
            chosen,
            said(
                "{customer}: {colour} through {until}, by {by}: {why}",
                customer=one.customer_id,
                colour=word_in("colour", one.colour, chosen.language),
                until=one.until,
                by=one.by,
                why=one.why,
            ),
        )
    if not found:
        tell(chosen, said("nobody said a colour: every customer has the computed one"))
    return 0
