"""Give a customer its contact persons, who join, leave and are replaced."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from .catalogue import GIVEN_NAMES, MAIN_TITLE, OTHER_TITLES, SURNAMES
from .life import Life

STAYS = 10**6


@dataclass(frozen=True)
class Contact:
    """One person; active on days `joined <= day < left`."""

    id: str
    joined: int
    left: int
    is_main: bool
    decision_maker: bool

    def active(self, day: int) -> bool:
        return self.joined <= day < self.left


def introduce_contacts(life: Life) -> list[Contact]:
    """Write the customer's contacts with their dated changes; main contacts come first."""
    contacts = [*_main_contacts(life), *_other_contacts(life)]
    for number, contact in enumerate(contacts, start=1):
        _write_contact(life, contact, number=number)
    return contacts


def _main_contacts(life: Life) -> list[Contact]:
    span, since = life.span, life.profile.since
    first_id, next_id = f"{life.profile.code}-P1", f"{life.profile.code}-P2"
    if life.story is not None and life.story.cause == "contact_left":
        leaves = life.story.first_symptom
        successor = leaves + int(life.rng.integers(30, 70))
        left = Contact(first_id, since, leaves, True, True)
        stranger_comes = life.rng.random() < 0.5 and successor < span.days
        return [left, Contact(next_id, successor, STAYS, True, True)] if stranger_comes else [left]
    if "contact_handover" in life.decoys:
        leaves = life.decoys["contact_handover"]
        successor = leaves - int(life.rng.integers(5, 15))
        return [Contact(first_id, since, leaves, True, True), Contact(next_id, successor, STAYS, True, True)]
    return [Contact(first_id, since, STAYS, True, True)]


def _other_contacts(life: Life) -> list[Contact]:
    others = []
    for number in range(int(life.rng.integers(0, 4))):
        joined = life.profile.since + int(life.rng.integers(0, 15))
        left = int(life.rng.exponential(20 * 365)) + max(joined, 0) + 30
        decides = bool(life.rng.random() < 0.2)
        leaves = left if left < life.span.days else STAYS
        others.append(Contact(f"{life.profile.code}-P{number + 3}", joined, leaves, False, decides))
    return others


def _write_contact(life: Life, contact: Contact, *, number: int) -> None:
    span, rng, put = life.span, life.rng, life.ledger.put
    code = life.profile.code
    name = f"{SURNAMES[rng.integers(len(SURNAMES))]}{GIVEN_NAMES[rng.integers(len(GIVEN_NAMES))]}"
    title = MAIN_TITLE if contact.is_main else OTHER_TITLES[rng.integers(len(OTHER_TITLES))]
    phone = f"+86 100 {int(code[1:]):04d} {number:04d}"
    email = f"p{number}@{code.lower()}.example.com"
    channel = ("phone", "chat", "mail")[rng.integers(3)]
    consent = bool(rng.random() < 0.7)
    birthday = date(int(rng.integers(1966, 2000)), int(rng.integers(1, 13)), int(rng.integers(1, 29)))
    minute = int(rng.integers(540, 1000))

    def write(day: int, is_main: bool) -> None:
        shown = span.at(day, minute + 20)
        put(
            "contacts", shown, contact.id, code, name, title, is_main, contact.decision_maker, phone, email,
            channel, consent, birthday, shown,
        )  # fmt: skip

    def tell(event: str, day: int, lag_minutes: float, note: str) -> None:
        shown = span.at(day, minute + lag_minutes)
        at, event_id = span.at(day, minute), f"{contact.id}-{event}"
        put(
            "contact_events", shown, event_id, contact.id, code, event, at, name, title, contact.is_main,
            contact.decision_maker, note, shown,
        )  # fmt: skip

    write(contact.joined, contact.is_main)
    tell("joined", contact.joined, 20, "")
    if contact.left != STAYS:
        handed_over = contact.is_main and "contact_handover" in life.decoys
        tell("left", contact.left, float(rng.uniform(30, 600)), "successor introduced" if handed_over else "")
        write(contact.left, False)
