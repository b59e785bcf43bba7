"""Answer the question: when did each customer go from one stage of its life to the next?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from carewatch.measure.stages import UNKNOWN_STAGE
from carewatch.spec.configuration import JudgementSpec
from carewatch.store.arrays import Field, write
from carewatch.store.database import Connection
from carewatch.store.nights import Night

_FIELDS = (Field("customer_no", "integer"), Field("stage", "small"))


def store_transitions(
    connection: Connection, night: Night, spec: JudgementSpec, health: Mapping[str, NDArray[Any]]
) -> None:
    """Store who is in another stage than on the night before; called in date order, as warnings are moved.

    A stage that is unknown tonight is no transition.
    """
    known = health["stage"] != UNKNOWN_STAGE
    if not known.any():
        return
    connection.execute("create temp table stage_rows (customer_no integer, stage smallint) on commit drop")
    columns = {name: health[name][known] for name in ("customer_no", "stage")}
    write(connection, "pg_temp.stage_rows", _FIELDS, columns, int(known.sum()))
    connection.execute(
        "insert into care.stage_event (customer_no, day, stage, came_from, judgement) "
        "select r.customer_no, %(day)s, n.stage, l.stage, %(judgement)s from stage_rows r "
        "join unnest(%(names)s::text[]) with ordinality as n(stage, place) on n.place = r.stage + 1 "
        "left join (select distinct on (customer_no) customer_no, stage from care.stage_event where day < %(day)s "
        "order by customer_no, day desc) l using (customer_no) "
        "where l.stage is distinct from n.stage on conflict do nothing",
        {"day": night.day, "judgement": night.judgement, "names": list(spec.stages.stages)},
    )
    connection.execute("drop table stage_rows")
