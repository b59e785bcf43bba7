"""Find the changed rules that wait for the strategic layer, and do what a person answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from operators.ask_for_release import ANSWER, NOBODY
from operators.care_operator import CareOperator, configuration


class FindProposalOperator(CareOperator):
    """Return the newest proposed judgement with subject and body of the question, its effect included; else skip."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)

    def execute(self, context: Any) -> dict[str, str]:
        from carewatch.flow.approval import question

        with self.warehouse() as connection:
            asked = question(connection, configuration())
        if asked is None:
            raise AirflowSkipException("no change of the rules waits for an approval")
        return asked


class DecideApprovalOperator(CareOperator):
    """Write down an answer about the proposed judgement when it is the expected one; unanswered it goes on waiting.

    Only a person whose Airflow name is the id of somebody in people.yaml with an approving role decides.

    :param when: the answer that is written down, Approve or Reject.
    :param found: the task that returned the proposal.
    :param answered: the task that asked the person.
    """

    template_fields: Sequence[str] = ("day", "now", "fingerprint", "answer", "by")

    def __init__(self, *, when: str, found: str, answered: str, **kwargs: Any) -> None:
        super().__init__(day="", **kwargs)
        self.when = when
        said = f"(ti.xcom_pull(task_ids='{answered}', key='{ANSWER}') or {{}})"
        self.fingerprint = f"{{{{ (ti.xcom_pull(task_ids='{found}') or {{}}).get('fingerprint', '') }}}}"
        self.answer = f"{{{{ {said}.get('chosen', '') }}}}"
        self.by = f"{{{{ {said}.get('by', '') }}}}"

    def execute(self, context: Any) -> str:
        from carewatch.flow.approval import NotApprovable, approvers, decide

        if not self.fingerprint or self.answer != self.when:
            raise AirflowSkipException(
                f"the answer is '{self.answer}'" if self.fingerprint else "nobody was asked"
            )
        if self.by == NOBODY:
            raise AirflowSkipException(f"{NOBODY}: nights keep the rules that were approved last")
        approved = self.answer == "Approve"
        with self.warehouse() as connection:
            try:
                decide(
                    connection, self.fingerprint, approved=approved, by=self.by, why="care_approval",
                    may=approvers(connection, configuration()), now=self.the_moment(),
                )  # fmt: skip
            except NotApprovable as refused:
                raise AirflowFailException(str(refused)) from None
        said = f"{self.fingerprint} was {'approved' if approved else 'rejected'} by {self.by}"
        self.log.info("%s", said)
        return said
