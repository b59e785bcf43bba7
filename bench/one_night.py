"""Run one night without Airflow in this process and print its step times and peak memory as one line of JSON.

python bench/one_night.py DSN DAY [CONFIGURATION]     # by default the bench's own
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

STARTED = time.perf_counter()

from carewatch.flow import night as steps  # noqa: E402 (the imports are measured)
from carewatch.flow.advance import advance, apply_nights  # noqa: E402
from carewatch.spec.loading import load  # noqa: E402
from carewatch.store.database import connect  # noqa: E402


def main(dsn: str, day: date, folder: Path) -> dict[str, object]:
    """Return the seconds of each step, the night (without start-up), what happened, and the peak memory in MB."""
    marks = {"imports": time.perf_counter() - STARTED}
    at = time.perf_counter()

    def mark(step: str) -> None:
        nonlocal at
        marks[step] = time.perf_counter() - at
        at = time.perf_counter()

    configuration = load(folder)
    mark("configuration")
    own = time.process_time()
    with connect(dsn, autocommit=True) as connection:
        row = connection.execute("select care.clock()").fetchone()
        now = row[0] if row else datetime.now(UTC)
        opened = steps.open_night(connection, configuration, day, now=now)
        mark("open")
        steps.measure(connection, day)
        mark("measure")
        steps.judge(connection, day)
        mark("judge")
        done = advance(connection, opened.care, now, (apply_nights,))
        mark("advance")
        steps.seal(connection, day)
        mark("seal")
    return {
        **{step: round(seconds, 4) for step, seconds in marks.items()},
        "night": round(sum(marks.values()) - marks["imports"] - marks["configuration"], 4),
        "own_seconds": round(time.process_time() - own, 4),
        "moves": done.moves,
        "held": list(done.held),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


if __name__ == "__main__":
    own = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(__file__).parent / "config"
    print(json.dumps(main(sys.argv[1], date.fromisoformat(sys.argv[2]), own)))
