"""Every night, or once a week: measure every customer, judge, raise and clear warnings, start care, tell the right people.

The first task stores the night's two cuts and its configuration; every later task, retry and rerun reads that row. Customers
are rows, never tasks. Joins run when nothing failed, so a calm night still sends what is due. A night on which too many would
rise is held: it moves nobody, and `care_release` asks a person.
"""

from __future__ import annotations

from datetime import datetime

from airflow.sdk import DAG, Asset, CronTriggerTimetable, Param, TriggerRule

from carewatch.schedule import firm_time_zone, nightly_cron
from operators.advance_warnings import AdvanceWarningsOperator
from operators.announce_hold import AnnounceHoldOperator
from operators.decide_notices import DecideNoticesOperator
from operators.deliver_outbox import DeliverOutboxOperator
from operators.judge_health import JudgeHealthOperator
from operators.measure_metrics import MeasureMetricsOperator
from operators.open_night import OpenNightOperator
from operators.route_by_level import RouteByLevelOperator
from operators.seal_night import SealNightOperator
from operators.start_playbooks import StartPlaybooksOperator
from operators.tell_engineers import TellEngineersNotifier
from sensors.source_fresh import SourceFreshSensor

LEVELS = (1, 2, 3)

with DAG(
    dag_id="care_nightly",
    doc_md=__doc__,
    schedule=CronTriggerTimetable(nightly_cron(), timezone=firm_time_zone()),
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["care", "nightly"],
    default_args={
        "owner": "data engineering",
        "retries": 2,
        "on_failure_callback": TellEngineersNotifier(),
    },
    params={
        "day": Param(
            None,
            type=["null", "string"],
            format="date",
            description="the night's day; the run's own day when empty",
        ),
        "now": Param(
            None, type=["null", "string"], format="date-time", description="the moment the run stands for"
        ),
    },
):
    wait = SourceFreshSensor(task_id="wait_for_sources")
    open_night = OpenNightOperator(task_id="open_night")
    measure = MeasureMetricsOperator(task_id="measure_metrics")
    judge = JudgeHealthOperator(task_id="judge_health", outlets=[Asset("care_health")])
    advance = AdvanceWarningsOperator(task_id="advance_warnings", outlets=[Asset("care_warnings")])
    route = RouteByLevelOperator(
        task_id="route_by_level", follow={level: f"start_level_{level}" for level in LEVELS}
    )
    hold = AnnounceHoldOperator(task_id="announce_hold", outlets=[Asset("care_held")])
    playbooks = [StartPlaybooksOperator(task_id=f"start_level_{level}", level=level) for level in LEVELS]
    decide = DecideNoticesOperator(task_id="decide_notices", trigger_rule=TriggerRule.NONE_FAILED)
    seal = SealNightOperator(task_id="seal_night")
    deliver = DeliverOutboxOperator(task_id="deliver_outbox")

    wait >> open_night >> measure >> judge >> advance >> route >> playbooks >> decide >> seal >> deliver
    advance >> hold
