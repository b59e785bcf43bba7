"""What goes live of a backlog: the worst first, nobody more than a working day takes, and none overtakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.care.backlog import Recorded, due, schedule
from carewatch.spec.configuration import CareSpec
from carewatch.spec.loading import load

SHIPPED = load(Path(__file__).resolve().parents[2] / "config").care
HOURS = {
    level: sum(
        step.effort
        for book in SHIPPED.playbooks_of(level, "B")
        for step in book.steps.values()
        if step.role == "owner"
    )
    for level in (1, 2, 3)
}
"""Hours of work that a warning of each level brings to its owner."""


def recorded(*levels: int) -> list[Recorded]:
    return [Recorded(number, number, "am01", level, "B") for number, level in enumerate(levels, start=1)]


def spec(a_day: float = 5, **changes: Any) -> CareSpec:
    person = SHIPPED.people.people["am01"].model_copy(update={"budget": None, "capacity": None, **changes})
    people = SHIPPED.people.model_copy(update={"people": {**SHIPPED.people.people, "am01": person}})
    launch = SHIPPED.launch.model_copy(update={"a_day": a_day})
    return SHIPPED.model_copy(update={"people": people, "launch": launch})


def numbers(found: list[Recorded]) -> list[int]:
    return [one.warning_no for one in found]


@pytest.mark.req("S85")
@pytest.mark.parametrize(
    ("changes", "by_day"),
    [
        ({}, [5, 5, 2]),  # neither budget nor capacity: what launch.yaml says
        ({"a_day": 7}, [7, 5]),
        ({"budget": 20}, [4, 4, 4]),  # a fifth of the week's
        ({"budget": 8}, [1, 2, 1, 2, 2, 1, 2, 1]),  # what a day does not use is there the next
        ({"capacity": 10 * HOURS[1]}, [2, 2, 2, 2, 2, 2]),
        ({"capacity": 10 * HOURS[1], "budget": 5}, [1] * 12),  # the tighter one
    ],
)
def test_a_working_day_brings_what_it_takes(changes: dict[str, Any], by_day: list[int]) -> None:
    assert schedule(spec(**changes), "am01", recorded(*[1] * 12)) == by_day


@pytest.mark.req("S85")
def test_a_worse_one_that_does_not_fit_yet_holds_back_the_rest() -> None:
    care = spec(capacity=5 * HOURS[1])  # a light one a day
    waiting = recorded(2, 1, 1)
    assert HOURS[2] > 2 * HOURS[1]
    assert [numbers(due(care, "am01", waiting, (), days)) for days in (1, 2)] == [[], []]
    days = round(HOURS[2] / HOURS[1])
    assert [numbers(due(care, "am01", waiting, (), days + more)) for more in (0, 1, 2)] == [
        [1],
        [1, 2],
        [1, 2, 3],
    ]


@pytest.mark.req("S85")
def test_what_went_live_before_counts_against_the_days() -> None:
    out, waiting = recorded(1, 1), recorded(1, 1, 1, 1, 1)
    assert numbers(due(spec(), "am01", waiting, out, 1)) == [1, 2, 3]
    assert numbers(due(spec(capacity=10 * HOURS[1]), "am01", waiting, out, 2)) == [1, 2]


@pytest.mark.req("S85")
@given(
    st.lists(st.sampled_from((1, 2, 3)), max_size=9),
    st.none() | st.integers(0, 30),
    st.none() | st.integers(0, 30),
    st.integers(0, 6),
)
def test_nobody_ever_gets_more_than_the_days_take(
    levels: list[int], budget: int | None, capacity: int | None, days: int
) -> None:
    care, waiting = spec(budget=budget, capacity=capacity), recorded(*levels)
    found = due(care, "am01", waiting, (), days)
    assert found == waiting[: len(found)], "the worst first"
    most = 5 * days if budget is None and capacity is None else days * (budget or 0) / 5
    if budget is not None or capacity is None:
        assert len(found) <= most
    if capacity is not None:
        assert sum(HOURS[one.level] for one in found) <= days * capacity / 5 + 1e-6
    assert due(care, "am01", waiting, (), days + 1)[: len(found)] == found, "no day takes back another's"
