"""What each number costs adds up, and the change that is proposed really makes the score green."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from carewatch.measure.health import Colour, Scores, score
from carewatch.measure.remedy import Change, Weighed, joint_changes, single_changes, weigh
from carewatch.spec.health import Bands, Health
from carewatch.spec.metrics import Metric

NAN = math.nan
TIERS = ("A", "B", "C")
COUNT = Metric.model_validate(
    {"label": "count", "kind": "count", "fact": "order", "window": "90 days", "owner": "tests"}
)
SUM = Metric.model_validate(
    {"label": "sum", "kind": "sum", "fact": "order", "of": "amount", "window": "90 days", "owner": "tests"}
)


def model(dimensions: dict[str, dict[str, tuple[float, dict[float, float]]]], **changes: Any) -> Health:
    """Return a model of dimensions with equal weights; each metric has a weight and knots."""
    return Health.model_validate(
        {
            "version": 1, "label": "m",
            "dimensions": {
                name: {
                    "label": name, "weight": 1 / len(dimensions),
                    "metrics": {m: {"weight": weight, "points": knots} for m, (weight, knots) in metrics.items()},
                }
                for name, metrics in dimensions.items()
            },
        } | changes
    )  # fmt: skip


def columns(values: dict[str, float]) -> dict[str, Any]:
    return {name: np.array([value]) for name, value in values.items()}


def judged(
    health: Health, values: dict[str, float], held: tuple[str, ...] = ()
) -> tuple[Scores, list[Weighed]]:
    seen = score(health, columns(values), np.array([2], dtype=np.int16), TIERS, held)
    return seen, weigh(health, columns(values) | {"tier": np.array(["C"], dtype=object)}, seen, held)


def after(health: Health, values: dict[str, float], changes: list[Change]) -> Scores:
    return judged(health, values | {change.metric: change.value for change in changes})[0]


TRADE = {"trade": {"orders": (0.75, {0: 0, 10: 100}), "silence": (0.25, {30: 100, 90: 0})}}
TWO = TRADE | {"service": {"complaints": (1.0, {0: 100, 1: 70, 2: 35, 4: 0})}}
GREEN = model(TWO)
KINDS = {"orders": COUNT, "silence": COUNT, "complaints": COUNT}


def test_costs_are_those_of_a_hand_computation() -> None:
    seen, weighed = judged(model(TWO), {"orders": 4, "silence": 60, "complaints": 1})
    # trade: 0.75 x 40 + 0.25 x 50 = 42.5; the whole (42.5 + 70) / 2 = 56.25
    assert float(seen.score[0]) == 56.25
    costs = {one.metric: one.lost for one in weighed}
    assert costs == pytest.approx({"orders": 22.5, "silence": 6.25, "complaints": 15.0}, abs=1e-9)
    assert sum(costs.values()) == pytest.approx(43.75, abs=1e-9)


def test_what_is_unknown_or_held_costs_nothing_and_its_weight_goes_to_the_others() -> None:
    for values, held in (
        ({"orders": 4, "silence": NAN, "complaints": 1}, ()),
        ({"orders": 4, "silence": 60, "complaints": 1}, ("silence",)),
    ):
        seen, weighed = judged(model(TWO), values, held)
        assert float(seen.score[0]) == 55.0
        assert {one.metric: (one.share, one.lost) for one in weighed} == {
            "orders": (0.5, 30.0), "silence": (0.0, 0.0), "complaints": (0.5, 15.0),
        }  # fmt: skip
    # three quarters of trade are unknown: the rest does not speak for it
    seen, weighed = judged(model(TWO), {"orders": NAN, "silence": 90, "complaints": 1})
    assert [(one.share, one.lost) for one in weighed] == [(0, 0), (0, 0), (1.0, 30.0)]


def test_an_unknown_score_has_no_costs_and_no_changes() -> None:
    seen, weighed = judged(model(TWO), {"orders": NAN, "silence": NAN, "complaints": NAN})
    assert math.isnan(float(seen.score[0]))
    assert all(one.lost == 0 for one in weighed)
    assert single_changes(weighed, GREEN, KINDS) == joint_changes(weighed, GREEN, KINDS) == []


def test_the_smallest_change_is_said_as_people_count() -> None:
    values = {"orders": 4.0, "silence": 60.0, "complaints": 1.0}
    _, weighed = judged(model(TWO), values)
    [orders, complaints] = single_changes(weighed, GREEN, KINDS)
    # 13.75 points are missing: orders have 0.375 of the score, so they must earn 36.67 more: 7.67 orders, 8 whole ones
    assert (orders.metric, orders.value, orders.bound) == ("orders", 8.0, "at_least")
    # complaints have half of the score: 27.5 more, 97.5 points, below one complaint: none
    assert (complaints.metric, complaints.value, complaints.bound) == ("complaints", 0.0, "at_most")
    # silence has an eighth: even full marks bring 6.25
    money = single_changes(weighed, GREEN, KINDS | {"orders": SUM})
    assert money[0].value == 7.67, "a sum may be a fraction: three digits"


def test_where_no_single_change_is_enough_the_fewest_are_named() -> None:
    values = {"orders": 1.0, "silence": 90.0, "complaints": 4.0}
    _, weighed = judged(model(TWO), values)
    assert single_changes(weighed, GREEN, KINDS) == []
    joint = joint_changes(weighed, GREEN, KINDS)
    assert [(one.metric, one.value) for one in joint] == [("complaints", 0.0), ("orders", 6.0)]
    assert after(model(TWO), values, joint).colour[0] == Colour.GREEN
    assert after(model(TWO), values, joint[:1]).colour[0] != Colour.GREEN
    fewer = [*joint[:1], Change("trade", "orders", 1, 5, "at_least", 0)]
    assert after(model(TWO), values, fewer).colour[0] != Colour.GREEN


def test_who_is_green_needs_nothing() -> None:
    _, weighed = judged(model(TWO), {"orders": 10, "silence": 10, "complaints": 0})
    assert single_changes(weighed, GREEN, KINDS) == joint_changes(weighed, GREEN, KINDS) == []


def test_a_number_that_is_best_in_the_middle_is_brought_near_its_peak() -> None:
    peaked = model({"all": {"tickets": (1.0, {0: 0, 10: 100, 20: 0})}})
    for now, value in ((2.0, 7.0), (19.0, 13.0)):
        _, weighed = judged(peaked, {"tickets": now})
        [change] = single_changes(weighed, GREEN, {"tickets": COUNT})
        assert (change.value, change.bound) == (value, "about")


def banded(health: Health, green: float) -> Health:
    return health.model_copy(update={"bands": Bands(green=green, yellow=40)})


def test_in_the_mode_any_red_every_dimension_must_leave_red() -> None:
    strict = model(TWO, mode="any_red", bands={"green": 50, "yellow": 40})
    values = {"orders": 1.0, "silence": 90.0, "complaints": 0.0}
    seen, weighed = judged(strict, values)
    assert (float(seen.score[0]), seen.colour[0]) == (53.75, Colour.RED), "trade alone is at 7.5"
    [change] = single_changes(weighed, strict, KINDS)
    assert (change.metric, change.value) == ("orders", 6.0), "silence brings trade to 32.5 at most"
    assert after(strict, values, [change]).colour[0] == Colour.GREEN
    both = {"orders": 2.0, "silence": 90.0, "complaints": 4.0}
    _, weighed = judged(strict, both)
    assert single_changes(weighed, strict, KINDS) == []
    joint = joint_changes(weighed, strict, KINDS)
    assert {one.metric for one in joint} == {"orders", "complaints"}
    assert after(strict, both, joint).colour[0] == Colour.GREEN


def test_points_by_tier_or_condition_are_inverted_as_they_are_earned() -> None:
    health = Health.model_validate(
        {
            "version": 1, "label": "m",
            "dimensions": {"all": {"label": "all", "weight": 1, "metrics": {"orders": {
                "weight": 1, "points": {0: 0, 10: 100}, "by_tier": {"C": {0: 0, 20: 100}},
                "by": [{"when": "age < 1", "points": {0: 0, 40: 100}}],
            }}}},
        }
    )  # fmt: skip
    for age, value in ((5.0, 14.0), (0.5, 28.0)):
        read = columns({"orders": 3, "age": age}) | {"tier": np.array(["C"], dtype=object)}
        seen = score(health, read, np.array([2], dtype=np.int16), TIERS)
        [change] = single_changes(weigh(health, read, seen), health, KINDS)
        assert change.value == value
    assert weigh(health, read, seen, ("age",))[0].share == 0, "whose points it is cannot be told"


knots = st.lists(
    st.tuples(st.integers(-50, 300), st.integers(0, 100)),
    min_size=2,
    max_size=6,
    unique_by=lambda knot: knot[0],
).map(lambda found: dict(sorted(found)))
weights = st.lists(st.integers(1, 9), min_size=1, max_size=4)


@st.composite
def customers(draw: st.DrawFn) -> tuple[Health, dict[str, float], dict[str, Metric]]:
    """Return a model, one customer's numbers (some unknown), and the metrics."""
    dimensions: dict[str, dict[str, tuple[float, dict[float, float]]]] = {}
    for at in range(draw(st.integers(1, 3))):
        shares = draw(weights)
        dimensions[f"d{at}"] = {
            f"m{at}{number}": (share / sum(shares), draw(knots)) for number, share in enumerate(shares)
        }
    health = model(
        dimensions, bands={"green": draw(st.sampled_from([55, 70, 87.5, 99.99])), "yellow": 40}, grey_below=0
    )
    number = st.floats(-60, 320, allow_nan=False) | st.just(NAN)
    values = {name: draw(number) for name in health.metric_names()}
    kinds = {name: draw(st.sampled_from([COUNT, SUM])) for name in values}
    return health, values, kinds


