"""`care backtest`: replay past days in the warehouse with only what was known then."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import Any

from carewatch.commands.console import (
    Mistake,
    Progress,
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
from carewatch.flow.backtest import PREDICTION_COLUMNS, folds, predictions, replay
from carewatch.spec.saying import joined, said
from carewatch.store.outcomes import customer_ids

HELP = "replay past days with only the facts then known; print levels and write predictions"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="first", type=day, required=True, metavar="DAY")
    parser.add_argument("--to", dest="last", type=day, required=True, metavar="DAY")
    parser.add_argument("--every", choices=("day", "week", "month"), default="month")
    parser.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE.csv",
        help="as_of, customer_id, score (risk), level, p_churn",
    )
    config_argument(parser)
    language_argument(parser)
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    if chosen.last < chosen.first:
        raise Mistake(said("--to {last} lies before --from {first}", last=chosen.last, first=chosen.first))
    spec = configuration(chosen).judgement
    progress = Progress(speak(chosen, spec.firm))
    rows: list[tuple[str, ...]] = []
    summary: list[dict[str, Any]] = []
    with warehouse() as connection:
        ids = customer_ids(connection)
        for replayed in replay(connection, spec, chosen.first, chosen.last, chosen.every, progress):
            rows += predictions(replayed, ids)
            levels = {level: int((replayed.level == level).sum()) for level in (1, 2, 3)}
            summary.append(
                {"as_of": replayed.day.isoformat(), "customers": len(replayed.customers), "levels": levels}
            )
    progress.done()
    if chosen.predictions:
        write_predictions(chosen.predictions, rows)
    basis = "fold" if folds(spec, chosen.every) else "hit"
    if chosen.json:
        print_json(
            {
                "judgement": spec.fingerprint,
                "level_basis": basis,
                "days": summary,
            }
        )
        return 0
    tell(
        chosen,
        said("judgement {judgement}, level_basis={basis}", judgement=spec.fingerprint, basis=basis),
    )
    for line in summary:
        tell(
            chosen,
            said(
                "{day}  {customers:6} customers  {levels}",
                day=line["as_of"],
                customers=line["customers"],
                levels=joined(
                    "  ",
                    (
                        said("level {level}: {count}", level=level, count=count)
                        for level, count in line["levels"].items()
                    ),
                ),
            ),
        )
    return 0


def write_predictions(path: Path, rows: list[tuple[str, ...]]) -> None:
    """Write prediction rows as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(PREDICTION_COLUMNS)
        writer.writerows(rows)
