"""`care identity`: which keys are one customer, whose word counts, and what people say about it."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from carewatch.commands.console import Mistake, by_argument, json_argument, print_json, warehouse
from carewatch.flow.explain import customer_number
from carewatch.store import customer_file, rulings
from carewatch.store.database import Connection

HELP = "show, suggest, merge and split customers known to several systems"


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    shown = actions.add_parser("show", help="a customer's keys, and what each source says of it")
    shown.add_argument("customer", metavar="CUSTOMER")
    shown.add_argument(
        "--show-personal", action="store_true", help="personal values as they are; leaves a trace"
    )
    by_argument(shown)
    json_argument(shown)
    suggested = actions.add_parser(
        "suggest", help="customers whose names differ only in how they are written; merges nothing"
    )
    json_argument(suggested)
    doubtful = actions.add_parser(
        "problems", help="credit codes that are none, unknown parents, circles of parents"
    )
    json_argument(doubtful)
    merged = actions.add_parser(
        "merge", help="let two customers be one from now on, under the first one's id"
    )
    merged.add_argument("customer", metavar="SURVIVOR")
    merged.add_argument("other", metavar="OTHER")
    parted = actions.add_parser(
        "split", help="let a key stand apart from now on, whatever codes and links say"
    )
    parted.add_argument("key", metavar="SOURCE:KEY")
    for ruling in (merged, parted):
        ruling.add_argument("--why", required=True, metavar="REASON", help="kept with the ruling")
        by_argument(ruling)


def run(chosen: argparse.Namespace) -> int:
    with warehouse() as connection:
        match chosen.action:
            case "show":
                _show(connection, chosen)
            case "suggest":
                _suggest(connection, as_json=chosen.json)
            case "problems":
                return _problems(connection, as_json=chosen.json)
            case "merge":
                customer_number(connection, chosen.customer)
                customer_number(connection, chosen.other)
                rulings.merge(
                    connection, chosen.customer, chosen.other, by=chosen.by, why=_reason(chosen.why)
                )
                print(f"{chosen.other} is {chosen.customer} from now on; past nights stay as they were")
            case _:
                stands = rulings.split(connection, chosen.key, by=chosen.by, why=_reason(chosen.why))
                print(f"{chosen.key} is customer {stands} from now on; past nights stay as they were")
    return 0


def _reason(text: str) -> str:
    if not text.strip():
        raise Mistake("--why is empty; say why, for those who ask later")
    return text.strip()


def _show(connection: Connection, chosen: argparse.Namespace) -> None:
    asked = customer_number(connection, chosen.customer)
    number, customer_id = customer_file.customer_now(connection, asked)
    if chosen.show_personal:
        customer_file.note_reading(connection, customer_id, by=chosen.by, what="care identity show")
    keys = customer_file.keys(connection, number)
    values = customer_file.values(connection, number, personal=chosen.show_personal)
    parent = customer_file.parent_of(connection, number)
    problems = customer_file.problems(connection, number)
    if chosen.json:
        print_json(
            {
                "customer": customer_id, "keys": [asdict(key) for key in keys], "values": [asdict(value) for value in values],
                "parent": parent, "problems": problems,
            }
        )  # fmt: skip
        return
    print(customer_id if number == asked else f"{chosen.customer} went into {customer_id}")
    for key in keys:
        until = "" if key.known_to is None else f" until {key.known_to:%Y-%m-%d %H:%M}"
        print(f"  key {key.key}, known from {key.known_from:%Y-%m-%d %H:%M}{until}")
    winner = ""
    for value in values:
        if value.wins:
            winner = value.value
            print(f"  {value.field}: {value.value} ({value.source})")
        else:
            print(f"    {'also' if value.value == winner else 'not'} {value.value} ({value.source})")
    if parent is not None:
        print(f"  belongs to {parent['parent']} since {parent['since']} ({parent['source']})")
    for kind, key_said, value_said in problems:
        print(f"  look at: {kind} '{value_said}' of {key_said}")


def _suggest(connection: Connection, *, as_json: bool) -> None:
    found = rulings.suggestions(connection)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    for one in found:
        print(f"{' / '.join(one.names)}")
        for other in one.customers[1:]:
            print(f"   care identity merge {one.customers[0]} {other} --why REASON")
    if not found:
        print("no two customers have names that differ only in how they are written")


def _problems(connection: Connection, *, as_json: bool) -> int:
    found = customer_file.problems(connection)
    if as_json:
        print_json([dict(zip(("kind", "key", "value"), one, strict=True)) for one in found])
    else:
        for kind, key, value in found:
            print(f"{kind}: '{value}' of {key}")
        if not found:
            print("nothing to look at")
    return 1 if found else 0
