"""Write the files that sources.yaml of this pack reads, from RavenStack's tables.

    python examples/saas/prepare.py RAVENSTACK_FOLDER FOLDER

Three rows of usage in four lie before the start of their subscription, which cannot have happened: these are left out. A past day
would otherwise count the use of subscriptions that nobody had yet bought, and so tell who is about to buy one. All else is copied as
it stands, use of a subscription that is in no table included: it waits in quarantine.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import pandas as pd

_AS_THEY_STAND = ("accounts", "subscriptions", "churn_events", "support_tickets")


def prepare(source: Path, target: Path) -> None:
    """Write the pack's files."""
    target.mkdir(parents=True, exist_ok=True)
    for name in _AS_THEY_STAND:
        shutil.copyfile(source / f"{name}.csv.gz", target / f"{name}.csv.gz")
    usage = pd.read_csv(source / "feature_usage.csv.gz", dtype=str)
    starts = pd.read_csv(source / "subscriptions.csv.gz", dtype=str).set_index("subscription_id")[
        "start_date"
    ]
    impossible = usage["usage_date"] < usage["subscription_id"].map(starts).fillna("")
    usage[~impossible].to_csv(target / "feature_usage.csv", index=False)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    given = parser.parse_args()
    prepare(given.source, given.target)


if __name__ == "__main__":
    main()
