"""Say why a number of one customer is unknown: what it would need, and who can give it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from carewatch.measure.columns import Columns
from carewatch.measure.cut import Cut
from carewatch.measure.kinds.aggregate import unconverted
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.items import ITEMS
from carewatch.spec.metric_kinds import Measure
from carewatch.spec.metrics import Metric, facts_read
from carewatch.store import gaps
from carewatch.store.database import Connection
from carewatch.store.freshness import HeldSource


@dataclass(frozen=True)
class Asked:
    """Whom and what it is about: a customer at a cut, the numbers that were computed, the sources that are held."""

    connection: Connection
    spec: JudgementSpec
    cut: Cut
    customer_no: int
    columns: Columns
    held: list[HeldSource]


def why_unknown(asked: Asked, name: str) -> dict[str, Any]:
    """Return why a metric is unknown, by `kind`:

    - `held`: a source that it reads is not relied on (`sources`, each with its owner);
    - `part`: a metric that it is made of is unknown (`metric`, and its own `because`);
    - `rate`: amounts wait for an exchange rate (`currencies`);
    - `rows`: no row of the `fact` in the `window`, or none that is `counted`; `last` is the day of the last, if any;
    - `few`: there are rows, but too few, or without the value that is asked for;
    - `little`: there is too little, or nothing, to compare with.
    """
    metric = asked.spec.metrics[name]
    facts = facts_read(asked.spec.metrics, name)
    holding = [one for one in asked.held if not facts.isdisjoint(one.facts)]
    if holding:
        return {"kind": "held", "sources": [{"source": one.source, "owner": one.owner} for one in holding]}
    for _, part in metric.parts():
        if math.isnan(float(asked.columns[part][0])):
            label = asked.spec.metrics[part].label.to_data()
            return {"kind": "part", "metric": part, "label": label, "because": why_unknown(asked, part)}
    if metric.fact is None:
        return {"kind": "little"} if metric.sql is None else {"kind": "few", "fact": sorted(facts)[0]}
    waiting = _without_rate(asked, metric)
    if waiting:
        return {"kind": "rate", "currencies": waiting}
    last = gaps.last_day_with(asked.connection, asked.cut, asked.customer_no, metric.fact, metric.where)
    since = metric.window.start(asked.cut.day) if metric.window else None
    if last is None or (since is not None and last < since):
        window = (
            None if metric.window is None else {"count": metric.window.count, "unit": str(metric.window.unit)}
        )
        return {
            "kind": "rows", "fact": metric.fact, "counted": metric.where is not None, "window": window,
            "last": last and last.isoformat(),
        }  # fmt: skip
    return {"kind": "few", "fact": metric.fact}


def _without_rate(asked: Asked, metric: Metric) -> list[str]:
    assert metric.fact is not None
    reads_money = unconverted(metric) is not None or (
        metric.kind is Measure.OPEN and ITEMS[metric.fact].amount
    )
    if not reads_money or metric.window is None:
        return []
    since = metric.window.start(asked.cut.day)
    return gaps.currencies_without_rate(asked.connection, asked.cut, asked.customer_no, metric.fact, since)
