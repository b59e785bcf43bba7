"""`care erase`: forget a customer, and keep the numbers."""

from __future__ import annotations

import argparse

from carewatch import paths
from carewatch.commands.console import (
    Mistake,
    by_argument,
    config_argument,
    json_argument,
    language_argument,
    print_json,
    tell,
    warehouse,
)
from carewatch.flow.erase import Erasure, erase
from carewatch.spec.saying import said
from carewatch.spec.sources import load_sources
from carewatch.store.erasure import NamesTheCustomer

HELP = (
    "take what names and describes a customer out of the warehouse, for good; counts stay under a pseudonym"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="the customer's id")
    parser.add_argument(
        "--why",
        required=True,
        metavar="REASON",
        help="kept in the audit trail; do not name the customer in it",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be done, by table, and change nothing"
    )
    by_argument(parser)
    config_argument(parser)
    language_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    if not chosen.why.strip():
        raise Mistake(said("--why is empty; say why, for those who ask later"))
    sources = load_sources(chosen.config or paths.config())
    with warehouse(chosen) as connection:
        try:
            done = erase(
                connection,
                sources,
                chosen.customer,
                by=chosen.by,
                why=chosen.why.strip(),
                dry_run=chosen.dry_run,
            )
        except NamesTheCustomer as mistake:
            raise Mistake(mistake.args[0]) from None
    if chosen.json:
        print_json(
            {
                "pseudonym": done.pseudonym,
                "rows": done.rows,
                "erased_before": done.before,
                "dry_run": chosen.dry_run,
            }
        )
    else:
        for line in _lines(done, dry_run=chosen.dry_run):
            tell(chosen, line)
    return 0


def _lines(done: Erasure, *, dry_run: bool) -> list[str]:
    if done.before is not None:
        return [said("erased already, on {at} UTC; nothing to do", at=f"{done.before:%Y-%m-%d %H:%M}")]
    lines = [f"{count:8}  {table}" for table, count in sorted(done.rows.items())]
    if dry_run:
        return [
            *lines,
            said("nothing was changed; without --dry-run this is done, and cannot be taken back"),
        ]
    return [
        *lines,
        said("erased; the numbers stay under {pseudonym}", pseudonym=done.pseudonym),
        said(
            "next: erase it in the source systems and their files too; what they still send about it is dropped here"
        ),
    ]
