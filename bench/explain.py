"""Measure how long an explanation takes in a process that has already explained somebody.

    PYTHONPATH=plugins python bench/explain.py --size L

One night of the synthetic firm of `nightly.py` is run, then customers drawn from all of it are explained, one call each.
CPU is the processor time of our process and of all the server's, on the average of the calls.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from backends import Watch
from nightly import HERE, SETTINGS, SIZES, TIER_DAY, loaded_firm, pin, place, tell

from carewatch.flow.explain import explain
from carewatch.store import embedded
from carewatch.store.database import Connection, connect

BAR = 0.3
"""Seconds that the median may take at L."""


def main() -> None:
    """Load, run one night, explain, print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="S")
    parser.add_argument("--calls", type=int, default=50)
    parser.add_argument("--folder", help="where the server lives (a new temporary folder unless given)")
    parser.add_argument("--keep", action="store_true", help="keep the loaded database in --folder")
    arguments = parser.parse_args()
    with place(arguments.folder) as name:
        folder = Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        server = embedded.start(folder, settings=SETTINGS)
        try:
            firm = loaded_firm(server, SIZES[arguments.size], 1)
            pin(firm, TIER_DAY)
            subprocess.run(
                [sys.executable, str(HERE / "one_night.py"), firm.dsn, TIER_DAY.isoformat()],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            tell("one night is run")
            status = embedded.status(folder)
            assert status is not None and status.pid is not None
            with connect(firm.dsn, autocommit=True) as connection:
                took, cpu = _measure(connection, arguments.calls, status.pid)
            _report(took, cpu, SIZES[arguments.size], firm.facts)
        finally:
            if arguments.keep:
                embedded.stop(folder)
            else:
                embedded.destroy(folder)


def _measure(connection: Connection, calls: int, server: int) -> tuple[list[float], float]:
    """Return the seconds of each call, and the processor seconds of all."""
    known = connection.execute("select customer_id from care.customer order by 1").fetchall()
    first, *customers = random.Random(1).sample([row[0] for row in known], calls + 1)
    explain(connection, first)
    took = []
    own = time.process_time()
    with Watch(server) as watch:
        for customer in customers:
            begun = time.perf_counter()
            explained = explain(connection, customer)
            took.append(time.perf_counter() - begun)
            assert explained.equals_stored, f"{customer} is explained otherwise than stored"
    return took, time.process_time() - own + watch.seconds


def _report(took: list[float], cpu: float, customers: int, facts: int) -> None:
    print(f"| customers | facts | calls | median ms | 95th ms | worst ms | CPU ms a call |\n{'|---' * 7}|")
    times = sorted(seconds * 1000 for seconds in took)
    cells = [f"{customers:,}", f"{facts:,}", str(len(times))]
    cells += [
        f"{one:.0f}" for one in (statistics.median(times), times[int(len(times) * 0.95) - 1], times[-1])
    ]
    print("| " + " | ".join([*cells, f"{cpu * 1000 / len(times):.0f}"]) + " |")
    print(f"the bar: a median of {BAR * 1000:.0f} ms at L")


if __name__ == "__main__":
    main()
