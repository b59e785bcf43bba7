"""Every quarter, for the quarter before: were the warnings right, and who left without one?

False positives and false negatives as two lists, precision and recall with n and interval, in Markdown (`care.review`).
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, CronTriggerTimetable, Param

from carewatch.schedule import firm_time_zone
from operators.review_quarter import ReviewQuarterOperator
from operators.tell_engineers import TellEngineersNotifier

with DAG(
    dag_id="care_review",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 6 5 1,4,7,10 *", timezone=firm_time_zone()),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["care", "review"],
    default_args={
        "owner": "data engineering",
        "retries": 1,
        "on_failure_callback": TellEngineersNotifier(),
    },
    params={
        "day": Param(
            None,
            type=["null", "string"],
            format="date",
            description="a day of the quarter after the one to review; today when empty",
        ),
        "now": Param(
            None, type=["null", "string"], format="date-time", description="the moment the run stands for"
        ),
    },
):
    ReviewQuarterOperator(task_id="review_quarter")
