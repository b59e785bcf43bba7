"""What the operators of one night share: the warehouse's connection and the night's own moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.sdk import BaseHook, BaseOperator
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from carewatch.spec.calendar import WorkCalendar
    from carewatch.spec.configuration import Configuration
    from carewatch.spec.sources import Sources
    from carewatch.store.database import Connection

Part = TypeVar("Part")


def warehouse_dsn() -> str:
    """Return the warehouse's URI: `CARE_DB` or the Airflow connection `care_db`."""
    from carewatch.store.database import configured_dsn

    return configured_dsn(lambda conn_id: BaseHook.get_connection(conn_id).get_uri())


def configuration() -> Configuration:
    """Return the configuration on disk; a mistake in it fails the task at once: trying again cannot mend it."""
    from carewatch.spec.loading import load

    return _read("configuration", load)


def configured_sources() -> Sources:
    """Return the sources on disk; a mistake in them fails the task at once."""
    from carewatch.spec.sources import load_sources

    return _read("sources", load_sources)


def calendar() -> WorkCalendar:
    """Return the working calendar on disk; a mistake in it fails the task at once."""
    from carewatch.spec.loading import load_calendar

    return _read("calendar", load_calendar)


def _read(what: str, load: Callable[[Path], Part]) -> Part:
    from carewatch.paths import config
    from carewatch.spec.document import SpecError

    try:
        return load(config())
    except SpecError as error:
        raise AirflowFailException(f"the {what} cannot be used:\n{error}") from None


def moment(text: str) -> datetime:
    """Return the instant that a rendered template names, UTC when it has no offset."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


class CareOperator(BaseOperator):
    """An operator on the warehouse.

    :param day: the night's day (ISO date), rendered.
    :param now: the moment the run stands for (ISO, aware), rendered; never the clock of the worker.
    """

    template_fields: Sequence[str] = ("day", "now")

    def __init__(
        self,
        *,
        day: str = "{{ ti.xcom_pull(task_ids='open_night') }}",
        now: str = "{{ params.now or dag_run.run_after.isoformat() }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.day = day
        self.now = now

    @contextmanager
    def warehouse(self) -> Iterator[Connection]:
        """Open the warehouse for the length of a block; a person's mistake that shows in it fails the task at once."""
        import psycopg
        from airflow.sdk.exceptions import AirflowException

        from carewatch.store.database import connect, refusal
        from carewatch.store.metrics import BadMetric
        from carewatch.store.nights import NoNight
        from carewatch.tell.wording import BadTemplate

        try:
            with connect(warehouse_dsn(), autocommit=True) as connection:
                yield connection
        except (BadMetric, BadTemplate, NoNight) as mistake:
            raise AirflowFailException(str(mistake)) from None
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            # Its details quote whole rows, and so would the log.
            raise AirflowException(f"the warehouse refused a value: {refusal(error)}") from None

    def the_day(self) -> date:
        return date.fromisoformat(self.day)

    def the_moment(self) -> datetime:
        return moment(self.now)
