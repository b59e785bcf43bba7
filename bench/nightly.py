"""Measure a night on a synthetic firm against the same metrics in hand-written SQL, interleaved, in one run.

    PYTHONPATH=plugins python bench/nightly.py --size S
    PYTHONPATH=plugins python bench/nightly.py --size L --history 4

A night is everything that `care_nightly` does up to the warnings: open, measure, judge (tiers when due), fold, signals,
warnings, seal; each in a process of its own, each on a new day. With `--history 4` a second firm with four times the
history is loaded, and its nights take turns with the first one's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from backends import Watch
from synthetic import YEARS, Size, make

from carewatch.measure.cut import instant_literal, local_midnight
from carewatch.spec.loading import load
from carewatch.store import embedded
from carewatch.store.database import connect
from carewatch.store.metrics import metrics_of_night
from carewatch.store.migrations import migrate
from carewatch.store.nights import night_of

HERE = Path(__file__).parent
SIZES = {"XS": 2_000, "S": 10_000, "L": 100_000}
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min"}
TIER_DAY = date(2026, 7, 1)
SETTLING = 4
"""Nights before the ordinary ones: the first opens every signal there is, rules that hold for three nights follow."""
WINDOWS = (30, 60, 90, 180, 365, 730)
STEPS = ("configuration", "open", "measure", "judge", "advance", "seal")
STATE = ", ".join(
    f"care.{table}"
    for table in (
        "night",
        "metric_night",
        "health_night",
        "tier_day",
        "signal",
        "person",
        "warning",
        "outbox",
    )
)
CONFIGURATION = load(HERE / "config")


@dataclass
class Firm:
    """One loaded database and what its nights came to."""

    dsn: str
    history: int
    facts: int
    nights: list[dict[str, Any]] = field(default_factory=list)
    hand: list[dict[str, float]] = field(default_factory=list)
    worst: float = 0.0
    unequal: int = 0


def main() -> None:
    """Load, run, compare, and print the table."""
    arguments = _arguments()
    with place(arguments.folder) as name:
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        server = embedded.start(folder, settings=SETTINGS)
        try:
            histories = sorted({1, arguments.history})
            firms = [loaded_firm(server, SIZES[arguments.size], history) for history in histories]
            _run(firms, folder, arguments.nights)
            _report(firms, arguments.size)
        finally:
            if arguments.keep:
                embedded.stop(folder)
            else:
                embedded.destroy(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="S", help="S: 10k customers, 1M facts; L: 100k, 10M")
    parser.add_argument(
        "--history", type=int, default=1, help="also measure a firm with so many times the history"
    )
    parser.add_argument("--nights", type=int, default=5, help="ordinary nights to measure")
    parser.add_argument("--folder", help="where the server lives (a new temporary folder unless given)")
    parser.add_argument(
        "--keep", action="store_true", help="keep the loaded databases in --folder for another run"
    )
    arguments = parser.parse_args()
    if arguments.keep and not arguments.folder:
        parser.error("--keep needs --folder: a temporary folder is not kept")
    return arguments


def place(folder: str | None) -> AbstractContextManager[str]:
    """Return the folder, or a temporary one."""
    return nullcontext(folder) if folder else tempfile.TemporaryDirectory(prefix="care-bench-")


def tell(text: str) -> None:
    """Say on standard error how far the bench is."""
    print(f"  {text}", file=sys.stderr, flush=True)


def loaded_firm(server: str, customers: int, history: int) -> Firm:
    """Return a firm without nights, in a database that is loaded unless it is there already."""
    name = f"firm_{customers}_{history}"
    with connect(server, autocommit=True) as connection:
        known = connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
    dsn = embedded.create_database(server, name)
    with connect(dsn, autocommit=True) as connection:
        if known is None:
            begun = time.perf_counter()
            facts = make(connection, Size(customers, YEARS * history), tell)
            connection.execute("create table bench.loaded as select %s::bigint as facts", (facts,))
            tell(f"{facts:,} facts loaded in {time.perf_counter() - begun:.0f} s")
        migrate(connection)
        connection.execute(f"truncate {STATE} restart identity cascade".encode())
        connection.execute("update care.progress set applied_through = null")
        row = connection.execute("select facts from bench.loaded").fetchone()
    assert row is not None
    return Firm(dsn, history, row[0])


def _run(firms: list[Firm], folder: Path, ordinary: int) -> None:
    first = TIER_DAY - timedelta(days=SETTLING + ordinary)
    status = embedded.status(folder)
    assert status is not None and status.pid is not None
    for number in range(SETTLING + ordinary + 1):
        day = first + timedelta(days=number)
        for firm in firms:
            if number % 2:
                firm.hand.append(_by_hand(firm, day, status.pid))
            firm.nights.append(_night(firm, day, status.pid))
            if not number % 2:
                firm.hand.append(_by_hand(firm, day, status.pid))
            _compare(firm, day)
            tell(f"{day} history {firm.history}: by hand {firm.hand[-1]}, night {firm.nights[-1]}")


def pin(firm: Firm, day: date) -> None:
    """Set the warehouse clock to two in the morning of the day, so that a night knows what was known then."""
    now = local_midnight(day, CONFIGURATION.firm.zone) + timedelta(hours=2)
    with connect(firm.dsn) as connection:
        connection.execute(
            "insert into care.pinned_clock (at) values (%s) on conflict (only_row) do update set at = excluded.at",
            (now,),
        )


def _night(firm: Firm, day: date, server: int) -> dict[str, Any]:
    pin(firm, day)
    command = [sys.executable, str(HERE / "one_night.py"), firm.dsn, day.isoformat()]
    with Watch(server) as watch:
        output = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ).stdout
    night = json.loads(output)
    return {**night, "cpu": night["own_seconds"] + watch.seconds, "backends_mb": round(watch.peak_mb, 1)}


def _by_hand(firm: Firm, day: date, server: int) -> dict[str, float]:
    """Run the hand-written script at the cuts of the day's night; return its seconds and its processor time."""
    zone = CONFIGURATION.firm.zone
    edges = {
        f"d{days}": instant_literal(local_midnight(day - timedelta(days=days), zone)) for days in WINDOWS
    }
    cut = local_midnight(day, zone)
    known = instant_literal(cut + timedelta(hours=2))
    script = (HERE / "baseline.sql").read_text(encoding="utf-8")
    script = script.format(day=f"date '{day}'", cut=instant_literal(cut), known=known, **edges)
    with Watch(server) as watch, connect(firm.dsn, autocommit=True) as connection:
        connection.execute("drop table if exists bench.result")
        begun = time.perf_counter()
        connection.execute(script.encode())
        seconds = time.perf_counter() - begun
    return {"night": seconds, "cpu": watch.seconds}


