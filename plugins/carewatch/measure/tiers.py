"""Answer the question: how much does each customer matter?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.columns import Columns, Numbers
from carewatch.measure.health import points, tier_of, weighted_mean
from carewatch.spec.tiers import Tiers


@dataclass(frozen=True)
class Tiered:
    """Tiers of a batch: position among the tiers (0 the best) and the value score 0 to 100."""

    tier: NDArray[np.int16]
    value_score: Numbers


def tier_day(day: date) -> date:
    """Return the last tier day at or before the day: the first of its month."""
    return day.replace(day=1)


def tiers(spec: Tiers, columns: Columns, size: int) -> Tiered:
    """Return the tier of every customer: the value score is a weighted mean of points, a missing metric earns 0."""
    parts = [
        (scored.weight, np.nan_to_num(points(columns[name], scored.points), nan=scored.missing or 0.0))
        for name, scored in spec.metrics.items()
    ]
    value_score, _ = weighted_mean(parts, size)
    value_score = np.round(value_score, 2)
    return Tiered(tier_of(value_score, spec.cuts, spec.by), value_score)
