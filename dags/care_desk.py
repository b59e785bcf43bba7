"""The desk: an empty Dag. Whoever may edit it may take business actions (acknowledge, plan, close, approve)."""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG

with DAG(
    dag_id="care_desk",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2024, 1, 1),
    max_active_runs=1,
    tags=["care", "desk"],
    default_args={"owner": "data engineering", "retries": 0},
):
    pass
