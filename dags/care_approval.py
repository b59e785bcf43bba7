"""When the rules changed and the firm demands it: show the strategic layer the effect and ask for an approval.

Every morning, in a Dag of its own: an unanswered question blocks no night. Nights keep the rules that were approved last;
without an answer the question comes again. Without the web interface: `care approve`, `care approve FINGERPRINT --by PERSON`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param, TriggerRule

from carewatch.schedule import firm_time_zone
from operators.ask_for_release import AskForReleaseOperator
from operators.decide_approval import DecideApprovalOperator, FindProposalOperator
from operators.tell_engineers import TellEngineersNotifier

with DAG(
    dag_id="care_approval",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("0 8 * * *", timezone=firm_time_zone()),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["care", "desk"],
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
    find_proposal = FindProposalOperator(task_id="find_proposal")
    ask_for_approval = AskForReleaseOperator(
        task_id="ask_for_approval",
        subject="{{ ti.xcom_pull(task_ids='find_proposal')['subject'] }}",
        body="{{ ti.xcom_pull(task_ids='find_proposal')['body'] }}",
        response_timeout=timedelta(hours=20),
        defaults=AskForReleaseOperator.REJECT,
    )
    record_approval = DecideApprovalOperator(
        task_id="record_approval", when="Approve", found="find_proposal", answered="ask_for_approval"
    )
    record_rejection = DecideApprovalOperator(
        task_id="record_rejection",
        when="Reject",
        found="find_proposal",
        answered="ask_for_approval",
        trigger_rule=TriggerRule.NONE_FAILED,
    )

    # A rejection skips what follows it directly: it is written down one task later, which fails with an approval that failed.
    find_proposal >> ask_for_approval >> record_approval >> record_rejection
