"""Answer the question: which of the recorded warnings go live today, so that nobody gets more than they can do?

Of each owner the worst and most valuable first, within what a working day takes: the person's budget of warnings, the hours
of care work, or what launch.yaml says for those who have neither. What a day does not use is there the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from carewatch.care.owners import in_role
from carewatch.spec.configuration import CareSpec

_WORKING_WEEK: Final = 5
LONGEST: Final = 260
"""Working days that a schedule looks ahead."""


@dataclass(frozen=True)
class Recorded:
    """A warning that is not live, or has gone live."""

    warning_no: int
    customer_no: int
    owner_id: str
    level: int
    tier: str


def due(
    care: CareSpec, owner: str, waiting: Sequence[Recorded], out: Iterable[Recorded], days: int
) -> list[Recorded]:
    """Return which of an owner's warnings go live by the end of so many working days; `waiting` the worst first.

    `out` are those that went live before. None overtakes: a worse one that does not fit yet holds back the rest.
    """
    count, hours = _a_day(care, owner)
    left_count, left_hours = count * days + 1e-9, hours * days + 1e-9
    for one in out:
        left_count, left_hours = left_count - 1, left_hours - _hours(care, one)
    found = []
    for one in waiting:
        left_count, left_hours = left_count - 1, left_hours - _hours(care, one)
        if left_count < 0 or left_hours < 0:
            break
        found.append(one)
    return found


def schedule(care: CareSpec, owner: str, waiting: Sequence[Recorded]) -> list[int]:
    """Return how many of an owner's warnings go live on each working day; they may not suffice for all of them."""
    by_day: list[int] = []
    while sum(by_day) < len(waiting) and len(by_day) < LONGEST:
        by_day.append(len(due(care, owner, waiting, (), len(by_day) + 1)) - sum(by_day))
    return by_day


def _a_day(care: CareSpec, owner: str) -> tuple[float, float]:
    """Return how many warnings and how many hours of work a working day takes."""
    person = care.people.people.get(owner)
    if person is None or (person.budget is None and person.capacity is None):
        return care.launch.a_day, inf
    count = inf if person.budget is None else person.budget / _WORKING_WEEK
    return count, inf if person.capacity is None else person.capacity / _WORKING_WEEK


def _hours(care: CareSpec, one: Recorded) -> float:
    """Return the hours of work that a warning brings to its owner."""
    return sum(
        step.effort
        for book in care.playbooks_of(one.level, one.tier)
        for step in book.steps.values()
        if in_role(care.people, step.role, one.owner_id) == one.owner_id
    )
