"""Decide notices: who hears of each transition, alone or in the digest of the day, and write decision and message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from carewatch.care.owners import in_role
from carewatch.spec.called import life_in, word_in
from carewatch.spec.configuration import CareSpec
from carewatch.spec.document import LANGUAGES
from carewatch.spec.rules import Priority
from carewatch.store import live_warnings as warnings
from carewatch.store import notices
from carewatch.store.database import Connection
from carewatch.store.live_warnings import Seen
from carewatch.store.notices import Background, Decided, Message, Transition
from carewatch.tell.decide import MOST_TOLD, alone, decide, not_before, outbox_key, parts, silent
from carewatch.tell.wording import compose, in_language


def notify(connection: Connection, care: CareSpec, now: datetime) -> tuple[int, int]:
    """Decide on every transition that nobody has decided on; return the numbers of decisions and of messages."""
    waiting = notices.undecided(connection)
    if not waiting:
        return 0, 0
    seen = warnings.masters(connection, sorted({one.customer_no for one in waiting}), now)
    tasks = notices.tasks_of(connection, [one.warning_no for one in waiting])
    backgrounds = notices.backgrounds(connection, [one.warning_no for one in waiting])
    told_today = notices.digests(connection)
    decisions: list[Decided] = []
    messages: list[Message] = []
    digests: dict[tuple[str, date], list[Transition]] = defaultdict(list)
    values = {
        (one.warning_no, one.transition): _warning_values(
            care, one, seen[one.customer_no], backgrounds[one.warning_no], tasks.get(one.warning_no, [])
        )
        for one in waiting
    }
    for one in waiting:
        receivers = _receivers(care, one)
        if not receivers:
            nobody = f"notices.yaml names nobody for level {max(one.level, 1)}"
            decisions.append(
                Decided(f"warning:{one.warning_no}", one.transition, one.owner_id, False, nobody)
            )
        for receiver in receivers:
            decision = (
                silent(one.waits)
                if one.waits
                else decide(
                    one.what,
                    one.level,
                    priority=one.priority,
                    notifies=one.notifies,
                    has_channel=bool(care.people.people[receiver].channels),
                )
            )
            key = None
            if decision.send:
                told = digests[receiver, one.day]
                channel = next(iter(care.people.people[receiver].channels))
                digest = outbox_key("digest", receiver, channel, one.day.isoformat())
                # A digest that has been written is closed: what comes later on its day goes alone.
                if alone(care.notices, one.level) or digest in told_today:
                    made = _messages(care, now, "warning", receiver, f"warning:{one.warning_no}", one.transition,
                                     values[one.warning_no, one.transition])  # fmt: skip
                    messages += made
                    key = made[0].key
                else:
                    further = len(told) // MOST_TOLD
                    key = outbox_key("digest", receiver, channel, one.day.isoformat(), further or None)
                    told.append(one)
            decisions.append(
                Decided(
                    f"warning:{one.warning_no}", one.transition, receiver, decision.send, decision.reason, key
                )
            )
    for (receiver, day), told in digests.items():
        for number, some in enumerate(parts(told)):
            listed = {"day": day, "warnings": [values[one.warning_no, one.transition] for one in some]}
            messages += _messages(care, now, "digest", receiver, day.isoformat(), number or None, listed)
    notices.store(connection, decisions, messages, now=now)
    return len(decisions), len(messages)


def post(
    connection: Connection, care: CareSpec, now: datetime, *, kind: str, subjects: Sequence[tuple[str, int]], receiver: str,
    reason: str, values: dict[str, Any], urgent: bool,
) -> None:  # fmt: skip
    """Decide and write one message about tasks (subject and step of each) to one receiver; the first names its key."""
    channels = care.people.people[receiver].channels
    messages = _messages(care, now, kind, receiver, *subjects[0], values, urgent=urgent)
    said = reason if channels else "the receiver has no channel in people.yaml"
    key = messages[0].key if messages else None
    decisions = [Decided(subject, step, receiver, bool(channels), said, key) for subject, step in subjects]
    notices.store(connection, decisions, messages, now=now)


def _receivers(care: CareSpec, one: Transition) -> Sequence[str]:
    """Return who is concerned by a transition: the roles that its level tells, each person once."""
    level = max(one.level, 1)
    roles: Iterable[str] = next(
        (told for key, told in care.notices.tell.items() if int(key) == level), ["owner"]
    )
    if one.priority == Priority.HIGH:
        roles = [*roles, *care.notices.tell_high]
    deciding = care.levels.deciding_role(one.value)
    roles = [*roles, deciding] if deciding is not None else roles
    return list(dict.fromkeys(in_role(care.people, role, one.owner_id) for role in roles))


def _messages(
    care: CareSpec, now: datetime, kind: str, receiver: str, subject: str, transition: int | None, values: dict[str, Any],
    *, urgent: bool = False,
) -> list[Message]:  # fmt: skip
    person = care.people.people[receiver]
    language = person.language or care.firm.language
    text = compose(kind, language, {**in_language(values, language), "receiver": person.name}, care.firm.zone)
    at = not_before(care.notices, now, care.firm.zone, urgent=urgent)
    return [
        Message(
            key=outbox_key(kind, receiver, channel, subject, transition),
            kind=kind,
            receiver=receiver,
            channel=channel,
            body={
                **text,
                "to": address,
                "connection": care.notices.channels[channel].connection,
                "kind": kind,
            },
            not_before=at,
        )
        for channel, address in person.channels.items()
    ]


def told_reasons(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a notice says of the reasons, the worst first: one an indicator, as it counts, without what is hidden."""
    worst: dict[str, dict[str, Any]] = {}
    for reason in reasons:
        if reason.get("hidden_by"):
            continue
        worst.setdefault(reason["counts_as"], {key: reason[key] for key in ("text", "severity", "since")})
    return list(worst.values())


def customer_values(seen: Seen) -> dict[str, str]:
    """Return what a notice says of a customer: the id and the name, on one line."""
    return {"id": seen.customer_id, "name": " ".join((seen.name or "").split()) or seen.customer_id}


def _warning_values(
    care: CareSpec, one: Transition, master: Seen, background: Background, tasks: list[dict[str, Any]]
) -> dict[str, Any]:
    people = care.people.people
    advised = [
        advice.to_data() for book in care.playbooks_of(one.level, one.tier) for advice in book.recommends
    ]
    return {
        "warning_no": one.warning_no,
        "customer": customer_values(master),
        "owner": people[one.owner_id].name,
        "what": one.what,
        "level": one.level,
        "tier": one.tier,
        "priority": one.priority,
        "manager": people[one.manager_id].name if one.level == 3 and one.manager_id in people else None,
        "value": one.value,
        "currency": care.firm.currency,
        "score": background.score,
        "colour": {language: word_in("colour", background.colour, language) for language in LANGUAGES},
        "opened": background.opened_day.isoformat(),
        "days": (one.day - background.opened_day).days,
        "earlier": [
            past | {"result": {language: life_in(past["result"], language) for language in LANGUAGES}}
            for past in background.earlier
        ],
        "reasons": told_reasons(one.reasons),
        "tasks": [
            task | {"owner": people[task["owner"]].name if task["owner"] in people else task["owner"]}
            for task in tasks
        ],
        "recommends": advised,
    }
