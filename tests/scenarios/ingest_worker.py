"""Load a source in a process of its own that dies, or waits, at a point that a test chooses."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

LOADING = ("extract", "normalize", "load")
_PROCESSES = multiprocessing.get_context("forkserver")
# Imported once: every worker is a copy of a process that has done so.
_PROCESSES.set_forkserver_preload(["tests.scenarios.ingest_worker", "tests.scenarios.ingest_imports"])


@dataclass(frozen=True)
class Job:
    """What a worker does: land and conform one source; at the point `stop_at` it dies, or says so and waits."""

    text: str
    dsn: str
    uri: str
    folder: Path
    now: datetime
    stop_at: int | None = None
    waits: bool = False


@dataclass
class Worker:
    """A running job: its process, and what it tells."""

    process: Any
    pipe: Pipe

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)

    def ends(self) -> list[str] | str | None:
        """Wait for the end: the points it passed, the error it failed with, or None when it was killed."""
        try:
            told = self.pipe.recv()
        except EOFError:
            told = None
        self.process.join()
        return told


def start(job: Job) -> Worker:
    """Start a job; it has told that it begins when this returns."""
    ours, theirs = _PROCESSES.Pipe()
    process = _PROCESSES.Process(target=_work, args=(job, theirs), daemon=True)
    process.start()
    theirs.close()
    assert ours.recv() == "begins"
    return Worker(process, ours)


def run(job: Job) -> list[str] | str | None:
    return start(job).ends()


def _work(job: Job, pipe: Pipe) -> None:
    points: list[str] = []

    def point(where: str) -> None:
        points.append(where)
        if len(points) - 1 == job.stop_at:
            if not job.waits:
                os.kill(os.getpid(), signal.SIGKILL)
            pipe.send(where)
            pipe.recv()

    _plant(point)
    pipe.send("begins")
    try:
        _ingest(job, point)
    except Exception as error:
        pipe.send(f"{type(error).__name__}: {error}")
    else:
        pipe.send(points)


def _ingest(job: Job, point: Any) -> None:
    from tests.store.landed import FIRM, sources

    from care_sources.connection import Connection
    from care_sources.landing import land
    from carewatch.store.conform import conform
    from carewatch.store.database import connect

    source = sources(src=job.text)["src"]
    land(
        "src", source, firm=FIRM, warehouse_dsn=job.dsn, secrets=Connection(job.uri), pipelines_dir=job.folder, now=job.now
    )  # fmt: skip
    point("between landing and conform")
    with connect(job.dsn, autocommit=True) as connection:
        conform(connection, "src", source, FIRM)


def _plant(point: Any) -> None:
    """Let every step of the landing, every statement and every commit of conform be a point."""
    import psycopg
    from dlt.destinations.job_client_impl import SqlJobClientBase
    from dlt.pipeline.pipeline import Pipeline

    for step in LOADING:
        whole = getattr(Pipeline, step)

        def stepped(self: Any, *arguments: Any, whole: Any = whole, step: str = step, **options: Any) -> Any:
            done = whole(self, *arguments, **options)
            point(f"after the step {step}")
            return done

        setattr(Pipeline, step, stepped)
    complete = SqlJobClientBase.complete_load

    def completed(self: Any, *arguments: Any) -> Any:
        point("before the load is complete")
        return complete(self, *arguments)

    SqlJobClientBase.complete_load = completed  # type: ignore[method-assign]
    execute, transaction = psycopg.Connection.execute, psycopg.Connection.transaction

    def executed(self: Any, *arguments: Any, **options: Any) -> Any:
        point("before a statement")
        return execute(self, *arguments, **options)

    @contextmanager
    def transacted(self: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
        with transaction(self, *arguments, **options) as inner:
            yield inner
            point("before a commit")
        point("after a commit")

    psycopg.Connection.execute = executed  # type: ignore[method-assign]
    psycopg.Connection.transaction = transacted  # type: ignore[method-assign, assignment]
