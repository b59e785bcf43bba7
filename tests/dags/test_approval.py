"""The question about changed rules, asked by Airflow itself; only the person's answer is given here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from airflow.providers.standard.operators.hitl import ApprovalOperator
from tests.dags.running import Dags
from tests.dags.town import Town, day
from tests.firm import FILES, configure

from carewatch.store import approvals


def answers(monkeypatch: pytest.MonkeyPatch, option: str, by: str | None) -> None:
    """Let the next question be answered at once."""

    def at_once(self: Any, context: Any) -> Any:
        assert "| 1 -> 2 |" in self.body, self.body
        user = {"id": "7", "name": by} if by is not None else None
        event = {"chosen_options": [option], "params_input": {}, "responded_at": datetime.now()}
        return self.execute_complete(context, {**event, "responded_by_user": user})

    monkeypatch.setattr(ApprovalOperator, "execute", at_once)


@pytest.mark.req("S101")
def test_changed_rules_are_asked_about_until_somebody_who_may_answers(
    dags: Dags, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    firm = town.firm
    town.people()
    asks = FILES["firm.yaml"] + "approval: required\n"
    stricter = FILES["warnings/dials.yaml"].replace("severity: mild", "severity: severe")
    for number, files in ((1, {}), (2, {"warnings/dials.yaml": stricter})):
        town.dials(number, C1="quiet")
        firm.configuration = configure(town.folder / f"config-{number}", {"firm.yaml": asks, **files})
        town.at(number, 2)
        firm.night(day(number))
    new = firm.configuration.judgement.fingerprint

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
