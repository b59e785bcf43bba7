"""Answer the question: how often was each rule true on past nights, and for how many customers could it be told?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from carewatch.store.database import Connection
from carewatch.warn.hits import State


@dataclass(frozen=True)
class RuleStates:
    """The customers of some nights, summed: all of them, those for whom a rule was told, true, and true without excuse."""

    customers: int
    told: int
    true: int
    hit: int

    def __add__(self, other: RuleStates) -> RuleStates:
        return RuleStates(
            self.customers + other.customers,
            self.told + other.told,
            self.true + other.true,
            self.hit + other.hit,
        )


def newest_nights(connection: Connection, most: int) -> dict[str, list[int]]:
    """Return the newest judged nights by the judgement they were judged by, as they were run."""
    rows = connection.execute(
        "select judgement, array_agg(night_no) from (select judgement, night_no from care.night "
        "where revision = 0 and state not in ('open', 'measured') order by day desc limit %s) n group by judgement",
        (most,),
    ).fetchall()
    return {judgement: numbers for judgement, numbers in rows}


def rule_states(connection: Connection, nights: Sequence[int], rules: Sequence[str]) -> dict[str, RuleStates]:
    """Return the states of rules on nights that one judgement judged; `rules` are its rules in order."""
    counted = ", ".join(
        f"count(*) filter (where h.rules[{at}] <> {int(State.UNKNOWN)}), "
        f"count(*) filter (where h.rules[{at}] in ({int(State.HIT)}, {int(State.COVERED)})), "
        f"count(*) filter (where h.rules[{at}] = {int(State.HIT)})"
        for at in range(1, len(rules) + 1)
    )
    row = connection.execute(
        f"select count(*){', ' + counted if counted else ''} from care.health_night h "
        "join care.night n using (day, revision) where n.night_no = any(%s)".encode(),
        (list(nights),),
    ).fetchone()
    assert row is not None
    return {name: RuleStates(row[0], *row[1 + 3 * at : 4 + 3 * at]) for at, name in enumerate(rules)}
