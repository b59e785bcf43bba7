"""Tell the engineers of a feed that died, a night that is held, a task that failed: once each, and nobody else.

The decision and its message are rows under a key of the outage, the night or the task, so that no rerun and no tick repeats them.
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
_WHY: Final = {
    "outage": "a source that the night relies on died",
    "hold": "too many customers would rise: the night is held",
    "failure": "a task failed for good",
}


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
        _tell(
            connection, care, now, "outage", f"source:{one.source}:{night.day}", values, silent=_past(night)
        )


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
    _tell(connection, care, now, "hold", f"night:{night.day}", values, silent=_past(night))


def tell_failure(connection: Connection, care: CareSpec, *, dag: str, task: str, now: datetime) -> None:
    """Tell that a task failed for good, once a task and day however often it runs."""
    day = now.astimezone(care.firm.zone).date()
    values = {"dag": dag, "task": task, "at": now}
    _tell(connection, care, now, "failure", f"task:{dag}.{task}:{day}", values)


def failure_message(care: CareSpec, *, dag: str, task: str, now: datetime) -> dict[str, str] | None:
    """Return the message of a failure, for when there is no warehouse to keep it; None when nobody is named."""
    return _body(care, "failure", {"dag": dag, "task": task, "at": now})


def _past(night: Night) -> str | None:
    return None if night.notifies else "the night lies in the past: nobody is told"


def _tell(
    connection: Connection, care: CareSpec, now: datetime, kind: str, subject: str, values: Mapping[str, Any],
    *, silent: str | None = None,
) -> None:  # fmt: skip
    """Decide and write one message under its subject; `silent` says why it is not sent."""
    body = _body(care, kind, values)
    engineers = care.notices.engineers
    if silent is not None or body is None or engineers is None:
        why = silent or "notices.yaml names no engineers"
        notices.store(connection, [Decided(subject, 0, ENGINEERS, False, why)], [], now=now)
        return
    key = outbox_key(kind, ENGINEERS, engineers.channel, subject)
    # Engineers hear at once: a feed that is mended before the morning needs no explanation.
    message = Message(
        key=key, kind=kind, receiver=ENGINEERS, channel=engineers.channel, body=body, not_before=now
    )
    notices.store(connection, [Decided(subject, 0, ENGINEERS, True, _WHY[kind], key)], [message], now=now)


def _body(care: CareSpec, kind: str, values: Mapping[str, Any]) -> dict[str, str] | None:
    engineers = care.notices.engineers
    if engineers is None:
        return None
    language = engineers.language or care.firm.language
    text = compose(
        kind, language, {**in_language(dict(values), language), "receiver": ENGINEERS}, care.firm.zone
    )
    return {
        **text,
        "to": engineers.to,
        "connection": care.notices.channels[engineers.channel].connection,
        "kind": kind,
    }
