"""A group of companies seen through its members."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.measure.groups import Group, members_of, roll_up
from carewatch.measure.health import Colour
from carewatch.spec.health import Bands

NAN = float("nan")
BANDS = Bands(green=70, yellow=40)


def seen(how: str, score: list[float], money: list[float], colour: list[Colour] | None = None) -> Group:
    customers = np.arange(1, len(score) + 1, dtype=np.int32)
    shown = colour or [
        Colour.GREY
        if np.isnan(one)
        else Colour.GREEN
        if one >= 70
        else Colour.YELLOW
        if one >= 40
        else Colour.RED
        for one in score
    ]
    [group] = roll_up(
        how, {1: customers.tolist()}, customers, score=np.array(score), colour=np.array(shown, np.int16),  # type: ignore[arg-type]
        money=np.array(money), dormant=np.zeros(len(score), bool), bands=BANDS,
    )  # fmt: skip
    return group


def test_everybody_below_counts_at_every_head() -> None:
    assert members_of({2: 1, 3: 2, 4: 2, 6: 5}) == {1: [1, 2, 3, 4], 2: [2, 3, 4], 5: [5, 6]}


@pytest.mark.parametrize(
    ("score", "money", "mean", "colour"),
    [
        ([100, 0], [1, 1], 50, Colour.YELLOW),
        ([100, 0], [7, 3], 70, Colour.GREEN),
        ([100, 0], [6.999, 3.001], 69.99, Colour.YELLOW),
        ([100, 0], [0, 0], 50, Colour.YELLOW),
        ([100, 0], [NAN, NAN], 50, Colour.YELLOW),
        ([100, 0], [-5, 2], 0, Colour.RED),
        ([100, NAN], [1, 9], 100, Colour.GREEN),
        ([NAN, NAN], [1, 9], NAN, Colour.GREY),
    ],
)
def test_weighted_by_the_money_at_stake(
    score: list[float], money: list[float], mean: float, colour: Colour
) -> None:
    found = seen("weighted", score, money)
    assert np.array_equal(found.score, mean, equal_nan=True) and found.colour == colour


@pytest.mark.parametrize(
    ("score", "lowest", "colour", "worst"),
    [
        ([90, 45, 80], 45, Colour.YELLOW, 2),
        ([90, NAN, 80], 80, Colour.GREEN, 3),
        ([NAN, NAN], NAN, Colour.GREY, None),
    ],
)
def test_worst_is_the_lowest_that_is_known(
    score: list[float], lowest: float, colour: Colour, worst: int | None
) -> None:
    found = seen("worst", score, [1.0] * len(score))
    assert np.array_equal(found.score, lowest, equal_nan=True)
    assert (found.colour, found.worst, found.members) == (colour, worst, len(score))


def test_a_colour_that_a_person_said_counts_as_the_colour_it_is() -> None:
    assert seen("worst", [90, 80], [1, 1], [Colour.RED, Colour.GREEN]).colour == Colour.RED


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 1e9)), min_size=1, max_size=12))
def test_a_group_lies_between_its_members_and_worst_is_never_better(
    members: list[tuple[float, float]],
) -> None:
    score, money = [round(one, 2) for one, _ in members], [one for _, one in members]
    mean = seen("weighted", score, money).score
    assert min(score) - 0.01 <= mean <= max(score) + 0.01
    assert seen("worst", score, money).score == min(score) <= mean + 0.01
