"""Wait until every source has kept its promise of freshness, but not for ever."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import BaseSensorOperator, PokeReturnValue

from operators.care_operator import calendar, configured_sources, moment, warehouse_dsn


class SourceFreshSensor(BaseSensorOperator):
    """Succeed when all sources can be relied on, or when the wait is over; return the names of those that cannot.

    A source is late, or it was read in time and brought next to nothing against its own weekday pattern.
    It never fails a night: better a night that knows which of its sources were late than none. It reschedules, so
    waiting holds no worker.

    :param wait: how long to wait, counted from the start of the run.
    :param now: the moment the run stands for (ISO, rendered); without it the worker's clock, which is right in production.
    """

    template_fields: Sequence[str] = ("now",)

    def __init__(
        self, *, wait: timedelta = timedelta(hours=1), now: str = "{{ params.now or '' }}", **kwargs: Any
    ) -> None:
        super().__init__(mode="reschedule", poke_interval=300, **kwargs)
        self.wait = wait
        self.now = now

    def poke(self, context: Any) -> PokeReturnValue:
        from carewatch.store.database import connect
        from carewatch.store.freshness import unreliable_sources

        at = moment(self.now) if self.now else datetime.now(UTC)
        with connect(warehouse_dsn(), autocommit=True) as connection:
            late = unreliable_sources(connection, configured_sources().sources, at, calendar())
        for one in late:
            self.log.warning(
                "%s cannot be relied on, %s; %s answers for it", one.source, one.reason["en"], one.owner
            )
        started = context["dag_run"].start_date or at
        over = datetime.now(UTC) - started >= self.wait
        return PokeReturnValue(is_done=not late or over, xcom_value=[one.source for one in late])
