"""Seal a night."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator


class SealNightOperator(CareOperator):
    """Seal the night: pages, the clock and explanations read sealed nights only."""

    def execute(self, context: Any) -> None:
        from carewatch.flow.night import seal

        with self.warehouse() as connection:
            seal(connection, self.the_day())
