"""Every hour: load the sources that are due, turn what they brought into facts, publish.

Loads and conforming are mapped over sources; rows that cannot be facts wait in quarantine with the reason. Publishing is one
task with the only outlet, so that followers start once a run.
"""

from __future__ import annotations

from datetime import datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, TriggerRule

from carewatch.schedule import firm_time_zone
from operators.conform_source import ConformSourceOperator
from operators.find_due_sources import FindDueSourcesOperator
from operators.load_source import LoadSourceOperator
from operators.publish_facts import PublishFactsOperator

with DAG(
    dag_id="care_ingest",
    doc_md=__doc__,
    schedule=CronTriggerTimetable("15 * * * *", timezone=firm_time_zone()),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["care", "ingest"],
    default_args={"owner": "data engineering", "retries": 2},
    params={
        "now": Param(
            None, type=["null", "string"], format="date-time", description="the moment the run stands for"
        )
    },
):
    due = FindDueSourcesOperator(task_id="find_due_sources")
    # One source that fails must not keep the others from becoming facts.
    load = LoadSourceOperator.partial(task_id="load_source").expand(source=due.output)
    conform = ConformSourceOperator.partial(
        task_id="conform_source", trigger_rule=TriggerRule.ALL_DONE, max_active_tis_per_dag=1
    ).expand(source=due.output)
    publish = PublishFactsOperator(task_id="publish_facts", outlets=[Asset("care_facts")])

    # A leaf of its own: a source that could not be loaded fails the run although the others went on.
    all_loaded = EmptyOperator(task_id="all_loaded")

    load >> conform >> publish
    load >> all_loaded
