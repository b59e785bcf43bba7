"""Ask a person whether a held night is true."""

from __future__ import annotations

from typing import Any, Final

from airflow.providers.standard.operators.hitl import ApprovalOperator

ANSWER: Final = "answer"


class AskForReleaseOperator(ApprovalOperator):
    """Airflow's approval; it keeps the answer also when it is a rejection, whose return value Airflow drops."""

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        user = event.get("responded_by_user") or {}
        answer = {
            "chosen": (event.get("chosen_options") or [""])[0],
            "by": user.get("name") or user.get("id") or "nobody answered in time",
        }
        context["ti"].xcom_push(key=ANSWER, value=answer)
        return super().execute_complete(context, event)
