"""Say that the night is held, so that a person is asked."""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowSkipException

from operators.care_operator import CareOperator


class AnnounceHoldOperator(CareOperator):
    """Succeed when the night is held and skip when it is not: its outlet starts `care_release`."""

    def execute(self, context: Any) -> str:
        from carewatch.flow.night import reopened

        with self.warehouse() as connection:
            night = reopened(connection, self.the_day()).night
        if night.state != "held":
            raise AirflowSkipException(f"the night of {night.day} is not held")
        return night.day.isoformat()
