"""Answer the question: which facts does a metric live on, and which metrics die with a fact?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from carewatch.spec.literal import literal_facts
from carewatch.spec.metrics import Metric


def facts_read(metrics: Mapping[str, Metric], name: str) -> frozenset[str]:
    """Return the facts that a metric reads, those of the metrics it is built on included."""
    metric = metrics[name]
    own = {metric.fact} if metric.fact is not None else set()
    if metric.sql is not None:
        own.update(literal_facts(metric.sql))
    parts = (part for part in (metric.metric, metric.over) if part is not None)
    return frozenset(own).union(*(facts_read(metrics, part) for part in parts))


def held_metrics(metrics: Mapping[str, Metric], held_facts: Collection[str]) -> frozenset[str]:
    """Return the metrics that read a held fact."""
    if not held_facts:
        return frozenset()
    return frozenset(name for name in metrics if not facts_read(metrics, name).isdisjoint(held_facts))
