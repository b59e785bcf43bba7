"""Say that facts have moved."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator


class PublishFactsOperator(CareOperator):
    """Return what the newest load of every stream brought; the one outlet of `care_ingest`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)

    def execute(self, context: Any) -> dict[str, dict[str, int]]:
        from carewatch.store.loads import newest_loads

        with self.warehouse() as connection:
            return newest_loads(connection)
