"""`care approve`: which changes of the rules wait for the strategic layer; approve or reject one."""

from __future__ import annotations

import argparse

from carewatch.commands.console import (
    Mistake,
    config_argument,
    configuration,
    json_argument,
    print_json,
    warehouse,
)
from carewatch.flow.approval import approvers, decide
from carewatch.store import approvals
from carewatch.store.database import clock

HELP = "list the changed rules that were proposed; approve or reject one (firm.yaml: approval: required)"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("fingerprint", nargs="?", metavar="FINGERPRINT", help="the judgement to decide")
    parser.add_argument(
        "--by", metavar="PERSON", help="who decides: an id of people.yaml with an approving role"
    )
    parser.add_argument("--reject", action="store_true", help="reject it instead")
    parser.add_argument("--because", default="", metavar="TEXT", help="why; kept in the audit trail")
    config_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    with warehouse() as connection:
        if chosen.fingerprint is None:
            return _list(approvals.listing(connection), as_json=chosen.json)
        configured = configuration(chosen)
        may = approvers(connection, configured)
        if chosen.by is None:
            raise Mistake(f"who decides? --by PERSON; those who may: {', '.join(may) or 'nobody'}")
        decide(
            connection, chosen.fingerprint, approved=not chosen.reject, by=chosen.by, why=chosen.because,
            may=may, now=clock(connection),
        )  # fmt: skip
    if chosen.reject:
        print(f"{chosen.fingerprint} is rejected; nights keep the rules that were approved last")
    else:
        print(f"{chosen.fingerprint} is approved; the next night that is opened is judged by it")
    return 0


def _list(found: list[approvals.Approval], *, as_json: bool) -> int:
    if as_json:
        print_json([vars(one) for one in found])
        return 0
    for one in found:
        decided = f"by {one.by} on {one.at:%Y-%m-%d %H:%M}" if one.at is not None else ""
        print(
            f"{one.fingerprint}  {one.state:9}  proposed {one.proposed_at:%Y-%m-%d %H:%M}  {decided}".rstrip()
        )
    if not found:
        print("no change of the rules was ever proposed; firm.yaml: approval: required asks for approvals")
    return 0
