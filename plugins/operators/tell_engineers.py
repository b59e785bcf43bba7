"""Tell the engineers of a task that failed for good."""

from __future__ import annotations

from typing import Any

from airflow.sdk import BaseNotifier

from operators.care_operator import moment, warehouse_dsn


class TellEngineersNotifier(BaseNotifier):
    """Put one message a task and day into the outbox, for the address under `engineers:` in notices.yaml.

    Without a warehouse to keep it the message goes out directly; the clock, which runs every ten minutes, then keeps quiet.
    The message names the task, never the error: that may hold what a mail must not.
    """

    def notify(self, context: Any) -> None:
        from carewatch.flow.engineers import tell_failure
        from carewatch.store.database import NoWarehouse, connect

        task = context["task_instance"]
        now = moment(context["params"].get("now") or context["dag_run"].run_after.isoformat())
        about = {"dag": task.dag_id, "task": task.task_id, "now": now}
        try:
            with connect(warehouse_dsn(), autocommit=True) as connection:
                care = _care(connection)
                if care is not None:
                    tell_failure(connection, care, **about)
        except NoWarehouse:
            if task.dag_id != "care_clock":
                self._send(about)

    def _send(self, about: dict[str, Any]) -> None:
        from care_channels import send
        from carewatch.flow.engineers import failure_message
        from operators.deliver_outbox import way_of

        care = _care(None)
        message = failure_message(care, **about) if care is not None else None
        if message is None:
            self.log.error("the warehouse does not answer, and notices.yaml names no engineers to tell")
            return
        key = f"failure/{about['dag']}.{about['task']}/{about['now'].isoformat()}"
        send(way_of(message["connection"]), key=key, to=message["to"], message=message)


def _care(connection: Any) -> Any:
    """Return the care configuration on disk; where that is what is broken, the one of the night opened last."""
    from carewatch.paths import config
    from carewatch.spec.document import SpecError
    from carewatch.spec.loading import load
    from carewatch.store import configurations, nights

    try:
        return load(config()).care
    except SpecError:
        newest = nights.newest_care(connection) if connection is not None else None
        return None if newest is None else configurations.care(connection, newest)
