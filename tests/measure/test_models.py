"""Several health models: which one judges whom, by whose points, bands, mode and hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.firm import FILES, configure

from carewatch.measure.columns import Columns
from carewatch.measure.health import Colour, Scores, choose, score, score_all
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.health import FurtherModel, Health, HealthModel
from carewatch.warn.fold import Memory, Phase, fold
from carewatch.warn.hits import HEALTH_RED, HEALTH_YELLOW, State, floors
from carewatch.warn.judge import Judged, judge

TIERS = ("A", "B", "C")
NAN = float("nan")
LINE = {0: 0, 100: 100}


def dimension(weight: float, **metrics: Any) -> dict[str, Any]:
    return {"label": "d", "weight": weight, "metrics": metrics}


def metric(weight: float = 1, points: object = LINE, **more: object) -> dict[str, Any]:
    return {"weight": weight, "points": points, **more}


def model(**dimensions: Any) -> Health:
    return Health.model_validate({"version": 1, "label": "m", "dimensions": dimensions})


def further(
    name: str, when: object, order: int, /, *, changes: Any = None, **dimensions: Any
) -> FurtherModel:
    content = {
        "version": 1,
        "model": name,
        "label": name,
        "when": when,
        "order": order,
        "dimensions": dimensions,
    }
    return FurtherModel.model_validate(content | (changes or {}))


def texts(*values: str | None) -> np.ndarray[Any, np.dtype[np.object_]]:
    return np.array(values, dtype=object)


DEFAULT = model(use=dimension(1, x=metric()))
DEALERS = further(
    "dealers", "segment is dealer", 1, one=dimension(0.5, x=metric()), two=dimension(0.5, y=metric())
)
BIG = further("big", "tier is A", 2, only=dimension(1, y=metric()))
MODELS: tuple[HealthModel, ...] = (DEFAULT, DEALERS, BIG)


@pytest.mark.req("S56")
def test_each_customer_is_judged_by_the_first_model_that_claims_it() -> None:
    columns: Columns = {
        "x": np.array([80.0, 80, 80, 80, 80]),
        "y": np.array([20.0, 20, 20, 20, 20]),
        "segment": texts(None, "dealer", "dealer", "shop", None),
    }
    tier = np.array([2, 2, 0, 0, 0], np.int16)
    found = score_all(MODELS, columns, tier, TIERS)
    # a missing segment claims nobody; the dealer of tier A is a dealer first
    assert found.model.tolist() == [0, 1, 1, 2, 2]
    assert found.score.tolist() == [80, 50, 50, 20, 20]
    assert found.colour.tolist() == [Colour.GREEN, Colour.YELLOW, Colour.YELLOW, Colour.RED, Colour.RED]
    assert found.dimensions.shape == (5, 2)
    assert np.array_equal(found.dimensions[[0, 1, 3]], [[80, NAN], [80, 20], [20, NAN]], equal_nan=True)
    assert found.known_share.tolist() == [1] * 5


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "dealer", "shop"]), st.integers(0, 2),
            st.one_of(st.just(NAN), st.floats(0, 100)), st.one_of(st.just(NAN), st.floats(0, 100)),
        ),
        min_size=1, max_size=20,
    )
)  # fmt: skip
def test_beside_other_models_a_customer_scores_as_if_its_own_were_the_only_one(
    batch: list[tuple[str | None, int, float, float]],
) -> None:
    segment, tier, x, y = (list(column) for column in zip(*batch, strict=True))
    columns: Columns = {"segment": texts(*segment), "x": np.array(x), "y": np.array(y)}
    positions = np.array(tier, np.int16)
    together = score_all(MODELS, columns, positions, TIERS)
    for position, own in enumerate(MODELS):
        alone = score(own, columns, positions, TIERS)
        mine = together.model == position
        for field in ("score", "colour", "known_share"):
            assert getattr(together, field)[mine].tobytes() == getattr(alone, field)[mine].tobytes()
        width = len(own.dimensions)
        assert together.dimensions[mine, :width].tobytes() == alone.dimensions[mine].tobytes()
        assert np.isnan(together.dimensions[mine, width:]).all()


def test_one_model_alone_is_scored_as_ever() -> None:
    columns: Columns = {"x": np.array([80.0, NAN])}
    tier = np.zeros(2, np.int16)
    for field in ("score", "colour", "known_share", "dimensions", "model"):
        one, other = score_all((DEFAULT,), columns, tier, TIERS), score(DEFAULT, columns, tier, TIERS)
        assert getattr(one, field).tobytes() == getattr(other, field).tobytes()


def test_a_model_may_be_chosen_by_a_number_and_nobody_is_claimed_by_a_missing_one() -> None:
    old = further("old", "years >= 3", 1, only=dimension(1, x=metric()))
    assert choose((DEFAULT, old), {"years": np.array([2.99, 3, NAN])}, 3).tolist() == [0, 1, 0]


@pytest.mark.req("S46")
def test_points_by_industry_age_and_tier_and_which_of_them_wins() -> None:
    """Clothing is late after 30 days, equipment after 180; new customers are given time, in whatever industry."""
    by = [
        {"when": "years < 1", "points": {0: 100, 400: 0}},
        {"when": "industry is 服装", "points": {29: 100, 30: 0}},
        {"when": "industry is 设备", "points": {179: 100, 180: 0}},
    ]
    scored = metric(points={59: 100, 60: 0}, by=by, by_tier={"A": {44: 100, 45: 0}})
    asked = model(all=dimension(1, days=scored))
    rows = [
        ("服装", 5, 29, "C", 100), ("服装", 5, 30, "C", 0), ("设备", 5, 179, "C", 100), ("设备", 5, 180, "C", 0),
        (None, 5, 59, "C", 100), (None, 5, 60, "C", 0), (None, 5, 44, "A", 100), (None, 5, 45, "A", 0),
        ("服装", 5, 45, "A", 0), ("设备", 5, 45, "A", 100), ("服装", 0.99, 200, "A", 50), ("服装", 1, 200, "A", 0),
        ("服装", NAN, 29, "C", 100),
    ]  # fmt: skip
    columns: Columns = {
        "industry": texts(*(row[0] for row in rows)),
        "years": np.array([row[1] for row in rows]),
        "days": np.array([float(row[2]) for row in rows]),
    }
    tier = np.array([TIERS.index(row[3]) for row in rows], np.int16)
    assert score(asked, columns, tier, TIERS).score.tolist() == [row[4] for row in rows]
    assert asked.reads() == {"days", "years", "industry", "tier"}


def test_points_that_ask_a_held_number_are_unknown() -> None:
    asked = model(all=dimension(1, x=metric(missing=50, by=[{"when": "years < 1", "points": {0: 9, 1: 9}}])))
    columns: Columns = {"x": np.array([70.0]), "years": np.array([5.0])}
    assert score(asked, columns, np.zeros(1, np.int16), TIERS).score.tolist() == [70]
    assert np.isnan(score(asked, columns, np.zeros(1, np.int16), TIERS, {"years"}).score).all()


ANY_RED = model(a=dimension(0.8, x=metric()), b=dimension(0.2, y=metric())).model_copy(
    update={"mode": "any_red"}
)


@pytest.mark.parametrize(
    ("x", "y", "weighted", "any_red"),
    [
        (100, 40, Colour.GREEN, Colour.GREEN),
        (100, 39.99, Colour.GREEN, Colour.RED),
        (60, 0, Colour.YELLOW, Colour.RED),
        (60, 40, Colour.YELLOW, Colour.YELLOW),
        (0, 100, Colour.RED, Colour.RED),
        # one dimension is known: a red one is enough, a green one says nothing of the other
        (NAN, 0, Colour.GREY, Colour.RED),
        (NAN, 100, Colour.GREY, Colour.GREY),
        (NAN, NAN, Colour.GREY, Colour.GREY),
    ],
)
def test_one_red_dimension_makes_it_red_in_that_mode_and_the_score_stays(
    x: float, y: float, weighted: Colour, any_red: Colour
) -> None:
    columns: Columns = {"x": np.array([x]), "y": np.array([y])}
    plain = ANY_RED.model_copy(update={"mode": "weighted"})
    one, other = (score(each, columns, np.zeros(1, np.int16), TIERS) for each in (plain, ANY_RED))
    assert (one.colour.tolist(), other.colour.tolist()) == ([weighted], [any_red])
    assert one.score.tobytes() == other.score.tobytes()


def floors_of(models: tuple[HealthModel, ...], scores: Scores) -> list[list[int]]:
    return floors(models, scores, np.zeros(len(scores.score), bool)).tolist()


@pytest.mark.parametrize(
    ("x", "y", "yellow", "red"),
    [
        (100, 39.99, State.HIT, State.HIT),
        # a dimension that has left red by less than the margin of 5 neither sets nor lifts the floors
        (100, 44.99, State.LINGERING, State.LINGERING),
        (100, 45, State.CLEAR, State.CLEAR),
        (60, 45, State.HIT, State.CLEAR),
        (NAN, 0, State.HIT, State.HIT),
        (NAN, 100, State.UNKNOWN, State.UNKNOWN),
    ],
)
def test_the_floors_follow_the_worst_dimension_in_that_mode(
    x: float, y: float, yellow: State, red: State
) -> None:
    columns: Columns = {"x": np.array([x]), "y": np.array([y])}
    found = score(ANY_RED, columns, np.zeros(1, np.int16), TIERS)
    assert floors_of((ANY_RED,), found) == [[yellow, red]]


@given(st.floats(0, 100), st.floats(0, 100))
def test_red_is_where_the_red_floor_is_set(x: float, y: float) -> None:
    columns: Columns = {"x": np.array([x]), "y": np.array([y])}
    for one in (ANY_RED, ANY_RED.model_copy(update={"mode": "weighted"})):
        found = score(one, columns, np.zeros(1, np.int16), TIERS)
        [[yellow, red]] = floors_of((one,), found)
        assert (found.colour[0] == Colour.RED) == (red == State.HIT)
        assert (found.colour[0] != Colour.GREEN) == (yellow == State.HIT)


def test_each_customer_has_the_bands_and_the_margin_of_its_own_model() -> None:
    strict = further(
        "strict", "tier is A", 1, use=dimension(1, x=metric()),
        changes={"bands": {"green": 90, "yellow": 80}, "margin": 0},
    )  # fmt: skip
    columns: Columns = {"x": np.array([85.0, 85, 72, 90])}
    found = score_all((DEFAULT, strict), columns, np.array([2, 0, 2, 0], np.int16), TIERS)
    assert found.colour.tolist() == [Colour.GREEN, Colour.YELLOW, Colour.GREEN, Colour.GREEN]
    assert floors_of((DEFAULT, strict), found) == [
        [State.CLEAR, State.CLEAR], [State.HIT, State.CLEAR], [State.LINGERING, State.CLEAR], [State.CLEAR, State.CLEAR],
    ]  # fmt: skip


STRICT_FILE = """
version: 1
model: strict
label: Strict
when: tier is A
order: 1
dimensions:
  talks: {label: Talks, weight: 1, metrics: {strain: {weight: 1, points: {0: 100, 10: 0}}}}