def _compare(firm: Firm, day: date) -> None:
    """Keep the worst relative difference between stored and hand-written metrics, and count where one is missing."""
    names = list(CONFIGURATION.judgement.metrics)
    with connect(firm.dsn) as connection:
        customers, stored = metrics_of_night(connection, night_of(connection, day), CONFIGURATION.judgement)
        rows = connection.execute(
            f"select customer_no, {', '.join(names)} from bench.result order by customer_no".encode()
        ).fetchall()
    hand = np.array(rows, dtype=np.float64)
    assert np.array_equal(customers, hand[:, 0]), "the two disagree on who is a customer"
    for position, name in enumerate(names, start=1):
        ours, theirs = stored[name], hand[:, position]
        firm.unequal += int((np.isnan(ours) != np.isnan(theirs)).sum())
        both = ~np.isnan(ours) & ~np.isnan(theirs)
        size = np.maximum(np.maximum(np.abs(ours[both]), np.abs(theirs[both])), 1e-300)
        firm.worst = max(firm.worst, float((np.abs(ours[both] - theirs[both]) / size).max(initial=0.0)))


def _report(firms: list[Firm], size: str) -> None:
    """Print medians; a ratio is the median of the ratios of neighbours, so that a slow hour slows both."""
    heads = (
        "nights",
        "n",
        "night s",
        "by hand s",
        "ratio",
        "ratio of CPU",
        *STEPS,
        "moved",
        "own MB",
        "backends MB",
    )
    kinds = {
        "first (all signals open, tiers)": slice(0, 1),
        "second to fourth (held rules open)": slice(1, SETTLING),
        "ordinary": slice(SETTLING, -1),
        "first of a month (tiers)": slice(-1, None),
    }
    for firm in firms:
        print(f"\n{size}, {firm.history} x history, {firm.facts:,} facts")
        print(f"equality: worst relative difference {firm.worst:.1e}, missing in one only {firm.unequal}\n")
        print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
        for kind, which in kinds.items():
            nights, hand = firm.nights[which], firm.hand[which]
            cells = [
                kind,
                str(len(nights)),
                f"{_median(nights, 'night'):.2f}",
                f"{_median(hand, 'night'):.2f}",
            ]
            cells += [f"{_ratio(nights, hand, key):.2f}" for key in ("night", "cpu")]
            cells += [f"{_median(nights, step):.2f}" for step in STEPS] + [f"{_median(nights, 'moves'):.0f}"]
            cells += [f"{max(one[key] for one in nights):.0f}" for key in ("memory_mb", "backends_mb")]
            print("| " + " | ".join(cells) + " |")
    if len(firms) > 1:
        short, long = (firm.nights[SETTLING:-1] for firm in firms)
        grown = [_ratio(long, short, key) for key in ("night", "cpu")]
        print(f"\n{firms[1].history} x history: {grown[0]:.2f} x the night, {grown[1]:.2f} x its CPU time")


def _median(runs: list[dict[str, Any]], key: str) -> float:
    return statistics.median(run[key] for run in runs)


def _ratio(runs: list[dict[str, Any]], others: list[dict[str, Any]], key: str) -> float:
    pairs = zip(runs, others, strict=True)
    return statistics.median(run[key] / other[key] if other[key] else float("nan") for run, other in pairs)


if __name__ == "__main__":
    main()
