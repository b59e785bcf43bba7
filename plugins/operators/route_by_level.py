"""Branch to the playbooks of the levels that need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import BaseBranchOperator

from operators.care_operator import CareOperator


class RouteByLevelOperator(BaseBranchOperator, CareOperator):
    """Follow the tasks of every level at which a warning lacks its playbook; a calm night follows none.

    :param follow: the task to follow for each level.
    """

    template_fields: Sequence[str] = ("day", "now")

    def __init__(self, *, follow: Mapping[int, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.follow = dict(follow)

    def choose_branch(self, context: Any) -> list[str]:
        from carewatch.store.live_warnings import unrouted_levels

        with self.warehouse() as connection:
            return [self.follow[level] for level in unrouted_levels(connection)]
