"""Every ten minutes: reminders, escalations, what a night left undone, and delivery of the outbox.

Waiting is a stored time and this tick, never a sleeping task.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, CronTriggerTimetable, Param

from carewatch.schedule import firm_time_zone
from operators.advance_care import AdvanceCareOperator
from operators.deliver_outbox import DeliverOutboxOperator
from operators.tell_engineers import TellEngineersNotifier

with DAG(
    dag_id="care_clock",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("*/10 * * * *", timezone=firm_time_zone()),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["care", "clock"],
    default_args={
        "owner": "data engineering",
        "retries": 1,
        "on_failure_callback": TellEngineersNotifier(),
    },
    params={
        "now": Param(
            None, type=["null", "string"], format="date-time", description="the moment the tick stands for"
        )
    },
):
    AdvanceCareOperator(task_id="advance_care") >> DeliverOutboxOperator(task_id="deliver_outbox")
