"""Say how well the health scores of this pack told who pays late.

    care try examples/accounts_receivable --data FOLDER --from 2013-01-01 --to 2013-11-01 --predictions FILE.csv
    python examples/accounts_receivable/judge_late.py FILE.csv FOLDER/invoices.csv.gz

Each bill is judged by the risk (100 - health) that its customer had at 00:00 of the first of the month in which it was
written. Late means settled after its due day. The area under the ROC curve is the chance that a late bill's customer had
the higher risk of a late and a punctual one; 0.5 is a coin.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Ranking:
    """How many bills were judged, how many of 100 were late, the ROC area, and how late the riskiest tenth was."""

    bills: int
    late: float
    roc_auc: float
    top_decile_lift: float


def rank(predictions: Path, invoices: Path) -> Ranking:
    """Return how the risks of monthly predictions rank the bills of their months."""
    risks = pd.read_csv(predictions, parse_dates=["as_of"]).dropna(subset=["score"])
    bills = pd.read_csv(invoices, parse_dates=["invoice_date", "due_date", "settled_date"])
    bills["as_of"] = bills["invoice_date"].dt.to_period("M").dt.to_timestamp()
    judged = bills.dropna(subset=["settled_date"]).merge(risks, on=["as_of", "customer_id"])
    late = judged["settled_date"] > judged["due_date"]
    places, many, few = judged["score"].rank(), int(late.sum()), int((~late).sum())
    area = (places[late].sum() - many * (many + 1) / 2) / (many * few)
    riskiest = late[judged["score"] >= judged["score"].quantile(0.9)]
    return Ranking(len(judged), late.mean(), area, riskiest.mean() / late.mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("predictions", type=Path)
    parser.add_argument("invoices", type=Path)
    given = parser.parse_args()
    found = rank(given.predictions, given.invoices)
    print(
        f"{found.bills:,} bills, {found.late:.1%} late; ROC area {found.roc_auc:.3f}, "
        f"lift of the riskiest tenth {found.top_decile_lift:.2f}"
    )


if __name__ == "__main__":
    main()
