"""`care approve`: which changes of the rules wait for the strategic layer; approve or reject one."""

from __future__ import annotations

import argparse

from carewatch.commands.console import (
    Mistake,
    config_argument,
    configuration,
    json_argument,
    language_argument,
    print_json,
    speak,
    tell,
    warehouse,
)
from carewatch.flow.approval import approvers, decide
from carewatch.spec.saying import joined, said
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
    language_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    with warehouse() as connection:
        configured = configuration(chosen)
        speak(chosen, configured.firm)
        if chosen.fingerprint is None:
            return _list(approvals.listing(connection), chosen)
        may = approvers(connection, configured)
        if chosen.by is None:
            raise Mistake(
                said(
                    "who decides? --by PERSON; those who may: {people}",
                    people=joined(", ", may) or said("nobody"),
                )
            )
        decide(
            connection, chosen.fingerprint, approved=not chosen.reject, by=chosen.by, why=chosen.because,
            may=may, now=clock(connection),
        )  # fmt: skip
    if chosen.reject:
        sentence = "{judgement} is rejected; nights keep the rules that were approved last"
    else:
        sentence = "{judgement} is approved; the next night that is opened is judged by it"
    tell(chosen, said(sentence, judgement=chosen.fingerprint))
    return 0


def _list(found: list[approvals.Approval], chosen: argparse.Namespace) -> int:
    if chosen.json:
        print_json([vars(one) for one in found])
        return 0
    for one in found:
        tell(chosen, _listed(one))
    if not found:
        tell(
            chosen,
            said(
                "no change of the rules was ever proposed; firm.yaml: approval: required asks for approvals"
            ),
        )
    return 0


def _listed(one: approvals.Approval) -> str:
    return said(
        "{judgement}  {state:9}  proposed {proposed}{decided}",
        judgement=one.fingerprint,
        state=said(one.state),
        proposed=f"{one.proposed_at:%Y-%m-%d %H:%M}",
        decided=said("  by {by} on {at}", by=one.by, at=f"{one.at:%Y-%m-%d %H:%M}") if one.at else "",
    )
