"""Metrics that carry more than half of a health model alone, or so little that nobody would notice them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from carewatch.spec.lint._finding import Finding, models
from carewatch.spec.parts import Parts
from carewatch.spec.saying import said

MOST: Final = 0.5
LEAST: Final = 0.01


def find(parts: Parts) -> Iterator[Finding]:
    for kind, name, model in models(parts):
        for dimension, content in model.dimensions.items():
            for metric, scored in content.metrics.items():
                share = round(content.weight * scored.weight, 9)
                loc = ("dimensions", dimension, "metrics", metric)
                if share > MOST:
                    what = said(
                        "'{metric}' alone carries {share:.0%} of the score", metric=metric, share=share
                    )
                    expected = said("at most half: weigh other metrics beside it")
                    yield Finding.of(kind, name, what, expected, loc=loc)
                elif share < LEAST:
                    what = said(
                        "'{metric}' carries {share:.1%} of the score: nobody would notice it",
                        metric=metric,
                        share=share,
                    )
                    expected = said("at least 1 %, or the metric left out")
                    yield Finding.of(kind, name, what, expected, loc=loc)
