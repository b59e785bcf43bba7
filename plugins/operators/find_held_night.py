"""Find the night that a person is to be asked about."""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from operators.care_operator import CareOperator


class FindHeldNightOperator(CareOperator):
    """Return the day of the newest night when it is held, and what is said of it: subject and body; else skip."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)

    def execute(self, context: Any) -> dict[str, str]:
        from carewatch.flow.release import question

        with self.warehouse() as connection:
            asked = question(connection)
        if asked is None:
            raise AirflowSkipException("no night waits for a release: the newest one is not held")
        return asked
