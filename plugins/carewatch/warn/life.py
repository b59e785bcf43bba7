"""Answer the question: what happens to a customer's warning when its level changes?

    open -> acknowledged -> plan -> in_care -> recovered / lost / false_alarm / expired / merged

One open warning a customer. When its signals clear, one that peaked at level 1 closes; one that peaked higher becomes
`cleared` and waits for a plan or a result. A closed warning never reopens: a new one follows it within `rest` days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

What = Literal["opened", "rose", "fell", "changed", "cleared", "returned", "closed"]


@dataclass(frozen=True)
class Standing:
    """What matters of a live warning when the night moves it."""

    state: str
    level: int
    peak_level: int
    priority: int = 0


@dataclass(frozen=True)
class Move:
    """One transition of a warning: what happened, and the warning's state, level, peak and priority afterwards."""

    what: What
    state: str
    level: int
    peak_level: int
    priority: int = 0


def move(
    standing: Standing | None,
    level: int,
    *,
    dormant: bool,
    priority: int = 0,
    outlived: bool = False,
    of_events: bool = False,
) -> Move | None:
    """Return the transition that tonight's level and priority (a rank) ask for, None when nothing changes.

    `standing` is the live warning or None. A customer who became dormant is lost: nobody is warned any more. A light
    warning that has `outlived` its time expires; so does one `of_events` alone when they have passed: nobody recovered.
    """
    if standing is None:
        return Move("opened", "open", level, level, priority) if level > 0 and not dormant else None
    peak = max(standing.peak_level, level)
    if dormant:
        return Move("closed", "lost", 0, standing.peak_level)
    if outlived and standing.peak_level == 1 and level <= 1:
        return Move("closed", "expired", 0, 1)
    if level == standing.level:
        if level == 0 or priority == standing.priority:
            return None
        return Move("changed", standing.state, level, peak, priority)
    if level == 0:
        if standing.peak_level == 1:
            return Move("closed", "expired" if of_events else "recovered", 0, standing.peak_level)
        return Move("cleared", "cleared", 0, standing.peak_level)
    if standing.state == "cleared":
        return Move("returned", "open", level, peak, priority)
    return Move("rose" if level > standing.level else "fell", standing.state, level, peak, priority)
