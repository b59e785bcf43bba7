"""A night of a small warehouse by two industry packs as they are shipped: dealers, and software as a service."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from tests.firm import MONDAY, ROOT, TinyFirm, empty

from carewatch.spec.loading import load
from carewatch.store.database import connect


@pytest.fixture
def live(shared_warehouse: str) -> Any:
    """Return a maker of a firm at an empty warehouse that lives by a pack."""
    with connect(shared_warehouse, autocommit=True) as connection:
        empty(connection)
        yield lambda name: TinyFirm(connection, load(ROOT / "config" / "industries" / name))


def ago(firm: TinyFirm, days: int, hour: int = 12) -> Any:
    return firm.moment(MONDAY - timedelta(days=days), hour)


def dealer(
    firm: TinyFirm, name: str, *, yearly: float, rate: float, years: int, ordered: int, talked: int
) -> None:
    """A dealer of one order a month; the last ones so many days ago."""
    firm.facts.belongs(name, name, ago(firm, 365 * years + 5))
    firm.facts.add("customer", name, ago(firm, 365 * years + 5), name=name, owner="am03", profit_rate=rate)
    for days in range(ordered, 365, 30):
        firm.facts.add(
            "order", name, ago(firm, days), kind="regular", amount=yearly / 12, order_no=f"{name}-{days}"
        )
    firm.facts.add("interaction", name, ago(firm, talked), what="call", direction="out", channel="phone")


def opened(firm: TinyFirm) -> dict[str, set[str]]:
    rows = firm.rows(
        "select c.customer_id, array_agg(s.rule) from care.signal s join care.customer c using (customer_no) "
        "where s.state = 'open' group by 1"
    )
    return {name: set(rules) for name, rules in rows}


@pytest.mark.req("S46")
def test_dealers_are_watched_by_the_days_of_their_tier(live: Callable[[str], TinyFirm]) -> None:
    firm = live("dealers")
    kinds = {
        "A": {"yearly": 3_000_000, "rate": 40.0, "years": 10},
        "B": {"yearly": 600_000, "rate": 10.0, "years": 4},
        "C": {"yearly": 20_000, "rate": 5.0, "years": 1},
    }
    for name, ordered, talked in (
        ("A1", 5, 14), ("A2", 5, 15), ("B1", 29, 5), ("B2", 30, 5), ("C1", 5, 44), ("C2", 5, 45),
    ):  # fmt: skip
        dealer(firm, name, ordered=ordered, talked=talked, **kinds[name[0]])  # type: ignore[arg-type]
    firm.night(MONDAY)
    tiers = firm.rows("select customer_id, tier from care.customer_health order by 1")
    assert tiers == [(name, name[0]) for name in ("A1", "A2", "B1", "B2", "C1", "C2")]
    watched = {
        "A2": "a_without_contact_15_days", "B2": "b_without_order_30_days", "C2": "c_without_contact_45_days",
    }  # fmt: skip
    asked = set(watched.values())
    assert {name: rules & asked for name, rules in opened(firm).items() if rules & asked} == {
        name: {rule} for name, rule in watched.items()
    }
    assert firm.rows("select count(*) from care.customer_health where colour = 'grey'") == [(0,)]


@pytest.mark.req("S59")
def test_risk_comes_from_order_frequency_complaints_and_late_payment(live: Callable[[str], TinyFirm]) -> None:
    """Four dealers who differ in one thing each: the risk of each of the three is higher than that of the first."""
    firm = live("dealers")
    for name in ("well", "orders", "complaints", "pays"):
        dealer(firm, name, yearly=600_000, rate=10, years=4, ordered=95 if name == "orders" else 5, talked=3)
        for number, days in enumerate((120, 60)):
            invoice = f"{name}-{number}"
            firm.facts.add(
                "invoice", name, ago(firm, days), invoice_no=invoice, amount=100, due_on=day(days - 30)
            )
            late = 28 if name == "pays" else 0
            firm.facts.add("payment", name, ago(firm, days - 30 - late), invoice_no=invoice, amount=100)
        for number in range(3 if name == "complaints" else 0):
            firm.facts.add(
                "ticket", name, ago(firm, 10 + number), ticket_no=f"{name}{number}", complaint=True
            )
    firm.night(MONDAY)
    rows: list[tuple[str, float, float]] = firm.rows("select customer_id, score, risk from care.health")  # type: ignore[assignment]
    assert all(risk == 100 - score for _, score, risk in rows)
    risk = {name: value for name, _, value in rows}
    assert min(risk[name] for name in ("orders", "complaints", "pays")) > risk["well"] + 2


@pytest.mark.req("S49")
def test_the_owner_is_reminded_once_so_many_days_before_a_contract_ends(
    live: Callable[[str], TinyFirm],
) -> None:
    firm = live("saas")
    firm.facts.belongs("C1", "C1", ago(firm, 400))
    firm.facts.add("customer", "C1", ago(firm, 400), name="C1", owner="am03")
    firm.facts.add("usage_day", "C1", ago(firm, 1), logins=3)
    last = MONDAY + timedelta(days=61)
    terms = {"contract": "K", "what": "signed", "ends_on": last, "notice_on": last - timedelta(days=29)}
    firm.facts.add("contract_event", "C1", ago(firm, 300), **terms)
    reminders = {}
    for number in range(4):
        firm.night(MONDAY + timedelta(days=number))
        reminders[number] = firm.rows(
            "select rule from care.outbox o join care.signal s on o.key like '%%signal:' || s.signal_no "
            "where o.kind = 'watch' and o.receiver = 'am03' order by 1"
        )
    ends, notice = ("contract_ends_soon",), ("notice_date_near",)
    assert reminders == {0: [], 1: [ends], 2: [ends, notice], 3: [ends, notice]}


def day(days: int) -> date:
    return MONDAY - timedelta(days=days)


def test_a_software_firm_sees_use_fade_tickets_pile_up_and_trials_end(
    live: Callable[[str], TinyFirm],
) -> None:
    firm = live("saas")
    for name in ("busy", "fading", "trial"):
        firm.facts.belongs(name, name, ago(firm, 400))
        firm.facts.add("customer", name, ago(firm, 400), name=name, owner="am03")
        firm.facts.add("order", name, ago(firm, 40), kind="regular", amount=50_000)
        firm.facts.add("survey", name, ago(firm, 20), what="satisfaction", score=5.0)
        for days in range(1, 61):
            if name != "fading" or days > 30:
                firm.facts.add(
                    "usage_day", name, ago(firm, days), logins=3, active_users=2, core_seconds=3600
                )
    for number in range(3):
        firm.facts.add("ticket", "fading", ago(firm, 5 + number), ticket_no=f"T{number}", complaint=True)
    firm.facts.add(
        "contract_event",
        "trial",
        ago(firm, 20),
        contract="T",
        what="signed",
        kind="trial",
        ends_on=MONDAY + timedelta(days=7),
    )
    firm.night(MONDAY)
    found = opened(firm)
    assert {"no_login_for_30_days", "tickets_while_logins_fall", "complaints_pile_up"} <= found["fading"]
    assert found["trial"] == {"trial_ends_soon"} and "busy" not in found
    scores = dict(firm.rows("select customer_id, score from care.health"))
    assert scores["busy"] > 80 > 45 > scores["fading"]
    assert (
        firm.rows("select level from care.warning where customer_no = %s", firm.facts.customer("fading"))[0][
            0
        ]
        >= 2
    )
