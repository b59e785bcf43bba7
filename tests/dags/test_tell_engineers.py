"""A task that failed for good tells the engineers: once a task and day, by the outbox or, without a warehouse, at once."""

from __future__ import annotations

import pytest
from tests.dags.running import ROOT, Dags
from tests.dags.test_night import broken, night, tick
from tests.dags.town import Town

KEY = "failure/engineers/mail/task:care_nightly.measure_metrics:2026-06-01"
ODD = """
version: 1
metrics:
  odd:
    label: Odd
    kind: sql
    owner: tests
    sql: select customer_no, 1 / sum(amount - amount) as value from fact_order group by customer_no
"""


def test_a_failed_task_tells_once_a_day_however_often_it_runs(dags: Dags, town: Town) -> None:
    town.people()
    town.firm.customer("C7", sales=100)
    broken(town, "metrics/odd.yaml", ODD)
    for hour in (2, 3, 4):
        ran = night(dags, town, 1, hour, tries=2)
        assert ran.tasks["measure_metrics"] == "failed"
    assert town.outbox() == {KEY: "waiting"}
    [(text,)] = town.firm.rows("select message ->> 'text' from care.outbox")
    assert "division" not in text and "2026-06-01 02:00" in text
    tick(dags, town, 1, 4.5)
    assert town.outbox() == {KEY: "sent"}
    assert [to for _, to in town.mails()] == ["data-engineering@huaxing.example"]


def test_without_a_warehouse_the_message_goes_out_directly_and_the_clock_keeps_quiet(
    dags: Dags, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, tick_at = town.at(1, 2), town.at(1, 3)
    monkeypatch.setenv("CARE_DB", "postgresql://care:x@127.0.0.1:9/nowhere")
    assert dags.run("care_nightly", at, day="2026-06-01").tasks["wait_for_sources"] == "failed"
    assert dags.run("care_clock", tick_at).tasks["advance_care"] == "failed"
    assert [to for _, to in town.mails()] == ["data-engineering@huaxing.example"]
    assert town.outbox() == {}


def test_a_broken_configuration_is_told_by_the_address_of_the_last_night(dags: Dags, town: Town) -> None:
    town.people()
    town.dials(1)
    night(dags, town, 1)
    broken(town, "levels.yaml", "version: 1\nlevls: {}\n")
    assert night(dags, town, 2).tasks["open_night"] == "failed"
    assert town.outbox() == {"failure/engineers/mail/task:care_nightly.open_night:2026-06-02": "waiting"}


def test_every_dag_with_tasks_tells(dags: Dags) -> None:
    for path in (ROOT / "dags").glob("care_*.py"):
        for task in dags[path.stem].tasks:
            assert [type(one).__name__ for one in task.on_failure_callback] == ["TellEngineersNotifier"], task
