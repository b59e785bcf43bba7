"""Publish the demo firm to its three source systems up to a moment, and write down the truth beside them."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

from .finance_files import publish_finance
from .model import Firm
from .sales_db import publish_sales
from .ticket_service import publish_tickets

TICKET_FOLDER = "tickets"
FINANCE_FOLDER = "finance"
TRUTH_COLUMNS = (
    "customer_code", "cause", "first_symptom_on", "last_order_on", "churned_at", "seasonal", "decoys",
)  # fmt: skip


def publish(firm: Firm, home: Path, *, sales_dsn: str, upto: datetime) -> dict[str, dict[str, int]]:
    """Bring all three source systems to what they show at `upto`; return counts by system and table.

    The sales database reports rows written by this call, the ticket service and the finance files all rows
    they now show. The ticket state lies in `home/tickets`, the finance files in `home/finance`.
    """
    return {
        "sales": publish_sales(firm, sales_dsn, upto),
        "tickets": publish_tickets(firm, home / TICKET_FOLDER, upto),
        "finance": publish_finance(firm, home / FINANCE_FOLDER, upto),
    }


def write_truth(firm: Firm, path: Path) -> None:
    """Write who leaves, why and when as CSV; keep it away from everything the product reads.

    Dates are firm-local and empty for customers who stay; `decoys` is `kind@date` separated by spaces.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(TRUTH_COLUMNS)
        for entry in firm.truth:
            decoys = " ".join(f"{decoy.kind}@{decoy.on}" for decoy in entry.decoys)
            dates = (entry.first_symptom_on, entry.last_order_on, entry.churned_at)
            writer.writerow(
                [entry.customer_code, entry.cause or "", *(on or "" for on in dates), entry.seasonal, decoys]
            )
