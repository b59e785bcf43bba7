"""Send the one machine mail of a signal that is only watched: no task is made, nobody is called.

The address of a customer is in no row of the outbox: it is looked up when the mail leaves the house, and so is the consent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from carewatch.care.owners import owner_of
from carewatch.flow.launch import in_pilot
from carewatch.flow.notify import customer_values
from carewatch.spec.configuration import CareSpec
from carewatch.spec.fact_names import Language
from carewatch.store import configurations, machine_mail, notices
from carewatch.store import live_warnings as warnings
from carewatch.store.database import Connection
from carewatch.store.live_warnings import Seen
from carewatch.store.machine_mail import Watched
from carewatch.store.notices import Decided, Message
from carewatch.store.tiers import tiers_now
from carewatch.tell.decide import outbox_key, parts
from carewatch.tell.delivery import Refused
from carewatch.tell.wording import compose
from carewatch.warn.reasons import reason

CUSTOMER_MAIL: Final = "customer"
"""The kind of an outbox row that goes to a customer."""
_TO_OWNER: Final = "watch"
_NOT_LIVE: Final = "warm-up, or not in the pilot: nothing is sent"
_SAID: Final = "something to watch: one machine mail"


def mail_watched(connection: Connection, care: CareSpec, now: datetime) -> int:
    """Decide once for every signal that asks for a machine mail whether it goes out, with the reason; return the mails.

    What an owner hears at one moment is one mail; each customer's mail is its own.
    """
    waiting = machine_mail.undecided(connection)
    if not waiting:
        return 0
    seen = warnings.masters(connection, sorted({one.customer_no for one in waiting}), now)
    live = _live(connection, care, [one.customer_no for one in waiting], now)
    decisions: list[Decided] = []
    messages: list[Message] = []
    told: dict[str, list[Watched]] = defaultdict(list)
    for one in waiting:
        owner = owner_of(care.people, seen[one.customer_no].owner)
        receiver = owner if one.mail_to == "owner" else CUSTOMER_MAIL
        refusal = _refusal(connection, care, one, owner) if one.customer_no in live else _NOT_LIVE
        if refusal:
            decisions.append(Decided(_subject(one), 0, receiver, False, refusal, None))
        elif one.mail_to == "owner":
            told[owner].append(one)
        else:
            messages.append(_to_customer(connection, care, one, seen[one.customer_no], owner, now))
            decisions.append(Decided(_subject(one), 0, receiver, True, _SAID, messages[-1].key))
    for owner, signals in told.items():
        for some in parts(signals):
            messages.append(_to_owner(connection, care, some, seen, owner, now))
            decisions += [Decided(_subject(one), 0, owner, True, _SAID, messages[-1].key) for one in some]
    notices.store(connection, decisions, messages, now=now)
    return len(messages)


def _subject(one: Watched) -> str:
    return f"signal:{one.signal_no}"


def _live(connection: Connection, care: CareSpec, customers: list[int], now: datetime) -> frozenset[int]:
    """Return of which customers machine mails leave the house: nobody's in a warm-up, of a pilot those in it."""
    if not care.launch.is_live(now.astimezone(care.firm.zone).date()):
        return frozenset()
    return in_pilot(connection, care, tiers_now(connection, customers), now)


def _refusal(connection: Connection, care: CareSpec, one: Watched, owner: str) -> str | None:
    if not one.notifies:
        return "the night lies in the past: nobody is told"
    if one.mail_to == "owner":
        return None if care.people.people[owner].channels else "the receiver has no channel in people.yaml"
    if care.notices.to_customers is None:
        return "notices.yaml names no channel to customers"
    email, agreed = machine_mail.address(connection, one.customer_no)
    if not agreed:
        return "the customer has not agreed to machine mail"
    return None if email else "no address of the customer is known"


def _to_customer(
    connection: Connection, care: CareSpec, one: Watched, seen: Seen, owner: str, now: datetime
) -> Message:
    channel, language = care.notices.to_customers, care.firm.language
    assert channel is not None
    values = _said_of(connection, one, seen, language)
    values |= {
        "receiver": values["customer"]["name"],
        "owner": care.people.people[owner].name,
        "firm": care.firm.name.in_(language),
    }
    text = compose(CUSTOMER_MAIL, language, values, care.firm.zone)
    return _message(
        care,
        CUSTOMER_MAIL,
        CUSTOMER_MAIL,
        channel,
        one,
        {**text, "to": "", "customer_no": one.customer_no},
        now,
    )


def _to_owner(
    connection: Connection,
    care: CareSpec,
    signals: Sequence[Watched],
    seen: Mapping[int, Seen],
    owner: str,
    now: datetime,
) -> Message:
    person = care.people.people[owner]
    channel, address = next(iter(person.channels.items()))
    language = person.language or care.firm.language
    told = [_said_of(connection, one, seen[one.customer_no], language) for one in signals]
    text = compose(_TO_OWNER, language, {"receiver": person.name, "signals": told}, care.firm.zone)
    return _message(care, _TO_OWNER, owner, channel, signals[0], {**text, "to": address}, now)


def _message(
    care: CareSpec,
    kind: str,
    receiver: str,
    channel: str,
    first: Watched,
    body: dict[str, Any],
    now: datetime,
) -> Message:
    """Return a machine mail under the key of the first signal that it tells of; it leaves in working hours."""
    return Message(
        key=outbox_key(kind, receiver, channel, _subject(first)),
        kind=kind,
        receiver=receiver,
        channel=channel,
        body={**body, "connection": care.notices.channels[channel].connection, "kind": kind},
        not_before=care.work.next_open(now),
    )


def _said_of(connection: Connection, one: Watched, seen: Seen, language: Language) -> dict[str, Any]:
    """Return what is said of a signal: of which customer, and why."""
    rule = configurations.judgement(connection, one.judgement).rules.get(one.rule)
    return {
        "customer": customer_values(seen),
        "label": rule.label.in_(language) if rule is not None else one.rule,
        "reason": reason(one.rule, rule, one.evidence)[language],
    }


def with_address(connection: Connection, message: dict[str, Any]) -> dict[str, Any]:
    """Return a mail to a customer with its address; raise Refused when it has none, or no longer agrees."""
    email, agreed = machine_mail.address(connection, message["customer_no"])
    if email is None or not agreed:
        raise Refused("the customer has no address, or no longer agrees to machine mail")
    return {**message, "to": email}
