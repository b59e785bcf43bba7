"""Carry one customer's nature, story and random stream through the generators, and collect their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from .model import COLUMNS, Version
from .profiles import Profile
from .span import DAYS_PER_MONTH, Floats, Span, season
from .stories import Effects, Story

OPENS_MINUTE, CLOSES_MINUTE = 9 * 60, 18 * 60


@dataclass
class Ledger:
    """Every version of every row the generators produce."""

    rows: dict[str, list[Version]] = field(default_factory=lambda: {name: [] for name in COLUMNS})

    def put(self, table: str, visible_at: datetime, *values: Any) -> None:
        """Add one version; `values` follow the table's columns."""
        self.rows[table].append(Version(visible_at, values))


@dataclass(frozen=True)
class Life:
    """One customer during the simulated period."""

    profile: Profile
    story: Story | None
    decoys: dict[str, int]
    effects: Effects
    span: Span
    rng: np.random.Generator
    ledger: Ledger

    def has(self, cause: str) -> bool:
        """Tell whether the customer leaves for this cause."""
        return self.story is not None and self.story.cause == cause

    def season(self) -> Floats:
        """Return the customer's own yearly wave, about 1 on average."""
        return season(self.span, peak_month=self.profile.peak_month, depth=self.profile.season_depth)

    def happenings(self, monthly_rate: float, factor: Floats) -> Iterator[tuple[int, int]]:
        """Draw (day, minute) of a random stream of events on working days since the customer's first day."""
        expected = monthly_rate / DAYS_PER_MONTH * self.span.pace * factor
        expected[: self.profile.first_day] = 0.0
        days = np.repeat(np.arange(self.span.days), self.rng.poisson(expected))
        minutes = self.rng.integers(OPENS_MINUTE, CLOSES_MINUTE, size=len(days))
        return zip(days.tolist(), minutes.tolist(), strict=True)
