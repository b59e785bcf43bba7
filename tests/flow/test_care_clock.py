"""What falls due: reminders of overdue tasks, and cases that go up when they are not under control."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from tests.firm import MONDAY, PLAYBOOKS, TinyFirm

SECOND = timedelta(seconds=1)


@pytest.fixture
def warned(firm: TinyFirm) -> TinyFirm:
    """Return a firm with a level-2 warning of a tier-A customer, opened on Monday at two in the morning."""
    firm.customer("C1", tier="A")
    firm.dial("C1", MONDAY, quiet=0, strain=0, halt=1, mood=90)
    firm.night(MONDAY)
    return firm


def due(firm: TinyFirm, step: str) -> datetime:
    [(at,)] = firm.rows("select due_at from care.care_task where step = %s", step)
    return at  # type: ignore[no-any-return]


def escalation_hour(firm: TinyFirm) -> datetime:
    [(at,)] = firm.rows("select escalate_at from care.case_playbook")
    return at  # type: ignore[no-any-return]


def finish(firm: TinyFirm, *steps: str) -> None:
    for step in steps:
        firm.rows(
            "update care.care_task set state = 'done', next_step_at = null where step = %s returning 1", step
        )


def sent(firm: TinyFirm, kind: str) -> list[str]:
    return [row[0] for row in firm.rows("select key from care.outbox where kind = %s order by key", kind)]


@pytest.mark.req("S94")
def test_the_first_call_is_due_from_the_trigger_and_its_breach_is_recorded(warned: TinyFirm) -> None:
    call = due(warned, "first_call")
    assert call == warned.moment(MONDAY, 11), "two working hours after nine"
    assert warned.tick(call - SECOND).reminders == 0
    assert warned.tick(call).reminders == 1
    assert warned.rows("select step, reminders from care.care_task where reminders > 0") == [
        ("first_call", 1)
    ]
    assert warned.rows(
        "select subject, transition, receiver, send, reason from care.notice_decision where subject like 'task:%%'"
    ) == [("task:1", 1, "ann", True, "the task is overdue")]


def test_a_reminder_comes_again_after_the_pause_and_three_times_in_all(warned: TinyFirm) -> None:
    finish(warned, "plan", "visit")
    warned.rows("update care.case_playbook set escalate_at = null returning 1")
    told = []
    at = due(warned, "first_call")
    for _ in range(8 * 24):
        if warned.tick(at).reminders:
            told.append(at.astimezone(warned.configuration.firm.zone).strftime("%d %H:%M"))
        at += timedelta(minutes=30)
    assert told == ["01 11:00", "01 16:00", "02 11:00"], "four working hours between them, lunch not counted"
    assert sent(warned, "reminder") == [f"reminder/ann/mail/task:1/{number}" for number in (1, 2, 3)]


def test_the_pause_is_that_of_the_playbook_as_it_was_when_it_started(
    make_firm: Callable[..., TinyFirm], warned: TinyFirm
) -> None:
    book = PLAYBOOKS["playbooks/level2.yaml"]
    sooner = book.replace("    due: first_call\n", "    due: first_call\n    remind_after: 1\n")
    assert sooner != book
    warned.configuration = make_firm({**PLAYBOOKS, "playbooks/level2.yaml": sooner}).configuration
    warned.tick(due(warned, "first_call"))
    assert warned.tick(due(warned, "first_call") + timedelta(hours=2)).reminders == 0


def test_overdue_tasks_of_one_owner_come_in_one_message(firm: TinyFirm) -> None:
    for name, owner in (("C1", "ann"), ("C2", "ann"), ("C3", "lin")):
        firm.customer(name, owner=owner)
        firm.dial(name, MONDAY, quiet=0, strain=0, halt=1, mood=90)
    firm.night(MONDAY)
    assert firm.tick(firm.moment(MONDAY, 14)).reminders == 3
    told = firm.rows(
        "select key, message->>'subject', message->>'text' from care.outbox where kind = 'reminder' order by key"
    )
    assert [row[1] for row in told] == ["Overdue: 2 care tasks", "已逾期：1 项关怀任务"]
    assert "Firm C1 (C1), level 2, due 2026-06-01 14:00" in told[0][2]
    assert "Firm C3（C3），2 级预警，应于 2026-06-01 14:00 完成" in told[1][2]
    decided = firm.rows("select outbox_key from care.notice_decision where subject like 'task:%%' order by 1")
    assert [row[0] for row in decided] == [told[0][0], told[0][0], told[1][0]]


def test_a_task_that_is_done_is_not_reminded_of(warned: TinyFirm) -> None:
    finish(warned, "first_call", "plan", "visit")
    assert warned.tick(warned.moment(MONDAY, 24 * 5)).reminders == 0


@pytest.mark.req("S96", "S91")
def test_a_case_that_is_not_under_control_goes_up_at_its_hour_once(warned: TinyFirm) -> None:
    hour = escalation_hour(warned)
    assert hour == warned.moment(MONDAY, 24 + 18), "sixteen working hours: the end of Tuesday"
    assert warned.tick(hour - SECOND).escalations == 0
    assert sent(warned, "escalation") == []
    assert warned.tick(hour).escalations == 1
    local = "to_char(due_at at time zone 'Asia/Shanghai', 'DD HH24:MI')"
    assert warned.rows(f"select task_no, role, owner_id, {local} from care.care_task where step = 'escalation'") == [
        (4, "manager", "bob", "03 11:00")
    ]  # fmt: skip
    assert sent(warned, "escalation") == ["escalation/bob/chat/task:4/0", "escalation/bob/mail/task:4/0"]
    assert warned.rows("select what, subject, detail->>'to' from care.audit") == [
        ("escalated", "warning:1", "bob")
    ]
    everything = warned.dump()
    assert warned.tick(hour).escalations == 0
    assert warned.dump() == everything
    assert warned.tick(hour + timedelta(days=3)).escalations == 0
    assert len(sent(warned, "escalation")) == 2


@pytest.mark.req("S96")
@pytest.mark.parametrize(
    ("steps", "state", "ahead", "goes_up"),
    [
        (("first_call", "plan"), "open", 1, False),
        (("first_call",), "plan", 1, False),
        (("first_call",), "in_care", 1, False),
        (("first_call", "plan"), "open", 0, True),
        (("first_call", "plan"), "open", -1, True),
        (("first_call", "plan"), "open", None, True),
        (("first_call",), "open", 1, True),
        (("plan",), "open", 1, True),
        ((), "in_care", 1, True),
    ],
)
def test_under_control_is_a_call_a_plan_and_a_next_date_ahead(
    warned: TinyFirm, steps: tuple[str, ...], state: str, ahead: int | None, goes_up: bool
) -> None:
    hour = escalation_hour(warned)
    today = hour.astimezone(warned.configuration.firm.zone).date()
    finish(warned, *steps)
    date = None if ahead is None else today + timedelta(days=ahead)
    warned.rows("update care.care_case set next_date = %s returning 1", date)
    warned.rows("update care.warning set state = %s returning 1", state)
    assert warned.tick(hour).escalations == int(goes_up)
    assert bool(sent(warned, "escalation")) is goes_up
    assert [row[0] for row in warned.rows("select what from care.audit")] == [
        "escalated" if goes_up else "under_control"
    ]


def test_a_next_date_lies_ahead_by_the_firms_own_calendar(warned: TinyFirm) -> None:
    """At seven in the morning in Shanghai it is still yesterday in UTC."""
    finish(warned, "first_call", "plan")
    seven = warned.moment(MONDAY, 24 * 2 + 7)
    warned.rows("update care.case_playbook set escalate_at = %s returning 1", seven)
    warned.rows("update care.care_case set next_date = %s returning 1", MONDAY + timedelta(days=2))
    assert warned.tick(seven).escalations == 1, "today is not ahead"


def test_an_escalation_says_what_is_missing_and_why_the_customer_was_warned_of(warned: TinyFirm) -> None:
    finish(warned, "first_call")
    warned.tick(escalation_hour(warned))
    [(subject, text)] = warned.rows(
        "select message->>'subject', message->>'text' from care.outbox where key = 'escalation/bob/mail/task:4/0'"
    )
    assert subject == "Escalated to you: 1 case not under control"
    assert text == (
        "Bob, please take over:\n"
        "\n"
        "1. Firm C1 (C1) - level 2, owner Ann; first contact by 2026-06-03 11:00\n"
        "   It was to be under control by 2026-06-02 18:00:\n"
        "   - no plan is on file\n"
        "   - no next date lies ahead\n"
        "   Why the customer was warned of:\n"
        "   - halt is 1 (since 2026-06-01)\n"
    )


def test_a_case_whose_signals_cleared_does_not_go_up(warned: TinyFirm) -> None:
    warned.calm(MONDAY + timedelta(days=1))
    warned.night(MONDAY + timedelta(days=1))
    assert warned.rows("select state from care.warning") == [("cleared",)]
    assert warned.tick(escalation_hour(warned) + timedelta(days=1)).escalations == 0


def test_two_playbooks_of_one_level_send_a_case_up_once(make_firm: Callable[..., TinyFirm]) -> None:
    book = PLAYBOOKS["playbooks/level2.yaml"]
    firm = make_firm(
        {
            **PLAYBOOKS,
            "playbooks/two.yaml": book.replace("level2_recovery", "level2_more"),
            "playbooks/three.yaml": book.replace("level2_recovery", "level2_high").replace(
                "escalate_to: manager", "escalate_to: executive"
            ),
        }
    )
    firm.customer("C1", tier="A")
    firm.dial("C1", MONDAY, quiet=0, strain=0, halt=1, mood=90)
    firm.night(MONDAY)
    hour = firm.moment(MONDAY, 24 + 18)
    assert firm.tick(hour).escalations == 2
    assert firm.rows("select owner_id from care.care_task where step = 'escalation' order by 1") == [
        ("bob",),
        ("eve",),
    ]
    assert firm.tick(hour).escalations == 0


@pytest.mark.parametrize(("hour", "urgent"), [(22, True), (10, False)])
def test_only_the_escalation_of_a_red_case_comes_in_the_quiet_hours(
    firm: TinyFirm, hour: int, urgent: bool
) -> None:
    firm.customer("C1", tier="A")
    firm.dial("C1", MONDAY, quiet=0, strain=0, halt=1, mood=90)
    firm.customer("C2", tier="A")
    firm.dial("C2", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    firm.rows("update care.case_playbook set level = 3 where level = 2 returning 1")
    firm.tick(firm.moment(MONDAY, 24 * 3 + hour))
    told = dict(firm.rows("select kind, min(not_before) from care.outbox group by 1"))
    now = firm.moment(MONDAY, 24 * 3 + hour)
    morning = firm.moment(MONDAY, 24 * 4 + 8) if urgent else now
    assert told["escalation"] == now
    assert told["reminder"] == morning
