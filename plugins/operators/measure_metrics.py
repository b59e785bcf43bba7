"""Compute every customer's numbers of a night."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator


class MeasureMetricsOperator(CareOperator):
    """Compute and store the night's metrics: one set-based pass per fact, nothing per customer."""

    def execute(self, context: Any) -> None:
        from carewatch.flow.night import measure

        with self.warehouse() as connection:
            measure(connection, self.the_day())
