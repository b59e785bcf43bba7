"""Run the product's Dags in this process, as a developer does, and say what became of every task."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """What became of a run: its name and state, the state of each task, and how many tries each took.

    A mapped task instance is named `task[index]`.
    """

    run_id: str
    state: str
    tasks: dict[str, str]
    tries: dict[str, int]

    def by_state(self) -> dict[str, int]:
        return dict(Counter(self.tasks.values()))


@dataclass(frozen=True)
class Dags:
    """The product's Dags in one bag."""

    bag: Any

    def __getitem__(self, dag_id: str) -> Any:
        return self.bag.dags[dag_id]

    def run(
        self,
        dag_id: str,
        now: datetime | None,
        *,
        at: datetime | None = None,
        scheduled: bool = True,
        backfill: bool = False,
        tries: int = 1,
        **conf: str,
    ) -> Ran:
        """Run a Dag to its end.

        `now` becomes the parameter of that name; without it the run only knows `at`, when it was due. A run that is not
        `scheduled` has no logical date, as one that an asset or the API started. Every task may be tried `tries` times.
        """
        dag = self[dag_id]
        conf = {"now": now.isoformat(), **conf} if now is not None else conf
        due = at or now
        with _tried(dag, tries), _own_params(dag), _run_type(backfill), _short_naps():
            run = dag.test(run_after=due, logical_date=due if scheduled else None, run_conf=conf)
        found = run.get_task_instances()
        names = {one: one.task_id + ("" if one.map_index < 0 else f"[{one.map_index}]") for one in found}
        return Ran(
            run.run_id,
            str(run.state),
            {names[one]: str(one.state) for one in found},
            {names[one]: one.try_number for one in found},
        )


def load_dags() -> Dags:
    """Make Airflow's own tables and read the Dags."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    bag = DagBag(str(ROOT / "dags"))
    assert not bag.import_errors, bag.import_errors
    return Dags(bag)


@contextmanager
def _tried(dag: Any, tries: int) -> Iterator[None]:
    """Let every task be tried so often, one try right after the other."""
    before = {}
    for task in dag.tasks:
        holder = task.partial_kwargs if task.is_mapped else task.__dict__
        before[task.task_id] = (holder, {name: holder.get(name) for name in ("retries", "retry_delay")})
        holder.update(retries=tries - 1, retry_delay=timedelta(0))
    try:
        yield
    finally:
        for holder, values in before.values():
            holder.update(values)


@contextmanager
def _own_params(dag: Any) -> Iterator[None]:
    """Keep what a run was given from the next: in one process Airflow writes it into the Dag's own parameters."""
    owned = [owner.params.get_param(name) for owner in (dag, *dag.tasks) for name in owner.params]
    values = [param.value for param in owned]
    try:
        yield
    finally:
        for param, value in zip(owned, values, strict=True):
            param.value = value


@contextmanager
def _short_naps() -> Iterator[None]:
    """Let Airflow look at once what to do next, where it would wait a second for each task that cannot run any more."""
    nap = time.sleep
    with patch.object(time, "sleep", lambda seconds: nap(min(seconds, 0.02))):
        yield


@contextmanager
def _run_type(backfill: bool) -> Iterator[None]:
    """Make the next run one of a backfill, in Airflow's own tables."""
    from airflow.models import dagrun
    from airflow.utils.types import DagRunType

    made = dagrun.get_or_create_dagrun

    def make(**arguments: Any) -> Any:
        run = made(**arguments)
        run.run_type = DagRunType.BACKFILL_JOB
        arguments["session"].commit()
        return run

    if not backfill:
        yield
        return
    with patch.object(dagrun, "get_or_create_dagrun", make):
        yield
