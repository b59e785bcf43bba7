"""On demand: what would a draft of the configuration change?

Trigger it with the draft's folder (a copy of the configuration with your edits, `draft` below the configuration unless said)
and the id of the person who is to read the answer. The mail says what is wrong with the draft or worth knowing, and who would
change colour or level on the last night. Nothing is changed by asking. In the shell: `care check DRAFT`, `care plan --config
DRAFT`.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, Param

from operators.deliver_outbox import DeliverOutboxOperator
from operators.preview_draft import PreviewDraftOperator
from operators.tell_engineers import TellEngineersNotifier

with DAG(
    dag_id="care_preview",
    doc_md=__doc__,
    schedule=None,
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
        "folder": Param("draft", type="string", description="the draft: a folder below the configuration"),
        "person": Param(
            "",
            type="string",
            minLength=1,
            description="who reads the answer: an id of people.yaml, such as am01",
        ),
        "now": Param(
            None, type=["null", "string"], format="date-time", description="the moment the run stands for"
        ),
    },
):
    preview_draft = PreviewDraftOperator(task_id="preview_draft")
    deliver_outbox = DeliverOutboxOperator(task_id="deliver_outbox")

    preview_draft >> deliver_outbox
