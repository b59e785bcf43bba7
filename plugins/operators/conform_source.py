"""Turn a source's landed rows into facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from operators.care_operator import CareOperator, configured_sources


class ConformSourceOperator(CareOperator):
    """Take every landed load of a source that was not taken yet, and delete landed rows that were kept long enough;
    return the counts by stream.

    :param source: the source's name in sources.yaml.
    """

    template_fields: Sequence[str] = ("source",)

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)
        self.source = source

    def execute(self, context: Any) -> dict[str, dict[str, int]]:
        from dataclasses import asdict
        from datetime import UTC, datetime

        from carewatch.store.conform import conform
        from carewatch.store.identity import sync_priority
        from carewatch.store.raw import purge_landing

        sources = configured_sources()
        source = sources.sources[self.source]
        with self.warehouse() as connection:
            sync_priority(connection, sources)
            results = conform(connection, self.source, source, sources.firm)
            # Loads are named by the clock of the machine that landed them, whatever moment the run stands for.
            purged = purge_landing(connection, self.source, source, sources.firm, now=datetime.now(UTC))
        if purged:
            self.log.info("%s: %d landed rows older than keep_landed deleted", self.source, purged)
        counts = {}
        for result in results:
            numbers = {name: count for name, count in asdict(result).items() if type(count) is int and count}
            counts[f"{result.origin} {result.load_id}"] = numbers
            self.log.info("%s load %s: %s", result.origin, result.load_id, numbers)
        return counts
