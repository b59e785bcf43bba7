"""The health score is what a person computes by hand, to the last digit, whoever else is in the batch."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.measure.columns import Columns
from carewatch.measure.health import Colour, Scores, points, risk_of, score
from carewatch.paths import home
from carewatch.spec.document import read_document, validate
from carewatch.spec.health import Health

TIERS = ("A", "B", "C")
NAN = float("nan")


def health(**changes: Any) -> Health:
    """Two dimensions, 60 to 40; the first of two metrics, 75 to 25."""
    model = {
        "version": 1,
        "label": "by hand",
        "dimensions": {
            "trade": {
                "label": "trade",
                "weight": 0.6,
                "metrics": {
                    "orders": {"weight": 0.75, "points": {0: 0, 10: 100}},
                    "silence": {"weight": 0.25, "points": {1: 100, 3: 0}},
                },
            },
            "service": {
                "label": "service",
                "weight": 0.4,
                "metrics": {"complaints": {"weight": 1, "points": {0: 100, 1: 70, 2: 35, 4: 0}}},
            },
        },
    }
    return Health.model_validate(model | changes)


def one_metric(points: dict[float, float], **scored: object) -> dict[str, Any]:
    metric = {"weight": 1, "points": points, **scored}
    return {"dimensions": {"all": {"label": "all", "weight": 1, "metrics": {"x": metric}}}}


def scored(model: Health, rows: list[dict[str, float]], tier: str | None = None) -> Scores:
    names = model.metric_names()
    columns: Columns = {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}
    tiers = np.array([TIERS.index(letter) for letter in tier or "C" * len(rows)], dtype=np.int16)
    return score(model, columns, tiers, TIERS)


def row(orders: float, silence: float, complaints: float) -> dict[str, float]:
    return {"orders": orders, "silence": silence, "complaints": complaints}


@pytest.mark.req("S53")
@pytest.mark.parametrize(
    ("given_row", "trade", "service", "total"),
    [
        # 0.75 x 40 + 0.25 x 75 = 48.75; 17.5; 0.6 x 48.75 + 0.4 x 17.5 = 36.25
        (row(4, 1.5, 3), 48.75, 17.5, 36.25),
        # at and beyond the outermost knots the points stay
        (row(10, 1, 0), 100, 100, 100),
        (row(99, -5, -1), 100, 100, 100),
        (row(0, 3, 4), 0, 0, 0),
        (row(-9, 99, 99), 0, 0, 0),
        # on a knot
        (row(10, 3, 1), 75, 70, 73),
        # 0.75 x 10/3 x 10 + 0.25 x 100/3 = 33.33...; 70 - 35/3 = 58.33...; together 43.333...
        (row(10 / 3, 1 + 4 / 3, 4 / 3), 33.33, 58.33, 43.33),
        # 0.75 x 66.66 + 0.25 x 100 = 74.995 (to even: 75.00 or 74.99, see below); 0.6 x 74.995 + 0.4 x 70 = 72.997
        (row(6.666, 1, 1), None, 70, 73.0),
        # 0.6 x 30.75 + 0.4 x 93.7 = 55.93
        (row(4.1, 5, 0.21), 30.75, 93.7, 55.93),
    ],
)  # fmt: skip
def test_the_score_is_the_weighted_mean_to_the_last_digit(
    given_row: dict[str, float], trade: float | None, service: float, total: float
) -> None:
    result = scored(health(), [given_row])
    assert result.score.tolist() == [total]
    assert result.dimensions[0, 1] == service
    assert trade is None or result.dimensions[0, 0] == trade
    assert result.known_share.tolist() == [1]


@pytest.mark.req("S53")
@pytest.mark.parametrize(
    ("weights", "metrics", "said"),
    [
        ((0.6, 0.39), (0.75, 0.25), "dimensions.* 0.99"),
        ((0.6, 0.41), (0.75, 0.25), "dimensions.* 1.01"),
        ((0.6, 0.4), (0.75, 0.24), "'?trade'?.* 0.99"),
        ((0.6, 0.4), (0.75, 0.250001), "'?trade'?"),
    ],
)
def test_weights_that_do_not_sum_to_one_are_refused(
    weights: tuple[float, float], metrics: tuple[float, float], said: str
) -> None:
    dimensions = health().model_dump()["dimensions"]
    for name, weight in zip(("trade", "service"), weights, strict=True):
        dimensions[name]["weight"] = weight
    for name, weight in zip(("orders", "silence"), metrics, strict=True):
        dimensions["trade"]["metrics"][name]["weight"] = weight
    with pytest.raises(ValueError, match=said):
        health(dimensions=dimensions)


def test_weights_of_tenths_that_only_sum_to_one_in_decimals_are_accepted() -> None:
    tenths = {f"m{number}": {"weight": 0.1, "points": {0: 0, 1: 100}} for number in range(10)}
    assert sum(0.1 for _ in range(10)) != 1
    model = health(dimensions={"all": {"label": "all", "weight": 1, "metrics": tenths}})
    assert scored(model, [dict.fromkeys(tenths, 0.7)]).score.tolist() == [70]


@pytest.mark.req("S53")
def test_the_shipped_model_is_sound() -> None:
    model, problems = validate(read_document(home() / "config" / "health.yaml"), Health)
    assert model is not None and not problems
    assert sum(dimension.weight for dimension in model.dimensions.values()) == pytest.approx(1)


@pytest.mark.req("S54")
@pytest.mark.parametrize(
    ("value", "colour"),
    [
        (100, Colour.GREEN), (70.01, Colour.GREEN), (70, Colour.GREEN), (69.996, Colour.GREEN),
        (69.994, Colour.YELLOW), (69.99, Colour.YELLOW), (40.01, Colour.YELLOW), (40, Colour.YELLOW), (39.996, Colour.YELLOW),
        (39.994, Colour.RED), (39.99, Colour.RED), (0, Colour.RED), (NAN, Colour.GREY),
    ],
)  # fmt: skip
def test_a_band_begins_with_its_own_score_after_rounding(value: float, colour: Colour) -> None:
    model = health(**one_metric({0: 0, 100: 100}), bands={"green": 70, "yellow": 40})
    assert scored(model, [{"x": value}]).colour.tolist() == [colour]


@pytest.mark.req("S54")
def test_bands_are_configured() -> None:
    model = health(**one_metric({0: 0, 100: 100}), bands={"green": 85.5, "yellow": 60})
    values = (85.5, 85.49, 60, 59.99)
    assert scored(model, [{"x": value} for value in values]).colour.tolist() == [
        Colour.GREEN, Colour.YELLOW, Colour.YELLOW, Colour.RED,
    ]  # fmt: skip


@pytest.mark.req("S54")
def test_the_shipped_bands_on_both_sides() -> None:
    shipped, _ = validate(read_document(home() / "config" / "health.yaml"), Health)
    assert shipped is not None
    model = health(**one_metric({0: 0, 100: 100}), bands=shipped.bands.model_dump())
    assert scored(model, [{"x": value} for value in (70, 69.99, 50, 49.99)]).colour.tolist() == [
        Colour.GREEN, Colour.YELLOW, Colour.YELLOW, Colour.RED,
    ]  # fmt: skip


@pytest.mark.req("S59")
def test_risk_is_what_lacks_to_full_health_and_the_unknown_is_not_healthy() -> None:
    assert risk_of(np.array([0, 42.5, 100, NAN])).tolist() == [1, 0.575, 0, 1]


def test_a_tier_has_its_own_knots_where_they_are_given() -> None:
    by_tier = {"A": {0: 0, 10: 100}, "B": {0: 0, 40: 100}}
    model = health(**one_metric({0: 0, 20: 100}, by_tier=by_tier))
    assert scored(model, [{"x": 5}] * 3, "ABC").score.tolist() == [50, 12.5, 25]
    assert scored(model, [{"x": 5}] * 3, "CAB").score.tolist() == [25, 50, 12.5]


def test_missing_is_skipped_or_earns_what_the_model_says_in_every_tier() -> None:
    skipped = scored(health(), [row(4, NAN, 3), row(4, 1.5, 3)])
    # the silence's weight goes to the orders: 40; 0.6 x 40 + 0.4 x 17.5 = 31
    assert skipped.score.tolist() == [31, 36.25]
    assert skipped.known_share.tolist() == [1, 1]
    fixed = health(**one_metric({0: 100, 10: 0}, missing=20, by_tier={"A": {0: 50, 10: 0}}))
    result = scored(fixed, [{"x": NAN}, {"x": NAN}, {"x": 0}], "ACA")
    assert result.score.tolist() == [20, 20, 50] and result.known_share.tolist() == [1, 1, 1]


def halves(weight: float) -> Health:
    metrics = {
        "x": {"weight": weight, "points": {0: 0, 100: 100}},
        "y": {"weight": 1 - weight, "points": {0: 0, 100: 100}},
    }
    return health(dimensions={"all": {"label": "all", "weight": 1, "metrics": metrics}})


@pytest.mark.parametrize(("weight", "known"), [(0.5, True), (0.51, True), (0.49, False)])
def test_a_dimension_is_known_when_half_of_its_weight_is(weight: float, known: bool) -> None:
    result = scored(halves(weight), [{"x": 80, "y": NAN}])
    assert np.array_equal(result.score, [80 if known else NAN], equal_nan=True)
    assert result.known_share.tolist() == [1 if known else 0]
    assert result.colour.tolist() == [Colour.GREEN if known else Colour.GREY]


def test_half_of_a_weight_is_half_in_decimals() -> None:
    weights = {"a": 0.1, "b": 0.4, "c": 0.2, "d": 0.3}
    metrics = {name: {"weight": weight, "points": {0: 0, 1: 100}} for name, weight in weights.items()}
    model = health(dimensions={"all": {"label": "all", "weight": 1, "metrics": metrics}})
    rows = [{"a": NAN, "b": NAN, "c": 1.0, "d": 1.0}, {"a": 1.0, "b": 1.0, "c": NAN, "d": NAN}]
    assert scored(model, rows).score.tolist() == [100, 100]


def shares(*weights: float, grey_below: float) -> Health:
    dimensions = {
        f"d{number}": {
            "label": "d",
            "weight": weight,
            "metrics": {f"x{number}": {"weight": 1, "points": {0: 0, 100: 100}}},
        }
        for number, weight in enumerate(weights)
    }
    return health(dimensions=dimensions, grey_below=grey_below)


@pytest.mark.parametrize(
    ("grey_below", "colour"), [(30, Colour.GREEN), (30.01, Colour.GREY), (29.99, Colour.GREEN), (0, Colour.GREEN), (100, Colour.GREY)]
)  # fmt: skip
def test_grey_is_below_the_known_share_and_not_at_it(grey_below: float, colour: Colour) -> None:
    model = shares(0.1, 0.2, 0.7, grey_below=grey_below)
    result = scored(model, [{"x0": 90, "x1": 90, "x2": NAN}])
    assert result.colour.tolist() == [colour]
    assert result.known_share.tolist() == [0.3] and result.score.tolist() == [90], "the score stays, in grey"


def test_everything_known_is_never_grey_and_nothing_known_always() -> None:
    for grey_below in (0, 50, 100):
        model = shares(0.1, 0.2, 0.7, grey_below=grey_below)
        known, unknown = dict.fromkeys(("x0", "x1", "x2"), 10.0), dict.fromkeys(("x0", "x1", "x2"), NAN)
        result = scored(model, [known, unknown])
        assert result.colour.tolist() == [Colour.RED, Colour.GREY]
        assert result.score[0] == 10 and np.isnan(result.score[1]) and np.isnan(result.dimensions[1]).all()


def test_nobody_is_scored_as_nobody() -> None:
    result = scored(health(), [])
    assert result.score.shape == (0,) and result.colour.shape == (0,) and result.dimensions.shape == (0, 2)


values = st.one_of(st.just(NAN), st.floats(-20, 20), st.integers(-5, 12).map(float))
customers = st.lists(st.tuples(values, values, values, st.sampled_from(TIERS)), min_size=1, max_size=40)


def full_model() -> Health:
    model = health().model_dump()
    orders = model["dimensions"]["trade"]["metrics"]["orders"]
    orders["by_tier"] = {"A": {0: 0, 3: 20, 7: 95, 10: 100}, "B": {1: 10, 10: 100}}
    model["dimensions"]["service"]["metrics"]["complaints"]["missing"] = 33.3
    return health(dimensions=model["dimensions"])


@given(customers)
def test_a_customer_alone_scores_as_in_any_batch(batch: list[tuple[float, float, float, str]]) -> None:
    model = full_model()
    rows, tier = [row(*entry[:3]) for entry in batch], "".join(entry[3] for entry in batch)
    together = scored(model, rows, tier)
    backwards = scored(model, rows[::-1], tier[::-1])
    for position, (one, letter) in enumerate(zip(rows, tier, strict=True)):
        alone = scored(model, [one], letter)
        for field in ("score", "colour", "known_share", "dimensions"):
            bits = getattr(alone, field).tobytes()
            assert getattr(together, field)[position : position + 1].tobytes() == bits
            assert getattr(backwards, field)[::-1][position : position + 1].tobytes() == bits


@given(customers)
def test_the_score_is_within_half_a_hundredth_of_the_exact_one(
    batch: list[tuple[float, float, float, str]],
) -> None:
    model = full_model()
    result = scored(model, [row(*entry[:3]) for entry in batch], "".join(entry[3] for entry in batch))
    for entry, got in zip(batch, result.score, strict=True):
        exact = exact_score(model, row(*entry[:3]), entry[3])
        assert exact is not None, "complaints always earn points"
        assert abs(Fraction(float(got)) - exact) <= Fraction("0.0050000001")
        assert Decimal(repr(float(got))).quantize(Decimal("0.01"), ROUND_HALF_EVEN) == Decimal(
            repr(float(got))
        )


def exact_score(model: Health, given_row: dict[str, float], tier: str) -> Fraction | None:
    """Compute the score once more, in fractions and one customer at a time."""
    parts = []
    for dimension in model.dimensions.values():
        known = []
        for name, metric in dimension.metrics.items():
            worth = exact_points(metric.by_tier.get(tier, metric.points), given_row[name])
            worth = Fraction(metric.missing) if worth is None and metric.missing is not None else worth
            if worth is not None:
                known.append((Fraction(str(metric.weight)), worth))
        if sum(weight for weight, _ in known) >= Fraction(1, 2):
            parts.append((Fraction(str(dimension.weight)), mean(known)))
    return mean(parts) if parts else None


def mean(parts: list[tuple[Fraction, Fraction]]) -> Fraction:
    return sum(weight * value for weight, value in parts) / Fraction(sum(weight for weight, _ in parts))


def exact_points(knots: tuple[tuple[float, float], ...], value: float) -> Fraction | None:
    if np.isnan(value):
        return None
    exact = [(Fraction(at), Fraction(worth)) for at, worth in knots]
    at = min(max(Fraction(value), exact[0][0]), exact[-1][0])
    for (left, low), (right, high) in pairwise(exact):
        if left <= at <= right:
            return low + (high - low) * (at - left) / (right - left)
    raise AssertionError


@st.composite
def shares_of_one(draw: st.DrawFn, count: int) -> list[float]:
    """Weights in hundredths that sum to 1, as people write them."""
    cuts = sorted(draw(st.lists(st.integers(1, 99), min_size=count - 1, max_size=count - 1, unique=True)))
    return [(right - left) / 100 for left, right in pairwise([0, *cuts, 100])]


@st.composite
def any_model(draw: st.DrawFn) -> tuple[Health, dict[str, float]]:
    """A model of any shape, weights and points, and one customer's numbers."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    dimensions: dict[str, Any] = {}
    given_row: dict[str, float] = {}
    for number, (size, weight) in enumerate(zip(sizes, draw(shares_of_one(len(sizes))), strict=True)):
        metrics = {}
        for place, share in enumerate(draw(shares_of_one(size))):
            at = sorted(draw(st.lists(st.integers(-500, 500), min_size=2, max_size=5, unique=True)))
            worth = draw(st.lists(st.integers(0, 1000), min_size=len(at), max_size=len(at)))
            name = f"m{number}_{place}"
            metrics[name] = {
                "weight": share,
                "points": {one: tenth / 10 for one, tenth in zip(at, worth, strict=True)},
            }
            given_row[name] = draw(
                st.one_of(st.just(NAN), st.integers(-6000, 6000).map(lambda one: one / 10))
            )
        dimensions[f"d{number}"] = {"label": "d", "weight": weight, "metrics": metrics}
    return health(dimensions=dimensions), given_row


@pytest.mark.req("S53")
@given(any_model())
def test_whatever_the_weights_and_points_the_score_is_the_one_computed_by_hand(
    drawn: tuple[Health, dict[str, float]],
) -> None:
    """To the last digit: the exact value rounded to hundredths, except where it lies on the edge between two."""
    model, given_row = drawn
    got, exact = float(scored(model, [given_row]).score[0]), exact_score(model, given_row, "C")
    if exact is None:
        assert np.isnan(got)
        return
    edge = abs(exact * 100 - int(exact * 100) - Fraction(1, 2)) < Fraction(1, 10**6)
    expected = {float(round(exact, 2))} | (
        {round(float(exact) + step, 2) for step in (-0.005, 0.005)} if edge else set()
    )
    assert got in expected


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_points_stay_between_the_knots_around_them(given_values: list[float]) -> None:
    knots = ((-3.0, 90.0), (0.0, 20.0), (0.5, 20.0), (7.0, 100.0))
    worth = points(np.array(given_values), knots)
    assert ((worth >= 20) & (worth <= 100)).all()
    at_knots = points(np.array([at for at, _ in knots]), knots)
    assert at_knots.tolist() == [points_there for _, points_there in knots]