hold_nights: 4
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> JudgementSpec:
    """The tiny firm, whose tier A has a model with another dimension, read from another fact, that holds longer."""
    rule = FILES["warnings/dials.yaml"].replace("dimension: use", "dimension: talks", 1)
    files = {"health/strict.yaml": STRICT_FILE, "warnings/dials.yaml": rule}
    return configure(tmp_path_factory.mktemp("models"), files).judgement


def judged(spec: JudgementSpec, *held: str) -> Judged:
    """One customer of the default model and one of the strict one, red by either."""
    numbers = {"quiet": 0.0, "halt": 0.0, "profit_rate": 0.0, "sales": 0.0, "mood": 10.0, "strain": 9.0}
    columns = {name: np.full(2, value) for name, value in numbers.items()}
    return judge(spec, columns, np.array([2, 0], np.int16), held)


def test_a_file_beside_the_model_of_the_firm_is_read_and_stored(spec: JudgementSpec) -> None:
    assert spec.model_names == ("default", "strict")
    again = JudgementSpec.from_canonical(spec.canonical())
    assert again.fingerprint == spec.fingerprint and again.models == spec.models
    assert spec.longest_hold == 4


def test_a_colour_holds_as_long_as_the_model_of_the_customer_says(spec: JudgementSpec) -> None:
    night = judged(spec)
    assert night.scores.score.tolist() == [10, 10] and night.scores.model.tolist() == [0, 1]
    memory = Memory.empty(2, len(night.book.names))
    opened = []
    for _ in range(4):
        memory = fold(memory, night.states, night.book, dormant=night.dormant, missed=0)
        opened.append((memory.phase[:, night.book.number(HEALTH_RED)] == Phase.OPEN).tolist())
    assert opened == [[False, False], [True, False], [True, False], [True, True]]


