"""RFM classes and segments: both sides of every cut, and a class for everybody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from carewatch.measure.tiers import rfm, segments
from carewatch.paths import home
from carewatch.spec.loading import load
from carewatch.spec.rfm import Rfm
from carewatch.spec.segments import Segmentation

SPEC = load(home() / "config").judgement
NAN = float("nan")
BY_HAND = {
    # lately, often, and largest of five (the best 20 %)
    (60, 6, 900): "key_value",
    (61, 6, 800): "usual_keep",
    (60, 5, 700): "usual_develop",
    (59, 7, 600): "usual_value",
    (400, 1, 0): "usual_win_back",
}


def classes(spec: Rfm, *rows: tuple[float, ...]) -> list[str]:
    table = np.array(rows, dtype=float)
    columns = {side.metric: table[:, at] for at, side in enumerate(spec.sides.values())}
    return [spec.names[at] for at in rfm(spec, SPEC.metrics, columns, len(table))]


@pytest.mark.req("S68")
def test_each_side_is_high_from_its_cut_on_or_for_the_best_percent() -> None:
    assert SPEC.rfm is not None
    assert classes(SPEC.rfm, *BY_HAND) == list(BY_HAND.values())
    everything_high = [(1, 99, 9000 - at) for at in range(10)]
    assert classes(SPEC.rfm, *everything_high) == ["key_value"] * 2 + ["usual_value"] * 8
    hundred = classes(SPEC.rfm, *((1, 99, 9000 - at) for at in range(100)))
    assert hundred == ["key_value"] * 20 + ["usual_value"] * 80
    assert classes(SPEC.rfm, (NAN, NAN, NAN)) == ["usual_win_back"], "what nobody knows is low"


@pytest.mark.req("S68")
def test_every_shipped_class_is_called_in_both_languages_and_reached() -> None:
    assert SPEC.rfm is not None
    sides = [(r, f, m) for r in (1, 99) for f in (9, 1) for m in (1, 0)]
    cut = SPEC.rfm.model_copy(
        update={"monetary": SPEC.rfm.monetary.model_copy(update={"best": None, "cut": 1.0})}
    )
    assert sorted(classes(cut, *sides)) == sorted(SPEC.rfm.names)
    said = {one.label.in_("zh-CN") for one in SPEC.rfm.classes.values()}
    assert {"重要价值客户", "重要发展客户", "重要保持客户", "重要挽留客户"} < said and len(said) == 8


def changed(**changes: Any) -> Rfm:
    assert SPEC.rfm is not None
    return Rfm.model_validate(SPEC.rfm.model_dump(mode="json", exclude_none=True) | changes)


@pytest.mark.req("S68")
@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"classes": {"good": {"label": "Good", "recency": "high"}}},
            "no class fits customers with recency low",
        ),
        (
            {"classes": {"all": {"label": "All"}, "good": {"label": "Good", "recency": "high"}}},
            "nobody can be 'good'",
        ),
        ({"monetary": {"metric": "amount_365d", "best": 20, "cut": 5}}, "a cut or for the best percent"),
        ({"monetary": {"metric": "amount_365d"}}, "a cut or for the best percent"),
    ],
)
def test_classes_that_leave_somebody_out_or_take_nobody_are_refused(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        changed(**changes)


@pytest.mark.req("S71")
def test_the_first_segment_whose_condition_holds_counts() -> None:
    spec: Segmentation = SPEC.segments["activity"]
    found = segments(spec, {"orders_90d": np.array([3.0, 2, 1, 0, NAN])}, 5)
    assert [spec.names[at] for at in found] == ["busy", "usual", "usual", "quiet", "quiet"]


@pytest.mark.req("S71")
def test_loyalty_is_years_and_orders_together() -> None:
    rows = [(3, 6), (2.9, 6), (3, 5), (1, 0), (0.9, 99), (NAN, 99)]
    years, orders = np.array(rows, dtype=float).T
    spec = SPEC.segments["loyalty"]
    found = segments(spec, {"years_with_us": years, "orders_365d": orders}, len(rows))
    assert [spec.names[at] for at in found] == [
        "old_friend",
        "settled",
        "settled",
        "settled",
        "young",
        "young",
    ]
