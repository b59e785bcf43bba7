"""`care tiers`: who rose and fell in a quarter, how many of each tier were lost, and how few customers bring how much."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date

from carewatch.commands.console import (
    Mistake,
    json_argument,
    language_argument,
    print_json,
    speak,
    tell,
    warehouse,
)
from carewatch.flow.tier_report import NoTiers, TierReport, tier_report
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.saying import said
from carewatch.spec.tiers import TIER
from carewatch.store import configurations, nights

HELP = "a quarter's tiers: transitions, upgrade and churn rates, concentration"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quarter", type=_quarter, required=True, metavar="QUARTER", help="such as 2026-Q2")
    parser.add_argument(
        "--scheme", default=TIER, help="another scheme, rfm or a way to divide customers (default: tier)"
    )
    language_argument(parser)
    json_argument(parser)


def _quarter(text: str) -> tuple[date, date]:
    found = re.fullmatch(r"([0-9]{4})-?[Qq]([1-4])", text.strip())
    if found is None or not 1 <= int(found[1]) < 9999:
        raise argparse.ArgumentTypeError(f"'{text}' is not a quarter; expected one such as 2026-Q2")
    year, month = int(found[1]), int(found[2]) * 3 - 2
    return date(year, month, 1), date(year + month // 10, (month + 2) % 12 + 1, 1)


def run(chosen: argparse.Namespace) -> int:
    first, end = chosen.quarter
    with warehouse() as connection:
        spec = configurations.judgement(connection, nights.last_sealed(connection).judgement)
        speak(chosen, spec.firm)
        try:
            found = tier_report(connection, spec, first, end, chosen.scheme)
        except NoTiers as error:
            raise Mistake(error.args[0]) from None
    if chosen.json:
        print_json(asdict(found))
    else:
        for sentence in _sentences(found, spec, chosen.language):
            tell(chosen, sentence)
    return 0


def _sentences(found: TierReport, spec: JudgementSpec, language: str) -> Iterator[str]:
    yield said("{scheme}, {first} to {end}", scheme=said(found.scheme), first=found.first, end=found.end)
    for one in found.matrix:
        yield said(
            "  {was} -> {now}: {customers}",
            was=one.was or said("not known before"),
            now=one.now or said("not known any more"),
            customers=one.customers,
        )
    for place, name in enumerate(found.classes):
        start, rose, lost = found.at_start[name], found.rose[name], found.lost[name]
        if start:
            yield said(
                "  {name}: {start} at the start, {rose}lost {lost} ({share:.1%}) by {until}",
                name=name,
                start=start,
                rose=said("rose {rose} ({share:.1%}), ", rose=rose, share=rose / start) if place else "",
                lost=lost,
                share=lost / start,
                until=found.until,
            )
    most = found.concentration
    if found.money is not None and most is not None and most.customers:
        yield said(
            "{money}: the largest {share:g} % of {customers} customers bring {brought:.1f} %; "
            "{needed} of them bring {of:g} %",
            money=spec.metrics[found.money].label.in_(language),
            share=most.share,
            customers=most.customers,
            brought=most.brought,
            needed=most.needed,
            of=most.of,
        )