def test_only_scores_that_read_what_is_held_are_held(spec: JudgementSpec) -> None:
    for fact, held in (("survey", [True, False]), ("usage_day", [False, True])):
        night = judged(spec, fact)
        unknown = (
            night.states[:, [night.book.number(one) for one in (HEALTH_YELLOW, HEALTH_RED)]] == State.UNKNOWN
        ).all(axis=1)
        assert unknown.tolist() == held


@settings(max_examples=30)
@given(st.floats(0, 99), st.floats(0, 99), st.integers(0, 2))
def test_a_model_that_is_chosen_by_a_held_number_holds_everybody(
    spec: JudgementSpec, one: float, other: float, tier: int
) -> None:
    """What is held never matters, not even for the choice."""
    chosen = further("strict", "sales >= 50", 1, use=dimension(1, strain=metric()))
    spec = spec.model_copy(update={"models": [chosen]})
    nights = []
    for sales in (one, other):
        columns = {name: np.full(1, 5.0) for name in ("quiet", "halt", "profit_rate", "mood", "strain")}
        nights.append(
            judge(spec, {**columns, "sales": np.array([sales])}, np.array([tier], np.int16), ["order"])
        )
    for night in nights:
        assert (night.states[:, -2:] == State.UNKNOWN).all()
    assert nights[0].scores.score.tobytes() == nights[1].scores.score.tobytes()


def test_models_are_in_order_however_their_files_are_called(tmp_path: Path) -> None:
    late = STRICT_FILE.replace("model: strict", "model: late").replace("order: 1", "order: 7")
    loaded = configure(tmp_path, {"health/a.yaml": late, "health/z.yaml": STRICT_FILE}).judgement
    assert loaded.model_names == ("default", "strict", "late")
