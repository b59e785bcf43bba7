"""Of a held fact nothing is known: no rule about it fires or clears, whatever else would decide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.firm import FILES, changed, configure

from carewatch.measure.health import Colour
from carewatch.spec.configuration import JudgementSpec
from carewatch.warn.hits import State
from carewatch.warn.judge import Judged, judge

NAN = float("nan")
USAGE = ("usage_day",)
"""What `quiet`, `strain` and `halt` live on; `mood`, the one scored metric, lives on surveys."""


def columns(**given: list[float]) -> dict[str, np.ndarray[Any, Any]]:
    size = len(next(iter(given.values())))
    return {
        name: np.array(given.get(name, [0.0] * size))
        for name in ("quiet", "strain", "halt", "mood", "profit_rate", "sales")
    }


def judged(spec: JudgementSpec, held: tuple[str, ...] = USAGE, **given: list[float]) -> Judged:
    read = columns(**given)
    return judge(spec, read, np.zeros(len(read["mood"]), np.int16), held)


def states(night: Judged, rule: str) -> list[int]:
    return night.states[:, night.book.number(rule)].tolist()


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> JudgementSpec:
    return configure(tmp_path_factory.mktemp("plain")).judgement


@pytest.mark.req("D9")
@pytest.mark.parametrize(
    "condition",
    ["quiet >= 1", "{any: [mood >= 0, quiet >= 1]}", "{all: [mood < 0, quiet >= 1]}", "quiet is missing"],
)
def test_a_rule_that_reads_a_held_number_is_unknown_as_a_whole(tmp_path: Path, condition: str) -> None:
    spec = configure(
        tmp_path, changed("warnings/dials.yaml", ("when: quiet >= 1", f"when: {condition}"))
    ).judgement
    decided = judged(spec, (), quiet=[0, 5], mood=[90, 90])
    assert set(states(decided, "quiet")) <= {State.HIT, State.CLEAR}
    assert states(judged(spec, quiet=[0, 5], mood=[90, 90]), "quiet") == [State.UNKNOWN] * 2


def test_a_rule_is_held_by_what_clears_it_as_well(tmp_path: Path) -> None:
    rules = changed("warnings/dials.yaml", ("when: quiet >= 1", "when: mood < 50\n    clears_if: quiet <= 0"))
    spec = configure(tmp_path, rules).judgement
    assert states(judged(spec, mood=[10, 90]), "quiet") == [State.UNKNOWN] * 2


@pytest.mark.req("D9")
def test_rules_on_other_facts_and_the_health_of_what_is_known_go_on(spec: JudgementSpec) -> None:
    night = judged(spec, ("survey",), quiet=[0, 1], mood=[90, 10])
    assert states(night, "quiet") == [State.CLEAR, State.HIT]
    assert night.scores.colour.tolist() == [Colour.GREY] * 2 and np.isnan(night.scores.score).all()
    assert judged(spec, USAGE, mood=[90, 10]).scores.score.tolist() == [90, 10]


@pytest.mark.req("D9")
def test_health_neither_falls_nor_recovers_by_a_dimension_that_went_dark(tmp_path: Path) -> None:
    health = FILES["health.yaml"].replace(
        "  use: {label: Use, weight: 1, metrics: {mood: {weight: 1, points: {0: 0, 100: 100}}}}",
        "  use: {label: Use, weight: 0.6, metrics: {mood: {weight: 1, points: {0: 0, 100: 100}}}}\n"
        "  work: {label: Work, weight: 0.4, metrics: {strain: {weight: 1, points: {0: 100, 10: 0}}}}",
    )
    rules = changed("warnings/dials.yaml", ("when: quiet >= 1", "when: colour is red"))
    spec = configure(tmp_path, {"health.yaml": health, **rules}).judgement
    alive = judged(spec, (), mood=[40, 90], strain=[0, 10])
    dark = judged(spec, mood=[40, 90], strain=[0, 10])
    assert alive.scores.score.tolist() == [64, 54] and dark.scores.score.tolist() == [40, 90]
    assert dark.scores.known_share.tolist() == [0.6, 0.6]
    assert np.isnan(dark.scores.dimensions[:, 1]).all()
    for rule in ("health_yellow", "health_red", "quiet"):
        assert states(dark, rule) == [State.UNKNOWN] * 2, rule


def test_points_for_a_missing_number_are_not_given_for_a_held_one(tmp_path: Path) -> None:
    health = FILES["health.yaml"].replace("100: 100}}", "100: 100}, missing: 80}")
    spec = configure(tmp_path, {"health.yaml": health}).judgement
    assert judged(spec, (), mood=[NAN]).scores.score.tolist() == [80]
    assert np.isnan(judged(spec, ("survey",), mood=[NAN]).scores.score).all()


@pytest.mark.req("D9")
def test_nobody_falls_asleep_or_wakes_by_a_held_number(spec: JudgementSpec) -> None:
    night = judged(spec, quiet=[99, 0], mood=[10, 10])
    assert night.dormant.tolist() == [False, False]
    assert set(night.states[0].tolist()) == {State.UNKNOWN}, (
        "who may be asleep is neither warned about nor cleared"
    )
    assert states(night, "health_red") == [State.UNKNOWN, State.HIT]
    assert judged(spec, ("survey",), quiet=[99, 0], mood=[10, 10]).dormant.tolist() == [True, False]


@given(st.lists(st.sampled_from(["usage_day", "survey", "order", "ticket"]), unique=True), st.data())
def test_what_is_held_never_matters(spec: JudgementSpec, held: list[str], data: st.DataObject) -> None:
    """Any two worlds that differ only in held numbers are judged alike."""
    lives = {
        "quiet": "usage_day",
        "strain": "usage_day",
        "halt": "usage_day",
        "mood": "survey",
        "sales": "order",
    }
    numbers = st.one_of(st.just(NAN), st.floats(0, 98))
    one = {name: [data.draw(numbers)] for name in lives}
    other = {name: [data.draw(numbers)] if lives[name] in held else one[name] for name in lives}
    left, right = (judged(spec, tuple(held), **world) for world in (one, other))
    assert left.states.tolist() == right.states.tolist()
    assert left.scores.score.tobytes() == right.scores.score.tobytes()
