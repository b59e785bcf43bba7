"""Fold judged nights into signals and warnings."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator


class AdvanceWarningsOperator(CareOperator):
    """Fold the judged nights into signals and warnings, in date order; return what moved."""

    def execute(self, context: Any) -> dict[str, Any]:
        from dataclasses import asdict

        from carewatch.flow.advance import advance, apply_nights
        from carewatch.flow.night import reopened

        with self.warehouse() as connection:
            night = reopened(connection, self.the_day())
            return asdict(advance(connection, night.care, self.the_moment(), (apply_nights,)))
