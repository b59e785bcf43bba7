"""The operator: Airflow's connections become ways, and a missing one is said plainly."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from tests.channels.servers import post_office, web

from carewatch.store.database import connect
from carewatch.store.migrations import migrate

NOW = "2026-03-02T06:00:00+00:00"
SCHEDULED = SimpleNamespace(run_type="scheduled")
MESSAGE = {"kind": "warning", "subject": "红色预警：上海宏远", "text": "健康度 31.5\n"}


@pytest.fixture
def warehouse(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("CARE_DB", database)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with connect(database) as connection:
        migrate(connection)
    return database


def put(dsn: str, key: str, conn_id: str, to: str) -> None:
    with connect(dsn) as connection:
        connection.execute(
            "insert into care.outbox (key, kind, receiver, channel, message, not_before, created_at) "
            "values (%s, 'warning', 'li.wei', 'any', %s, %s, %s)",
            (key, Jsonb({**MESSAGE, "connection": conn_id, "to": to}), NOW, NOW),
        )


def answers(dsn: str) -> dict[str, tuple[str, str]]:
    with connect(dsn) as connection:
        rows = connection.execute("select key, state, answer from care.outbox").fetchall()
    return {key: (state, answer) for key, state, answer in rows}


def execute(**options: Any) -> dict[str, int]:
    from operators.deliver_outbox import DeliverOutboxOperator

    operator = DeliverOutboxOperator(task_id="deliver", **options)
    operator.render_template_fields({"params": {"now": NOW}, "dag_run": SCHEDULED})
    return operator.execute({})


def test_messages_leave_through_the_connections_they_name(
    warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(warehouse, "by mail", "care_mail", "li.wei@firm.example")
    put(warehouse, "by chat", "care_chat", "sales")
    with post_office() as (inbox, port), web() as hook:
        extra = {"from_email": "care@firm.example", "disable_ssl": True, "disable_tls": True}
        mail = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_CARE_MAIL", json.dumps(mail))
        monkeypatch.setenv(
            "AIRFLOW_CONN_CARE_CHAT", f"http://:secret@127.0.0.1:{hook.port}/?path=/hooks&timeout=10"
        )
        assert execute() == {"sent": 2, "retried": 0, "failed": 0, "uncertain": 0}
    assert [letter["Subject"] for letter in inbox.letters] == [MESSAGE["subject"]]
    ((path, headers, body),) = hook.asked
    assert path == "/hooks/sales"
    assert headers["X-Carewatch-Signature"].startswith("sha256=")
    assert json.loads(body) == {"key": "by chat", **MESSAGE}


def test_a_connection_that_is_missing_or_broken_is_a_refusal_that_says_so(
    warehouse: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = {"conn_type": "http", "host": "127.0.0.1", "password": "hush", "extra": "[1]"}
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", json.dumps(broken))
    put(warehouse, "missing", "nowhere", "x")
    put(warehouse, "broken", "broken", "x")
    put(warehouse, "none", "", "x")
    assert execute(most_attempts=1)["failed"] == 3
    said = answers(warehouse)
    assert said["missing"] == (
        "failed",
        "Airflow has no connection 'nowhere': make it, or correct notices.yaml",
    )
    assert said["broken"] == ("failed", "Airflow could not read its connection 'broken': TypeError")


def test_the_clock_is_the_workers_unless_a_moment_is_given() -> None:
    from operators.deliver_outbox import DeliverOutboxOperator

    operator = DeliverOutboxOperator(task_id="deliver")
    operator.render_template_fields({"params": {"now": NOW}, "dag_run": SCHEDULED})
    clock = operator.clock()
    assert datetime.fromisoformat(NOW) <= clock() <= clock()
    assert clock().date().isoformat() == "2026-03-02"
    operator = DeliverOutboxOperator(task_id="deliver")
    operator.render_template_fields({"params": {"now": None}, "dag_run": SCHEDULED})
    before = datetime.now(UTC)
    assert before <= operator.clock()() <= datetime.now(UTC)
