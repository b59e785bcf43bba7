"""Answer the question: which conditions have lasted long enough to be signals, and which have gone?

The one place with memory between nights. Signals are a fold over nights in date order: unknown pauses both counts, as
an excuse does; a missing night counts neither way, and after more than three missing nights running the counts start again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from carewatch.warn.hits import RuleBook, State

LONGEST_GAP: Final = 3
"""Missing nights running after which a count starts again."""
_MOST: Final = 120  # counts stop here: no hold is longer than 60 nights, and they travel as int8


class Phase(IntEnum):
    """Where a signal is."""

    NONE = 0
    PENDING = 1
    OPEN = 2


@dataclass(frozen=True)
class Memory:
    """What the fold remembers, customers x rules: the phase, true nights in a row, clear nights in a row."""

    phase: NDArray[np.int8]
    true_nights: NDArray[np.int8]
    clear_nights: NDArray[np.int8]

    @classmethod
    def empty(cls, customers: int, rules: int) -> Memory:
        """Return the memory of nothing."""
        return cls(*(np.zeros((customers, rules), dtype=np.int8) for _ in range(3)))


def fold(
    memory: Memory, states: NDArray[np.int16], book: RuleBook, *, dormant: NDArray[np.bool_], missed: int
) -> Memory:
    """Return the memory after one more night whose rules had `states`; `missed` nights lie between it and the last one.

    A dormant customer's signals end at once.
    """
    true_nights, clear_nights = memory.true_nights, memory.clear_nights
    if missed > LONGEST_GAP:
        true_nights, clear_nights = np.zeros_like(true_nights), np.zeros_like(clear_nights)
    hit, clear, lingering = states == State.HIT, states == State.CLEAR, states == State.LINGERING
    was_open = memory.phase == Phase.OPEN

    true_nights = np.where(
        hit, np.minimum(true_nights + 1, _MOST), np.where(clear | lingering, 0, true_nights)
    )
    clear_nights = np.where(clear & was_open, np.minimum(clear_nights + 1, _MOST), clear_nights)
    clear_nights = np.where(hit | lingering | ~was_open, 0, clear_nights)

    lasted = hit & (true_nights >= book.holds_for)
    gone = was_open & ((clear & (clear_nights >= book.clears_after)) | dormant[:, None])
    pending = ~was_open & ~lasted & (true_nights > 0)
    phase = np.where((was_open & ~gone) | lasted, Phase.OPEN, np.where(pending, Phase.PENDING, Phase.NONE))
    phase[dormant] = Phase.NONE
    alive = phase != Phase.NONE
    return Memory(
        phase.astype(np.int8),
        np.where(alive, true_nights, 0).astype(np.int8),
        np.where(alive, clear_nights, 0).astype(np.int8),
    )
