"""Turn a source's landed rows into facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from operators.care_operator import CareOperator, configured_sources


class ConformSourceOperator(CareOperator):
    """Take every landed load of a source that was not taken yet; return the counts by stream.

    :param source: the source's name in sources.yaml.
    """

    template_fields: Sequence[str] = ("source",)

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)
        self.source = source

    def execute(self, context: Any) -> dict[str, dict[str, int]]:
        from dataclasses import asdict

        from carewatch.store.conform import conform
        from carewatch.store.identity import sync_priority

        sources = configured_sources()
        with self.warehouse() as connection:
            sync_priority(connection, sources)
            results = conform(connection, self.source, sources.sources[self.source], sources.firm)
        counts = {}
        for result in results:
            numbers = {name: count for name, count in asdict(result).items() if type(count) is int and count}
            counts[f"{result.origin} {result.load_id}"] = numbers
            self.log.info("%s load %s: %s", result.origin, result.load_id, numbers)
        return counts
