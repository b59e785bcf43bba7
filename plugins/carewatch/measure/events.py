"""Answer the question: which SQL finds the events that a rule waits for?

An event is in force from the moment it happened, for as long as its rule says, or until the day on which it expires.
Market events are joined to every customer of their industry, country or market, and line.
"""

from __future__ import annotations

from collections.abc import Sequence

from carewatch.measure.cut import Cut, day_literal, instant_literal, local_midnight, text_literal
from carewatch.measure.passes import believed, render, visible
from carewatch.spec.duration import Unit, Window
from carewatch.spec.event import EXPIRES, SEVERITY
from carewatch.spec.facts import FACTS
from carewatch.spec.fragment import canonical
from carewatch.spec.rules import Rule

_BUYS_A_LINE = Window(365, Unit.DAY)
"""A customer is exposed to a line that it had an order, a contract or use of in this time."""


def event_query(rule: Rule, cut: Cut, *, columns: Sequence[str] = (), customers: str | None = None) -> str:
    """Return the query of each customer's newest event in force at the cut, with these columns of the fact.

    `customers` is an SQL array of the customers that are asked about; without it everybody is.
    """
    assert rule.fact is not None
    fact = FACTS[rule.fact]
    return render(
        "event.sql.j2",
        table=fact.table,
        market=rule.concerns == "market",
        alive=_alive(rule, cut),
        visible=visible(cut),
        believed=believed(cut),
        masters=_masters(cut),
        severity=fact.column(SEVERITY) is not None,
        columns=columns,
        customers=customers,
        year=_midnight_before(_BUYS_A_LINE, cut),
    )


def _alive(rule: Rule, cut: Cut) -> str:
    assert rule.fact is not None
    lasts = f"f.event_at >= {_midnight_before(rule.event_lasts, cut)}"
    if FACTS[rule.fact].column(EXPIRES) is not None:
        until = f"f.{EXPIRES} >= {day_literal(cut.last_day)}"
        lasts = f"case when f.{EXPIRES} is null then {lasts} else {until} end"
    where = f" and ({canonical(rule.where, table='f')})" if rule.where else ""
    return f"{visible(cut)} and {lasts}{where}"


def _masters(cut: Cut) -> str:
    """Return the master records as believed at the cut."""
    later = ", ".join(text_literal(load_id) for load_id in cut.later_histories)
    moments = f"{instant_literal(cut.event_cut)}, {instant_literal(cut.knowledge_cut)}"
    return f"care.masters_at({moments}, array[{later}]::text[])"


def _midnight_before(window: Window, cut: Cut) -> str:
    """Return the start of a window that ends with the last day that the cut sees."""
    return instant_literal(local_midnight(window.start(cut.next_day), cut.zone))
