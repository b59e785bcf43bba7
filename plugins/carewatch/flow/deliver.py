"""Deliver the outbox: claim a message, send it, settle what became of it, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.pq import TransactionStatus

from carewatch.store import outbox
from carewatch.store.database import Connection
from carewatch.store.outbox import Claimed
from carewatch.tell.delivery import Doubtful, Refused

# less than the pause between two ticks: a channel that never answers must not hold up reminders, escalations
ROUND_LASTS: Final = timedelta(minutes=5)


@dataclass(frozen=True)
class Delivered:
    """How many attempts of one round were sent, will be retried, failed for good, or are uncertain."""

    sent: int = 0
    retried: int = 0
    failed: int = 0
    uncertain: int = 0


def deliver(
    connection: Connection,
    send: Callable[[Claimed], str],
    *,
    clock: Callable[[], datetime],
    most_attempts: int,
    limit: int = 1000,
    lasts: timedelta = ROUND_LASTS,
) -> Delivered:
    """Send what is due, at most `limit` messages, and start none later than `lasts` after the beginning.

    `send` returns the answer to keep, or raises Refused (tried again, `most_attempts` times in all) or
    Doubtful (uncertain, never tried again by itself). Anything else it raises makes its message uncertain too
    and is raised again at once: a fault must not send a message twice, nor spoil more than the message it met.
    Each step is committed; raise ValueError when `connection` is inside a transaction, which could undo the
    claim of a message that was sent.
    """
    if connection.info.transaction_status != TransactionStatus.IDLE:
        raise ValueError(
            "a message is claimed and committed before it is sent: deliver outside of a transaction"
        )
    became: Counter[str] = Counter()
    end = clock() + lasts
    for _ in range(limit):
        now = clock()
        claimed = outbox.claim(connection, now) if now <= end else None
        if claimed is None:
            break
        became[_attempt(connection, send, claimed, clock, most_attempts)] += 1
    return Delivered(**became)


def _attempt(
    connection: Connection,
    send: Callable[[Claimed], str],
    claimed: Claimed,
    clock: Callable[[], datetime],
    most_attempts: int,
) -> str:
    try:
        answer = send(claimed)
    except Refused as refused:
        said = _storable(str(refused))
        outbox.settle(connection, claimed, sent=False, answer=said, now=clock(), most=most_attempts)
        return "failed" if claimed.attempts >= most_attempts else "retried"
    except Doubtful as doubtful:
        outbox.doubt(connection, claimed, answer=_storable(str(doubtful)), now=clock())
        return "uncertain"
    except BaseException as fault:  # a stopped task and a time-out are faults too
        said = f"the sender stopped with {type(fault).__name__}; its log says why"
        outbox.doubt(connection, claimed, answer=said, now=clock())
        raise
    outbox.settle(connection, claimed, sent=True, answer=_storable(answer), now=clock(), most=most_attempts)
    return "sent"


def _storable(answer: str) -> str:
    """Return the answer as PostgreSQL takes it: no odd character in it makes a sent message uncertain."""
    return answer.encode("utf-8", "replace").decode().replace("\0", "?")
