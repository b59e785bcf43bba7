"""Answer the question: how healthy were groups of companies on a night?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from carewatch.measure.groups import members_of, roll_up
from carewatch.spec.configuration import JudgementSpec
from carewatch.store.database import Connection
from carewatch.store.nights import Night
from carewatch.warn.judge import Judged


def keep_groups(
    connection: Connection, night: Night, spec: JudgementSpec, customers: NDArray[np.int32], judged: Judged
) -> None:
    """Store the health of every group that is known at the night's cuts; nobody's own health changes."""
    assert spec.health.roll_up is not None
    parents: dict[int, int] = dict(
        connection.execute(
            "select customer_no, parent_no from care.parents_at(%s, %s) where not in_circle",
            (night.event_cut, night.knowledge_cut),
        ).fetchall()
    )
    money = judged.columns[spec.tiers.money] if spec.tiers.money else np.full(len(customers), np.nan)
    groups = roll_up(
        spec.health.roll_up,
        members_of(parents),
        customers,
        score=judged.scores.score,
        colour=judged.scores.colour,
        money=money,
        dormant=judged.dormant,
        bands=spec.health.bands,
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into care.group_night (day, revision, customer_no, members, colour, score, worst_no) "
            "values (%s, %s, %s, %s, %s, %s, %s)",
            [
                (night.day, night.revision, one.head, one.members, int(one.colour), one.score, one.worst)
                for one in groups
            ],
        )
