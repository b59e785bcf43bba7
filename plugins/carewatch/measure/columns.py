"""Answer the question: in which shape do numbers of many customers travel between the rooms?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
"""One number a customer, NaN where missing."""

Texts = NDArray[np.object_]
"""One text a customer, None where missing."""

Columns = Mapping[str, NDArray[Any]]
"""Columns by name, all of one length: a row is a customer."""


def tier_texts(tier: NDArray[np.int16], tiers: tuple[str, ...]) -> Texts:
    """Return the name of each customer's tier."""
    return np.array(tiers, dtype=object)[tier]
