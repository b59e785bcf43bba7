"""Open the night that all later tasks of the run read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from operators.care_operator import CareOperator, configuration, configured_sources


class OpenNightOperator(CareOperator):
    """Open the night of a day, or find it open, and return its day.

    The configuration on disk is read here once and stored; every later task reads the stored one. So is how the sources
    stand: facts of those that are late, or that brought far too little, are held as unknown all night.

    :param day: ISO date; without it the firm-local date of `now`.
    :param backfill: rendered to True in a backfill, whose nights never tell anybody.
    """

    template_fields: Sequence[str] = ("day", "now", "backfill")

    def __init__(
        self,
        *,
        day: str = "{{ params.day or '' }}",
        backfill: str = "{{ dag_run.run_type == 'backfill' }}",
        **kwargs: Any,
    ) -> None:
        super().__init__(day=day, **kwargs)
        self.backfill = backfill

    def execute(self, context: Any) -> str:
        from carewatch.flow.night import open_night
        from carewatch.store.nights import held_sources

        configured, sources = configuration(), configured_sources().sources
        now = self.the_moment()
        day = self.the_day() if self.day else now.astimezone(configured.firm.zone).date()
        with self.warehouse() as connection:
            opened = open_night(
                connection,
                configured,
                day,
                now=now,
                backfill=str(self.backfill) == "True",
                sources=sources,
            )
            held = held_sources(connection, opened.night)
        night = opened.night
        if opened.waiting is not None:
            self.log.warning(
                "the changed rules (judgement %s) are not approved: the night keeps %s; care_approval asks, or: care approve %s",
                opened.waiting,
                night.judgement,
                opened.waiting,
            )
        for one in held:
            self.log.warning(
                "%s is held (%s), %s; %s answers for it",
                one.source,
                ", ".join(one.facts),
                one.reason["en"],
                one.owner,
            )
        self.log.info(
            "night of %s, revision %s, %s, judgement %s, care %s",
            night.day,
            night.revision,
            night.state,
            night.judgement,
            night.care,
        )
        return night.day.isoformat()
