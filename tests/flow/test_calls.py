"""Calls: one that reached the customer closes the first call of the case; a step may ask the phone system to dial."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.channels.servers import web
from tests.firm import MONDAY, PLAYBOOKS, TinyFirm

from care_channels import Way, send
from carewatch.flow.calls import delivered_body
from carewatch.flow.deliver import deliver
from carewatch.spec.document import SpecError

SECOND = timedelta(seconds=1)
NUMBER = "+86 138 0013 8000"
NOTICES = (Path(__file__).resolve().parents[2] / "config" / "notices.yaml").read_text(encoding="utf-8")
DIALLING = {
    "notices.yaml": NOTICES.replace(
        "channels:\n",
        "dial: phone\nchannels:\n  phone: {connection: care_phone, label: {en: Telephone, zh-CN: 电话}}\n",
    ),
    **PLAYBOOKS,
    "playbooks/level2.yaml": PLAYBOOKS["playbooks/level2.yaml"].replace(
        "    due: first_call\n", "    due: first_call\n    action: dial\n"
    ),
}


def warn(firm: TinyFirm) -> datetime:
    """Open a level-2 warning of C1 on Monday at two in the morning; return the moment."""
    firm.customer("C1", tier="A")
    firm.dial("C1", MONDAY, quiet=0, strain=0, halt=1, mood=90)
    firm.night(MONDAY)
    return firm.moment(MONDAY)


def call(
    firm: TinyFirm, at: datetime, result: str | None = "answered", *, party: str = "C1", what: str = "call"
) -> None:
    firm.facts.add(
        "interaction",
        party,
        at,
        what=what,
        result=result,
        elapsed=307,
        reference="rec/1.wav",
        source_key=None if party != "C1" or what != "call" else f"call-{at:%d%H%M%S}",
    )


def steps(firm: TinyFirm) -> dict[str, str]:
    return dict(firm.rows("select step, state from care.care_task order by task_no"))


@pytest.mark.req("S13")
def test_an_answered_call_closes_the_first_call_once_with_one_audit_row(firm: TinyFirm) -> None:
    begin = warn(firm)
    call(firm, begin)
    assert firm.tick(begin + timedelta(hours=8)).calls == 1
    assert steps(firm) == {"first_call": "done", "plan": "open", "visit": "open"}
    found = {"call": "call-01020000", "origin": "given.interaction", "seconds": 307, "at": firm.rows(
        "select to_jsonb(%s::timestamptz)", begin)[0][0]}  # fmt: skip
    assert firm.rows("select by, what, subject, detail from care.audit where what = 'call_answered'") == [
        ("carewatch", "call_answered", "task:1", found)
    ]
    assert firm.rows("select result, settled_at from care.care_task where step = 'first_call'") == [
        (found, begin + timedelta(hours=8))
    ]
    before = firm.dump()
    assert firm.tick(begin + timedelta(hours=8)).calls == 0
    assert firm.dump() == before


@pytest.mark.req("S13")
@pytest.mark.parametrize("result", ["no_answer", "busy", "refused", None])
def test_a_call_that_reached_nobody_closes_nothing(firm: TinyFirm, result: str | None) -> None:
    begin = warn(firm)
    call(firm, begin + SECOND, result)
    assert firm.tick(begin + timedelta(hours=8)).calls == 0
    assert steps(firm)["first_call"] == "open"


@pytest.mark.req("S13")
def test_only_a_call_with_this_customer_after_it_was_asked_for_counts(firm: TinyFirm) -> None:
    begin = warn(firm)
    firm.customer("C2")
    call(firm, begin - SECOND)
    call(firm, begin + SECOND, party="C2")
    call(firm, begin + SECOND, what="visit")
    call(firm, begin + timedelta(hours=9))
    assert firm.tick(begin + timedelta(hours=8)).calls == 0
    assert firm.tick(begin + timedelta(hours=9)).calls == 1


@pytest.mark.req("S13")
def test_a_call_settled_in_time_spares_the_reminder(firm: TinyFirm) -> None:
    begin = warn(firm)
    call(firm, begin + timedelta(hours=7))
    assert firm.tick(firm.moment(MONDAY, 11)).reminders == 0


@pytest.mark.req("S13")
def test_a_step_asks_the_phone_system_to_dial_in_working_hours(
    make_firm: Callable[..., TinyFirm], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number is in what is delivered and nowhere in the warehouse's own rows about the request."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    firm = make_firm(DIALLING)
    firm.facts.belongs("C1", "C1", datetime.fromisoformat("2020-01-01T00:00+00:00"))
    firm.facts.add(
        "customer",
        "C1",
        datetime.fromisoformat("2020-01-01T00:00+00:00"),
        name="x",
        owner="ann",
        profit_rate=80,
        phone=NUMBER,
    )
    firm.dial("C1", MONDAY, quiet=0, strain=0, halt=1, mood=90)
    assert firm.night(MONDAY).dials == 1
    nine = firm.moment(MONDAY, 9)
    [(key, receiver, channel, message, not_before)] = firm.rows(
        "select key, receiver, channel, message, not_before from care.outbox where kind = 'dial'"
    )
    assert (key, receiver, channel, not_before) == ("dial/ann/phone/task:1", "ann", "phone", nine)
    assert (message["customer"], message["task"], message["number"]) == ("C1", 1, "***")
    assert firm.rows("select send, reason from care.notice_decision where subject = 'dial:1'") == [
        (True, "the step asks for a call")
    ]
    assert NUMBER not in json.dumps(
        firm.dump("outbox", "notice_decision", "care_task", "case_playbook", "audit")
    )
    assert firm.tick(nine).dials == 0
    firm.rows("update care.outbox set state = 'failed' where kind <> 'dial' returning 1")
    with web((200, "ok")) as hook:
        way = Way("http", "127.0.0.1", hook.port, password="secret")
        assert deliver(
            firm.connection,
            lambda claimed: send(way, key=claimed.key, to="", message=delivered_body(firm.connection, claimed)),
            clock=lambda: nine, most_attempts=1,
        ).sent == 1  # fmt: skip
        [asked] = hook.asked
    told = json.loads(asked[2])
    assert (told["number"], told["customer"], told["task"], told["key"]) == (NUMBER, "C1", 1, key)
    assert NUMBER not in json.dumps(firm.dump("outbox"))


@pytest.mark.req("S13")
def test_nobody_is_dialled_without_a_number_or_by_a_night_of_the_past(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm(DIALLING)
    warn(firm)
    assert firm.rows("select send, reason from care.notice_decision where subject = 'dial:1'") == [
        (False, "no telephone number of the customer is known")
    ]
    firm.facts.belongs("C3", "C3", datetime.fromisoformat("2020-01-01T00:00+00:00"))
    firm.facts.add(
        "customer",
        "C3",
        datetime.fromisoformat("2020-01-01T00:00+00:00"),
        name="x",
        owner="ann",
        profit_rate=80,
        phone=NUMBER,
    )
    tuesday = MONDAY + timedelta(days=1)
    firm.dial("C3", tuesday, quiet=0, strain=0, halt=1, mood=90)
    firm.night(tuesday, backfill=True)
    assert (
        "nobody is called"
        in firm.rows(
            "select reason from care.notice_decision where subject like 'dial:%%' order by decided_at desc, subject desc"
        )[0][0]
    )
    assert firm.rows("select count(*) from care.outbox where kind = 'dial'") == [(0,)]


@pytest.mark.req("S13")
def test_a_step_that_dials_needs_a_channel_to_dial_by(make_firm: Callable[..., TinyFirm]) -> None:
    books = {name: text for name, text in DIALLING.items() if name != "notices.yaml"}
    with pytest.raises(SpecError, match=r"notices\.yaml names no channel to dial by"):
        make_firm(books)
    with pytest.raises(SpecError, match=r"unknown channel 'phon'.*did you mean phone"):
        make_firm(DIALLING | {"notices.yaml": DIALLING["notices.yaml"].replace("dial: phone", "dial: phon")})
