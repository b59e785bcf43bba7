"""What the demonstration shows at its end, told in both languages of any firm's warehouse."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.firm import MONDAY, TinyFirm

from care_demo.show import picture


@pytest.mark.req("D14")
def test_customers_warnings_tasks_and_messages_are_told_in_both_languages(
    firm: TinyFirm, tmp_path: Path
) -> None:
    firm.customer("C1", sales=700)
    firm.customer("C2")
    firm.dial("C1", MONDAY, quiet=0, strain=0, halt=1, mood=90)
    firm.dial("C2", MONDAY, quiet=0, strain=0, halt=0, mood=60)
    firm.night(MONDAY)
    english, chinese = (picture(firm.connection, MONDAY, tmp_path, language) for language in ("en", "zh-CN"))
    assert len(english) == len(chinese)
    for told, expected in (
        (english, [
            "Customers on the night of 2026-06-01",
            "  tier      green  yellow     red    grey",
            "  B             1       1       0       0",
            "Open warnings: 1 at level 2 (1 new tonight)",
            "  level 2  B  C1 Firm C1, 700 CNY a year, owner Ann",
            "             halt is 1",
        ]),
        (chinese, [
            "2026-06-01 当晚的客户",
            "  等级         绿      黄      红      灰",
            "  B             1       1       0       0",
            "进行中的预警：2 级 1 条（今晚新增 1 条）",
            "  2 级  B 类  C1 Firm C1，年销售额 700 CNY，负责人 Ann",
            "             halt 为 1",
        ]),
    ):  # fmt: skip
        assert [line for line in expected if line not in told] == []
    assert any(line.startswith("未完成的关怀任务：3 项") for line in chinese)
    assert any(line.startswith("消息：") and line.endswith("；收到邮件 0 封") for line in chinese)