@given(customers())
@settings(max_examples=150, deadline=None)
def test_costs_always_add_up(customer: tuple[Health, dict[str, float], dict[str, Metric]]) -> None:
    health, values, _ = customer
    seen, weighed = judged(health, values)
    assume(not math.isnan(float(seen.score[0])))
    assert round(sum(one.lost for one in weighed), 2) == round(100 - float(seen.score[0]), 2)
    for one in weighed:
        assert one.lost >= 0
        assert one.lost == pytest.approx(one.share * (100 - one.points) if one.share else 0, abs=0.0100001)
    assert sum(one.share for one in weighed) == pytest.approx(1)


@given(customers())
@settings(max_examples=150, deadline=None)
def test_every_proposed_change_makes_the_customer_green(
    customer: tuple[Health, dict[str, float], dict[str, Metric]],
) -> None:
    health, values, kinds = customer
    seen, weighed = judged(health, values)
    singles = single_changes(weighed, health, kinds)
    joint = joint_changes(weighed, health, kinds)
    for change in singles:
        assert after(health, values, [change]).colour[0] == Colour.GREEN
        if kinds[change.metric] is SUM:
            # Half as far is not enough, or the change was a step that people can say.
            half = Change(
                change.dimension, change.metric, change.now, (change.now + change.value) / 2, "about", 0
            )
            assert after(health, values, [half]).colour[0] != Colour.GREEN or abs(
                change.value - change.now
            ) < max(0.02, abs(change.value) / 20)
    if joint:
        assert after(health, values, joint).colour[0] == Colour.GREEN
        if health.mode == "weighted":
            assert after(health, values, joint[:-1]).colour[0] != Colour.GREEN
    if singles:
        assert len(joint) == 1 or health.mode == "any_red" or any(kind is COUNT for kind in kinds.values())
    if seen.colour[0] == Colour.GREEN:
        assert not singles and not joint


@given(customers(), st.integers(41, 99), st.integers(41, 99))
@settings(max_examples=100, deadline=None)
def test_a_higher_band_never_asks_for_less(
    customer: tuple[Health, dict[str, float], dict[str, Metric]], one: int, other: int
) -> None:
    health, values, kinds = customer
    _, weighed = judged(health, values)
    low, high = sorted((one, other))
    asked = {
        change.metric: abs(change.value - change.now)
        for change in single_changes(weighed, banded(health, low), kinds)
    }
    for change in single_changes(weighed, banded(health, high), kinds):
        moved = abs(change.value - change.now)
        assert change.metric in asked or float(judged(health, values)[0].score[0]) >= low
        assert moved >= asked.get(change.metric, 0) - max(0.011, abs(change.value) / 50)
