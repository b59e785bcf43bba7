"""Find the sources that are due."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator, configured_sources


class FindDueSourcesOperator(CareOperator):
    """Return the names of the sources whose `every` has passed since they were last read.

    :param own_customers: those that bring customers of their own, or those whose rows name another source's: the first
        become facts before the second, or these would wait in quarantine for them.
    """

    def __init__(self, *, own_customers: bool, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)
        self.own_customers = own_customers

    def execute(self, context: Any) -> list[str]:
        from carewatch.store.freshness import due_sources

        sources = configured_sources()
        with self.warehouse() as connection:
            waiting = due_sources(connection, sources.sources, self.the_moment())
        return [name for name in waiting if (sources.sources[name].key_space is None) is self.own_customers]
