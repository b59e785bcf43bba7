"""What a person may do with a warning, and what not."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.warn.acts import RESULTS, Case, NotPossible, acknowledge, close, plan

LIVE = ("open", "acknowledged", "plan", "in_care", "cleared")
CLOSED = ("recovered", "lost", "false_alarm", "expired", "merged")


def case(state: str = "open", peak: int = 1, *, has_plan: bool = False) -> Case:
    return Case(7, state, peak, has_plan, state in CLOSED)


@pytest.mark.parametrize(
    ("before", "after"),
    [("open", "acknowledged"), ("acknowledged", "acknowledged"), ("plan", "plan"), ("in_care", "in_care")],
)
def test_acknowledging_takes_it_up_once(before: str, after: str) -> None:
    assert acknowledge(case(before)) == after


def test_a_cleared_warning_waits_for_its_result_not_for_being_taken_up() -> None:
    with pytest.raises(NotPossible, match="waits for its result: care warning close 7 --result"):
        acknowledge(case("cleared"))


@pytest.mark.req("S74")
@pytest.mark.parametrize("before", LIVE)
def test_a_plan_may_be_filed_while_it_lives(before: str) -> None:
    assert plan(case(before), "call and offer terms") == (
        before if before in ("cleared", "in_care") else "plan"
    )
    with pytest.raises(NotPossible, match="the plan is empty"):
        plan(case(before), "  ")


@pytest.mark.req("S74")
@pytest.mark.parametrize(("state", "peak", "result"), [*product(LIVE, (2, 3), ("recovered", "lost"))])
def test_from_level_2_on_nothing_closes_without_a_written_plan(state: str, peak: int, result: str) -> None:
    with pytest.raises(NotPossible, match=f"stood at level {peak} and needs a written plan before it closes"):
        close(case(state, peak), result, "all well")  # type: ignore[arg-type]
    assert close(case(state, peak, has_plan=True), result, "") == result  # type: ignore[arg-type]
    assert close(case(state, 1), result, "") == result  # type: ignore[arg-type]


@pytest.mark.parametrize("peak", [2, 3])
def test_a_false_alarm_needs_no_plan_but_a_reason(peak: int) -> None:
    with pytest.raises(NotPossible, match="say in --note why it was a false alarm"):
        close(case(peak=peak, has_plan=True), "false_alarm", " ")
    assert close(case(peak=peak), "false_alarm", "stocktaking, they told us") == "false_alarm"
    assert close(case(peak=1), "false_alarm", "") == "false_alarm"


@given(st.sampled_from(CLOSED), st.sampled_from(["ack", "plan", *RESULTS]), st.booleans(), st.integers(1, 3))
def test_a_closed_warning_never_opens_again(state: str, what: str, has_plan: bool, peak: int) -> None:
    closed = case(state, peak, has_plan=has_plan)
    with pytest.raises(NotPossible, match="a closed warning never opens again"):
        if what == "ack":
            acknowledge(closed)
        elif what == "plan":
            plan(closed, "a plan")
        else:
            close(closed, what, "a note")  # type: ignore[arg-type]
