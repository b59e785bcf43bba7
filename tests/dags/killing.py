"""Run a Dag in a process of its own and kill it where it hurts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import psycopg
from tests.dags.running import ROOT

SECONDS = 180
"""How long a process may take to come to the place where it is killed, on a busy machine."""
CHILD = """
import json, sys
from pathlib import Path
from care_demo.dag_runs import Dags
dag_id, dags, log, conf = sys.argv[1:]
Dags(Path(dags), Path(log)).run(dag_id, json.loads(conf))
"""


def kill_when(
    come: Callable[[], bool], dag_id: str, folder: Path, *, now: datetime, day: date | None = None
) -> None:
    """Start a Dag in a process of its own and kill it without warning as soon as it has come to a place."""
    conf = {"now": now.isoformat()} | ({"day": day.isoformat()} if day else {})
    log = folder / "killed.log"
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD, dag_id, str(ROOT / "dags"), str(log), json.dumps(conf)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")},
    )
    try:
        end = time.monotonic() + SECONDS
        while not come():
            assert child.poll() is None, f"the run ended before it was killed:\n{log.read_text()[-3000:]}"
            assert time.monotonic() < end, f"the run did not come so far:\n{log.read_text()[-3000:]}"
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


@contextmanager
def locked(dsn: str, table: str) -> Iterator[Callable[[], bool]]:
    """Let nobody write a table; yield a function that says whether somebody waits to."""
    with psycopg.connect(dsn) as holder, psycopg.connect(dsn, autocommit=True) as observer:
        holder.execute(f"lock table {table} in share mode".encode())

        def waits() -> bool:
            row = observer.execute(
                "select exists (select from pg_locks where relation = %s::regclass and not granted)", (table,)
            ).fetchone()
            return bool(row and row[0])

        yield waits
        holder.rollback()
        end = time.monotonic() + SECONDS
        while _others(observer):
            assert time.monotonic() < end, "a session of the killed process is still there"
            time.sleep(0.02)


def _others(observer: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Return whether a session that had waited still works: its transaction ends only when it sees that nobody listens."""
    row = observer.execute(
        "select exists (select from pg_stat_activity where datname = current_database() and state <> 'idle' "
        "and pid <> pg_backend_pid())"
    ).fetchone()
    return bool(row and row[0])
