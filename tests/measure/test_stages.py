"""Stages: the first whose condition is true, day 90 on both sides, and nothing said by numbers that are held."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from carewatch.measure.stages import UNKNOWN_STAGE, asleep, stage_texts, stages
from carewatch.paths import home
from carewatch.spec.condition import names
from carewatch.spec.loading import load
from carewatch.spec.stages import Stages

SPEC = load(home() / "config").judgement.stages
NAN = float("nan")
USUAL = {"days_since_order": 20.0, "days_since_first_order": 800.0}


def stage_of(spec: Stages = SPEC, lost: tuple[str, ...] = (), **numbers: float) -> str | None:
    read = {name for stage in spec.stages.values() if stage.when is not None for name in names(stage.when)}
    columns = {name: np.array([{**USUAL, **numbers}.get(name, NAN)]) for name in read | spec.names()}
    dormant = asleep(spec, columns, 1)
    return stage_texts(spec, stages(spec, columns, dormant, lost)).tolist()[0]  # type: ignore[no-any-return]


@pytest.mark.req("S115")
@pytest.mark.req("S118")
@pytest.mark.parametrize(
    ("numbers", "stage"),
    [
        ({"days_since_first_order": 90}, "onboarding"),
        ({"days_since_first_order": 91}, "stable"),
        ({"days_since_first_order": 0, "trial_days_left": 0}, "trial"),
        ({"trial_days_left": -1}, "stable"),
        ({"contract_days_left": 60}, "at_renewal"),
        ({"contract_days_left": 61}, "stable"),
        ({"growth_365d": 20}, "growth"),
        ({"growth_365d": 19.9}, "stable"),
        ({"growth_365d": 50, "contract_days_left": 5}, "at_renewal"),
        ({"days_since_order": 365}, "stable"),
        ({"days_since_order": 366, "growth_365d": 50}, "dormant"),
        ({"cancellations_90d": 1, "days_since_order": 91}, "churned"),
        ({"cancellations_90d": 1, "days_since_order": 90}, "stable"),
    ],
)
def test_the_first_stage_whose_condition_is_true_counts(numbers: dict[str, float], stage: str) -> None:
    assert stage_of(**numbers) == stage


@pytest.mark.req("S118")
def test_a_held_number_makes_unknown_who_is_not_decided_before_it_is_asked() -> None:
    assert stage_of(lost=("contract_days_left",), trial_days_left=3) == "trial"
    assert stage_of(lost=("contract_days_left",), days_since_first_order=5) == "onboarding"
    assert stage_of(lost=("contract_days_left",), growth_365d=50) is None
    assert stage_of(lost=("days_since_order",), days_since_first_order=5) is None
    columns = {"days_since_order": np.array([1.0])}
    bare = Stages.model_validate(
        {"version": 1, "lost": SPEC.lost.model_dump(mode="json"), "dormant_when": "days_since_order > 365"}
    )
    assert stages(bare, columns, np.zeros(1, bool)).tolist() == [UNKNOWN_STAGE], (
        "a firm without stages has none"
    )


@pytest.mark.req("S85")
@pytest.mark.parametrize(
    ("silence", "watched", "sleeps"),
    [
        (90, 0, True),
        (89, 0, False),
        (100, 10, True),
        (99, 10, False),
        (365, -1, False),
        (5, 10, False),
        (NAN, 5, False),
    ],
)
def test_who_was_lost_before_we_began_to_watch_sleeps_until_the_silence_is_broken(
    silence: float, watched: float, sleeps: bool
) -> None:
    spec = changed(
        watched_from="2026-06-01", silence="days_since_order", dormant_when="days_since_order > 9999"
    )
    columns = {"days_since_order": np.array([silence]), "days_watched": np.array([float(watched)])}
    assert asleep(spec, columns, 1).tolist() == [sleeps]


def changed(**changes: Any) -> Stages:
    return Stages.model_validate(SPEC.model_dump(mode="json", exclude_none=True) | changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stages": {"a": {"label": "A"}, "b": {"label": "B"}}}, "'a' takes everybody"),
        ({"stages": {"a": {"label": "A", "when": "x > 1"}}}, "'a' is the last"),
        (
            {"stages": {"a": {"label": "A", "when": "x > 1"}, "dormant": {"label": "D"}}},
            "'dormant' is the last",
        ),
        (
            {"stages": {"dormant": {"label": "D", "when": "x > 1"}, "z": {"label": "Z"}}},
            "said by dormant_when",
        ),
        ({"watched_from": "2026-06-01"}, "both the day and the metric"),
        ({"silence": "days_since_order"}, "both the day and the metric"),
    ],
)
def test_stages_that_cannot_be_meant_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        changed(**changes)
