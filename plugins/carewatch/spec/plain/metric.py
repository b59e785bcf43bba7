"""Answer the question: what does a metric count?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from carewatch.spec.metric_kinds import Measure
from carewatch.spec.metrics import Metric
from carewatch.spec.plain.where import rows_that_count
from carewatch.spec.plain.words import Words

_KINDS: Final = {
    Measure.COUNT: "How many of: {fact}",
    Measure.SUM: "The sum over: {fact}",
    Measure.AVERAGE: "The average over: {fact}",
    Measure.MINIMUM: "The smallest value of: {fact}",
    Measure.MAXIMUM: "The largest value of: {fact}",
    Measure.DISTINCT: "How many different ones of: {fact}",
    Measure.LATEST: "The newest value of: {fact}",
    Measure.DAYS_SINCE: "Days since the event, from: {fact}",
    Measure.IN_A_ROW: "How many in a row of: {fact}",
    Measure.CHANGE: "By how many percent this changed: {metrics}",
    Measure.BASELINE: "By how many percent this differs from the usual: {metrics}",
    Measure.FALLING: "How many periods in a row this fell by {drop:g} % or more: {metrics}",
    Measure.RATIO: "One divided by the other: {metrics}",
    Measure.LEAST: "The smallest of: {metrics}",
    Measure.SHARE: "The customer's share or place among all, by: {metrics}",
    Measure.RHYTHM: "The customer's own rhythm, from: {fact}",
    Measure.EXPECTED: "How many days are expected in the time to come, from: {fact}",
    Measure.OPEN: "What is open now, from: {fact}",
    Measure.CLOSED: "How it ended, from: {fact}",
    Measure.SQL: "Computed by a query of its own",
}


def metric_sentences(metric: Metric, words: Words) -> Iterator[str]:
    """Yield the sentences of a metric."""
    names = words.list(words.name(part) for _, part in metric.parts())
    fact = words.fact(metric.fact) if metric.fact is not None else ""
    sentence = words.say(_KINDS[metric.kind], fact=fact, metrics=names, drop=metric.drop or 0)
    if metric.window is not None and metric.ago is not None:
        span = words.say(
            ", over {window}, ended {ago} ago",
            window=words.window(metric.window),
            ago=words.window(metric.ago),
        )
    elif metric.window is not None:
        span = words.say(", over {window}", window=words.window(metric.window))
    elif metric.ago is not None:
        span = words.say(", against {ago} ago", ago=words.window(metric.ago))
    else:
        span = ""
    yield words.say("{sentence}{span}.", sentence=sentence, span=span)
    if metric.fact is not None and metric.where is not None:
        yield rows_that_count(metric.fact, metric.where, words)
    if metric.unit:
        yield words.say("Counted in {unit}.", unit=words.unit(metric.unit))
    if metric.better == "higher":
        yield words.say("More is a good sign.")
    if metric.better == "lower":
        yield words.say("Less is a good sign.")
    if metric.when_empty is not None:
        yield words.say("Without any such record it is {empty:g}.", empty=metric.when_empty)
    else:
        yield words.say("Without any such record it is unknown.")
    if metric.owner:
        yield words.say("{owner} answers for it.", owner=metric.owner)
