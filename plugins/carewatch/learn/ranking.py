"""Answer the question: do the riskiest-looking customers really leave more often?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def average_precision(lost: NDArray[np.bool_], risk: NDArray[np.float64]) -> float:
    """Return the area under the precision-recall curve by steps; customers of equal risk are one step. NaN without losses."""
    if not lost.any():
        return float("nan")
    order = np.argsort(-risk, kind="stable")
    hits = np.cumsum(lost[order])
    ends = np.r_[np.flatnonzero(np.diff(risk[order])), len(risk) - 1]
    recall = hits[ends] / hits[-1]
    precision = hits[ends] / (ends + 1)
    return float(np.sum(np.diff(np.r_[0.0, recall]) * precision))


def top_lift(lost: NDArray[np.bool_], risk: NDArray[np.float64], share: float = 0.1) -> float:
    """Return how many times the base rate the riskiest share loses; ties at the edge count in proportion."""
    base = lost.mean() if len(lost) else 0.0
    if base == 0:
        return float("nan")
    size = share * len(risk)
    edge = np.sort(risk)[::-1][max(int(np.ceil(size)) - 1, 0)]
    above, at = risk > edge, risk == edge
    weight = (size - above.sum()) / at.sum()
    return float((lost[above].sum() + weight * lost[at].sum()) / size / base)
