"""Answer the question: which messages wait, which went out, and of which do we not know?

A decision is made exactly once; delivery is at most once per attempt: a message is claimed before it is sent, and a claim
that was never settled (a crash between) is `uncertain`, listed, and resent only when a person says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from carewatch.store.database import Connection

CLAIM_LASTS: Final = timedelta(minutes=10)
_BACKOFF: Final = timedelta(minutes=2)


@dataclass(frozen=True)
class Claimed:
    """A message that this process may send, once."""

    key: str
    kind: str
    receiver: str
    channel: str
    message: dict[str, Any]
    attempts: int
    claimed_at: datetime


def claim(connection: Connection, now: datetime) -> Claimed | None:
    """Claim the next message that is due and commit; None when nothing is. Claims too old become `uncertain`."""
    with connection.transaction():
        connection.execute(
            "update care.outbox set state = 'uncertain', answer = 'the sender stopped before an answer came' "
            "where state = 'claimed' and claimed_at < %s",
            (now - CLAIM_LASTS,),
        )
        row = connection.execute(
            "update care.outbox set state = 'claimed', attempts = attempts + 1, claimed_at = %(now)s where key = ("
            "select key from care.outbox where state = 'waiting' and not_before <= %(now)s "
            "order by not_before, created_at, key limit 1 for update skip locked) "
            "returning key, kind, receiver, channel, message, attempts, claimed_at",
            {"now": now},
        ).fetchone()
    return Claimed(*row) if row else None


def settle(
    connection: Connection, claimed: Claimed, *, sent: bool, answer: str, now: datetime, most: int
) -> None:
    """Record what became of an attempt and commit: sent, or waiting again with a growing pause, or failed at last.

    An answer that comes late still counts, unless the message was given to another sender in the meantime.
    """
    with connection.transaction():
        connection.execute(
            "update care.outbox set state = case when %(sent)s then 'sent' when attempts >= %(most)s then 'failed' "
            "else 'waiting' end, not_before = case when %(sent)s then not_before "
            "else %(now)s + %(pause)s * (2 ^ (attempts - 1)) end, settled_at = %(now)s, answer = %(answer)s "
            "where key = %(key)s and state in ('claimed', 'uncertain') and claimed_at = %(claimed_at)s",
            {
                "sent": sent,
                "most": most,
                "now": now,
                "pause": _BACKOFF,
                "answer": answer[:500],
                "key": claimed.key,
                "claimed_at": claimed.claimed_at,
            },
        )


def doubt(connection: Connection, claimed: Claimed, *, answer: str, now: datetime) -> None:
    """Record that nobody knows whether an attempt arrived, and commit."""
    with connection.transaction():
        connection.execute(
            "update care.outbox set state = 'uncertain', settled_at = %s, answer = %s "
            "where key = %s and state = 'claimed' and claimed_at = %s",
            (now, answer[:500], claimed.key, claimed.claimed_at),
        )


def resend(connection: Connection, key: str, *, now: datetime) -> bool:
    """Let a failed or uncertain message go out again; return whether there was one, and commit."""
    with connection.transaction():
        done = connection.execute(
            "update care.outbox set state = 'waiting', not_before = %s, attempts = 0 where key = %s "
            "and state in ('failed', 'uncertain')",
            (now, key),
        )
    return done.rowcount == 1


def listing(connection: Connection, states: list[str]) -> list[tuple[Any, ...]]:
    """Return key, state, attempts, time and answer of messages in these states, oldest first."""
    return connection.execute(
        "select key, state, attempts, coalesce(settled_at, created_at), answer from care.outbox where state = any(%s) "
        "order by created_at, key",
        (states,),
    ).fetchall()
