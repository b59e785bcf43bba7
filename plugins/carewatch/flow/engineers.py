"""Tell the engineers of a feed that died and of a night that is held: once each, and nobody else.

The decision and its message are rows under a key of the outage or the night, so that no rerun and no tick repeats them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from carewatch.spec.configuration import CareSpec
from carewatch.store import nights, notices
from carewatch.store.database import Connection
from carewatch.store.holds import Hold
from carewatch.store.nights import Night
from carewatch.store.notices import Decided, Message
from carewatch.tell.decide import outbox_key
from carewatch.tell.wording import compose, in_language

ENGINEERS: Final = "engineers"


def tell_outages(connection: Connection, night: Night, care: CareSpec, now: datetime) -> None:
    """Tell of every source that this night holds and the night before it did not: an outage is told of when it begins."""
    begun = [
        one
        for one in nights.held_sources(connection, night)
        if not nights.held_before(connection, night, one.source)
    ]
    for one in begun:
        values = {
            "day": night.day,
            "source": one.source,
            "owner": one.owner,
            "reason": one.reason,
            "facts": one.facts,
        }
        _tell(connection, care, now, "outage", f"source:{one.source}:{night.day}", night, values)


def tell_hold(connection: Connection, night: Night, care: CareSpec, hold: Hold, now: datetime) -> None:
    """Tell that a night is held, what it would have done, and which sources it did not rely on."""
    values = {
        "day": night.day,
        "customers": hold.customers,
        "rising": hold.rising,
        "levels": [{"level": level, "customers": count} for level, count in hold.levels.items()],
        "rules": [{"rule": rule, "customers": count} for rule, count in hold.rules.items()],
        "sources": [
            {"source": one.source, "owner": one.owner, "reason": one.reason}
            for one in nights.held_sources(connection, night)
        ],
    }
    _tell(connection, care, now, "hold", f"night:{night.day}", night, values)


def _tell(
    connection: Connection, care: CareSpec, now: datetime, kind: str, subject: str, night: Night, values: Mapping[str, Any]
) -> None:  # fmt: skip
    engineers = care.notices.engineers
    if not night.notifies or engineers is None:
        why = (
            "notices.yaml names no engineers"
            if night.notifies
            else "the night lies in the past: nobody is told"
        )
        notices.store(connection, [Decided(subject, 0, ENGINEERS, False, why)], [], now=now)
        return
    language = engineers.language or care.firm.language
    text = compose(
        kind, language, {**in_language(dict(values), language), "receiver": ENGINEERS}, care.firm.zone
    )
    body = {
        **text,
        "to": engineers.to,
        "connection": care.notices.channels[engineers.channel].connection,
        "kind": kind,
    }
    key = outbox_key(kind, ENGINEERS, engineers.channel, subject)
    said = (
        "a source that the night relies on died"
        if kind == "outage"
        else "too many customers would rise: the night is held"
    )
    # Engineers hear at once: a feed that is mended before the morning needs no explanation.
    message = Message(
        key=key, kind=kind, receiver=ENGINEERS, channel=engineers.channel, body=body, not_before=now
    )
    notices.store(connection, [Decided(subject, 0, ENGINEERS, True, said, key)], [message], now=now)
