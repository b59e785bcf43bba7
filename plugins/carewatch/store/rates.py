"""Answer the question: what are amounts worth when rates come, change or go?"""

from __future__ import annotations

from collections.abc import Mapping

from carewatch.spec.facts import FACTS
from carewatch.store.conform_sql import render
from carewatch.store.database import Connection

_MONEY = [
    {"table": fact.table, "columns": [column.name for column in fact.columns]}
    for fact in FACTS.values()
    if fact.column("amount_original") is not None
]


def convert_anew(connection: Connection, context: Mapping[str, object]) -> None:
    """Convert the amounts that the rates of the load under way decide, as versions known from now on.

    Call it under the locks `rates` and `facts`, while the load's temporary table `candidate` stands.
    """
    cursor = connection.execute(render("rates.sql.j2", {**context, "facts": _MONEY}).encode())
    while cursor.nextset():
        pass
