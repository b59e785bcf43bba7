"""Send what waits in the outbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

from operators.care_operator import CareOperator, configuration

if TYPE_CHECKING:
    from care_channels import Way


class DeliverOutboxOperator(CareOperator):
    """Send what is due through the Airflow connection each message names; return what became of the attempts.

    A message that may have arrived is never sent twice by itself: it stays listed as uncertain. A backfill sends nothing,
    not even what others have decided: its task is skipped, and the clock delivers.

    :param now: where the clock begins (ISO, rendered); without it the worker's clock, by which claims expire.
    :param most_attempts: after how many refusals a message has failed; without it what notices.yaml says.
    :param limit: how many messages to send at most.
    :param backfill: rendered to True in a backfill.
    """

    template_fields: Sequence[str] = ("day", "now", "backfill")

    def __init__(
        self,
        *,
        now: str = "{{ params.now or '' }}",
        most_attempts: int | None = None,
        limit: int = 1000,
        backfill: str = "{{ dag_run.run_type == 'backfill' }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(day="", now=now, **kwargs)
        self.most_attempts = most_attempts
        self.limit = limit
        self.backfill = backfill

    def execute(self, context: Any) -> dict[str, int]:
        from dataclasses import asdict
        from functools import cache

        from carewatch.flow.calls import send_claimed
        from carewatch.flow.deliver import deliver

        if str(self.backfill) == "True":
            raise AirflowSkipException("a backfill tells nobody; what is due goes out with the next tick")
        way = cache(way_of)
        with self.warehouse() as connection:
            delivered = deliver(
                connection,
                lambda claimed: send_claimed(
                    connection, claimed, lambda message: _send(way, claimed.key, message)
                ),
                clock=self.clock(),
                most_attempts=self.most_attempts or _configured_attempts(),
                limit=self.limit,
            )
        return asdict(delivered)

    def clock(self) -> Callable[[], datetime]:
        """Return the worker's clock, or one that begins at `now` and runs on."""
        if not self.now:
            return lambda: datetime.now(UTC)
        begin, started = self.the_moment(), time.monotonic()
        return lambda: begin + timedelta(seconds=time.monotonic() - started)


def _send(way: Callable[[str], Way], key: str, message: dict[str, Any]) -> str:
    from care_channels import send

    return send(way(message.get("connection", "")), key=key, to=message.get("to", ""), message=message)


def _configured_attempts() -> int:
    return configuration().care.notices.attempts


def way_of(conn_id: str) -> Way:
    """Return the values of an Airflow connection; raise Refused when there is none or it cannot be read."""
    from care_channels import Refused, Way

    try:
        found = BaseHook.get_connection(conn_id)
        extra = dict(found.extra_dejson)
    except AirflowNotFoundException:
        raise Refused(f"Airflow has no connection '{conn_id}': make it, or correct notices.yaml") from None
    except Exception as error:  # nothing was sent; the text of the error may hold a password
        raise Refused(f"Airflow could not read its connection '{conn_id}': {type(error).__name__}") from error
    return Way(
        kind=found.conn_type or "",
        host=found.host or "",
        port=found.port,
        login=found.login,
        password=found.password,
        extra=extra,
        schema=found.schema,
    )
