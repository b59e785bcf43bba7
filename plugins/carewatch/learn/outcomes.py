"""Answer the question: who was lost, when, and was it seen coming?

Losing a customer in a business without contracts is declared, never observed: no order within the window after the last
one. The day of loss is the day on which the silence reaches the window. Where data end earlier, the case is open
(censored) and counts for nothing. In a business with contracts the loss is an event with a day of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]


@dataclass(frozen=True)
class Events:
    """The days on which each customer did what counts as staying, sorted by customer and day.

    `are_losses`: the days on which it did what counts as leaving.
    """

    customers: NDArray[np.int32]
    days: Days
    are_losses: bool = False

    def of(self, customer: int) -> Days:
        """Return one customer's days in order."""
        low, high = np.searchsorted(self.customers, [customer, customer + 1])
        return self.days[low:high]


def next_day(events: Events, customers: NDArray[np.int32], after: date) -> Days:
    """Return each customer's first day at or after `after`, NaT when there is none."""
    wanted = np.datetime64(after, "D")
    later = events.days >= wanted
    keys, first = np.unique(events.customers[later], return_index=True)
    found = events.days[later][first]
    result = np.full(len(customers), np.datetime64("NaT"), dtype="datetime64[D]")
    if len(keys):
        at = np.minimum(np.searchsorted(keys, customers), len(keys) - 1)
        hit = keys[at] == customers
        result[hit] = found[at[hit]]
    return result


def lost_within(events: Events, customers: NDArray[np.int32], day: date, window: int) -> NDArray[np.bool_]:
    """Return whether each customer is lost in [day, day + window days): no event falls into it, or a loss does."""
    happens = next_day(events, customers, day) < np.datetime64(day, "D") + window
    return np.asarray(happens if events.are_losses else ~happens)


def active(
    events: Events,
    customers: NDArray[np.int32],
    day: date,
    *,
    at_least: int = 3,
    year: int = 365,
    recent: int = 90,
) -> NDArray[np.bool_]:
    """Return which customers are active: at least three days in the year before, the last at most 90 days ago."""
    end = np.datetime64(day, "D")
    within = (events.days >= end - year) & (events.days < end)
    keys, counts = np.unique(events.customers[within], return_counts=True)
    lasts = np.zeros(len(keys), dtype="datetime64[D]")
    np.maximum.at(
        lasts.view(np.int64),
        np.searchsorted(keys, events.customers[within]),
        events.days[within].astype(np.int64),
    )
    busy = keys[(counts >= at_least) & (lasts >= end - recent)]
    return np.isin(customers, busy)


@dataclass(frozen=True)
class Loss:
    """One lost customer: the last day of business and the day on which the silence reached the window.

    Of a loss by event its own day, and the first day on which a warning could foresee it.
    """

    customer: int
    last: date
    lost: date


def losses(events: Events, first: date, end: date, window: int, data_end: date) -> list[Loss]:
    """Return the losses whose day falls into [first, end): each silence of a whole window, once; none past the data."""
    if events.are_losses:
        on = (events.days >= np.datetime64(first, "D")) & (events.days < np.datetime64(end, "D"))
        return [
            Loss(int(events.customers[at]), (events.days[at] - window).item(), events.days[at].item())
            for at in np.flatnonzero(on)
        ]
    found = []
    starts = (
        np.flatnonzero(np.r_[True, events.customers[1:] != events.customers[:-1]])
        if len(events.days)
        else np.array([], int)
    )
    last_of_customer = np.zeros(len(events.days), dtype=bool)
    last_of_customer[np.r_[starts[1:] - 1, len(events.days) - 1] if len(starts) else []] = True
    following = np.r_[events.days[1:], np.datetime64(data_end, "D") + 1] if len(events.days) else events.days
    following = np.where(last_of_customer, np.datetime64(data_end, "D") + 1, following)
    lost_on = events.days + window
    silent = (
        (lost_on < following) & (lost_on >= np.datetime64(first, "D")) & (lost_on < np.datetime64(end, "D"))
    )
    for at in np.flatnonzero(silent):
        found.append(Loss(int(events.customers[at]), events.days[at].item(), lost_on[at].item()))
    return found


def was_regular(events: Events, loss: Loss, *, at_least: int = 3, year: int = 365) -> bool:
    """Return whether a lost customer had at least so many days of business in the year up to the last one.

    Whoever had a contract to cancel was a customer.
    """
    if events.are_losses:
        return True
    days = events.of(loss.customer)
    last = np.datetime64(loss.last, "D")
    return int(((days > last - year) & (days <= last)).sum()) >= at_least


@dataclass(frozen=True)
class Caught:
    """A loss and the day of the first warning of the run that led to it; None when it was missed."""

    loss: Loss
    first_warned: date | None

    @property
    def days_ahead(self) -> int | None:
        return None if self.first_warned is None else (self.loss.lost - self.first_warned).days


def caught(loss: Loss, warned: Mapping[date, bool], days: Sequence[date]) -> Caught:
    """Return whether a loss was seen coming: warned on the last judged day before it, and since when without a break.

    `warned` holds the judged days of this customer; a warning that had gone again before the loss does not count.
    """
    before = [day for day in days if day <= loss.lost and day in warned]
    first = None
    for day in reversed(before):
        if not warned[day]:
            break
        first = day
    return Caught(loss, first)


def wilson(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Return the 95 % interval of a share by Wilson's score (E. B. Wilson 1927); (0, 1) without observations."""
    if n == 0:
        return (0.0, 1.0)
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return (max(middle - half, 0.0), min(middle + half, 1.0))


def quarter_before(day: date) -> tuple[date, date]:
    """Return the first day and the end (exclusive) of the calendar quarter before the one of `day`."""
    this = date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
    before = this - timedelta(days=1)
    return date(before.year, 3 * ((before.month - 1) // 3) + 1, 1), this
