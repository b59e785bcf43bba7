"""Answer the question: which of a customer's rules had opened on a night, and which were true and did not count yet?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

import numpy as np

from carewatch.store import configurations
from carewatch.store.database import Connection
from carewatch.warn.fold import LONGEST_GAP
from carewatch.warn.hits import HEALTH_RULES, RuleBook, State

_NIGHTS = 120
"""No hold is longer than 60 nights; unknown nights in between do not count."""


def open_on(connection: Connection, customer_no: int, day: date) -> frozenset[str]:
    """Return the rules whose signal was open at the end of a day."""
    return frozenset(
        row[0]
        for row in connection.execute(
            "select rule from care.signal where customer_no = %s and opened_day <= %s and coalesce(closed_day, 'infinity') > %s",
            (customer_no, day, day),
        ).fetchall()
    )


def pending_on(
    connection: Connection, customer_no: int, day: date, book: RuleBook, is_open: Collection[str]
) -> Mapping[str, int]:
    """Return how many nights running each rule was true that is not open, as the fold counts them on a day."""
    holds = np.atleast_2d(book.holds_for)[0]
    slow = {
        name: int(hold)
        for name, hold in zip(book.names, holds, strict=True)
        if hold > 1 and name not in is_open
    }
    if not slow:
        return {}
    nights = connection.execute(
        "select n.day, n.judgement, h.rules from care.night n join care.health_night h on h.day = n.day "
        "and h.revision = n.revision and h.customer_no = %s where n.revision = 0 and n.state in ('applied', 'sealed') "
        "and n.day <= %s order by n.day desc limit %s",
        (customer_no, day, _NIGHTS),
    ).fetchall()
    counts = dict.fromkeys(slow, 0)
    counting, later = set(slow), None
    for night, fingerprint, states in nights:
        spec = configurations.judgement(connection, fingerprint)
        if not counting or (later is not None and spec.firm.missed_nights(night, later) > LONGEST_GAP):
            break
        names = (*spec.rules, *HEALTH_RULES)
        for name in tuple(counting):
            state = states[names.index(name)] if name in names else State.CLEAR
            counts[name] += state == State.HIT
            if state in (State.CLEAR, State.LINGERING):
                counting.remove(name)
        later = night
    return {name: count for name, count in counts.items() if 0 < count < slow[name]}
