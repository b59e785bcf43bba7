"""Signals that are only watched: recorded, counted for nothing, and one machine mail at most."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.firm import FILES, MONDAY, ROOT, TinyFirm

from carewatch.flow.calls import delivered_body, send_claimed
from carewatch.flow.deliver import deliver
from carewatch.store.outbox import Claimed
from carewatch.tell.delivery import Doubtful, Refused

NOTICES = (ROOT / "config" / "notices.yaml").read_text(encoding="utf-8")
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def mailing(make_firm: Callable[..., TinyFirm]) -> Callable[[str], TinyFirm]:
    """Return a maker of a firm whose dial `quiet` is watched and mails the customer or the owner."""

    def make(to: str) -> TinyFirm:
        watched = FILES["warnings/dials.yaml"].replace("severity: mild", f"severity: watch\n    mails: {to}")
        return make_firm({"warnings/dials.yaml": watched, "notices.yaml": NOTICES + "to_customers: mail\n"})

    return make


def customer(firm: TinyFirm, name: str, **master: object) -> None:
    firm.facts.belongs(name, name, SINCE)
    firm.facts.add("customer", name, SINCE, name=f"Firm {name}", owner="ann", profit_rate=50, **master)


def quiet(firm: TinyFirm, night: date, quiet: float, *names: str) -> None:
    for name in names:
        firm.dial(name, night, quiet=quiet, strain=0, halt=0, mood=90)
    firm.night(night)


def decided(firm: TinyFirm) -> list[tuple[object, ...]]:
    return firm.rows(
        "select receiver, send, reason from care.notice_decision where subject like 'signal:%%' order by subject"
    )


def claimed(firm: TinyFirm) -> Claimed:
    [row] = firm.rows("select key, kind, receiver, channel, message, 1, created_at from care.outbox")
    return Claimed(*row)


@pytest.mark.req("S42", "S151")
def test_a_watched_signal_sends_one_mail_to_the_customer_and_makes_no_human_work(
    mailing: Callable[[str], TinyFirm],
) -> None:
    firm = mailing("customer")
    customer(firm, "C1", email="c1@buyer.example", consent=True)
    for number in range(3):
        quiet(firm, MONDAY + timedelta(days=number), 1, "C1")
    firm.tick(firm.moment(MONDAY, 60))
    assert firm.rows("select severity, state from care.signal") == [("watch", "open")]
    assert firm.rows("select count(*) from care.warning") == [(0,)]
    assert firm.rows("select count(*) from care.care_task") == [(0,)]
    assert decided(firm) == [("customer", True, "something to watch: one machine mail")]
    one = claimed(firm)
    assert one.key == "customer/customer/mail/signal:1" and "Firm C1" in one.message["text"]
    assert "c1@buyer.example" not in str(firm.dump("outbox", "notice_decision", "audit"))
    assert delivered_body(firm.connection, one)["to"] == "c1@buyer.example"
    [(at,)] = firm.rows("select not_before from care.outbox")
    assert at == firm.moment(MONDAY, 9), "machine mail comes in working hours"


@pytest.mark.req("D19")
@pytest.mark.parametrize("outcome", [Refused, Doubtful, None])
def test_what_a_mail_server_says_of_an_address_is_kept_without_it(
    mailing: Callable[[str], TinyFirm], outcome: type[Exception] | None
) -> None:
    firm = mailing("customer")
    customer(firm, "C1", email="Ann.Lee@buyer.example", consent=True)
    quiet(firm, MONDAY, 1, "C1")
    at = firm.moment(MONDAY, 60)

    def server(message: dict[str, Any]) -> str:
        assert message["to"] == "Ann.Lee@buyer.example"
        said = "<ann.lee@BUYER.example>: 4711"
        if outcome is not None:
            raise outcome(said) from ValueError(said)
        return said

    deliver(
        firm.connection,
        lambda one: send_claimed(firm.connection, one, server),
        clock=lambda: at,
        most_attempts=1,
    )
    assert firm.rows("select answer from care.outbox") == [("<xxx.xxx@xxxxx.xxxxxxx>: 4711",)]


@pytest.mark.req("S42", "S151")
def test_a_signal_that_is_over_and_comes_back_sends_its_own_mail(mailing: Callable[[str], TinyFirm]) -> None:
    firm = mailing("owner")
    customer(firm, "C1")
    for number, on in enumerate([1, 1, 0, 1, 1]):
        quiet(firm, MONDAY + timedelta(days=number), on, "C1")
    assert firm.rows("select key from care.outbox order by 1") == [
        ("watch/ann/mail/signal:1",), ("watch/ann/mail/signal:2",),
    ]  # fmt: skip
    [(text,)] = firm.rows("select message->>'text' from care.outbox where key like '%%signal:1'")
    assert "nothing has to be done" in text and "quiet is 1" in text


@pytest.mark.req("S42", "S151")
def test_what_an_owner_is_told_at_one_moment_is_one_mail(mailing: Callable[[str], TinyFirm]) -> None:
    firm = mailing("owner")
    for name in ("C1", "C2"):
        customer(firm, name)
    quiet(firm, MONDAY, 1, "C1", "C2")
    [(subject, text)] = firm.rows("select message->>'subject', message->>'text' from care.outbox")
    assert subject == "To watch: 2 signals"
    assert "- Firm C1 (C1): quiet is 1" in text and "- Firm C2 (C2): quiet is 1" in text
    assert firm.rows("select subject, outbox_key from care.notice_decision where subject like 'signal:%%'") == [
        ("signal:1", "watch/ann/mail/signal:1"), ("signal:2", "watch/ann/mail/signal:1"),
    ]  # fmt: skip


@pytest.mark.req("S42", "S90")
@pytest.mark.parametrize(
    ("master", "reason"),
    [
        ({"email": "a@b.example"}, "the customer has not agreed to machine mail"),
        ({"email": "a@b.example", "consent": False}, "the customer has not agreed to machine mail"),
        ({"consent": True}, "no address of the customer is known"),
    ],
)
def test_nobody_is_mailed_without_consent_and_address(
    mailing: Callable[[str], TinyFirm], master: dict[str, object], reason: str
) -> None:
    firm = mailing("customer")
    customer(firm, "C1", **master)
    quiet(firm, MONDAY, 1, "C1")
    assert decided(firm) == [("customer", False, reason)]
    assert firm.rows("select count(*) from care.outbox") == [(0,)]


@pytest.mark.req("S151")
def test_without_a_channel_to_customers_nobody_is_mailed_and_the_reason_is_kept(
    make_firm: Callable[..., TinyFirm],
) -> None:
    watched = FILES["warnings/dials.yaml"].replace("severity: mild", "severity: watch\n    mails: customer")
    firm = make_firm({"warnings/dials.yaml": watched})
    customer(firm, "C1", email="c1@buyer.example", consent=True)
    quiet(firm, MONDAY, 1, "C1")
    assert decided(firm) == [("customer", False, "notices.yaml names no channel to customers")]
    assert firm.rows("select count(*) from care.outbox") == [(0,)]


@pytest.mark.req("S90")
def test_who_takes_the_consent_back_gets_no_mail_that_was_decided_before(
    mailing: Callable[[str], TinyFirm],
) -> None:
    firm = mailing("customer")
    customer(firm, "C1", email="a@b.example", consent=True)
    quiet(firm, MONDAY, 1, "C1")
    firm.rows("update care.fact_customer set consent = false returning 1")
    with pytest.raises(Refused, match="no longer agrees"):
        delivered_body(firm.connection, claimed(firm))


@pytest.mark.req("S42", "D21")
def test_a_night_of_the_past_mails_nobody(mailing: Callable[[str], TinyFirm]) -> None:
    firm = mailing("owner")
    customer(firm, "C1")
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY, now=firm.moment(MONDAY + timedelta(days=9)))
    assert decided(firm) == [("ann", False, "the night lies in the past: nobody is told")]


def test_a_rule_that_is_never_only_watched_mails_nobody(make_firm: Callable[..., TinyFirm]) -> None:
    from carewatch.spec.document import SpecError

    with pytest.raises(SpecError, match="only a signal of severity watch sends a machine mail"):
        make_firm(
            {
                "warnings/dials.yaml": FILES["warnings/dials.yaml"].replace(
                    "severity: mild", "severity: mild\n    mails: owner"
                )
            }
        )
