"""Judge every customer's numbers of a night."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator


class JudgeHealthOperator(CareOperator):
    """Judge the night's metrics: health scores, colours, and which rules hold."""

    def execute(self, context: Any) -> None:
        from carewatch.flow.night import judge

        with self.warehouse() as connection:
            judge(connection, self.the_day())
