"""Do what a person answered about a held night."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.sdk.exceptions import AirflowSkipException

from operators.ask_for_release import ANSWER
from operators.care_operator import CareOperator


class ReleaseNightOperator(CareOperator):
    """Release the night that was asked about when the answer is Approve; else skip.

    One that was superseded meanwhile is left alone, and that is said.

    :param found: the task that returned the night.
    :param answered: the task that asked the person.
    """

    template_fields: Sequence[str] = ("day", "now", "answer", "by")
    when: ClassVar[str] = "Approve"

    def __init__(self, *, found: str, answered: str, **kwargs: Any) -> None:
        super().__init__(day=f"{{{{ (ti.xcom_pull(task_ids='{found}') or {{}}).get('day', '') }}}}", **kwargs)
        said = f"(ti.xcom_pull(task_ids='{answered}', key='{ANSWER}') or {{}})"
        self.answer = f"{{{{ {said}.get('chosen', '') }}}}"
        self.by = f"{{{{ {said}.get('by', '') }}}}"

    def execute(self, context: Any) -> str:
        from carewatch.flow.release import NotReleasable

        if not self.day or self.answer != self.when:
            raise AirflowSkipException(
                "nobody was asked" if not self.day else f"the answer is '{self.answer}'"
            )
        with self.warehouse() as connection:
            try:
                said = self.settle(connection)
            except NotReleasable as superseded:
                said = str(superseded)
        self.log.info("%s", said)
        return said

    def settle(self, connection: Any) -> str:
        """Do what was answered; return what was done."""
        from carewatch.flow.release import release

        done = release(connection, self.the_day(), by=self.by, why="care_release", now=self.the_moment())
        return f"released by {self.by}: {done.moves} warnings moved, {done.tasks} care tasks"


class RejectNightOperator(ReleaseNightOperator):
    """Write down who rejected the release of the night, or that nobody answered in time."""

    when = "Reject"

    def settle(self, connection: Any) -> str:
        from carewatch.flow.release import reject

        reject(connection, self.the_day(), by=self.by, why="care_release", now=self.the_moment())
        return f"rejected by {self.by}: the night stays held"
