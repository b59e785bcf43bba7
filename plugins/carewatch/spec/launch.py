"""Answer the question: are people told and tasks made yet, and of whose warnings?"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from carewatch.spec.condition import ConditionField
from carewatch.spec.document import Strict


class Launch(Strict):
    """`launch.yaml`: how a firm begins 上线. Without this file everything is live.

    In the warm-up nights record warnings: nobody is told, no playbook and no clock starts; once a week business
    operations read what would have been. With a pilot this goes on for everybody else. `care go-live` releases what has
    been recorded, the worst first, within each owner's capacity.
    """

    version: Literal[1] = 1
    warm_up: bool = Field(default=False, description="true: record, tell nobody 试运行")
    live_from: date | None = Field(default=None, description="the first day that is live 正式启用日")
    pilot: ConditionField | None = Field(
        default=None,
        description="whose warnings are live 试点范围: a condition over attributes and tier, such as owner in [am01, am02]",
    )
    profile: Literal["usual", "loose"] = Field(
        default="usual", description="loose: the level table under 'loose' of levels.yaml 宽松起步"
    )
    a_day: float = Field(
        default=5,
        gt=0,
        description="warnings that go-live releases a working day to an owner without budget and capacity 每日释放数",
    )
    operations: list[str] = Field(
        default_factory=list,
        description="roles that read each week what would have been 运营角色; the fallback of people.yaml when empty",
    )

    def is_live(self, today: date) -> bool:
        """Return whether people are told on a day."""
        return not self.warm_up and (self.live_from is None or today >= self.live_from)
