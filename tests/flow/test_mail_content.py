"""The mail about a warning holds score, reasons, history, tasks and their deadlines, in the receiver's language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.firm import MONDAY, ROOT, TinyFirm

from carewatch.flow.acts import close

DAY = timedelta(days=1)
ALONE = (
    (ROOT / "config" / "notices.yaml").read_text(encoding="utf-8").replace("alone_from: 3", "alone_from: 1")
)


def sent(firm: TinyFirm, receiver: str) -> list[str]:
    return [
        f"{message['subject']}\n{message['text']}"
        for (message,) in firm.rows(
            "select message from care.outbox where receiver = %s order by created_at, key", receiver
        )
    ]


@pytest.mark.req("S88")
@pytest.mark.parametrize(("alone", "owner"), [(True, "ann"), (True, "lin"), (False, "ann"), (False, "lin")])
def test_a_mail_says_where_the_customer_stands_and_what_was_before(
    make_firm: Callable[..., TinyFirm], alone: bool, owner: str
) -> None:
    firm = make_firm({"notices.yaml": ALONE} if alone else {})
    firm.customer("K", owner=owner, tier="A", sales=5000)
    firm.dial("K", MONDAY, strain=1, quiet=0, mood=61.5)
    firm.night(MONDAY)
    [(number,)] = firm.rows("select warning_no from care.warning")
    close(
        firm.connection,
        number,
        by=owner,
        result="false_alarm",
        note="counted twice",
        now=firm.moment(MONDAY, 9),
    )
    for night, mood in ((MONDAY + 40 * DAY, 95.0), (MONDAY + 41 * DAY, 48.0)):
        firm.dial("K", night, strain=float(mood < 90), quiet=0, mood=mood)
        firm.night(night)
    first, *_, last = sent(firm, owner)
    deadline = firm.rows(
        "select to_char(min(due_at) at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') from care.care_task where state = 'open'"
    )[0][0]
    if owner == "lin":
        assert "健康分 61.5" in first and "黄" in first and "此前没有预警" in first
        assert "健康分 48" in last and "红" in last and "误报" in last and "false" not in last
        assert "strain 为 1" in last and f"截止 {deadline}" in last
    else:
        assert "ealth 61.5" in first and "yellow" in first and "ot warned of before" in first
        assert "ealth 48" in last and "red" in last and "false alarm" in last and "2026-06-01" in last
        assert "strain is 1" in last and f"by {deadline}" in last
    assert "counted twice" not in last, "what people wrote stays where it was written"


@pytest.mark.req("S88")
def test_a_mail_says_when_too_little_is_known_and_how_long_it_is_open(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm({"notices.yaml": ALONE})
    firm.customer("K", tier="A")
    firm.dial("K", MONDAY, strain=1, quiet=0)
    firm.night(MONDAY)
    assert "Health unknown" in sent(firm, "ann")[0] and "Open since" not in sent(firm, "ann")[0]
    for number in (1, 2):
        firm.dial("K", MONDAY + number * DAY, strain=1, quiet=1, halt=float(number == 2), mood=80)
        firm.night(MONDAY + number * DAY)
    risen = [one for one in sent(firm, "ann") if "Open since" in one]
    assert risen and all("Open since 2026-06-01, " in one for one in risen)
