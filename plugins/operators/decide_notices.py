"""Decide who hears of what a night has moved."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator


class DecideNoticesOperator(CareOperator):
    """Decide on every transition that nobody has decided on, with a reason; messages wait in the outbox."""

    def execute(self, context: Any) -> dict[str, int]:
        from carewatch.flow.advance import advance, decide_notices
        from carewatch.flow.night import reopened

        with self.warehouse() as connection:
            night = reopened(connection, self.the_day())
            done = advance(connection, night.care, self.the_moment(), (decide_notices,))
        return {"decisions": done.decisions, "messages": done.messages}
