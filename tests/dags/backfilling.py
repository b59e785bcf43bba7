"""Run the night's tasks one after another without a scheduler, with what a run of a backfill has in its context."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from tests.dags.running import ROOT


def backfill(days: list[str]) -> None:
    """Run the nights of days (ISO dates) as a backfill does, each due at two in the morning of the firm."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.types import DagRunType

    bag = DagBag(str(ROOT / "dags"))
    for day in days:
        due = datetime.fromisoformat(f"{day}T02:00:00+08:00").astimezone(UTC)
        run = SimpleNamespace(run_type=DagRunType.BACKFILL_JOB, run_after=due, start_date=due)
        _run_tasks(bag.dags["care_nightly"], {"dag_run": run, "params": {"day": None, "now": None}})


def _run_tasks(dag: Any, context: dict[str, Any]) -> None:
    from airflow.sdk import BaseBranchOperator, BaseSensorOperator
    from airflow.sdk.exceptions import AirflowSkipException

    results: dict[str, Any] = {}
    skipped: set[str] = set()
    context |= {"ti": SimpleNamespace(xcom_pull=lambda task_ids: results.get(task_ids)), "dag": dag}
    for task in dag.topological_sort():
        if task.task_id in skipped:
            continue
        operator = task.prepare_for_execution()
        operator.render_template_fields(context)
        if isinstance(operator, BaseSensorOperator):
            results[task.task_id] = operator.poke(context).xcom_value
        elif isinstance(operator, BaseBranchOperator):
            skipped |= task.downstream_task_ids - set(operator.choose_branch(context))
        else:
            with suppress(AirflowSkipException):
                results[task.task_id] = operator.execute(context)


if __name__ == "__main__":
    backfill(sys.argv[1:])
