"""Turn a source's landed rows into facts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from operators.care_operator import CareOperator, configured_sources


class ConformSourceOperator(CareOperator):
    """Take every landed load of a source that was not taken yet, and delete landed rows that were kept long enough;
    return the counts by stream.

    In a source that checks can stop, only loads up to the newest that passed or was released; when that is none, the task
    is skipped.

    :param source: the source's name in sources.yaml.
    """

    template_fields: Sequence[str] = ("source",)

    def __init__(self, *, source: str, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)
        self.source = source

    def execute(self, context: Any) -> dict[str, dict[str, int]]:
        from dataclasses import asdict
        from datetime import UTC, datetime

        from airflow.sdk.exceptions import AirflowSkipException

        from carewatch.store.check_results import admission
        from carewatch.store.conform import conform
        from carewatch.store.identity import sync_priority
        from carewatch.store.raw import purge_landing
        from carewatch.tell.check_page import what_to_do

        sources = configured_sources()
        source = sources.sources[self.source]
        with self.warehouse() as connection:
            sync_priority(connection, sources)
            admitted = admission(connection, self.source, source, sources.firm)
            results = conform(connection, self.source, source, sources.firm, load_ids=admitted.taken)
            # Loads are named by the clock of the machine that landed them, whatever moment the run stands for.
            purged = purge_landing(connection, self.source, source, sources.firm, now=datetime.now(UTC))
        if purged:
            self.log.info("%s: %d landed rows older than keep_landed deleted", self.source, purged)
        if admitted.waiting:
            loads = ", ".join(admitted.waiting)
            said = f"{self.source}: loads {loads} were stopped by a check, or not checked. {what_to_do(self.source, source.owner)['en']}"
            if not results:
                raise AirflowSkipException(said)
            self.log.warning("%s", said)
        counts = {}
        for result in results:
            numbers = {name: count for name, count in asdict(result).items() if type(count) is int and count}
            counts[f"{result.origin} {result.load_id}"] = numbers
            self.log.info("%s load %s: %s", result.origin, result.load_id, numbers)
        return counts
