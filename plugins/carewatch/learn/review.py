"""Answer the question: were last quarter's warnings right, and who left without one?

A warning was right when the customer was lost within the window after it opened. A customer who was flagged, treated and
kept is neither a true nor a false alarm: it may have been saved. A case whose window reaches past the data is open and counts
for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

import numpy as np

from carewatch.learn.outcomes import Events, Loss, wilson

Verdict = Literal["right", "false_alarm", "treated_and_kept", "open"]


@dataclass(frozen=True)
class Share:
    """A share with the numbers behind it and its 95 % interval (Wilson)."""

    hits: int
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.hits, self.n)

    def as_data(self) -> dict[str, Any]:
        low, high = self.interval
        return {
            "hits": self.hits,
            "n": self.n,
            "share": self.hits / self.n if self.n else None,
            "low": low,
            "high": high,
        }


@dataclass(frozen=True)
class Episode:
    """A chain of warnings of one customer, judged."""

    customer_no: int
    customer_id: str
    opened: date
    level: int
    tier: str
    treated: bool
    denied: bool
    reasons: tuple[Mapping[str, str], ...]
    verdict: Verdict


@dataclass(frozen=True)
class Missed:
    """A customer who was lost without a warning in the window before."""

    customer_id: str
    last: date
    lost: date


@dataclass(frozen=True)
class Review:
    """What a quarter's warnings were worth."""

    first: date
    end: date
    window: int
    episodes: tuple[Episode, ...]
    caught: int
    missed: tuple[Missed, ...]
    by_event: bool = False

    @property
    def quarter(self) -> str:
        return f"{self.first.year}-Q{(self.first.month - 1) // 3 + 1}"

    def of(self, verdict: Verdict) -> tuple[Episode, ...]:
        """Return the episodes with a verdict."""
        return tuple(episode for episode in self.episodes if episode.verdict == verdict)

    def precision(self, level: int | None = None) -> Share:
        """Return right / (right + false alarm), of one peak level or of all."""
        judged = [
            episode.verdict
            for episode in self.episodes
            if episode.verdict in ("right", "false_alarm") and level in (None, episode.level)
        ]
        return Share(sum(verdict == "right" for verdict in judged), len(judged))

    def recall(self) -> Share:
        """Return caught / (caught + missed) of the customers lost in the quarter."""
        return Share(self.caught, self.caught + len(self.missed))

    def numbers(self) -> dict[str, Any]:
        """Return every number of the review as plain data."""
        return {
            "warnings": len(self.episodes),
            "right": len(self.of("right")),
            "false_alarms": len(self.of("false_alarm")),
            "treated_and_kept": len(self.of("treated_and_kept")),
            "open": len(self.of("open")),
            "precision": self.precision().as_data(),
            "precision_by_level": {str(level): self.precision(level).as_data() for level in (1, 2, 3)},
            "lost": self.caught + len(self.missed),
            "recall": self.recall().as_data(),
        }


def verdict(
    opened: date,
    days: np.ndarray[Any, np.dtype[np.datetime64]],
    *,
    window: int,
    treated: bool,
    data_end: date,
    are_losses: bool = False,
) -> Verdict:
    """Return what became of a warning that opened on a day, from the customer's days of business, or of its losses.

    Lost means no business, or a loss, in [opened, opened + window). A day in it settles the case; that there is none is
    known once the window lies inside the data.
    """
    begin, end = np.datetime64(opened, "D"), np.datetime64(opened, "D") + window
    happened = bool(((days >= begin) & (days < end)).any())
    if not happened and opened + timedelta(days=window) > data_end:
        return "open"
    if happened is are_losses:
        return "right"
    return "treated_and_kept" if treated else "false_alarm"


def review(
    *,
    first: date,
    end: date,
    window: int,
    data_end: date,
    warned: Sequence[Mapping[str, Any]],
    events: Events,
    losses: Sequence[Loss],
    warnings_of: Mapping[int, Sequence[tuple[date, date | None]]],
    ids: Mapping[int, str],
    erased: Mapping[int, date],
) -> Review:
    """Judge the warnings that opened in [first, end) and the losses that fell into it.

    `warned` holds the quarter's warning chains, `warnings_of` all warnings of the lost customers (opened, closed). A
    loss was caught when a warning lived at some time between the last business (of a loss by event: a window before it)
    and the day of loss. Of customers who were `erased` nothing is known after that day: a window that reaches past it
    stays open.
    """
    episodes = tuple(
        Episode(
            customer_no=row["customer_no"],
            customer_id=row["customer_id"],
            opened=row["opened_day"],
            level=row["peak_level"],
            tier=row["tier"],
            treated=row["treated"],
            denied=row["denied"],
            reasons=tuple(reason["text"] for reason in row["reasons"]),
            verdict=verdict(
                row["opened_day"],
                events.of(row["customer_no"]),
                window=window,
                treated=row["treated"],
                data_end=min(data_end, erased.get(row["customer_no"], data_end)),
                are_losses=events.are_losses,
            ),
        )
        for row in warned
    )
    missed = tuple(
        Missed(ids[loss.customer], loss.last, loss.lost)
        for loss in losses
        if not _lived(warnings_of.get(loss.customer, ()), loss)
    )
    return Review(first, end, window, episodes, len(losses) - len(missed), missed, by_event=events.are_losses)


def _lived(spans: Sequence[tuple[date, date | None]], loss: Loss) -> bool:
    return any(opened <= loss.lost and (closed is None or closed >= loss.last) for opened, closed in spans)
