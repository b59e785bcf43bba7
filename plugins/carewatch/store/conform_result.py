"""Answer the question: what did taking a load come to?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Refused:
    """A landed row of a file that became no fact: where it stands, why, the column at fault and what it holds."""

    origin: str
    line: int | None
    file: str | None
    reason: str
    field: str | None
    value: str | None


@dataclass(frozen=True)
class StreamResult:
    """What one load of one stream came to, in landed rows.

    landed = new + changed + unchanged + repeated + filtered + quarantined. `changed` are corrections and withdrawals;
    `unchanged` say what we believe already; `repeated` are copies, versions overruled within their load or by what we
    knew, and rows that wait in quarantine already. Of combined rows each counts as its fact does. `released` results
    are rows that had waited for their customer: they were counted as quarantined when they landed. `unconverted` are
    new versions whose amount in the firm's currency is unknown for want of a rate, `ended` the keys that a snapshot lacked:
    both count facts, not landed rows. `erased` of those filtered are rows of customers who were erased.
    """

    origin: str
    load_id: str
    landed: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    repeated: int = 0
    filtered: int = 0
    quarantined: int = 0
    unconverted: int = 0
    ended: int = 0
    erased: int = 0
    history: bool = False
    released: bool = False

    def with_counts(self, counts: Mapping[str, int]) -> StreamResult:
        """Return the result with how many rows met each fate."""
        return replace(
            self,
            new=counts.get("new", 0),
            changed=counts.get("changed", 0),
            unchanged=counts.get("unchanged", 0),
            repeated=counts.get("repeated", 0),
            filtered=counts.get("filtered", 0),
            quarantined=counts.get("quarantined", 0),
        )


class CannotReplay(ValueError):
    """Rows that cannot be taken again from quarantine; the text says why and what to do."""


@dataclass(frozen=True)
class Lack:
    """How many keys a snapshot lacks of those believed, and how many of its lines nobody could read."""

    missing: int
    believed: int
    unread: int
    percent: float
    accepted: bool = False

    @property
    def suspicious(self) -> bool:
        """Whether it may be the snapshot that is wrong: then nothing ends."""
        return (
            not self.accepted
            and self.missing > 0
            and (self.unread > 0 or self.missing * 100 > self.believed * self.percent)
        )

    def __str__(self) -> str:
        unread = f", and {self.unread} of its lines cannot be read" if self.unread else ""
        return f"{self.missing} of {self.believed} keys are missing{unread}"
