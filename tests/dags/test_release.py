"""The question about a held night, asked by Airflow itself; only the person's answer is given here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from airflow.providers.standard.operators.hitl import ApprovalOperator
from tests.dags.running import Dags, Ran
from tests.dags.test_night import broken, night
from tests.dags.town import Town, day
from tests.firm import changed

Answer = Callable[[str], None]


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Return how to answer the next question; what was asked is rendered and goes through Airflow's own operator."""

    def answers(option: str) -> None:
        def at_once(self: Any, context: Any) -> Any:
            assert self.subject.startswith("Release the night of 2026-06-04? 2 of 6 customers"), self.subject
            event = {
                "chosen_options": [option],
                "params_input": {},
                "responded_at": datetime.now(),
                "responded_by_user": {"id": "7", "name": "zoe"},
            }
            return self.execute_complete(context, event)

        monkeypatch.setattr(ApprovalOperator, "execute", at_once)

    return answers


def hold(dags: Dags, town: Town) -> Ran:
    """Let the night of the fourth be held: two of six customers would rise, and more than 30 % hold a night."""
    levels = changed("levels.yaml", ("hold_if_more_than: 100", "hold_if_more_than: 30"))
    broken(town, "levels.yaml", levels["levels.yaml"])
    town.people()
    for number in (1, 2, 3):
        town.dials(number)
        town.firm.night(day(number))
    town.dials(4, C1="halt", C2="halt")
    return night(dags, town, 4)


def states(town: Town) -> list[str]:
    return [state for (state,) in town.firm.rows("select state from care.night order by day")]


@pytest.mark.req("D9")
def test_a_held_night_is_announced_and_released_by_a_person(dags: Dags, town: Town, answer: Answer) -> None:
    ran = hold(dags, town)
    assert (ran.state, ran.tasks["announce_hold"], ran.tasks["start_level_2"]) == (
        "success",
        "success",
        "skipped",
    )
    assert town.arrived() == {"hold/engineers/mail/night:2026-06-04": 1}, (
        "engineers hear at once, owners never"
    )
    answer("Approve")
    ran = dags.run("care_release", town.at(4, 9), scheduled=False)
    assert ran.state == "success"
    assert (ran.tasks["release_night"], ran.tasks["record_rejection"]) == ("success", "skipped")
    assert states(town) == ["sealed"] * 4
    assert town.firm.rows("select customer_id, level from care.warning join care.customer using (customer_no)") == [
        ("C1", 2), ("C2", 2),
    ]  # fmt: skip
    assert town.firm.rows("select by, what from care.audit where what like 'night%%'") == [
        ("zoe", "night_released")
    ]
    ran = dags.run("care_release", town.at(4, 10), scheduled=False)
    assert ran.by_state() == {"skipped": 4}, "nothing waits any more"


@pytest.mark.req("D9")
def test_a_rejected_night_stays_held_and_it_is_written_down_by_whom(
    dags: Dags, town: Town, answer: Answer
) -> None:
    hold(dags, town)
    answer("Reject")
    ran = dags.run("care_release", town.at(4, 9), scheduled=False)
    assert (ran.tasks["release_night"], ran.tasks["record_rejection"]) == ("skipped", "success")
    assert states(town) == ["sealed"] * 3 + ["held"]
    assert town.firm.rows("select by, what from care.audit where what like 'night%%'") == [
        ("zoe", "night_rejected")
    ]


@pytest.mark.req("D9")
def test_an_approval_that_comes_after_the_next_normal_night_releases_nothing_and_says_so(
    dags: Dags, town: Town, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(dags, town)
    answer("Approve")
    asked = ApprovalOperator.execute

    def meanwhile(self: Any, context: Any) -> Any:
        town.dials(5)
        town.at(5, 2)
        town.firm.night(day(5))
        return asked(self, context)

    monkeypatch.setattr(ApprovalOperator, "execute", meanwhile)
    ran = dags.run("care_release", town.at(5, 9), scheduled=False)
    assert (ran.state, ran.tasks["release_night"]) == ("success", "success")
    assert states(town) == ["sealed"] * 3 + ["held", "sealed"]
    assert town.firm.rows("select count(*) from care.warning") == [(0,)]


@pytest.mark.req("D9")
def test_a_release_that_fails_is_a_run_that_fails(
    dags: Dags, town: Town, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(dags, town)
    answer("Approve")
    town.firm.connection.execute("alter table care.warning add constraint none_opens check (false) not valid")
    ran = dags.run("care_release", town.at(4, 9), scheduled=False)
    assert (ran.state, ran.tasks["release_night"], ran.tasks["record_rejection"]) == (
        "failed", "failed", "upstream_failed",
    )  # fmt: skip
    assert states(town) == ["sealed"] * 3 + ["held"]
