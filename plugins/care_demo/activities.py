"""Record the dealings with a customer: calls, visits, meetings, inquiries and event invitations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .catalogue import CUSTOMER_EVENTS
from .contacts import Contact
from .life import CLOSES_MINUTE, OPENS_MINUTE, Life
from .span import Floats, Span

EVENT_EVERY_DAYS = 56
INVITED_SHARE = 0.75
LATE_ENTRY_SHARE = 0.03


@dataclass(frozen=True)
class _Meeting:
    day: int
    minute: int
    kind: str
    invitation: str = ""


def record_activities(life: Life, contacts: list[Contact]) -> None:
    """Write every dealing with the customer in time order."""
    met = [*_ordinary(life), *_invitations(life)]
    if "contact_handover" in life.decoys:
        minute = int(life.rng.integers(OPENS_MINUTE, CLOSES_MINUTE))
        met.append(_Meeting(life.decoys["contact_handover"] - 3, minute, "meeting"))
    met.sort(key=lambda meeting: (meeting.day, meeting.minute, meeting.kind))
    for number, meeting in enumerate(met, start=1):
        _write_activity(life, meeting, contacts=contacts, number=number)


def customer_events(span: Span) -> list[tuple[int, str]]:
    """Return (day, title) of the firm's customer events, the same for every customer."""
    days = range(40, span.days, EVENT_EVERY_DAYS)
    return [
        (span.working_day_near(day), CUSTOMER_EVENTS[n % len(CUSTOMER_EVENTS)]) for n, day in enumerate(days)
    ]


def _ordinary(life: Life) -> list[_Meeting]:
    rate, effects = life.profile.call_rate, life.effects
    season = np.minimum(life.season() + 0.15, 1.6)
    streams: tuple[tuple[str, float, Floats], ...] = (
        ("call", rate, np.maximum(effects.contact, 0.35)),
        ("visit", 0.25 * rate, effects.contact),
        ("meeting", 0.15 * rate, effects.contact),
        ("inquiry", life.profile.inquiry_rate, effects.inquiries * season),
    )
    return [
        _Meeting(day, minute, kind)
        for kind, monthly, factor in streams
        for day, minute in life.happenings(monthly, factor)
    ]


def _invitations(life: Life) -> list[_Meeting]:
    return [
        _Meeting(day, OPENS_MINUTE, "event", title)
        for day, title in customer_events(life.span)
        if day >= life.profile.first_day + 14 and life.rng.random() < INVITED_SHARE
    ]


def _write_activity(life: Life, meeting: _Meeting, *, contacts: list[Contact], number: int) -> None:
    rng, day, kind = life.rng, meeting.day, meeting.kind
    contact = _whom(life, contacts, day)
    invited = attended = answered = tone = seconds = None
    direction, channel, note = "out", "onsite", ""
    if kind == "event":
        invited = True
        attended = bool(contact and rng.random() < life.profile.attendance * life.effects.attendance[day])
        note = meeting.invitation
    elif kind == "inquiry":
        direction, channel = "in", ("mail", "chat", "phone")[rng.integers(3)]
    elif kind == "call":
        direction, channel = ("out" if rng.random() < 0.85 else "in"), "phone"
        answered = bool(contact and rng.random() < 0.35 + 0.5 * life.effects.contact[day])
        seconds = int(rng.lognormal(5.2, 0.7)) if answered else 0
    if kind in ("visit", "meeting") or answered:
        tone = _tone(life, day)
        note = "fine, no need for now 挺好的，暂时不需要" if tone == "distant" else ""
    lag = float(rng.uniform(2, 5)) * 1440 if rng.random() < LATE_ENTRY_SHARE else float(rng.exponential(150))
    shown = life.span.at(day, meeting.minute + 10 + lag)
    life.ledger.put(
        "activities", shown, f"A{life.profile.code[1:]}-{number:04d}", life.profile.code,
        contact.id if contact else None, life.span.at(day, meeting.minute), kind, direction, channel,
        life.profile.manager_id, bool(contact and contact.decision_maker), invited, attended, answered, tone,
        seconds, note, shown,
    )  # fmt: skip


def _whom(life: Life, contacts: list[Contact], day: int) -> Contact | None:
    active = [contact for contact in contacts if contact.active(day)]
    if not active:
        return None
    if active[0].is_main and life.rng.random() < 0.6:
        return active[0]
    return active[life.rng.integers(len(active))]


def _tone(life: Life, day: int) -> str:
    warmth = life.profile.warmth * life.effects.warmth[day]
    negative = 0.03 - 0.1 * life.effects.satisfaction[day]
    polite = 0.10 + 0.6 * (1 - life.effects.warmth[day])
    point = life.rng.random()
    for tone, share in (("negative", negative), ("distant", polite), ("warm", warmth)):
        if point < share:
            return tone
        point -= share
    return "neutral"
