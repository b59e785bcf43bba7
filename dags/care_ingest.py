"""Every hour: load the sources that are due, check what they brought, turn it into facts, publish.

Loads and conforming are mapped over sources. All checks are one task: what they are asked of costs seconds to import. A
source that a check stops waits; rows that cannot be facts, or that a check holds back, wait in quarantine with the reason.
Publishing is one task with the only outlet, so that followers start once a run.
"""

from __future__ import annotations

from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, TriggerRule

from carewatch.schedule import firm_time_zone
from operators.check_sources import CheckSourcesOperator
from operators.conform_source import ConformSourceOperator
from operators.find_due_sources import FindDueSourcesOperator
from operators.load_source import LoadSourceOperator
from operators.publish_facts import PublishFactsOperator
from operators.tell_engineers import TellEngineersNotifier

with DAG(
    dag_id="care_ingest",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("15 * * * *", timezone=firm_time_zone()),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["care", "ingest"],
    default_args={
        "owner": "data engineering",
        "retries": 2,
        "on_failure_callback": TellEngineersNotifier(),
    },
    params={
        "now": Param(
            None, type=["null", "string"], format="date-time", description="the moment the run stands for"
        )
    },
):
    publish = PublishFactsOperator(
        task_id="publish_facts", trigger_rule=TriggerRule.NONE_FAILED, outlets=[Asset("care_facts")]
    )
    # A leaf of its own: a source that could not be loaded fails the run although the others went on.
    all_loaded = EmptyOperator(task_id="all_loaded", trigger_rule=TriggerRule.NONE_FAILED)

    check = CheckSourcesOperator(task_id="check_sources", trigger_rule=TriggerRule.ALL_DONE)
    # Another leaf: a source that a check stopped fails the run although the others went on.
    check >> EmptyOperator(task_id="none_stopped", trigger_rule=TriggerRule.NONE_FAILED)

    # Customers become facts before the rows that name them.
    before = None
    for kind in ("masters", "others"):
        due = FindDueSourcesOperator(task_id=f"find_due_{kind}", own_customers=kind == "masters")
        load = LoadSourceOperator.partial(task_id=f"load_{kind}").expand(source=due.output)
        conform = ConformSourceOperator.partial(
            task_id=f"conform_{kind}", trigger_rule=TriggerRule.ALL_DONE
        ).expand(source=due.output)
        load >> check >> conform >> publish
        load >> all_loaded
        if before is not None:
            before >> conform
        before = conform
