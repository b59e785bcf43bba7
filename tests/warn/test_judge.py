"""One judgement for night, explanation and backtest: what rules may read, and levels with and without memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.firm import changed, configure

from carewatch.spec.configuration import JudgementSpec
from carewatch.warn.fold import Memory, fold
from carewatch.warn.judge import Judged, judge, level_of_hits, level_of_memory
from carewatch.warn.level import severities

NAN = float("nan")


def spec_of(folder: Path, condition: str) -> JudgementSpec:
    rules = changed("warnings/dials.yaml", ("when: quiet >= 1", f"when: {condition}\n    holds_for: 2"))
    return configure(folder, rules).judgement


def judged(spec: JudgementSpec) -> Judged:
    columns = {
        "quiet": np.array([0.0, 1.0, 1.0, 99.0]),
        "strain": np.array([0.0, 0.0, 1.0, 1.0]),
        "halt": np.array([0.0, 0.0, NAN, 1.0]),
        "mood": np.array([90.0, 60.0, 30.0, NAN]),
        "profit_rate": np.zeros(4),
        "sales": np.zeros(4),
    }
    return judge(spec, columns, np.array([0, 1, 2, 2], np.int16))


@pytest.mark.parametrize(
    ("condition", "states"),
    [
        ("quiet >= 1", [0, 1, 1, 0]),
        ("colour is yellow", [0, 1, 0, 0]),
        ("score < 50", [0, 0, 1, 0]),
        ("tier in [A, B]", [1, 1, 0, 0]),
        ("{all: [halt >= 1, quiet >= 1]}", [0, 0, -1, 0]),
    ],
)
def test_rules_read_metrics_and_what_the_night_has_judged(
    tmp_path: Path, condition: str, states: list[int]
) -> None:
    night = judged(spec_of(tmp_path, condition))
    assert night.dormant.tolist() == [False, False, False, True]
    assert night.states[:, night.book.number("quiet")].tolist() == states


def test_hits_make_a_level_at_once_and_memory_only_when_they_have_held(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, "quiet >= 1")
    night = judged(spec)
    assert level_of_hits(spec, night).tolist() == [0, 1, 2, 0]
    memory = Memory.empty(4, len(night.book.names))
    levels = []
    for _ in range(2):
        memory = fold(memory, night.states, night.book, dormant=night.dormant, missed=0)
        levels.append(
            level_of_memory(spec, night.book, memory, severities(night.book, night.columns)).tolist()
        )
    assert levels == [[0, 0, 1, 0], [0, 1, 2, 0]]


def test_one_customer_alone_is_judged_as_among_others(tmp_path: Path) -> None:
    spec = spec_of(tmp_path, "quiet >= 1")
    night = judged(spec)
    for at in range(4):
        alone = judge(spec, {name: night.columns[name][[at]] for name in spec.metrics}, night.tier[[at]])
        assert alone.states[0].tolist() == night.states[at].tolist()
        assert np.array_equal(alone.scores.score, night.scores.score[[at]], equal_nan=True)
