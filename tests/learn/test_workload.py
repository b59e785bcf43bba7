"""A budget keeps future weeks within bounds as often as it says, and gives up no more than it must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.learn.workload import within_budget

STAKES = st.lists(st.floats(0.01, 1e6), max_size=12).map(lambda week: np.array(week))


def weeks(random: np.random.Generator, count: int) -> list[np.ndarray]:
    return [random.lognormal(10, 1, random.poisson(9)) for _ in range(count)]


@pytest.mark.req("D7")
def test_simulated_weeks_stay_within_budget_as_often_as_promised() -> None:
    """A cut from one year of weeks, tried on weeks that nobody had seen."""
    random = np.random.default_rng(11)
    kept = []
    for _ in range(60):
        found = within_budget(weeks(random, 52), 6, probability=0.9)
        fresh = weeks(random, 200)
        kept.append(np.mean([(week >= found.cut).sum() <= 6 for week in fresh]))
        assert found.cut > 0 and found.within >= 0.9
    assert np.mean(kept) >= 0.87
    loose = [within_budget(weeks(random, 52), 6, probability=0.5) for _ in range(20)]
    assert np.mean([one.within for one in loose]) < 0.7, "half is not nine tenths"


@pytest.mark.req("D7")
def test_what_is_given_up_is_counted_and_weighed() -> None:
    found = within_budget([np.array([5.0, 2.0, 3.0]), np.array([4.0, 9.0])], 2, probability=1.0)
    assert found.cut == pytest.approx(2.0) and found.cut > 2.0, "just above the third stake"
    assert (found.mean, found.worst, found.within) == (2.5, 3, 1.0)
    assert (found.given_up, found.stake_given_up) == (0.5, 1.0)
    roomy = within_budget([np.array([5.0, 1.0, 3.0])], 3)
    assert (roomy.cut, roomy.given_up) == (0.0, 0.0)


@pytest.mark.req("D7")
@given(st.lists(STAKES, min_size=1, max_size=12), st.integers(0, 8), st.floats(0.05, 1))
def test_the_promise_holds_on_the_weeks_it_was_made_from(
    past: list[np.ndarray], budget: int, share: float
) -> None:
    found = within_budget(past, budget, probability=share)
    assert found.within >= share - 1e-9
    more = within_budget(past, budget + 1, probability=share)
    assert more.cut <= found.cut and more.given_up <= found.given_up
