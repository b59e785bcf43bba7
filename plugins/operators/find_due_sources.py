"""Find the sources that are due."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator, configured_sources


class FindDueSourcesOperator(CareOperator):
    """Return the names of the sources whose `every` has passed since they were last read; customers' masters first."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)

    def execute(self, context: Any) -> list[str]:
        from carewatch.store.freshness import due_sources

        sources = configured_sources()
        with self.warehouse() as connection:
            waiting = due_sources(connection, sources.sources, self.the_moment())
        return sorted(waiting, key=lambda name: sources.sources[name].key_space is not None)
