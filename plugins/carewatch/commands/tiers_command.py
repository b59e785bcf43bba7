"""`care tiers`: who rose and fell in a quarter, how many of each tier were lost, and how few customers bring how much."""

from __future__ import annotations

import argparse
import re
from dataclasses import asdict
from datetime import date

from carewatch.commands.console import Mistake, json_argument, print_json, warehouse
from carewatch.flow.tier_report import NoTiers, TierReport, tier_report
from carewatch.spec.tiers import TIER
from carewatch.store import configurations, nights

HELP = "a quarter's tiers: transitions, upgrade and churn rates, concentration"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quarter", type=_quarter, required=True, metavar="QUARTER", help="such as 2026-Q2")
    parser.add_argument(
        "--scheme", default=TIER, help="another scheme, rfm or a way to divide customers (default: tier)"
    )
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
        try:
            found = tier_report(connection, spec, first, end, chosen.scheme)
        except NoTiers as error:
            raise Mistake(str(error)) from None
    if chosen.json:
        print_json(asdict(found))
    else:
        _show(found)
    return 0


def _show(found: TierReport) -> None:
    print(f"{found.scheme}, {found.first} to {found.end}")
    for one in found.matrix:
        print(f"  {one.was or 'not known before'} -> {one.now or 'not known any more'}: {one.customers}")
    for name in found.classes:
        start = found.at_start[name]
        if start:
            rose = (
                f"rose {found.rose[name]} ({found.rose[name] / start:.1%}), "
                if name != found.classes[0]
                else ""
            )
            lost = f"lost {found.lost[name]} ({found.lost[name] / start:.1%}) by {found.until}"
            print(f"  {name}: {start} at the start, {rose}{lost}")
    most = found.concentration
    if most is not None and most.customers:
        print(
            f"{found.money}: the largest {most.share:g} % of {most.customers} customers bring {most.brought:.1f} %; "
            f"{most.needed} of them bring {most.of:g} %"
        )
