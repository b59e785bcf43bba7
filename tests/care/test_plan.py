"""Promises in working hours, held against a plain count of open quarters of an hour."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from carewatch.care.plan import Progress, due, plan, promises, under_control
from carewatch.spec.configuration import CareSpec
from carewatch.spec.loading import load
from carewatch.spec.people import Playbook

CONFIG = Path(__file__).resolve().parents[2] / "config"
ZONE = ZoneInfo("Asia/Shanghai")
MATRIX = {
    (3, "A"): (2, 8, 16, 24), (3, "B"): (2, 8, 16, 24), (3, "C"): (4, 8, 16, 24),
    (2, "A"): (2, 8, 16, 24), (2, "B"): (4, 8, 16, 24), (2, "C"): (8, 16, 24, 24),
    (1, "A"): (8, 16, 16, 24), (1, "B"): (16, 16, 16, 24), (1, "C"): (16, 24, 24, 24),
}  # fmt: skip
"""First call, plan on file, escalation, the whole: as the requirements print it."""
FESTIVAL = {date(2026, 2, day) for day in range(15, 24)}
MADE_UP = {date(2026, 2, 14), date(2026, 2, 28)}
STARTS = {
    "a Monday at nine": datetime(2026, 6, 1, 9),
    "in the night": datetime(2026, 6, 3, 2),
    "before lunch": datetime(2026, 6, 3, 11, 30),
    "a Friday evening": datetime(2026, 6, 5, 17, 45),
    "a Saturday": datetime(2026, 6, 6, 10),
    "the last minutes before Spring Festival": datetime(2026, 2, 14, 17, 30),
    "in the middle of Spring Festival": datetime(2026, 2, 18, 20, 15),
    "before a make-up Saturday": datetime(2026, 2, 27, 16),
}
QUARTER = timedelta(minutes=15)


@pytest.fixture(scope="module")
def care() -> CareSpec:
    return load(CONFIG).care


def is_work(at: datetime) -> bool:
    day = at.date()
    works = day in MADE_UP or (day.weekday() < 5 and day not in FESTIVAL)
    return works and (time(9) <= at.time() < time(12) or time(13) <= at.time() < time(18))


def on_duty(at: datetime) -> bool:
    return time(9) <= at.time() < time(21)


def counted(start: datetime, hours: float, *, level: int, tier: str) -> datetime:
    """Return when so many hours have been worked since `start`, quarter by quarter."""
    is_open = on_duty if (level, tier) == (3, "A") else is_work
    at, left = start, round(hours * 4)
    while left:
        left -= is_open(at)
        at += QUARTER
    return min(at, start + timedelta(hours=72)) if level == 3 else at


@pytest.mark.req("S76", "S77", "S78")
@pytest.mark.parametrize("start", STARTS)
def test_every_promise_of_the_matrix_falls_due_in_working_hours(care: CareSpec, start: str) -> None:
    begins = STARTS[start].replace(tzinfo=ZONE)
    for (level, tier), hours in MATRIX.items():
        assert promises(care, level, tier) == hours
        for promised in hours:
            expected = counted(STARTS[start], promised, level=level, tier=tier).replace(tzinfo=ZONE)
            assert due(care, level, tier, begins, promised) == expected, (level, tier, promised)


@pytest.mark.req("S78")
def test_no_promise_of_level_3_falls_later_than_72_hours(care: CareSpec) -> None:
    holiday = datetime(2026, 2, 14, 18, 30, tzinfo=ZONE)
    for tier, hours in product("ABC", (2, 4, 8, 16, 24)):
        assert due(care, 3, tier, holiday, hours) <= holiday + timedelta(hours=72)
    assert due(care, 3, "B", holiday, 2) == holiday + timedelta(hours=72)
    assert due(care, 2, "B", holiday, 2) == datetime(2026, 2, 24, 11, tzinfo=ZONE)


def test_level_3_of_the_best_tier_runs_on_the_duty_rota(care: CareSpec) -> None:
    festival_evening = datetime(2026, 2, 17, 20, tzinfo=ZONE)
    assert due(care, 3, "A", festival_evening, 2) == datetime(2026, 2, 18, 10, tzinfo=ZONE)
    assert due(care, 2, "A", festival_evening, 2) == datetime(2026, 2, 24, 11, tzinfo=ZONE)


@pytest.mark.parametrize(("level", "tier"), list(MATRIX))
def test_a_playbook_becomes_tasks_with_clocks_of_their_own(care: CareSpec, level: int, tier: str) -> None:
    start = datetime(2026, 6, 1, 2, tzinfo=ZONE)
    first_call, logged, escalate, whole = (
        counted(start.replace(tzinfo=None), hours, level=level, tier=tier).replace(tzinfo=ZONE)
        for hours in MATRIX[level, tier]
    )
    promised = {"first_call": first_call, "plan": logged, "whole": whole}
    (playbook,) = care.playbooks_of(level, tier)
    made = plan(care, playbook, tier=tier, owner="am01", now=start)
    assert made.escalate_at == escalate
    assert [task.step for task in made.tasks] == list(playbook.steps)
    for task in made.tasks:
        step = playbook.steps[task.step]
        assert isinstance(step.due, str)
        assert task.due_at == promised[step.due]
    assert made.copy["steps"].keys() == playbook.steps.keys()


@pytest.mark.req("S75", "S76", "S77", "S78")
def test_tasks_go_to_the_people_of_their_roles(care: CareSpec) -> None:
    now = datetime(2026, 6, 1, 2, tzinfo=ZONE)
    owners = {
        level: {
            task.step: task.owner_id
            for playbook in care.playbooks_of(level, "A")
            for task in plan(care, playbook, tier="A", owner="am01", now=now).tasks
        }
        for level in (1, 2, 3)
    }
    assert owners[1] == {"first_call": "am01"}
    assert owners[2] == dict.fromkeys(("first_call", "plan", "visit"), "am01"), (
        "the account manager brings the plan"
    )
    assert owners[3]["first_call"] == "sm01", "management takes part directly"
    assert owners[3]["visit"] == "vp01"


def test_a_step_may_name_its_own_hours(care: CareSpec) -> None:
    (playbook,) = care.playbooks_of(1, "C")
    quick = playbook.model_copy(
        update={"steps": {"first_call": playbook.steps["first_call"].model_copy(update={"due": 0.5})}}
    )
    made = plan(
        care,
        quick,
        tier="C",
        owner="am01",
        now=datetime(2026, 6, 1, 11, 45, tzinfo=ZONE),
    )
    assert made.tasks[0].due_at == datetime(2026, 6, 1, 13, 15, tzinfo=ZONE)


def test_a_tier_that_no_longer_exists_is_promised_what_the_lowest_is(care: CareSpec) -> None:
    """Tiers were renamed while a warning was open: the clock must not stand still for everybody."""
    assert promises(care, 2, "platinum") == MATRIX[2, "C"]


@pytest.mark.parametrize(
    ("called", "planned", "ahead"), [*product((True, False), (True, False), (True, False))]
)
def test_a_case_is_under_control_with_a_call_a_plan_and_a_next_date(
    called: bool, planned: bool, ahead: bool
) -> None:
    assert under_control(Progress(called, planned, ahead)) is (called and planned and ahead)


def test_no_playbook_may_have_the_step_that_an_escalation_adds(care: CareSpec) -> None:
    (playbook,) = care.playbooks_of(2, "A")
    data = playbook.model_dump(mode="json")
    data["steps"]["escalation"] = data["steps"]["first_call"]
    with pytest.raises(ValidationError, match="'escalation' is the step of the person whom an escalation"):
        Playbook.model_validate(data)
