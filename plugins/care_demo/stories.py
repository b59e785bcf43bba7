"""Plan which customers leave, why and when, and what that does to their behaviour day by day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .profiles import Profile
from .span import Floats, Span

CHURN_SHARE = 0.18
SETTLED_DAYS = 100
CAUSES: dict[str, tuple[float, tuple[int, int]]] = {
    # cause: (share of the leavers, days from the first symptom to the last regular order)
    "service_failure": (0.30, (42, 130)),
    "price_competitor": (0.25, (38, 110)),
    "contact_left": (0.25, (42, 140)),
    "budget": (0.20, (70, 142)),
}
DECOYS = ("good_recovery", "late_payment", "contact_handover", "offer_rejected")
_DECOY_CHANCES = (0.09, 0.09, 0.07, 0.02)


@dataclass(frozen=True)
class Story:
    """One leaver: day numbers of the first symptom, the last regular order and the decision to leave.

    Days after the simulated period are kept: such a customer has only begun to leave.
    """

    cause: str
    first_symptom: int
    last_order: int
    churned: int


class Effects(NamedTuple):
    """What a story does to a customer on each day; the neutral value in brackets."""

    orders: Floats  # rate factor (1)
    value: Floats  # order amount factor (1)
    inquiries: Floats  # rate factor (1)
    contact: Floats  # rate factor of our calls, visits and meetings that happen (1)
    attendance: Floats  # factor on the chance to attend an event (1)
    warmth: Floats  # factor on the chance of a warm tone (1)
    complaints: Floats  # complaint tickets per month on top (0)
    slowness: Floats  # factor on the time to resolve a ticket (1)
    satisfaction: Floats  # points on the 5-point scale on top (0)
    pay_delay: Floats  # days of payment delay on top (0)
    partial: Floats  # chance on top that an invoice is paid in parts (0)


class _Window(NamedTuple):
    share: float
    first: int
    last: int
    fresh: bool


def plan_stories(rng: np.random.Generator, *, profiles: list[Profile], span: Span) -> dict[str, Story]:
    """Choose the leavers and their dates; most lie before today, a good part in the last half year.

    The fresh windows just before today take large customers and every cause in turn, so that the newest
    nights have something of every level to show.
    """
    today = span.today
    windows = (
        _Window(0.06, today - 4, today - 1, True),
        _Window(0.07, today - 14, today - 5, True),
        _Window(0.08, today, span.days - 2, False),
        _Window(0.08, today - 60, today - 15, False),
        _Window(0.30, today - 270, today - 61, False),
        _Window(0.41, SETTLED_DAYS, today - 271, False),
    )
    total = round(CHURN_SHARE * len(profiles))
    candidates = sorted((p for p in profiles if not p.seasonal), key=lambda p: -p.yearly)
    stories: dict[str, Story] = {}
    for window in windows:
        for turn in range(round(window.share * total)):
            earliest = max(window.first, SETTLED_DAYS)
            first = int(rng.integers(earliest, max(window.last, earliest) + 1))
            settled = [p for p in candidates if p.code not in stories and p.first_day + SETTLED_DAYS <= first]
            pool = settled[: max(1, len(settled) // 4)] if window.fresh else settled
            if pool:
                cause = list(CAUSES)[turn % len(CAUSES)] if window.fresh else _draw_cause(rng)
                stories[pool[rng.integers(len(pool))].code] = _plan(rng, cause=cause, first=first, span=span)
    return stories


def _draw_cause(rng: np.random.Generator) -> str:
    edges = np.cumsum([share for share, _ in CAUSES.values()])
    return list(CAUSES)[int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))]


def _plan(rng: np.random.Generator, *, cause: str, first: int, span: Span) -> Story:
    first = span.working_day_near(first)
    shortest, longest = CAUSES[cause][1]
    last = span.working_day_near(first + int(rng.integers(shortest, longest + 1)))
    return Story(cause, first, last, last + int(rng.integers(3, 21)))


def plan_decoys(rng: np.random.Generator, *, profile: Profile, span: Span) -> dict[str, int]:
    """Choose the look-alike symptoms of a customer who stays, as kind -> day number."""
    decoys: dict[str, int] = {}
    earliest = profile.first_day + 60
    for kind, chance in zip(DECOYS, _DECOY_CHANCES, strict=True):
        if rng.random() < chance and earliest < span.days - 30:
            decoys[kind] = span.working_day_near(int(rng.integers(earliest, span.days - 15)))
    return decoys


def effects_of(story: Story | None, span: Span) -> Effects:
    """Lay a story's effects over the days of the period; None gives the neutral effects."""
    one, zero = np.ones(span.days), np.zeros(span.days)
    calm = Effects(one, one, one, one, one, one, zero, one, zero, zero, zero)
    if story is None:
        return calm
    day = np.arange(span.days)
    progress = np.clip((day - story.first_symptom) / (story.last_order - story.first_symptom), 0, 1)
    begun = (day >= story.first_symptom).astype(float)
    effects = _CAUSE_EFFECTS[story.cause](calm, progress, begun)
    leaving = day > story.last_order
    gone = day > story.churned
    return effects._replace(
        orders=np.where(leaving, 0.0, effects.orders),
        inquiries=np.where(gone, 0.0, np.where(leaving, 0.1, effects.inquiries)),
        contact=np.where(gone, np.minimum(effects.contact, 0.3), effects.contact),
        attendance=np.where(gone, 0.0, effects.attendance * (1 - 0.8 * progress)),
        warmth=effects.warmth * (1 - 0.9 * progress),
        complaints=np.where(leaving, 0.0, effects.complaints),
    )


def _after(progress: Floats, share: float) -> Floats:
    """Rescale progress so that it starts only after a share of the story."""
    return np.clip((progress - share) / (1 - share), 0, 1)


def _service_failure(calm: Effects, progress: Floats, begun: Floats) -> Effects:
    return calm._replace(
        complaints=1.6 * begun,
        slowness=1 + 3.5 * begun,
        satisfaction=-(0.7 + 1.4 * progress) * begun,
        orders=1 - 0.6 * _after(progress, 0.35),
        value=1 - 0.35 * _after(progress, 0.35),
        contact=1 - 0.3 * progress,
        inquiries=1 - 0.7 * progress,
    )


def _price_competitor(calm: Effects, progress: Floats, begun: Floats) -> Effects:
    comparing = (begun > 0) & (progress < 0.35)
    return calm._replace(
        inquiries=np.where(comparing, 2.6, 1 - 0.9 * _after(progress, 0.35)),
        value=1 - 0.6 * progress,
        orders=1 - 0.35 * _after(progress, 0.5),
        contact=1 - 0.4 * progress,
    )


def _contact_left(calm: Effects, progress: Floats, begun: Floats) -> Effects:
    return calm._replace(
        contact=1 - 0.8 * begun,
        inquiries=1 - 0.75 * begun,
        attendance=1 - 0.8 * begun,
        orders=1 - 0.55 * _after(progress, 0.3),
        value=1 - 0.25 * progress,
    )


def _budget(calm: Effects, progress: Floats, begun: Floats) -> Effects:
    return calm._replace(
        value=1 - 0.68 * progress,
        pay_delay=(6 + 62 * progress) * begun,
        partial=0.4 * progress,
        orders=1 - 0.3 * _after(progress, 0.6),
        inquiries=1 - 0.4 * progress,
    )


_CAUSE_EFFECTS = {
    "service_failure": _service_failure,
    "price_competitor": _price_competitor,
    "contact_left": _contact_left,
    "budget": _budget,
}
