"""Every transition in the life of a warning."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.warn.life import Move, Standing, move

LIVE = ("open", "acknowledged", "plan", "in_care")


def test_nothing_begins_without_a_level() -> None:
    assert move(None, 0, dormant=False) is None


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_level_opens_a_warning_and_a_dormant_customer_has_none(level: int) -> None:
    assert move(None, level, dormant=False) == Move("opened", "open", level, level)
    assert move(None, level, dormant=True) is None


@pytest.mark.parametrize(("state", "level"), [*product(LIVE, (1, 2, 3))])
def test_the_same_level_moves_nothing(state: str, level: int) -> None:
    assert move(Standing(state, level, 3), level, dormant=False) is None


@pytest.mark.req("S81")
@pytest.mark.parametrize("state", LIVE)
def test_a_rise_lifts_the_peak_and_a_fall_keeps_it(state: str) -> None:
    assert move(Standing(state, 1, 1), 3, dormant=False) == Move("rose", state, 3, 3)
    assert move(Standing(state, 1, 3), 2, dormant=False) == Move("rose", state, 2, 3)
    assert move(Standing(state, 3, 3), 1, dormant=False) == Move("fell", state, 1, 3)


@pytest.mark.req("S74", "S81")
@pytest.mark.parametrize("state", LIVE)
def test_cleared_signals_close_a_light_warning_and_a_heavy_one_waits(state: str) -> None:
    assert move(Standing(state, 1, 1), 0, dormant=False) == Move("closed", "recovered", 0, 1)
    assert move(Standing(state, 1, 2), 0, dormant=False) == Move("cleared", "cleared", 0, 2)
    assert move(Standing(state, 3, 3), 0, dormant=False) == Move("cleared", "cleared", 0, 3)


def test_a_cleared_warning_waits_and_comes_back_when_its_signals_do() -> None:
    cleared = Standing("cleared", 0, 2)
    assert move(cleared, 0, dormant=False) is None
    assert move(cleared, 1, dormant=False) == Move("returned", "open", 1, 2)
    assert move(cleared, 3, dormant=False) == Move("returned", "open", 3, 3)


@pytest.mark.parametrize(("state", "level"), [*product(LIVE, (0, 1, 2, 3)), ("cleared", 0)])
def test_a_customer_who_became_dormant_is_lost(state: str, level: int) -> None:
    assert move(Standing(state, max(level, 1), 3), level, dormant=True) == Move("closed", "lost", 0, 3)


@pytest.mark.req("S74", "S81")
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([False] * 9 + [True])), max_size=40))
def test_any_history_keeps_the_peak_and_ends_only_by_closing(nights: list[tuple[int, bool]]) -> None:
    standing: Standing | None = None
    highest = 0
    for level, dormant in nights:
        moved = move(standing, level, dormant=dormant)
        if moved is None:
            assert standing is None or standing.level == level
            continue
        highest = moved.level if standing is None else max(highest, moved.level)
        assert moved.level == (0 if dormant else level)
        assert moved.peak_level == highest >= 1
        assert (moved.what == "closed") == (moved.state in ("recovered", "lost"))
        assert moved.state != "recovered" or highest == 1, "from level 2 on a plan or a person's word ends it"
        closed = moved.what == "closed"
        standing = None if closed else Standing(moved.state, moved.level, moved.peak_level)


@pytest.mark.req("S82")
@pytest.mark.parametrize("state", LIVE)
def test_another_priority_at_the_same_level_is_a_change(state: str) -> None:
    assert move(Standing(state, 1, 2, 0), 1, dormant=False, priority=2) == Move("changed", state, 1, 2, 2)
    assert move(Standing(state, 1, 2, 2), 1, dormant=False, priority=0) == Move("changed", state, 1, 2, 0)
    assert move(Standing(state, 1, 2, 1), 1, dormant=False, priority=1) is None
    assert move(Standing("cleared", 0, 2, 2), 0, dormant=False, priority=0) is None
