"""Run the product's own Dags in this process, one after another, the way a developer tests them."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


class DagFailed(RuntimeError):
    """A Dag run did not succeed; the message names the Dag, its failed tasks and where the log is."""


class Dags:
    """The Dags of a folder, ready to run."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        # Airflow's log handlers keep what was standard error when they were made: the file stays open with us.
        self._file = log.open("a", encoding="utf-8", buffering=1)
        with self._quiet():
            _prepare_metadata()
            from airflow.dag_processing.dagbag import DagBag

            self._bag = DagBag(str(folder))
        if self._bag.import_errors:
            raise DagFailed("\n".join(f"{path}: {error}" for path, error in self._bag.import_errors.items()))

    def run(self, dag_id: str, conf: Mapping[str, Any]) -> None:
        """Run a Dag to its end; raise DagFailed when it does not succeed."""
        with self._quiet():
            run = self._bag.dags[dag_id].test(run_conf=dict(conf))
        if str(run.state) != "success":
            failed = [
                ti.task_id
                for ti in run.get_task_instances()
                if str(ti.state) in ("failed", "upstream_failed")
            ]
            raise DagFailed(
                f"{dag_id} ended as {run.state} (tasks: {', '.join(failed)}); its log is {self._log}"
            )

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """Send what Airflow says to the log file: the screen belongs to the demo."""
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(self._file),
            contextlib.redirect_stderr(self._file),
        ):
            warnings.simplefilter("ignore")
            yield


def _prepare_metadata() -> None:
    from airflow.utils.db import initdb

    with contextlib.redirect_stdout(io.StringIO()):
        initdb()
