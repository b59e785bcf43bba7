"""When a night is held: ask a person whether it is true, and apply the newest held night when it is.

A Dag of its own, because an unanswered question inside `care_nightly` would block every later night. A later normal night
supersedes a held one: then an approval releases nothing and says so. Who answered is kept in the audit trail. Without the
web interface: `care night list`, `care night release DAY`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, Asset, Param, TriggerRule

from operators.ask_for_release import AskForReleaseOperator
from operators.find_held_night import FindHeldNightOperator
from operators.release_night import RejectNightOperator, ReleaseNightOperator
from operators.tell_engineers import TellEngineersNotifier

with DAG(
    dag_id="care_release",
    doc_md=__doc__,
    schedule=[Asset("care_held")],
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["care", "nightly"],
    default_args={
        "owner": "data engineering",
        "retries": 1,
        "on_failure_callback": TellEngineersNotifier(),
    },
    params={
        "now": Param(
            None, type=["null", "string"], format="date-time", description="the moment the answer counts from"
        )
    },
):
    find_held_night = FindHeldNightOperator(task_id="find_held_night")
    ask_for_release = AskForReleaseOperator(
        task_id="ask_for_release",
        subject="{{ ti.xcom_pull(task_ids='find_held_night')['subject'] }}",
        body="{{ ti.xcom_pull(task_ids='find_held_night')['body'] }}",
        response_timeout=timedelta(hours=12),
        defaults=AskForReleaseOperator.REJECT,
    )
    release_night = ReleaseNightOperator(
        task_id="release_night", found="find_held_night", answered="ask_for_release"
    )
    record_rejection = RejectNightOperator(
        task_id="record_rejection",
        found="find_held_night",
        answered="ask_for_release",
        trigger_rule=TriggerRule.NONE_FAILED,
    )

    # A rejection skips what follows it directly: it is written down one task later, which fails with an approval that failed.
    find_held_night >> ask_for_release >> release_night >> record_rejection
