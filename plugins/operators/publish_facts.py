"""Let in typed rows whose customers have arrived, and say that facts have moved."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator, configured_sources


class PublishFactsOperator(CareOperator):
    """Return what the newest load of every stream brought; the one outlet of `care_ingest`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)

    def execute(self, context: Any) -> dict[str, dict[str, int]]:
        from carewatch.spec.sources import TYPED
        from carewatch.spec.typed import typed_source
        from carewatch.store.conform import conform
        from carewatch.store.loads import newest_loads

        sources = configured_sources()
        with self.warehouse() as connection:
            with connection.transaction():
                conform(connection, TYPED, typed_source(sources.sources), sources.firm)
            return newest_loads(connection)
