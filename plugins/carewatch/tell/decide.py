"""Answer the question: does this person hear of this, on its own or in a digest, and why (not)?

Decided once for every transition and receiver; delivery is retried without deciding again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from carewatch.spec.people import Notices
from carewatch.spec.rules import Priority

MOST_TOLD: Final = 50
"""So many warnings, tasks or signals one message lists at most; a message may only be so long."""
Told = TypeVar("Told")

_TELLING: Final = {
    "opened": "a warning opened at level {level}",
    "rose": "the warning rose to level {level}",
    "returned": "the warning came back at level {level}",
    "released": "the warning went live at level {level}",
    "handed_over": "the customer was handed over",
    "urgent": "the priority rose to high at level {level}",
}
_SILENT: Final = {
    "fell": "the level fell: nobody has to act",
    "cleared": "the signals cleared: the case waits for its result",
    "closed": "the warning closed",
    "acknowledged": "somebody is on it: nobody has to act",
    "planned": "a plan was put on file: nobody has to act",
    "merged": "customers were merged: one warning goes on for both",
    "changed": "the priority changed: it is not high",
}


@dataclass(frozen=True)
class Decision:
    """Whether to send, and the reason that is stored either way."""

    send: bool
    reason: str


def decide(what: str, level: int, *, notifies: bool, has_channel: bool, priority: str = "low") -> Decision:
    """Return whether a transition is told to a receiver. `notifies` is false for nights of the past."""
    what = "urgent" if what == "changed" and priority == Priority.HIGH else what
    if what not in _TELLING:
        return Decision(False, _SILENT.get(what, f"'{what}' is not told"))
    if not notifies:
        return Decision(False, "the night lies in the past: nobody is told")
    if not has_channel:
        return Decision(False, "the receiver has no channel in people.yaml")
    return Decision(True, _TELLING[what].format(level=level))


_WAITS: Final = {
    "warm_up": "warm-up: warnings are recorded, nobody is told",
    "pilot": "the customer is not in the pilot: nobody is told",
}


def silent(waits: str) -> Decision:
    """Return that nobody is told of a warning that is not live, and why it is not."""
    return Decision(False, _WAITS[waits])


def may_notify(day: date, today: date, *, newest: bool, backfill: bool) -> bool:
    """Return whether a night decides notices: the newest, not a backfill, of today or yesterday (or later)."""
    return newest and not backfill and day >= today - timedelta(days=1)


def alone(notices: Notices, level: int) -> bool:
    """Return whether a warning of this level is told on its own rather than in the digest."""
    return level >= notices.alone_from


def not_before(notices: Notices, at: datetime, zone: ZoneInfo, *, urgent: bool = False) -> datetime:
    """Return when a notice decided at `at` may go out: at once, or when the quiet hours end.

    The quiet hours are half open, [from, until) in the firm's time zone, and may span midnight.
    """
    if notices.quiet_hours is None or urgent:
        return at
    begin, end = (time.fromisoformat(hour) for hour in notices.quiet_hours)
    local = at.astimezone(zone)
    now = local.time()
    quiet = begin <= now < end if begin <= end else now >= begin or now < end
    if not quiet:
        return at
    until = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
    return until if until > local else until + timedelta(days=1)


def outbox_key(kind: str, receiver: str, channel: str, subject: str, transition: int | None = None) -> str:
    """Return the key under which a message exists once: never a run, a text or a clock in it."""
    parts = [kind, receiver, channel, subject]
    return "/".join(parts if transition is None else [*parts, str(transition)])


def parts(told: Sequence[Told]) -> Iterator[Sequence[Told]]:
    """Yield what one receiver is told in lists that fit into a message each."""
    for first in range(0, len(told), MOST_TOLD):
        yield told[first : first + MOST_TOLD]
