"""A backfill of days long past, out of order and several at a time, is history: it moves nobody and tells nobody."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tests.dags.compare import different, dump
from tests.dags.running import ROOT
from tests.dags.town import Town, day

PAST = range(1, 8)
HISTORY = {f"care.{name}" for name in ("night", "metric_night_2026_06", "health_night_2026_06")}
"""Where a backfill adds rows."""


def start(log: Path, days: list[str]) -> subprocess.Popen[bytes]:
    """Start a process that runs the nights of days as a backfill does."""
    with log.open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.dags.backfilling", *days],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{ROOT}"},
            stdout=said,
            stderr=said,
        )


@pytest.mark.req("D21")
def test_seven_past_nights_in_three_processes_change_no_warning_and_tell_nobody(town: Town) -> None:
    town.people()
    for number in (*PAST, 8, 9):
        town.dials(number, C1="quiet", C2="halt" if number < 9 else "quiet", C5="halt" if number < 6 else "")
    for number in (8, 9):
        town.firm.night(day(number))
    left, arrived = dump(town), town.arrived()
    assert left["care.warning"] and left["care.outbox"], "there is something to spoil"

    days = [day(number).isoformat() for number in PAST]
    random.Random(7).shuffle(days)
    workers = [start(town.folder / f"worker{number}.log", days[number::3]) for number in range(3)]
    for number, worker in enumerate(workers):
        assert worker.wait() == 0, (town.folder / f"worker{number}.log").read_text()[-3000:]

    moved = different(left, dump(town))
    assert moved.keys() == HISTORY
    assert all(gone == [] for gone, _ in moved.values()), "history is added, nothing is rewritten"
    assert town.arrived() == arrived
    assert town.firm.rows(
        "select day, state, notifies from care.night where day < %s order by day", day(8)
    ) == [(day(number), "sealed", False) for number in PAST]
    assert town.firm.rows("select day, count(*) from care.health_night group by day order by day") == [
        (day(number), 6) for number in (*PAST, 8, 9)
    ]
