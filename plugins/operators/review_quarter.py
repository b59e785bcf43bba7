"""Review a quarter's warnings."""

from __future__ import annotations

from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from operators.care_operator import CareOperator, configuration


class ReviewQuarterOperator(CareOperator):
    """Judge the warnings of a quarter against what happened up to `now` and keep the report.

    :param day: any day of the quarter after the one to review, today or before; without it the firm-local date of `now`.
    """

    def __init__(self, *, day: str = "{{ params.day or '' }}", **kwargs: Any) -> None:
        super().__init__(day=day, **kwargs)

    def execute(self, context: Any) -> dict[str, Any]:
        from carewatch.flow.review import review_quarter
        from carewatch.learn.outcomes import quarter_before

        spec = configuration().judgement
        today = self.the_moment().astimezone(spec.firm.zone).date()
        day = self.the_day() if self.day else today
        if day > today:
            raise AirflowFailException(f"the quarter before {day} cannot be reviewed yet: today is {today}")
        with self.warehouse() as connection:
            review, report = review_quarter(connection, spec, *quarter_before(day), today)
        self.log.info("%s", report)
        return {"quarter": review.quarter, **review.numbers()}
