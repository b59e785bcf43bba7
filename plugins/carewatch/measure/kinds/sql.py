"""A metric in a person's own SQL: a pass of its own over facts that are already cut."""

from __future__ import annotations

from carewatch.measure.cut import day_literal, instant_literal
from carewatch.measure.literal import literal_query
from carewatch.measure.passes import Passes
from carewatch.spec.facts import FACTS
from carewatch.spec.literal import literal_facts
from carewatch.spec.metrics import Metric


def expression(metric: Metric, passes: Passes) -> str:
    assert metric.sql is not None
    cut, window = passes.cut, metric.window
    facts = {fact: [column.name for column in FACTS[fact].columns] for fact in literal_facts(metric.sql)}
    p = passes.own(
        "literal",
        (metric.sql, str(window)),
        facts=facts,
        lower=passes.midnight(window.start(cut.day)) if window else None,
        query=literal_query(metric.sql, day=day_literal(cut.day), cut=instant_literal(cut.event_cut)),
    )
    return f"{p}.value"
