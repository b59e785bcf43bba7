"""Each number has one definition, and somebody who answers for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.firm import FILES, changed, configure

from carewatch.spec.document import SpecError
from carewatch.spec.literal import literal_facts
from carewatch.spec.loading import load
from carewatch.spec.metric_kinds import Measure

UNITLESS = (
    Measure.COUNT, Measure.DISTINCT, Measure.IN_A_ROW, Measure.FALLING, Measure.OPEN, Measure.RHYTHM, Measure.RATIO,
    Measure.SHARE, Measure.EXPECTED, Measure.SQL,
)  # fmt: skip
"""Kinds whose numbers are pure: so many, so many times as long, a rank."""
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.req("S3")
def test_every_shipped_metric_says_owner_unit_and_what_it_is_measured_from() -> None:
    metrics = load(ROOT / "config").judgement.metrics
    for name, metric in metrics.items():
        assert metric.owner.strip(), f"{name} has no owner"
        assert metric.unit.strip() or metric.kind in UNITLESS, f"{name} has no unit"
        others = [one for one in (metric.metric, metric.over, *(metric.metrics or ())) if one]
        read = metric.fact or (metric.sql and literal_facts(metric.sql)) or others
        assert read, f"{name} reads nothing"
        windows = [one for one in (metric, *(metrics[other] for other in others)) if one.window or one.sql]
        assert windows or metric.kind in (Measure.OPEN, Measure.MARKET), f"{name} has no window"
        assert all(other in metrics for other in others), name


@pytest.mark.req("S3")
def test_two_definitions_of_one_metric_are_refused(tmp_path: Path) -> None:
    again = FILES["metrics/dials.yaml"].replace("label: quiet", "label: quieter")
    with pytest.raises(SpecError, match="quiet"):
        configure(tmp_path, {"metrics/again.yaml": again})


@pytest.mark.req("S3")
def test_a_metric_that_nobody_defined_fails_validation(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="did you mean quiet"):
        configure(tmp_path, changed("warnings/dials.yaml", ("when: quiet >= 1", "when: quite >= 1")))
