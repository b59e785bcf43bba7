"""The Dag files: read without errors and cheaply, on the firm's clock, and described for the people who see them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from tests.dags.running import ROOT, Dags

FILES = sorted((ROOT / "dags").glob("*.py"))
PARAMS = {
    "care_ingest": {"now"},
    "care_nightly": {"day", "now"},
    "care_release": {"now"},
    "care_approval": {"now"},
    "care_clock": {"now"},
    "care_review": {"day", "now"},
    "care_preview": {"folder", "person", "now"},
    "care_desk": set(),
}
NEVER = {"pandas", "dlt", "great_expectations", "scipy", "sklearn", "pyarrow"}
HEAVY = {*NEVER, "numpy", "sqlglot", "psycopg", "requests", "holidays", "fastapi"}
"""What no Dag file may add to what Airflow itself has loaded; every task and every look at the folder would pay for it."""


def fresh(code: str, **environment: str) -> str:
    """Run code in a new interpreter; return the last line it printed."""
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins"), **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()[-1]


def test_every_dag_file_gives_the_dag_of_its_name(dags: Dags) -> None:
    assert {path.stem for path in FILES} == set(dags.bag.dags) == set(PARAMS)


@pytest.mark.parametrize("dag_id", PARAMS)
def test_a_dag_says_whose_it_is_runs_alone_and_catches_nothing_up(dags: Dags, dag_id: str) -> None:
    dag = dags[dag_id]
    assert "care" in dag.tags
    assert dag.doc_md.strip()
    assert dag.default_args["owner"] == "data engineering"
    assert dag.max_active_runs == 1, "two nights at once would wait for one another's locks"
    assert dag.catchup is False
    assert set(dag.params) == PARAMS[dag_id]
    given = {"folder": "draft"} if dag_id == "care_preview" else {}  # who reads the answer has to be said
    assert dag.params.dump() == dict.fromkeys(PARAMS[dag_id]) | given


@pytest.mark.parametrize(
    "dag_id", [dag_id for dag_id in PARAMS if dag_id not in ("care_desk", "care_release", "care_preview")]
)
def test_a_dag_ticks_on_the_firms_clock_and_tries_again(dags: Dags, dag_id: str) -> None:
    dag = dags[dag_id]
    assert str(dag.timetable.timezone) == "Asia/Shanghai"
    assert dag.default_args["retries"] >= 1
    assert all(task.owner == "data engineering" for task in dag.tasks)


def test_the_clock_follows_the_firms_file_and_utc_without_one(tmp_path: Path) -> None:
    code = "from carewatch.schedule import firm_time_zone; print(firm_time_zone())"
    assert fresh(code, CARE_CONFIG=str(tmp_path)) == "UTC"
    firm = tmp_path / "firm.yaml"
    firm.write_text("version: 1\nname: X\ntime_zone: Europe/Berlin\ncurrency: EUR\n", encoding="utf-8")
    assert fresh(code, CARE_CONFIG=str(tmp_path)) == "Europe/Berlin"
    firm.write_text("version: 1\nname: X\ntime_zone: Europe/Brelin\n", encoding="utf-8")
    assert fresh(code, CARE_CONFIG=str(tmp_path)) == "UTC"


@pytest.mark.req("S12")
def test_the_night_runs_every_night_or_on_the_one_weekday_of_the_firms_file(tmp_path: Path) -> None:
    code = (
        f"import runpy; print(runpy.run_path('{ROOT}/dags/care_nightly.py')['wait'].dag.timetable.expression)"
    )
    firm = tmp_path / "firm.yaml"
    firm.write_text("version: 1\nname: X\n", encoding="utf-8")
    assert fresh(code, CARE_CONFIG=str(tmp_path)) == "0 2 * * *"
    firm.write_text("version: 1\nname: X\nnights: monday\n", encoding="utf-8")
    assert fresh(code, CARE_CONFIG=str(tmp_path)) == "0 2 * * mon"


def test_reading_the_dag_files_loads_nothing_heavy() -> None:
    code = f"""
import json, runpy, sys
import airflow.sdk
before = set(sys.modules)
for path in {[str(path) for path in FILES]!r}:
    runpy.run_path(path)
tops = {{name.partition(".")[0] for name in set(sys.modules) - before}} & {HEAVY!r}
never = {{name.partition(".")[0] for name in sys.modules}} & {NEVER!r}
print(json.dumps([sorted(tops), sorted(never)]))
"""
    assert json.loads(fresh(code)) == [[], []]


@pytest.mark.parametrize("syntax", ["glob", "regexp"])
def test_airflow_loads_the_plugins_clean_and_no_operator_under_a_bare_name(syntax: str) -> None:
    packages = [path for path in (ROOT / "plugins").iterdir() if (path / "__init__.py").exists()]
    stems = {path.stem for package in packages for path in package.rglob("*.py")} - {"__init__"}
    code = f"""
import json, sys
from airflow.plugins_manager import _get_plugins
from airflow.sdk.plugins_manager import _get_plugins as in_a_task
errors = {{**_get_plugins()[1], **in_a_task()[1]}}
own = [name for name in {sorted(stems)!r} if {str(ROOT)!r} in (getattr(sys.modules.get(name), "__file__", None) or "")]
print(json.dumps([errors, own]))
"""
    assert json.loads(fresh(code, AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX=syntax)) == [{}, []]


def test_what_follows_the_branch_runs_also_when_nothing_is_routed(dags: Dags) -> None:
    """A join that asks for success of all would be skipped with the playbooks of a calm night."""
    nightly = dags["care_nightly"]
    route = nightly.get_task("route_by_level")
    playbooks = {f"start_level_{level}" for level in (1, 2, 3)}
    assert route.downstream_task_ids == playbooks == set(route.follow.values())
    assert route.follow == {level: f"start_level_{level}" for level in (1, 2, 3)}
    for name in playbooks:
        assert nightly.get_task(name).downstream_task_ids == {"decide_notices"}
        assert nightly.get_task(name).level == int(name[-1])
    assert nightly.get_task("decide_notices").trigger_rule == "none_failed"
    assert nightly.get_task("decide_notices").downstream_task_ids == {"seal_night"}
    assert nightly.get_task("seal_night").downstream_task_ids == {"deliver_outbox"}


def test_facts_are_published_once_a_run_whatever_was_skipped(dags: Dags) -> None:
    ingest = dags["care_ingest"]
    outlets = {task.task_id: [asset.name for asset in task.outlets] for task in ingest.tasks if task.outlets}
    assert outlets == {"publish_facts": ["care_facts"]}
    assert ingest.get_task("publish_facts").trigger_rule == "none_failed"
    nightly = {
        task.task_id: [asset.name for asset in task.outlets]
        for task in dags["care_nightly"].tasks
        if task.outlets
    }
    assert nightly == {
        "judge_health": ["care_health"],
        "advance_warnings": ["care_warnings"],
        "announce_hold": ["care_held"],
    }


def test_a_held_night_asks_in_a_dag_of_its_own_and_nothing_of_the_night_waits_for_the_answer(
    dags: Dags,
) -> None:
    hold = dags["care_nightly"].get_task("announce_hold")
    assert (hold.upstream_task_ids, hold.downstream_task_ids) == ({"advance_warnings"}, set())
    release = dags["care_release"]
    assert [asset.name for asset in release.timetable.asset_condition.objects] == ["care_held"]
    ask = release.get_task("ask_for_release")
    assert (ask.response_timeout, ask.defaults, ask.fail_on_reject) == (
        timedelta(hours=12),
        ["Reject"],
        False,
    )
