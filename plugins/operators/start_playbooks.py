"""Start the care playbooks of one level."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator


class StartPlaybooksOperator(CareOperator):
    """Start the playbooks of a level: cases, tasks, owners and due times; return how many tasks were made.

    :param level: 1, 2 or 3.
    """

    def __init__(self, *, level: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.level = level

    def execute(self, context: Any) -> int:
        from carewatch.flow.advance import advance, start_level
        from carewatch.flow.night import reopened

        with self.warehouse() as connection:
            night = reopened(connection, self.the_day())
            return advance(connection, night.care, self.the_moment(), (start_level(self.level),)).tasks
