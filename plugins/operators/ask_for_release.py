"""Ask a person, and keep the answer whatever it is."""

from __future__ import annotations

from typing import Any, Final

from airflow.providers.standard.operators.hitl import ApprovalOperator

ANSWER: Final = "answer"
NOBODY: Final = "nobody answered in time"


class AskForReleaseOperator(ApprovalOperator):
    """Airflow's approval; it keeps the answer also when it is a rejection, whose return value Airflow drops."""

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        user = event.get("responded_by_user") or {}
        answer = {
            "chosen": (event.get("chosen_options") or [""])[0],
            "by": user.get("name") or user.get("id") or NOBODY,
        }
        context["ti"].xcom_push(key=ANSWER, value=answer)
        return super().execute_complete(context, event)
