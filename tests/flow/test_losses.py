"""Losses that nights keep: the days of reviews, both sides of the window, the way a customer left, and late rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from tests.firm import MONDAY, TinyFirm, changed

from carewatch.flow.acts import close
from carewatch.learn.outcomes import Events, losses, was_regular
from carewatch.measure.cut import Cut
from carewatch.store import outcomes

WINDOW = 90
BY_EVENT = """
version: 1
lost: {by: event, fact: contract_event, where: "what in ('cancelled', 'ended')", within: 90 days}
dormant_when: quiet >= 99
"""


def day(number: int) -> date:
    """Return a day counted from the first night."""
    return MONDAY + timedelta(days=number)


def bought(firm: TinyFirm, name: str, *days: int, **columns: Any) -> None:
    for one in days:
        firm.facts.add("order", name, firm.moment(day(one), 12), amount=100, **columns)


def regular(firm: TinyFirm, name: str, last: int) -> None:
    """Make a customer who bought on three days of the year, the last so many days from the first night."""
    firm.customer(name)
    bought(firm, name, last - 364, last - 30, last)


def kept(firm: TinyFirm) -> list[tuple[str, date, str]]:
    return firm.rows("select customer_id, lost_day, churn_type from bi.lead_times order by 2, 1")


def silent_on(number: int) -> int:
    """Return the last day of business of who is silent for the whole window on a day."""
    return number - WINDOW


@pytest.mark.req("S50", "S83")
def test_a_silence_is_a_loss_once_its_last_day_is_over_and_as_reviews_count_it(firm: TinyFirm) -> None:
    for name, last in (("before", -1), ("first", 0), ("third", 2), ("today", 3)):
        regular(firm, name, silent_on(last))
    regular(firm, "came", silent_on(1))
    bought(firm, "came", 1)
    firm.customer("seldom")
    bought(firm, "seldom", silent_on(1) - 365, silent_on(1) - 30, silent_on(1))
    firm.night(day(0))
    assert kept(firm) == [], (
        "what was over before the first night is not a loss that anybody could have watched"
    )
    firm.night(day(1))
    assert kept(firm) == [("first", day(0), "latent")]
    firm.night(day(3))
    lost = [("first", day(0), "latent"), ("third", day(2), "latent")]
    assert kept(firm) == lost, "a night that is missing is made up for; who buys on the last day is not lost"
    spec = firm.configuration.judgement
    events = Events(
        *outcomes.event_days(firm.connection, spec, Cut.at(day(3), spec.firm.zone, firm.moment(day(3))))
    )
    reviewed = [
        one for one in losses(events, day(0), day(3), WINDOW, data_end=day(3)) if was_regular(events, one)
    ]
    names = {number: name for name, number in firm.facts.customers.items()}
    assert sorted((names[one.customer], one.lost) for one in reviewed) == [row[:2] for row in lost]


@pytest.mark.req("S50")
def test_the_type_of_a_loss_is_what_the_customer_did_before_what_happened_before_silence(
    firm: TinyFirm,
) -> None:
    last = silent_on(0)
    signs: dict[str, list[tuple[str, int, dict[str, Any]]]] = {
        "cancels": [("contract_event", last + 9, {"contract": "K", "what": "cancelled"})],
        "complains": [("ticket", last - WINDOW, {"ticket_no": "T", "complaint": True})],
        "dear": [("note", last, {"what": "price"}), ("market_event", last, {"what": "competitor"})],
        "ends": [("contract_event", 0, {"contract": "K", "what": "ended"})],
        "rival": [("market_event", last, {"what": "cooperation"})],
        "told": [("note", last, {"what": "competitor"})],
        "asked": [("ticket", last, {"ticket_no": "T", "complaint": False})],
        "long_ago": [("ticket", last - WINDOW - 1, {"ticket_no": "T", "complaint": True})],
        "silent": [("note", last, {"what": "chance"})],
    }
    for name, rows in signs.items():
        regular(firm, name, last)
        for fact, at, columns in rows:
            firm.facts.add(fact, name, firm.moment(day(at), 12), **columns)
    firm.night(day(0))
    firm.night(day(1))
    assert {name: kind for name, _, kind in kept(firm)} == {
        "cancels": "active", "complains": "active", "dear": "active", "ends": "passive", "rival": "passive", "told": "passive",
        "asked": "latent", "long_ago": "latent", "silent": "latent",
    }  # fmt: skip


@pytest.mark.req("S50", "S83")
def test_a_contract_that_ends_is_a_loss_of_its_own_day_and_type(make_firm: Callable[..., TinyFirm]) -> None:
    firm = make_firm({"stages.yaml": BY_EVENT})
    for name, what, at in (
        ("c", "cancelled", 0),
        ("e", "ended", 1),
        ("r", "renewed", 1),
        ("old", "cancelled", -1),
    ):
        firm.customer(name)
        firm.facts.add(
            "contract_event", name, firm.moment(day(at), 12), contract="K", what=what, source_key=name
        )
    firm.customer("late")
    for number in (0, 1, 2):
        firm.night(day(number))
    assert kept(firm) == [("c", day(0), "active"), ("e", day(1), "passive")]
    firm.facts.add(
        "contract_event",
        "late",
        firm.moment(day(1), 12),
        known_from=firm.moment(day(2), 12),
        contract="K",
        what="ended",
    )
    firm.rows(
        "update care.fact_contract_event set known_to = %s where source_key = 'c' returning 1",
        firm.moment(day(2), 12),
    )
    firm.night(day(3))
    assert kept(firm) == [("e", day(1), "passive"), ("late", day(1), "passive")], "known late, and taken back"


@pytest.mark.req("S83")
def test_the_lead_is_that_of_the_first_warning_that_lived_after_the_last_business(
    make_firm: Callable[..., TinyFirm],
) -> None:
    """A warning that had closed before the last order led to nothing; one that somebody denied was right."""
    firm = make_firm(changed("stages.yaml", ("within: 90 days", "within: 3 days")))
    odd = {
        "warned": (0, 0, 1, 1, 1),
        "over": (1, 0, 0, 0, 0),
        "denied": (0, 0, 1, 1, 1),
        "unseen": (0, 0, 0, 0, 0),
    }
    for name in odd:
        firm.customer(name)
        bought(firm, name, -300, -30, 2)
    for number in range(7):
        for name, quiet in odd.items():
            firm.dial(name, day(number), quiet=quiet[min(number, 4)], strain=0, halt=0, mood=90)
        firm.night(day(number))
        if number == 2:
            [(denied,)] = firm.rows(
                "select warning_no from care.warning join care.customer using (customer_no) where customer_id = 'denied'"
            )
            close(
                firm.connection, denied, by="ann", result="false_alarm", note="", now=firm.moment(day(2), 9)
            )
    found = firm.rows(
        "select customer_id, lost_day, first_warning_day, lead_days, missed from bi.lead_times order by 1"
    )
    assert found == [
        ("denied", day(5), day(2), 3, False),
        ("over", day(5), None, None, True),
        ("unseen", day(5), None, None, True),
        ("warned", day(5), day(2), 3, False),
    ]


@pytest.mark.req("S50", "S83")
def test_an_order_that_becomes_known_late_takes_the_loss_back(firm: TinyFirm) -> None:
    regular(firm, "C1", silent_on(0))
    firm.night(day(0))
    firm.night(day(1))
    assert [row[0] for row in kept(firm)] == ["C1"]
    bought(firm, "C1", 0, known_from=firm.moment(day(1), 12))
    firm.night(day(2))
    assert kept(firm) == []


@pytest.mark.req("S50", "D9")
def test_while_the_feed_is_held_nobody_is_lost_and_afterwards_all_days_are_looked_at(firm: TinyFirm) -> None:
    regular(firm, "C1", silent_on(0))
    firm.night(day(0))
    firm.judged(day(1))
    firm.rows(
        "insert into care.held_source (night, source, owner, reason, facts) "
        "select night_no, 'sales', 'ops', '{}', '{order}' from care.night where day = %s returning 1",
        day(1),
    )
    firm.night(day(1))
    assert kept(firm) == []
    firm.night(day(2))
    assert kept(firm) == [("C1", day(0), "latent")]
