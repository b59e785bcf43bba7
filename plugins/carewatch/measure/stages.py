"""Answer the question: who sleeps, and in which stage of its life is each customer tonight?

A pure function of tonight's numbers, without memory, so that a replay comes to the same: transitions are what a fold over
nights in date order finds between one stage and the next.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns, Texts
from carewatch.spec.condition import TRUE, evaluate, names
from carewatch.spec.stages import DORMANT, Stages

UNKNOWN_STAGE: Final = -1
DAYS_WATCHED: Final = "days_watched"
"""The column of days since `watched_from`."""


def asleep(spec: Stages, columns: Columns, size: int) -> NDArray[np.bool_]:
    """Return who sleeps: by `dormant_when`, or silent since before we began to watch."""
    result = np.zeros(size, dtype=bool)
    if spec.dormant_when is not None:
        result |= evaluate(spec.dormant_when, columns) == TRUE
    if spec.silence is not None:
        began = columns[DAYS_WATCHED]
        result |= (began >= 0) & (columns[spec.silence] - began >= spec.lost.within.max_days())
    return result


def stages(
    spec: Stages, columns: Columns, dormant: NDArray[np.bool_], lost: Collection[str] = ()
) -> NDArray[np.int16]:
    """Return the position of every customer's stage; UNKNOWN_STAGE where a `lost` metric would have to say.

    `dormant` is who sleeps by numbers that are known.
    """
    result = np.full(len(dormant), UNKNOWN_STAGE, dtype=np.int16)
    open_ = np.ones(len(dormant), dtype=bool)
    for position, (name, stage) in enumerate(spec.stages.items()):
        reads = (
            spec.names() if name == DORMANT else names(stage.when) if stage.when is not None else frozenset()
        )
        if not reads.isdisjoint(lost):
            return result
        if name == DORMANT:
            here = open_ & dormant
        elif stage.when is None:
            here = open_
        else:
            here = open_ & (evaluate(stage.when, columns) == TRUE)
        result[here] = position
        open_ = open_ & ~here
    return result


def stage_texts(spec: Stages, stage: NDArray[np.int16]) -> Texts:
    """Return the name of each customer's stage, None where it is unknown."""
    return np.array([*spec.stages, None], dtype=object)[stage]
