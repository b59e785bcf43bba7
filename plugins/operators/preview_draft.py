"""Mail the effect of a draft configuration to the person who asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from operators.care_operator import CareOperator, configuration


class PreviewDraftOperator(CareOperator):
    """Check a draft and plan it on the last night; put what was found into the outbox and return the message's key.

    Mistakes in the draft are what the mail says. A draft lies in a folder below the configuration or the installation.

    :param folder: the draft, rendered; a relative one is looked for below the configuration, then the installation.
    :param person: the id of the receiver in people.yaml, rendered.
    """

    template_fields: Sequence[str] = ("day", "now", "folder", "person")

    def __init__(
        self, *, folder: str = "{{ params.folder }}", person: str = "{{ params.person }}", **kwargs: Any
    ) -> None:
        super().__init__(day="", **kwargs)
        self.folder = folder
        self.person = person

    def execute(self, context: Any) -> str:
        from carewatch.flow.preview import NoReceiver, send_preview
        from carewatch.paths import config

        draft = self._draft()
        with self.warehouse() as connection:
            try:
                return send_preview(
                    connection, configuration().care, draft, self.person, self.the_moment(), present=config()
                )
            except NoReceiver as nobody:
                raise AirflowFailException(str(nobody)) from None

    def _draft(self) -> Path:
        from carewatch.paths import config, home

        roots = [config().resolve(), home().resolve()]
        tried = [(root / self.folder).resolve() for root in roots]
        inside = [one for one in tried if any(one.is_relative_to(root) for root in roots)]
        found = next((one for one in inside if one.is_dir()), None)
        if found is None:
            raise AirflowFailException(
                f"there is no draft '{self.folder}' below {' or '.join(map(str, roots))}"
            )
        return found
