"""Measure how fast rows become facts, beside raw COPY and `DataFrame.to_sql`, in turns, in one run.

    PYTHONPATH=plugins python bench/ingest.py
    PYTHONPATH=plugins python bench/ingest.py --rows 5000000 --kinds parquet --rounds 1 --no-to-sql

The same orders of 100,000 customers come from a Parquet file, a CSV file and a table of a PostgreSQL. Each is loaded into a
new warehouse: first, then once more as it stands, then (of files) the same rows as a new file. Every load is a process of
its own. Customers are derived: a load also makes the customers and their first sight.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from backends import Watch
from ingest_orders import COLUMNS, write

from carewatch.store import embedded
from carewatch.store.database import connect
from carewatch.store.migrations import migrate

HERE = Path(__file__).parent
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "30min"}
KINDS = ("parquet", "csv", "sql")
Runs = dict[str, list[dict[str, Any]]]


def main() -> None:
    """Write the orders, load them in turns, and print the table."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory(prefix="care-bench-") as name:
        folder = Path(name)
        server = embedded.start(folder / "server", settings=SETTINGS)
        try:
            runs = _run(server, folder, arguments)
        finally:
            embedded.destroy(folder / "server")
    _report(runs, arguments.rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--no-to-sql", action="store_true", help="leave out DataFrame.to_sql, the slowest")
    return parser.parse_args()


def _run(server: str, folder: Path, arguments: argparse.Namespace) -> Runs:
    status = embedded.status(folder / "server")
    assert status is not None and status.pid is not None
    parquet, csv = write(folder, arguments.rows, arguments.customers)
    plain = embedded.create_database(server, "plain")
    if "sql" in arguments.kinds:
        _one(status.pid, "copy", plain, str(csv))
        with connect(plain, autocommit=True) as connection:
            connection.execute(f"create table public.orders ({COLUMNS})".encode())
            connection.execute("insert into public.orders select * from public.copied")
    runs: Runs = defaultdict(list)
    for number in range(arguments.rounds):
        for kind in arguments.kinds:
            runs["raw COPY"].append(_one(status.pid, "copy", plain, str(csv)))
            if kind == "parquet" and not arguments.no_to_sql:
                runs["DataFrame.to_sql"].append(_one(status.pid, "to_sql", plain, str(parquet)))
            database = f"warehouse_{number}_{kind}"
            warehouse = embedded.create_database(server, database)
            with connect(warehouse, autocommit=True) as connection:
                migrate(connection)
            if kind == "sql":
                runs["sql, first"].append(_one(status.pid, "load", warehouse, kind, plain))
                runs["sql, same rows again"].append(_one(status.pid, "load", warehouse, kind, plain))
            else:
                shown = folder / database
                shown.mkdir()
                made = {"parquet": parquet, "csv": csv}[kind]
                shutil.copy(made, shown / f"first.{kind}")
                runs[f"{kind}, first"].append(_one(status.pid, "load", warehouse, kind, str(shown)))
                runs[f"{kind}, same file again"].append(_one(status.pid, "load", warehouse, kind, str(shown)))
                shutil.copy(made, shown / f"second.{kind}")
                runs[f"{kind}, same rows as a new file"].append(
                    _one(status.pid, "load", warehouse, kind, str(shown))
                )
                shutil.rmtree(shown)
            embedded.drop_database(server, database)
    return runs


def _one(server: int, *command: str) -> dict[str, Any]:
    with Watch(server) as watch:
        output = subprocess.run(
            [sys.executable, str(HERE / "one_ingest.py"), *command],
            check=True, stdout=subprocess.PIPE, text=True, env=os.environ,
        ).stdout  # fmt: skip
    done: dict[str, Any] = json.loads(output.splitlines()[-1])
    done |= {"cpu": done["own"] + watch.seconds, "backends_mb": watch.peak_mb}
    print(f"  {command[0]} {command[2] if command[0] == 'load' else ''}: {done}", file=sys.stderr, flush=True)
    return done


def _report(runs: Runs, rows: int) -> None:
    """Print medians; times of COPY are those of its median run, as all of them took turns with the loads."""
    copy = {key: statistics.median(run[key] for run in runs["raw COPY"]) for key in ("seconds", "cpu")}
    heads = (
        "what", "n", "seconds", "land", "conform", "CPU s", "rows a second", "x COPY", "x COPY in CPU", "landed", "new",
        "unchanged", "own MB", "backends MB",
    )  # fmt: skip
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for what, done in runs.items():
        numbers = [key for key, value in done[0].items() if isinstance(value, int | float)]
        median = {key: statistics.median(run[key] for run in done) for key in numbers}
        steps = [f"{median[key]:.1f}" if key in median else "" for key in ("land", "conform")]
        counts = [f"{median[key]:,.0f}" if key in median else "" for key in ("landed", "new", "unchanged")]
        peaks = [f"{max(run[key] for run in done):.0f}" for key in ("memory_mb", "backends_mb")]
        ratios = [f"{median[key] / copy[key]:.1f}" for key in ("seconds", "cpu")]
        cells = [
            what, str(len(done)), f"{median['seconds']:.1f}", *steps, f"{median['cpu']:.1f}",
            f"{rows / median['seconds']:,.0f}", *ratios, *counts, *peaks,
        ]  # fmt: skip
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
