"""The demo's stage: which days it lives, what Airflow is told, and what a failing Dag says."""

from __future__ import annotations

import argparse
import json
import os
import socket
import stat
from datetime import date
from pathlib import Path

import pytest

from care_demo import stage
from care_demo.dag_runs import DagFailed, Dags
from care_demo.firm import simulate
from care_demo.receivers import Receivers
from carewatch.commands import demo_command

ROOT = Path(__file__).resolve().parents[2]


def test_it_lives_its_last_days_first_then_one_more_on_demand_or_the_same_again() -> None:
    firm = simulate(customers=20, start=date(2025, 7, 1))
    days = [date(2026, 6, 28), date(2026, 6, 29), date(2026, 6, 30)]
    assert stage.days_to_live(firm, None, next_day=False) == days
    assert stage.days_to_live(firm, None, next_day=True) == days
    assert stage.days_to_live(firm, days[-1], next_day=False) == days[-1:]
    assert stage.days_to_live(firm, days[-1], next_day=True) == [date(2026, 7, 1)]


def test_airflow_is_told_of_this_machine_only_and_of_a_home_of_its_own(tmp_path: Path) -> None:
    told = stage.environment(
        stage.Stage(tmp_path, ROOT, "postgresql://care:secret@127.0.0.1:15432/care"),
        ticket_url="http://127.0.0.1:1", ticket_token="t", receivers=Receivers(2, 3), chat_secret="s",
    )  # fmt: skip
    assert told["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert Path(told["AIRFLOW_HOME"]).is_relative_to(tmp_path)
    assert told["AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION"] == "True", "its days do not pass by themselves"
    connections = {name: value for name, value in told.items() if name.startswith("AIRFLOW_CONN_")}
    assert len(connections) == 5 and all(
        "127.0.0.1" in value or str(tmp_path) in value for value in connections.values()
    )
    kept, password = stage.password_file(tmp_path)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stage.password_file(tmp_path) == (kept, password) and json.loads(kept.read_text()) == {
        "admin": password
    }


def test_the_users_own_airflow_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in dict(os.environ).items():
        monkeypatch.setenv(name, value)  # restored afterwards, whatever is applied
    monkeypatch.setenv("AIRFLOW_CONN_CARE_MAIL", "smtp://the.real.server")
    stage.apply({"AIRFLOW_HOME": "x"})
    assert [name for name in os.environ if name.startswith("AIRFLOW")] == ["AIRFLOW_HOME"]


def test_the_pages_open_where_nobody_listens_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(demo_command, "_PORT", port)
        assert port < demo_command._free_port() < port + 100
    without = {part[0] for part in demo_command.AIRFLOW if "--skip-serve-logs" not in part}
    assert without == {"api-server", "dag-processor"}, "the other two would serve logs on every address"


def test_a_dag_that_fails_names_its_tasks_and_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARE_CONFIG", str(tmp_path))
    log = tmp_path / "airflow.log"
    dags = Dags(ROOT / "dags", log)
    with pytest.raises(DagFailed) as failed:
        dags.run("care_clock", {"now": "2026-06-01T09:00:00+08:00"})
    assert (
        str(failed.value)
        == f"care_clock ended as failed (tasks: advance_care, deliver_outbox); its log is {log}"
    )
    assert "the configuration cannot be used:" in log.read_text(encoding="utf-8")
    assert capsys.readouterr() == ("", ""), "the screen belongs to the demo"

    def play(*_: object, **__: object) -> int:
        raise failed.value

    monkeypatch.setattr(demo_command, "_play", play)
    assert demo_command.run(argparse.Namespace(what=None, ui=False)) == 1
    assert capsys.readouterr().err == f"{failed.value}\n"
