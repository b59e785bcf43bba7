"""Open the night that all later tasks of the run read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from operators.care_operator import CareOperator, configuration


class OpenNightOperator(CareOperator):
    """Open the night of a day, or find it open, and return its day.

    The configuration on disk is read here once and stored; every later task reads the stored one.

    :param day: ISO date; without it the firm-local date of `now`.
    :param late: rendered to the sources that were late when the night stopped waiting, comma separated.
    :param backfill: rendered to True in a backfill, whose nights never tell anybody.
    """

    template_fields: Sequence[str] = ("day", "now", "backfill", "late")

    def __init__(
        self,
        *,
        day: str = "{{ params.day or '' }}",
        backfill: str = "{{ dag_run.run_type == 'backfill' }}",
        late: str = "{{ (ti.xcom_pull(task_ids='wait_for_sources') or []) | join(',') }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(day=day, **kwargs)
        self.backfill = backfill
        self.late = late

    def execute(self, context: Any) -> str:
        from carewatch.flow.night import open_night

        configured = configuration()
        now = self.the_moment()
        day = self.the_day() if self.day else now.astimezone(configured.firm.zone).date()
        with self.warehouse() as connection:
            opened = open_night(
                connection,
                configured,
                day,
                now=now,
                backfill=str(self.backfill) == "True",
                late_sources=[name for name in self.late.split(",") if name],
            )
        night = opened.night
        self.log.info(
            "night of %s, revision %s, %s, judgement %s, care %s",
            night.day,
            night.revision,
            night.state,
            night.judgement,
            night.care,
        )
        return night.day.isoformat()
