"""Answer the question: which metrics die with a fact that cannot be relied on?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from carewatch.spec.metrics import Metric, facts_read


def held_metrics(metrics: Mapping[str, Metric], held_facts: Collection[str]) -> frozenset[str]:
    """Return the metrics that read a held fact."""
    if not held_facts:
        return frozenset()
    return frozenset(name for name in metrics if not facts_read(metrics, name).isdisjoint(held_facts))
