"""Move care to the present moment."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator, configuration


class AdvanceCareOperator(CareOperator):
    """Advance everything to `now`: nights left behind, playbooks, reminders, escalations, notice decisions.

    The care configuration on disk is in force for the tick; it is stored under its fingerprint.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)

    def execute(self, context: Any) -> dict[str, Any]:
        from dataclasses import asdict

        from carewatch.flow.advance import advance

        care = configuration().care
        with self.warehouse() as connection:
            return asdict(advance(connection, care, self.the_moment()))
