"""Answer the question: how many new warnings does a week bring to each person, and what would a budget give up?

Warnings are ordered by what they put at stake (risk times value). A cut-off on it keeps a person's weeks within a budget;
what lies below it is what the budget gives up. Weeks are taken as they were: past weeks are the only promise of future
ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Week = NDArray[np.float64]
"""What each new warning of one week put at stake, in any order."""


@dataclass(frozen=True)
class Budgeted:
    """The weeks of one person or team against a budget.

    `cut` is the least stake that is still warned of (0: everything); `within` the share of the past weeks that kept the
    budget with it. `given_up` and `stake_given_up` count what lies below it, a week on average.
    """

    budget: float
    mean: float
    worst: int
    cut: float
    within: float
    given_up: float
    stake_given_up: float


def within_budget(weeks: Sequence[Week], budget: float, *, probability: float = 0.9) -> Budgeted:
    """Return the smallest cut-off with which at least `probability` of the weeks bring no more than `budget` warnings."""
    counts = [len(week) for week in weeks]
    needed = sorted(_needed(week, budget) for week in weeks)
    keep = int(np.ceil(probability * len(weeks) - 1e-9))
    cut = needed[keep - 1] if weeks and keep > 0 else 0.0
    below = [week[week < cut] for week in weeks]
    fits = [len(week) - len(lost) <= budget for week, lost in zip(weeks, below, strict=True)]
    return Budgeted(
        budget,
        float(np.mean(counts)) if weeks else 0.0,
        max(counts, default=0),
        float(cut),
        float(np.mean(fits)) if weeks else 1.0,
        float(np.mean([len(lost) for lost in below])) if weeks else 0.0,
        float(np.mean([lost.sum() for lost in below])) if weeks else 0.0,
    )


def _needed(week: Week, budget: float) -> float:
    """Return the least cut-off that keeps one week within the budget: just above the first stake that is too many."""
    room = int(budget)
    if len(week) <= room:
        return 0.0
    return float(np.nextafter(np.sort(week)[::-1][room], np.inf))
