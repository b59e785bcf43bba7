"""Check what was landed."""

from __future__ import annotations

from typing import Any

from operators.care_operator import CareOperator, configuration, configured_sources, warehouse_dsn


class CheckSourcesOperator(CareOperator):
    """Ask Great Expectations what the landed rows of all sources are like, store what it says and the run's page.

    Fails when a source is stopped, after everything was stored: its loads wait, those of the others go on.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)

    def execute(self, context: Any) -> dict[str, str]:
        from functools import partial

        from airflow.sdk.exceptions import AirflowFailException

        from care_sources.expectations import ask
        from carewatch.flow.check_report import report
        from carewatch.flow.checking import check_sources
        from carewatch.measure.volume import workdays
        from carewatch.spec.calendar import WorkCalendar
        from carewatch.store.check_results import keep_report
        from carewatch.store.check_tables import SCHEMA
        from carewatch.tell.check_page import what_to_do

        sources, now, run_id = configured_sources(), self.the_moment(), context["run_id"]
        if not any(source.has_checks for source in sources.sources.values()):
            return {}
        calendar = WorkCalendar(configuration().care.calendar, sources.firm.zone)
        with self.warehouse() as connection:
            verdicts = check_sources(
                connection, sources, ask=partial(ask, warehouse_dsn(), SCHEMA), run_id=run_id, now=now,
                is_workday=workdays(calendar),
            )  # fmt: skip
            page = report(connection, sources, run_id)
            if page is not None:
                keep_report(connection, run_id, page, now)
        for verdict in verdicts:
            for result in verdict.results:
                log = self.log.info if result.outcome == "passed" else self.log.warning
                where = f"{verdict.source}.{result.stream} load {verdict.load_id}"
                log("%s: '%s' %s: %s", where, result.check_text, result.outcome, result.message["en"])
        stopped = {one.source: one.owner for one in verdicts if one.state == "stopped"}
        if stopped:
            raise AirflowFailException(
                "\n".join(
                    f"{name} is stopped. {what_to_do(name, owner)['en']}" for name, owner in stopped.items()
                )
            )
        return {f"{one.source} {one.load_id}": one.state for one in verdicts}
