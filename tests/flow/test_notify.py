"""Who is told of what a night moved, in which message, and that it is decided once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.firm import FILES, MONDAY, ROOT, TinyFirm, empty

from carewatch.flow.advance import advance, apply_nights, decide_notices, start_level
from carewatch.tell.decide import MOST_TOLD

NOTICES = (ROOT / "config" / "notices.yaml").read_text(encoding="utf-8")
TUESDAY = MONDAY + timedelta(days=1)


def decisions(firm: TinyFirm) -> list[tuple[object, ...]]:
    return firm.rows(
        "select subject, transition, receiver, send, outbox_key from care.notice_decision order by 1, 2, 3"
    )


def reasons(firm: TinyFirm) -> set[str]:
    return {row[0] for row in firm.rows("select reason from care.notice_decision")}


def keys(firm: TinyFirm) -> list[str]:
    return [row[0] for row in firm.rows("select key from care.outbox order by key")]


@pytest.fixture
def severe(make_firm: Callable[..., TinyFirm]) -> TinyFirm:
    """Return a firm in which each of the three dials is severe, so that all of them are red."""
    rules = FILES["warnings/dials.yaml"]
    rules = rules.replace("severity: mild", "severity: severe").replace(
        "severity: moderate", "severity: severe"
    )
    return make_firm({"warnings/dials.yaml": rules})


@pytest.mark.req("S91")
def test_level_1_is_told_to_the_owner_and_level_2_to_the_manager_too_in_one_digest_each(
    firm: TinyFirm,
) -> None:
    for name, owner, dial in (("C1", "ann", "quiet"), ("C2", "ann", "halt"), ("C3", "lin", "quiet")):
        firm.customer(name, owner=owner)
        firm.dial(name, MONDAY, **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90, dial: 1})
    firm.night(MONDAY)
    ann, bob, lin = (f"digest/{who}/mail/2026-06-01" for who in ("ann", "bob", "lin"))
    assert decisions(firm) == [
        ("warning:1", 1, "ann", True, ann),
        ("warning:2", 1, "ann", True, ann),
        ("warning:2", 1, "bob", True, bob),
        ("warning:3", 1, "lin", True, lin),
    ]
    assert keys(firm) == [ann, "digest/bob/chat/2026-06-01", bob, lin]


@pytest.mark.req("S91")
def test_a_long_digest_goes_on_in_a_further_message(firm: TinyFirm) -> None:
    names = [f"C{number}" for number in range(MOST_TOLD + 1)]
    for name in names:
        firm.customer(name)
        firm.dial(name, MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    digest = "digest/ann/mail/2026-06-01"
    told = dict(firm.rows("select key, message->>'text' from care.outbox"))
    assert [sum(f"Firm {name} ({name})" in told[key] for name in names) for key in (digest, f"{digest}/1")] == [
        MOST_TOLD, 1,
    ]  # fmt: skip
    for _, _, receiver, sent, key in decisions(firm):
        assert (receiver, sent, key in told) == ("ann", True, True)
    assert [key for *_, key in decisions(firm)].count(f"{digest}/1") == 1
    firm.tick(firm.moment(MONDAY, 60))
    reminders = firm.rows("select message->>'text' from care.outbox where kind = 'reminder'")
    assert sorted(text.count("Firm C") for (text,) in reminders) == [1, MOST_TOLD]


def test_a_digest_lists_the_worst_first_and_most_at_stake_first_in_the_readers_language(
    firm: TinyFirm,
) -> None:
    for name, dial, sales in (("C1", "quiet", 100), ("C2", "halt", 0), ("C3", "quiet", 2500)):
        firm.customer(name, owner="lin", sales=sales)
        firm.dial(name, MONDAY, **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90, dial: 1})
    firm.night(MONDAY)
    [(message,)] = firm.rows("select message from care.outbox where receiver = 'lin'")
    assert message["subject"] == "2026-06-01：3 位客户有流失风险"
    assert message["text"] == (
        "林小雨，您好：\n"
        "\n"
        "1. Firm C2（C2）- 新增 2 级预警，B 类客户，负责人：林小雨\n"
        "   健康分 90，绿，此前没有预警\n"
        "   - halt 为 1\n"
        "   > 电话了解问题 - 林小雨，截止 2026-06-01 14:00\n"
        "   > 记录沟通并写出挽回方案 - 林小雨，截止 2026-06-01 18:00\n"
        "   > 带方案上门拜访 - 林小雨，截止 2026-06-03 18:00\n"
        "   * 针对异常提出方案并归档。\n"
        "\n"
        "2. Firm C3（C3）- 新增 1 级预警，B 类客户，涉及金额 CNY 2,500，负责人：林小雨\n"
        "   健康分 90，绿，此前没有预警\n"
        "   - quiet 为 1\n"
        "   > 电话回访客户 - 林小雨，截止 2026-06-02 18:00\n"
        "   * 两天内回访，先倾听，不推销。\n"
        "\n"
        "3. Firm C1（C1）- 新增 1 级预警，B 类客户，涉及金额 CNY 100，负责人：林小雨\n"
        "   健康分 90，绿，此前没有预警\n"
        "   - quiet 为 1\n"
        "   > 电话回访客户 - 林小雨，截止 2026-06-02 18:00\n"
        "   * 两天内回访，先倾听，不推销。\n"
    )
    assert message["to"] == "lin@tiny.example" and message["connection"] == "care_mail"


@pytest.mark.req("S73")
@pytest.mark.parametrize("alone", [False, True], ids=["in the digest", "alone"])
@pytest.mark.parametrize(
    ("owner", "advice"),
    [
        ("ann", "* Call within two days; listen first, sell nothing."),
        ("lin", "* 两天内回访，先倾听，不推销。"),
    ],
)
def test_a_level_1_notice_recommends_an_action_to_the_owner_in_the_owners_language(
    make_firm: Callable[..., TinyFirm], owner: str, advice: str, alone: bool
) -> None:
    told_alone = {"notices.yaml": NOTICES.replace("alone_from: 3", "alone_from: 1")}
    firm = make_firm(told_alone if alone else {})
    firm.customer("C1", owner=owner)
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    [(kind, receiver, text)] = firm.rows("select kind, receiver, message->>'text' from care.outbox")
    assert (kind, receiver) == ("warning" if alone else "digest", owner)
    assert advice in [line.strip() for line in text.splitlines()]


def test_an_indicator_is_told_once_at_its_worst(firm: TinyFirm) -> None:
    firm.customer("C1")
    for night in (MONDAY, TUESDAY):
        firm.dial("C1", night, quiet=0, strain=0, halt=0, mood=30)
        firm.night(night)
    [(reasons,)] = firm.rows("select reasons from care.warning")
    assert [one["rule"] for one in reasons] == ["health_red", "health_yellow"]
    [(text,)] = firm.rows("select message->>'text' from care.outbox where receiver = 'ann'")
    assert "   - Health is red: 30.00 points.\n   >" in text


def test_a_red_warning_goes_alone_to_owner_manager_and_executive(severe: TinyFirm) -> None:
    severe.customer("C1", tier="A")
    severe.dial("C1", MONDAY, quiet=1, strain=1, halt=1, mood=90)
    severe.night(MONDAY)
    assert keys(severe) == [
        "warning/ann/mail/warning:1/1",
        "warning/bob/chat/warning:1/1",
        "warning/bob/mail/warning:1/1",
        "warning/eve/mail/warning:1/1",
    ]
    [(subject, at)] = severe.rows(
        "select message->>'subject', not_before from care.outbox where receiver = 'eve'"
    )
    assert subject == "Level 3: Firm C1 may be leaving"
    assert at == severe.moment(MONDAY, 8), "nobody is woken at two in the morning; the rota begins at nine"


def test_an_owner_who_is_the_manager_is_told_once(firm: TinyFirm) -> None:
    firm.customer("C1", owner="eve")
    firm.dial("C1", MONDAY, quiet=0, strain=0, halt=1, mood=90)
    firm.night(MONDAY)
    assert [row[2] for row in decisions(firm)] == ["eve"]


def test_somebody_without_a_channel_is_not_told_and_it_says_so(firm: TinyFirm) -> None:
    firm.customer("C1", owner="mum")
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    assert decisions(firm) == [("warning:1", 1, "mum", False, None)]
    assert reasons(firm) == {"the receiver has no channel in people.yaml"}
    firm.rows("update care.case_playbook set escalate_at = null returning 1")
    assert firm.tick(firm.moment(TUESDAY, 18)).reminders == 1
    assert keys(firm) == []
    assert firm.rows("select send, reason from care.notice_decision where subject like 'task:%%'") == [
        (False, "the receiver has no channel in people.yaml")
    ]


def test_a_level_that_is_told_to_nobody_is_decided_all_the_same(make_firm: Callable[..., TinyFirm]) -> None:
    """Otherwise the day somebody is named there, the whole past would be told."""
    quiet = NOTICES.replace("1: [owner]", "1: []")
    firm = make_firm({"notices.yaml": quiet})
    firm.customer("C1")
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    assert decisions(firm) == [("warning:1", 1, "ann", False, None)]
    assert reasons(firm) == {"notices.yaml names nobody for level 1"}
    firm.configuration = make_firm({"notices.yaml": NOTICES}).configuration
    assert firm.tick(firm.moment(MONDAY, 12)).decisions == 0


def test_what_comes_after_the_days_digest_goes_alone(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.customer("C2")
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.calm(MONDAY, "C2")
    firm.night(MONDAY)
    firm.rows(
        "insert into care.warning_event (warning_no, transition, what, at, day, level, reasons, by) "
        "values (1, 2, 'returned', %s, %s, 1, '[]', 'test') returning 1",
        firm.moment(MONDAY, 12),
        MONDAY,
    )
    firm.tick(firm.moment(MONDAY, 12))
    assert keys(firm) == ["digest/ann/mail/2026-06-01", "warning/ann/mail/warning:1/2"]


def test_falling_clearing_and_closing_are_decided_and_told_to_nobody(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.customer("C2")
    for number, (halt, quiet) in enumerate([(1, 1), (0, 1), (0, 0)]):
        night = MONDAY + timedelta(days=number)
        firm.dial("C1", night, quiet=quiet, strain=0, halt=halt, mood=90)
        firm.dial("C2", night, quiet=quiet, strain=0, halt=0, mood=90)
        firm.night(night)
    unsent = firm.rows(
        "select what, d.receiver, d.reason from care.notice_decision d join care.warning_event e "
        "on d.subject = 'warning:' || e.warning_no and d.transition = e.transition where not send order by 1"
    )
    assert unsent == [
        ("cleared", "ann", "the signals cleared: the case waits for its result"),
        ("closed", "ann", "the warning closed"),
        ("fell", "ann", "the level fell: nobody has to act"),
    ]


@pytest.mark.req("D21")
@pytest.mark.parametrize(
    ("late", "backfill", "tells"), [(0, False, True), (1, False, True), (2, False, False), (0, True, False)]
)
def test_a_night_of_the_past_or_a_backfill_tells_nobody(
    firm: TinyFirm, late: int, backfill: bool, tells: bool
) -> None:
    firm.customer("C1")
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY, now=firm.moment(MONDAY + timedelta(days=late), 3), backfill=backfill)
    assert bool(keys(firm)) is tells
    assert firm.rows("select count(*) from care.warning") == [(1,)], "the warning is there all the same"
    told, silent = {"a warning opened at level 1"}, {"the night lies in the past: nobody is told"}
    assert reasons(firm) == (told if tells else silent)


def test_a_night_that_is_not_the_newest_tells_nobody(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.calm(TUESDAY)
    firm.judged(TUESDAY)
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY, now=firm.moment(TUESDAY, 3))
    assert keys(firm) == []


def test_a_decision_is_made_once_however_often_it_is_asked_for(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=1, mood=90)
    at = firm.judged(MONDAY)
    for part in (apply_nights, start_level(1), start_level(2), start_level(3), decide_notices):
        advance(firm.connection, firm.configuration.care, at, (part,))
    everything = firm.dump()
    for _ in range(3):
        done = advance(firm.connection, firm.configuration.care, at)
        assert (done.moves, done.tasks, done.decisions, done.messages) == (0, 0, 0, 0)
        assert firm.dump() == everything


def test_no_key_holds_a_clock_or_a_run(severe: TinyFirm) -> None:
    """The same story told two hours later and on another warehouse has the same keys."""
    told = []
    for hour in (2, 4):
        empty(severe.connection)
        severe = TinyFirm(severe.connection, severe.configuration)
        severe.customer("C1")
        severe.customer("C2", owner="lin")
        severe.dial("C1", MONDAY, quiet=1, strain=1, halt=1, mood=90)
        severe.dial("C2", MONDAY, quiet=1, strain=0, halt=0, mood=90)
        severe.night(MONDAY, now=severe.moment(MONDAY, hour))
        severe.tick(severe.moment(MONDAY, 24 * 4 + 9 + hour))
        told.append(keys(severe))
    assert told[0] == told[1]
    assert {key.split("/")[0] for key in told[0]} == {"digest", "warning", "reminder", "escalation"}
