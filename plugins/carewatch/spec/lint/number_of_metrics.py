"""Health models with fewer than eight or more than twelve metrics: too few miss causes, too many explain nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from carewatch.spec.lint._finding import Finding, models
from carewatch.spec.parts import Parts
from carewatch.spec.saying import said

FEWEST: Final = 8
MOST: Final = 12


def find(parts: Parts) -> Iterator[Finding]:
    for kind, name, model in models(parts):
        count = len(model.metric_names())
        if not FEWEST <= count <= MOST:
            what = said("the health model scores {count} metrics", count=count)
            expected = said("the {fewest} to {most} that say most", fewest=FEWEST, most=MOST)
            yield Finding.of(kind, name, what, expected, loc=("dimensions",))
