"""Answer the question: who may write what at the same time?

Every lock is a PostgreSQL advisory lock held until the transaction or session ends, so a killed process releases it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import psycopg


class Lock(IntEnum):
    """The advisory locks of the warehouse; the numbers are part of its contract and never reused."""

    MIGRATION = 770_001
    FACTS = 770_002
    CARE_STATE = 770_003
    NIGHT = 770_004
    OUTBOX = 770_005
    CONFORM = 770_006
    RATES = 770_007
    CHECKS = 770_008


def hold(connection: psycopg.Connection[Any], lock: Lock) -> None:
    """Wait for the lock and hold it until this transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s)", (int(lock),))


def hold_shared(connection: psycopg.Connection[Any], lock: Lock) -> None:
    """Wait until nobody holds the lock alone, and keep it, with others, until this transaction ends."""
    connection.execute("select pg_advisory_xact_lock_shared(%s)", (int(lock),))


def hold_for(connection: psycopg.Connection[Any], lock: Lock, name: str) -> None:
    """Wait for the lock of one named thing, such as one source, and hold it until this transaction ends."""
    connection.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", (int(lock), name))


@contextmanager
def held(connection: psycopg.Connection[Any], lock: Lock) -> Iterator[None]:
    """Wait for the lock and hold it for the length of a block, over several transactions."""
    connection.execute("select pg_advisory_lock(%s)", (int(lock),))
    try:
        yield
    finally:
        connection.execute("select pg_advisory_unlock(%s)", (int(lock),))
