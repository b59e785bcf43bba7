"""Send the one machine mail of a signal that is only watched: no task is made, nobody is called.

The address of a customer is in no row of the outbox: it is looked up when the mail leaves the house, and so is the consent.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from carewatch.care.owners import owner_of
from carewatch.flow.launch import in_pilot
from carewatch.spec.configuration import CareSpec
from carewatch.store import configurations, machine_mail, notices
from carewatch.store import live_warnings as warnings
from carewatch.store.database import Connection
from carewatch.store.live_warnings import Seen
from carewatch.store.machine_mail import Watched
from carewatch.store.notices import Decided, Message
from carewatch.store.tiers import tiers_now
from carewatch.tell.decide import outbox_key
from carewatch.tell.delivery import Refused
from carewatch.tell.wording import compose
from carewatch.warn.reasons import reason

CUSTOMER_MAIL: Final = "customer"
"""The kind of an outbox row that goes to a customer."""
_TO_OWNER: Final = "watch"
_NOT_LIVE: Final = "warm-up, or not in the pilot: nothing is sent"


def mail_watched(connection: Connection, care: CareSpec, now: datetime) -> int:
    """Decide once for every signal that asks for a machine mail whether it goes out, with the reason; return the mails."""
    waiting = machine_mail.undecided(connection)
    if not waiting:
        return 0
    seen = warnings.masters(connection, sorted({one.customer_no for one in waiting}), now)
    live = _live(connection, care, [one.customer_no for one in waiting], now)
    decisions: list[Decided] = []
    messages: list[Message] = []
    for one in waiting:
        owner = owner_of(care.people, seen[one.customer_no].owner)
        receiver = owner if one.mail_to == "owner" else CUSTOMER_MAIL
        refusal = _refusal(connection, care, one, owner) if one.customer_no in live else _NOT_LIVE
        message = None if refusal else _message(connection, care, one, seen[one.customer_no], owner, now)
        messages += [message] if message else []
        said = refusal or "something to watch: one machine mail"
        key = message.key if message else None
        decisions.append(Decided(f"signal:{one.signal_no}", 0, receiver, message is not None, said, key))
    notices.store(connection, decisions, messages, now=now)
    return len(messages)


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


def _message(
    connection: Connection, care: CareSpec, one: Watched, seen: Seen, owner: str, now: datetime
) -> Message:
    rule = configurations.judgement(connection, one.judgement).rules.get(one.rule)
    person = care.people.people[owner]
    to_owner = one.mail_to == "owner"
    language = (person.language if to_owner else None) or care.firm.language
    kind = _TO_OWNER if to_owner else CUSTOMER_MAIL
    channel = next(iter(person.channels)) if to_owner else care.notices.to_customers
    assert channel is not None
    name = " ".join((seen.name or "").split()) or seen.customer_id
    values: dict[str, Any] = {
        "customer": {"id": seen.customer_id, "name": name},
        "receiver": person.name if to_owner else name,
        "owner": person.name,
        "firm": care.firm.name.in_(language),
        "label": rule.label.in_(language) if rule is not None else one.rule,
        "reason": reason(one.rule, rule, one.evidence)[language],
    }
    return Message(
        key=outbox_key(kind, owner if to_owner else CUSTOMER_MAIL, channel, f"signal:{one.signal_no}"),
        kind=kind,
        receiver=owner if to_owner else CUSTOMER_MAIL,
        channel=channel,
        body={
            **compose(kind, language, values, care.firm.zone),
            "to": person.channels[channel] if to_owner else "",
            "connection": care.notices.channels[channel].connection,
            "kind": kind,
            "customer_no": one.customer_no,
        },
        not_before=care.work.next_open(now),
    )


def with_address(connection: Connection, message: dict[str, Any]) -> dict[str, Any]:
    """Return a mail to a customer with its address; raise Refused when it has none, or no longer agrees."""
    email, agreed = machine_mail.address(connection, message["customer_no"])
    if email is None or not agreed:
        raise Refused("the customer has no address, or no longer agrees to machine mail")
    return {**message, "to": email}
