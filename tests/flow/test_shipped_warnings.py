"""By the shipped configuration as it is: from facts to the people who hear."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from shutil import copytree

import pytest
from tests.firm import MONDAY, ROOT, TinyFirm, empty

from carewatch.spec.loading import load
from carewatch.store.database import connect


@pytest.fixture
def firm(shared_warehouse: str) -> Iterator[TinyFirm]:
    """Return a firm at an empty warehouse that lives by the shipped configuration, with customers of whom all is well."""
    with connect(shared_warehouse, autocommit=True) as connection:
        empty(connection)
        firm = TinyFirm(connection, load(ROOT / "config"))
        for number in range(12):  # so many that a night with a few new warnings is not held
            customer(firm, f"well{number}")
        yield firm


def ago(firm: TinyFirm, days: int) -> datetime:
    return firm.moment(MONDAY - timedelta(days=days), 12)


def customer(
    firm: TinyFirm,
    name: str,
    *,
    yearly: float = 240_000,
    rate: float = 10,
    years: int = 3,
    followed: int = 2,
    **master: object,
) -> None:
    """A customer of am03 who orders every fortnight and whom we called so many days ago."""
    since = ago(firm, 365 * years + 5)
    firm.facts.belongs(name, name, since)
    firm.facts.add(
        "customer", name, since, name=name, owner="am03", profit_rate=rate, benchmark=years > 5, **master
    )
    for days in range(5, 365, 14):
        firm.facts.add("order", name, ago(firm, days), kind="regular", amount=yearly / 26)
    firm.facts.add("interaction", name, ago(firm, followed), what="call", direction="out")
    firm.facts.add("interaction", name, ago(firm, 1), what="inquiry", direction="in")


def best(firm: TinyFirm, name: str, *, ends_in: int, followed: int) -> None:
    """An A customer whose contract ends in so many days."""
    customer(firm, name, yearly=1_500_000, rate=40, years=10, followed=followed)
    firm.facts.add(
        "contract_event", name, ago(firm, 300), contract="K1", what="signed", kind="contract", ends_on=day(-ends_in)
    )  # fmt: skip


def day(days: int) -> date:
    return MONDAY - timedelta(days=days)


def heard(firm: TinyFirm, name: str) -> list[tuple[object, ...]]:
    """Return who heard of a customer's warning and where, once for each message; not who is reminded of a task."""
    query = (
        "select receiver, channel from care.outbox where kind in ('warning', 'digest') "
        "and message->>'text' like %s order by 1, 2"
    )
    return firm.rows(query, f"%{name}%")


def warned(firm: TinyFirm) -> list[tuple[object, ...]]:
    return firm.rows(
        "select c.customer_id, w.level, w.priority from care.warning w join care.customer c using (customer_no) order by 1"
    )


BOTH = [("am03", "mail"), ("sm01", "chat"), ("sm01", "mail")]


@pytest.mark.req("S40")
def test_of_a_contract_that_ends_without_follow_up_owner_and_manager_hear_once(firm: TinyFirm) -> None:
    best(firm, "ending", ends_in=60, followed=30)
    best(firm, "later", ends_in=61, followed=30)
    best(firm, "called-upon", ends_in=60, followed=29)
    firm.night(MONDAY)
    tiers = "select distinct tier from care.customer_health where customer_id in ('ending', 'later', 'called-upon')"
    assert firm.rows(tiers) == [("A",)]
    assert warned(firm) == [("ending", 1, "high")]
    assert heard(firm, "ending") == BOTH
    assert heard(firm, "later") == heard(firm, "called-upon") == []
    firm.night(MONDAY + timedelta(days=1))
    assert [name for name, *_ in warned(firm)] == ["called-upon", "ending", "later"]
    assert heard(firm, "later") == heard(firm, "called-upon") == BOTH
    assert heard(firm, "ending") == BOTH, "each of them once, however long it stands"


@pytest.mark.req("S41")
def test_of_a_bill_overdue_more_than_60_days_owner_and_manager_hear_the_same_night(firm: TinyFirm) -> None:
    for name, due in (("owes", 61), ("slow", 60)):
        customer(firm, name)
        firm.facts.add("invoice", name, ago(firm, due + 30), invoice_no="I1", amount=900, due_on=day(due))
    overdue = (
        "select c.customer_id from care.signal s join care.customer c using (customer_no) "
        "where rule = 'overdue_over_60_days' order by 1"
    )
    firm.night(MONDAY)
    assert firm.rows(overdue) == [("owes",)]
    assert ("owes", 2, "high") in warned(firm)
    assert set(heard(firm, "owes")) == set(BOTH)
    firm.night(MONDAY + timedelta(days=1))
    assert firm.rows(overdue) == [("owes",), ("slow",)]


@pytest.mark.req("S42")
@pytest.mark.parametrize(("channel", "mails"), [("", 0), ("to_customers: mail\n", 1)])
def test_a_week_with_fewer_logins_is_recorded_makes_no_work_and_mails_who_agreed(
    firm: TinyFirm, tmp_path: Path, channel: str, mails: int
) -> None:
    config = Path(copytree(ROOT / "config", tmp_path / "config"))
    with (config / "notices.yaml").open("a", encoding="utf-8") as notices:
        notices.write(channel)
    firm.configuration = load(config)
    customer(firm, "fading", email="b@fading.example", consent=True)
    for days in range(1, 61):
        firm.facts.add(
            "usage_day", "fading", ago(firm, days), logins=9 if days <= 7 else 10, core_seconds=3600
        )
    firm.night(MONDAY)
    assert firm.rows("select rule, severity, state from care.signal") == [
        ("logins_down_in_a_week", "watch", "open")
    ]
    assert firm.rows("select count(*) from care.warning") == [(0,)]
    assert firm.rows("select count(*) from care.care_task") == [(0,)]
    for hours in (60, 120):
        firm.tick(firm.moment(MONDAY, hours))
    assert firm.rows("select receiver, channel from care.outbox") == [("customer", "mail")] * mails


@pytest.mark.req("S35")
def test_a_main_contact_who_leaves_or_changes_is_warned_of_at_the_next_tick(firm: TinyFirm) -> None:
    for name in ("leaves", "changes"):
        customer(firm, name)
    firm.night(MONDAY)
    noon = firm.moment(MONDAY, 12)
    for name, what in (("leaves", "left"), ("changes", "changed")):
        firm.facts.add("contact_event", name, noon, contact="p1", what=what, main=True, role="buyer")
    firm.tick(noon + timedelta(minutes=10))
    assert [row[:2] for row in warned(firm)] == [("changes", 1), ("leaves", 3)]
    assert {receiver for receiver, _ in heard(firm, "leaves")} >= {"am03", "sm01"}


@pytest.mark.req("S36")
def test_a_competitor_whose_price_nobody_knows_is_warned_of_in_words(firm: TinyFirm) -> None:
    customer(firm, "tempted")
    firm.facts.add("market_event", "tempted", ago(firm, 1), what="competitor", title="a trial order")
    firm.night(MONDAY)
    assert [row[:2] for row in warned(firm)] == [("tempted", 3)]
    [(text,)] = firm.rows(
        "select message->>'text' from care.outbox where receiver = 'sm01' and channel = 'mail'"
    )
    assert "A competitor is at this customer (a trial order); cheaper by, in %: unknown." in text
