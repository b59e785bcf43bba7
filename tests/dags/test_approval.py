"""The question about changed rules, asked by Airflow itself; only the people who answer are made up here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from threading import Event, Thread
from typing import Any
from urllib.parse import quote

import pytest
from airflow.providers.standard.operators.hitl import ApprovalOperator
from sqlalchemy import update
from tests.dags.running import Dags
from tests.dags.town import Town, day
from tests.firm import FILES, configure

from carewatch.store import approvals, nights


def answers(monkeypatch: pytest.MonkeyPatch, option: str, by: str | None) -> None:
    """Let the next question be answered at once."""

    def at_once(self: Any, context: Any) -> Any:
        assert "| 1 -> 2 |" in self.body, self.body
        user = {"id": "7", "name": by} if by is not None else None
        event = {"chosen_options": [option], "params_input": {}, "responded_at": datetime.now()}
        return self.execute_complete(context, {**event, "responded_by_user": user})

    monkeypatch.setattr(ApprovalOperator, "execute", at_once)


def propose(town: Town) -> tuple[str, str]:
    """Run two nights, between which the rules were edited; return the new judgement and the one that stands."""
    town.people()
    asks = FILES["firm.yaml"] + "approval: required\n"
    stricter = FILES["warnings/dials.yaml"].replace("severity: mild", "severity: severe")
    town.firm.configuration = configure(town.folder / "before", {"firm.yaml": asks})
    first = judged(town, 1)
    edited = configure(town.folder / "config", {"firm.yaml": asks, "warnings/dials.yaml": stricter})
    town.firm.configuration = edited
    assert judged(town, 2) == first
    return edited.judgement.fingerprint, first


def judged(town: Town, number: int) -> str:
    """Run the night of a day of June with one customer a little odd; return what it was judged by."""
    town.dials(number, C1="quiet")
    town.at(number, 2)
    town.firm.night(day(number))
    return nights.night_of(town.firm.connection, day(number)).judgement


def nobody_answers() -> None:
    """Fail the task that waits for an answer: the Dag would wait for ever."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        waiting = update(TaskInstance).where(TaskInstance.state == "awaiting_input")
        session.execute(waiting.values(state="failed"))


@pytest.mark.req("S101")
def test_changed_rules_are_asked_about_until_somebody_who_may_answers(
    dags: Dags, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm = town.firm
    new, _ = propose(town)

    def state() -> tuple[str, str | None]:
        found = approvals.approval_of(firm.connection, new)
        assert found is not None
        return found.state, found.by

    answers(monkeypatch, "Reject", None)
    ran = dags.run("care_approval", town.at(2, 8))
    assert (ran.state, ran.tasks["record_rejection"], state()) == ("success", "skipped", ("proposed", None))
    answers(monkeypatch, "Approve", "zoe")
    ran = dags.run("care_approval", town.at(2, 9))
    assert (ran.state, ran.tasks["record_approval"], state()) == ("failed", "failed", ("proposed", None)), (
        "zoe has no approving role"
    )
    answers(monkeypatch, "Reject", "eve")
    ran = dags.run("care_approval", town.at(2, 10))
    assert (ran.state, ran.tasks["record_rejection"], state()) == ("success", "success", ("rejected", "eve"))
    ran = dags.run("care_approval", town.at(2, 11))
    assert ran.by_state() == {"skipped": 4}, "what was rejected is not asked about again"


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AbstractContextManager[list[int]]]]:
    """Return how to let people answer the next question by Airflow's own API; it yields the statuses they got."""
    from airflow.api_fastapi.app import create_app, get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from starlette.testclient import TestClient

    client = TestClient(create_app(apps="core"))

    def ask(method: str, path: str, person: str, role: str, **sent: Any) -> Any:
        token = get_auth_manager().generate_jwt(SimpleAuthManagerUser(username=person, role=role))
        return client.request(method, f"/api/v2{path}", headers={"Authorization": f"Bearer {token}"}, **sent)

    def answer(option: str, people: Sequence[tuple[str, str]], statuses: list[int], ended: Event) -> None:
        waiting: list[dict[str, Any]] = []
        try:
            while not waiting and not ended.wait(0.05):
                found = ask(
                    "GET",
                    "/dags/care_approval/dagRuns/~/hitlDetails?response_received=false",
                    "eve",
                    "viewer",
                )
                waiting = found.json()["hitl_details"]
            for person, role in people if waiting else ():
                run = quote(waiting[0]["task_instance"]["dag_run_id"])
                path = f"/dags/care_approval/dagRuns/{run}/taskInstances/ask_for_approval/-1/hitlDetails"
                said = ask("PATCH", path, person, role, json={"chosen_options": [option], "params_input": {}})
                statuses.append(said.status_code)
        finally:
            if 200 not in statuses:
                nobody_answers()

    @contextmanager
    def answering(option: str, *people: tuple[str, str]) -> Iterator[list[int]]:
        statuses: list[int] = []
        ended = Event()
        thread = Thread(target=answer, args=(option, people, statuses, ended))
        thread.start()
        try:
            yield statuses
        finally:
            ended.set()
            thread.join()

    yield answering
    client.close()


@pytest.mark.req("S101")
def test_the_question_is_answered_by_airflows_own_api_and_the_next_night_obeys(
    dags: Dags, town: Town, office: Callable[..., AbstractContextManager[list[int]]]
) -> None:
    new, first = propose(town)
    with office("Approve", ("eve", "viewer"), ("bob", "user")) as statuses:
        ran = dags.run("care_approval", town.at(2, 8))
    assert statuses == [403, 200], "Airflow refuses who may only look"
    assert (ran.state, ran.tasks["record_approval"]) == ("failed", "failed"), "Bob has no approving role"
    assert judged(town, 3) == first
    with office("Approve", ("eve", "user"), ("bob", "user")) as statuses:
        ran = dags.run("care_approval", town.at(3, 8))
    assert statuses == [200, 409], "a question is answered once"
    assert (ran.state, ran.tasks["record_approval"]) == ("success", "success")
    assert judged(town, 4) == new
