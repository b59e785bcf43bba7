"""Event rules: by night and at once, at one customer and across a market, and never twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.firm import MONDAY, TinyFirm, changed

from carewatch.cli import main
from carewatch.flow.advance import advance, apply_events, apply_nights
from carewatch.flow.explain import explain
from carewatch.store import live_warnings, nights
from carewatch.store import signals as signals_store
from carewatch.store.database import connect
from carewatch.store.locks import Lock, hold

RULES = """
version: 1
rules:
  contact_left:
    label: Main contact left
    severity: severe
    severity_by: {tier: {A: critical, B: critical}}
    counts_as: contact
    dimension: use
    on: event
    fact: contact_event
    where: "what = 'left' and main"
    because: {en: "The main contact ({role}) left on {event_day}.", zh-CN: "主要联系人（{role}）于 {event_day} 离职。"}
    examples:
      - {given: {days_since_event: 1}, fires: true}
      - {given: {}, fires: false}
  rival_here:
    label: A rival at the customer
    severity: critical
    counts_as: rival
    dimension: use
    on: event
    fact: market_event
    where: "what in ('competitor', 'cooperation')"
    because: "A rival: {title}."
  rival_about:
    label: A rival in the market
    severity: moderate
    counts_as: rival
    dimension: use
    on: event
    fact: market_event
    concerns: market
    where: "what = 'competitor' and price_gap >= 15"
    because: "A rival is {price_gap:.0f} % cheaper."
  dearer:
    label: Business becomes dearer
    severity: moderate
    counts_as: policy
    dimension: use
    on: event
    fact: market_event
    concerns: market
    lasts: 10 days
    where: "what = 'policy' and cost_rise >= 20"
    because: "Cost rises by {cost_rise} %."
  told_by_somebody:
    label: A note
    severity: mild
    counts_as: note
    dimension: use
    on: event
    fact: note
    where: "what <> 'chance'"
    lasts: 14 days
    because: "Somebody noted: {what}."
  left_when_strained:
    label: Left when strained
    severity: mild
    counts_as: strained
    dimension: use
    on: event
    fact: contact_event
    where: "what = 'left'"
    when: strain >= 1
    because: "A contact left, strain is {strain}."
"""


@pytest.fixture
def firm(make_firm: Callable[..., TinyFirm]) -> TinyFirm:
    """Return a firm whose rules wait for events."""
    return make_firm({"warnings/events.yaml": RULES})


def day(number: int) -> date:
    return MONDAY + timedelta(days=number - 1)


def customer(firm: TinyFirm, name: str, *, tier: float = 50, **master: object) -> None:
    since = firm.moment(date(2020, 1, 1))
    firm.facts.belongs(name, name, since)
    firm.facts.add("customer", name, since, name=f"Firm {name}", owner="ann", profit_rate=tier, **master)


def calm_night(firm: TinyFirm, number: int, *, now: datetime | None = None) -> Any:
    firm.calm(day(number))
    return firm.night(day(number), now=now)


def signals(firm: TinyFirm) -> list[tuple[object, ...]]:
    return firm.rows(
        "select c.customer_id, s.rule, s.severity, s.state from care.signal s join care.customer c using (customer_no) "
        "order by 1, 2, s.signal_no"
    )


def standing(firm: TinyFirm) -> dict[str, int]:
    return dict(
        firm.rows(
            "select c.customer_id, w.level from care.warning w join care.customer c using (customer_no) "
            "where w.closed_at is null"
        )
    )


def leaves(firm: TinyFirm, name: str, at: datetime, **said: object) -> None:
    about = {"contact": "p1", "what": "left", "main": True, "role": "buyer", "name": "Secret Name"}
    firm.facts.add("contact_event", name, at, **(about | said))


@pytest.mark.req("S35", "S44", "S58")
def test_a_main_contact_who_leaves_is_warned_of_within_one_tick(firm: TinyFirm) -> None:
    customer(firm, "C1", tier=80)
    customer(firm, "C2", tier=10)
    calm_night(firm, 1)
    noon = firm.moment(day(1), 12)
    assert firm.tick(noon).moves == 0
    for name in ("C1", "C2"):
        leaves(firm, name, noon + timedelta(minutes=3))
    done = firm.tick(noon + timedelta(minutes=10))
    assert (done.moves, done.raised_early) == (2, 2) and done.tasks and done.messages
    assert standing(firm) == {"C1": 3, "C2": 2}
    assert (
        firm.rows("select what, day, between_nights from care.warning_event")
        == [("opened", day(1), True)] * 2
    )
    [(text,)] = firm.rows(
        "select message->>'text' from care.outbox where key = 'warning/ann/mail/warning:1/1'"
    )
    assert "The main contact (buyer) left on 2026-06-01." in text
    assert not firm.rows("select 1 from care.signal where evidence::text like '%%Secret Name%%'")
    everything = firm.dump()
    firm.tick(noon + timedelta(minutes=20))
    differing = {name for name, rows in firm.dump().items() if rows != everything[name]}
    assert differing == {"pinned_clock"}, "nothing is new: nothing is written"


@pytest.mark.req("S58")
def test_night_and_clock_feed_one_table_of_warnings(firm: TinyFirm) -> None:
    """What the night opened rises at once with an event; what an event opened is there for the night."""
    for name, quiet in (("C1", 1), ("C2", 0)):
        customer(firm, name)
        firm.dial(name, day(1), quiet=quiet, strain=0, halt=0, mood=90)
    firm.night(day(1))
    assert standing(firm) == {"C1": 1}
    for name in ("C1", "C2"):
        leaves(firm, name, firm.moment(day(1), 12))
    firm.tick(firm.moment(day(1), 12.2))
    assert standing(firm) == {"C1": 3, "C2": 3}
    for name in ("C1", "C2"):
        firm.dial(name, day(2), quiet=1, strain=0, halt=0, mood=90)
    firm.night(day(2))
    moved = firm.rows(
        "select customer_id, what, e.level, between_nights from care.warning_event e join care.warning using (warning_no) "
        "join care.customer using (customer_no) order by 1, e.transition"
    )
    assert moved == [("C1", "opened", 1, False), ("C1", "rose", 3, True), ("C2", "opened", 3, True)]
    reasons = firm.rows("select count(*) from care.signal where state = 'open'")
    assert reasons == [(4,)], "the contact of each, and the quiet that the night adds"


@pytest.mark.req("S35", "D21")
def test_the_night_agrees_with_the_tick_and_nobody_is_told_twice(firm: TinyFirm) -> None:
    customer(firm, "C1")
    calm_night(firm, 1)
    leaves(firm, "C1", firm.moment(day(1), 12))
    firm.tick(firm.moment(day(1), 12.5))
    told = "select key from care.outbox where kind in ('warning', 'digest') order by 1"
    raised = "select signal_no, opened_day, evidence from care.signal where rule = 'contact_left'"
    before = firm.rows(told), firm.rows(raised), firm.dump("warning_event")
    for number in (2, 3, 4):
        assert calm_night(firm, number).moves == 0
    assert (firm.rows(told), firm.rows(raised), firm.dump("warning_event")) == before
    [said] = [one for one in explain(firm.connection, "C1").rules if one["rule"] == "contact_left"]
    assert said["text"]["en"] == "The main contact (buyer) left on 2026-06-01."
    assert explain(firm.connection, "C1").equals_stored


@pytest.mark.req("S35")
def test_a_night_that_cannot_see_the_event_yet_lets_it_stand(firm: TinyFirm) -> None:
    """At half past midnight something happened that the night of that day, which ends at midnight, does not see."""
    customer(firm, "C1")
    calm_night(firm, 1)
    leaves(firm, "C1", firm.moment(day(2), 0.5))
    assert firm.tick(firm.moment(day(2), 1)).moves == 1
    assert calm_night(firm, 2).moves == 0
    assert calm_night(firm, 3).moves == 0
    assert firm.rows("select what from care.warning_event") == [("opened",)]
    assert ("C1", "contact_left", "critical", "open") in signals(firm)


@pytest.mark.req("S44")
@pytest.mark.parametrize(("age", "there"), [(1, True), (30, True), (31, False)])
def test_an_event_counts_for_its_days_by_night_and_tick_alike(firm: TinyFirm, age: int, there: bool) -> None:
    customer(firm, "C1")
    leaves(firm, "C1", firm.moment(day(1) - timedelta(days=age), 9))
    calm_night(firm, 1)
    assert (standing(firm) == {"C1": 3}) is there
    firm.calm(day(2))
    firm.night(day(2))
    assert (standing(firm) == {"C1": 3}) is (there and age < 30)


def test_a_tick_opens_nothing_that_the_next_night_would_not(firm: TinyFirm) -> None:
    """By day 31 the next night will not see the event any more: it became known too late."""
    customer(firm, "C1")
    customer(firm, "C2")
    calm_night(firm, 1)
    now = firm.moment(day(1), 15)
    leaves(firm, "C1", firm.moment(day(1) - timedelta(days=29), 9))
    leaves(firm, "C2", firm.moment(day(1) - timedelta(days=30), 9))
    firm.rows("update care.fact_contact_event set known_from = %s returning 1", now)
    firm.tick(now)
    assert standing(firm) == {"C1": 3}
    calm_night(firm, 2)
    assert standing(firm) == {"C1": 3}


@pytest.mark.req("S36")
def test_a_rival_at_this_very_customer_and_cooperation_in_the_news_are_red(firm: TinyFirm) -> None:
    customer(firm, "C1")
    customer(firm, "C2")
    customer(firm, "C3")
    calm_night(firm, 1)
    now = firm.moment(day(1), 10)
    firm.facts.add("market_event", "C1", now, what="competitor", price_gap=3, title="an offer")
    firm.facts.add("market_event", "C2", now, what="cooperation", public=True, title="a joint launch")
    firm.facts.add("market_event", "C3", now, what="policy", cost_rise=50)
    firm.tick(firm.moment(day(1), 10.2))
    assert standing(firm) == {"C1": 3, "C2": 3}


@pytest.mark.req("S19", "S31", "S32")
def test_a_market_event_reaches_the_customers_of_its_industry_market_and_line(firm: TinyFirm) -> None:
    customer(firm, "C1", industry="Valves", country="CN")
    customer(firm, "C2", industry="valves", country="US")
    customer(firm, "C3", industry="pumps", country="US")
    customer(firm, "C4", industry="valves", country="CN", market="US")
    customer(firm, "C5")
    customer(firm, "C6", industry="pumps", country="US")
    bought = firm.moment(day(2) - timedelta(days=365), 9)
    firm.facts.add("order", "C3", bought, amount=5, line="Steel")
    firm.facts.add("order", "C6", bought - timedelta(days=1), amount=5, line="steel")
    calm_night(firm, 1)
    at = firm.moment(day(1), 10)
    news = {"what": "competitor", "price_gap": 15}
    firm.facts.add("market_event", None, at, **news, industry="valves")
    firm.facts.add("market_event", None, at, what="policy", cost_rise=20, industry="valves", country="us")
    firm.facts.add(
        "market_event", None, at, **(news | {"price_gap": 99})
    )  # it concerns nobody until it says whom
    firm.tick(firm.moment(day(1), 10.2))
    by_rule = {(customer, rule) for customer, rule, _, state in signals(firm) if state == "open"}
    assert by_rule == {
        ("C1", "rival_about"), ("C2", "rival_about"), ("C4", "rival_about"), ("C2", "dearer"), ("C4", "dearer"),
    }  # fmt: skip
    assert standing(firm) == {"C1": 1, "C2": 2, "C4": 2}
    firm.facts.add("market_event", None, firm.moment(day(1), 11), **news, line="steel")
    firm.tick(firm.moment(day(1), 11.2))
    assert standing(firm) == {"C1": 1, "C2": 2, "C3": 1, "C4": 2}, "only who bought the line within a year"
    before = standing(firm)
    assert calm_night(firm, 2).moves == 0 and standing(firm) == before


@pytest.mark.req("S31", "S32")
def test_a_smaller_gap_or_rise_signals_nobody(firm: TinyFirm) -> None:
    customer(firm, "C1", industry="valves")
    at = firm.moment(day(1) - timedelta(days=1), 10)
    firm.facts.add("market_event", None, at, what="competitor", price_gap=14.9, industry="valves")
    firm.facts.add("market_event", None, at, what="policy", cost_rise=19.9, industry="valves")
    calm_night(firm, 1)
    assert signals(firm) == []


@pytest.mark.req("S19")
def test_a_market_event_expires_on_its_day_whatever_the_rule_says(firm: TinyFirm) -> None:
    customer(firm, "C1", industry="valves")
    customer(firm, "C2", industry="pumps")
    begun = firm.moment(day(1) - timedelta(days=1), 10)
    rise = {"what": "policy", "cost_rise": 20}
    firm.facts.add("market_event", None, begun, **rise, industry="valves", expires_on=day(14))
    firm.facts.add("market_event", None, begun, **rise, industry="pumps")  # as long as the rule says: 10 days
    stood = {}
    for number in range(1, 18):
        calm_night(firm, number)
        stood[number] = sorted(standing(firm))
    assert [number for number in stood if "C1" in stood[number]] == list(range(1, 16))
    assert [number for number in stood if "C2" in stood[number]] == list(range(1, 11))
    assert firm.rows("select distinct state from care.warning") == [("expired",)], (
        "nobody recovered from anything"
    )


@pytest.mark.req("S7")
def test_a_note_with_a_risk_tag_is_a_signal_at_the_next_tick_with_its_own_severity(firm: TinyFirm) -> None:
    for name in ("C1", "C2", "C3"):
        customer(firm, name)
    calm_night(firm, 1)
    at = firm.moment(day(1), 10)
    firm.facts.add("note", "C1", at, what="price", text="said in confidence")
    firm.facts.add("note", "C2", at, what="quality", severity="severe")
    firm.facts.add("note", "C2", at + timedelta(minutes=1), what="need", severity="watch")
    firm.facts.add("note", "C3", at, what="chance", severity="critical")
    firm.tick(firm.moment(day(1), 10.2))
    assert standing(firm) == {"C1": 1, "C2": 2}
    assert [row[:3] for row in signals(firm)] == [
        ("C1", "told_by_somebody", "mild"),
        ("C2", "told_by_somebody", "severe"),
    ]
    assert calm_night(firm, 2).moves == 0
    assert not firm.rows("select 1 from care.outbox where message::text like '%%in confidence%%'")
    late = firm.moment(day(2), 10)
    firm.facts.add("note", "C1", late, what="payment", expires_on=day(2))
    assert firm.tick(firm.moment(day(2), 10.2)).moves == 0, "the signal stands already"


@pytest.mark.req("S35")
def test_other_names_are_those_of_the_night_on_which_warnings_stand(firm: TinyFirm) -> None:
    for name, strain in (("C1", 1), ("C2", 0), ("C3", 1)):
        customer(firm, name)
        firm.dial(name, day(1), quiet=0, halt=0, strain=strain, mood=90)
    firm.night(day(1))
    for name in ("C1", "C2"):
        leaves(firm, name, firm.moment(day(1), 9), main=False)
    firm.tick(firm.moment(day(1), 9.2))
    assert [row[:2] for row in signals(firm)] == [
        ("C1", "left_when_strained"),
        ("C1", "strain"),
        ("C3", "strain"),  # and nobody left
    ]
    [(evidence,)] = firm.rows("select evidence from care.signal where rule = 'left_when_strained'")
    assert evidence["strain"] == 1 and evidence["what"] == "left" and evidence["event_day"] == "2026-06-01"


def test_an_event_that_is_taken_back_ends_its_signal_with_the_next_night(firm: TinyFirm) -> None:
    customer(firm, "C1")
    calm_night(firm, 1)
    leaves(firm, "C1", firm.moment(day(1), 12))
    firm.tick(firm.moment(day(1), 12.5))
    firm.rows("update care.fact_contact_event set known_to = %s returning 1", firm.moment(day(1), 14))
    calm_night(firm, 2)
    assert standing(firm) == {"C1": 0} and firm.rows("select state from care.warning") == [("cleared",)]


def test_a_stale_night_a_load_under_way_and_too_many_at_once_raise_nothing(
    make_firm: Callable[..., TinyFirm], shared_warehouse: str
) -> None:
    firm = make_firm(
        {
            "warnings/events.yaml": RULES,
            **changed("levels.yaml", ("hold_if_more_than: 100", "hold_if_more_than: 50")),
        }
    )
    for name in ("C1", "C2"):
        customer(firm, name)
    calm_night(firm, 1)
    leaves(firm, "C1", firm.moment(day(1), 12))
    with connect(shared_warehouse) as load:
        hold(load, Lock.FACTS)
        assert firm.tick(firm.moment(day(1), 12.5)).moves == 0
    assert firm.tick(firm.moment(day(1), 12.6)).moves == 1, "the next tick makes up for it"
    leaves(firm, "C2", firm.moment(day(5), 12))
    assert firm.tick(firm.moment(day(5), 13)).moves == 0, "four days without a night"
    for number in (5, 6, 7):
        firm.customer(f"N{number}")
    calm_night(firm, 6)
    for name in ("C1", "C2", "N5", "N6", "N7"):
        firm.facts.add("market_event", name, firm.moment(day(6), 9), what="cooperation", title="all")
    assert firm.tick(firm.moment(day(6), 10)).moves == 0, "that is for a night to hold"


@pytest.mark.req("D21")
@pytest.mark.parametrize(
    ("place", "name"),
    [(signals_store, "store_changes"), (live_warnings, "store_moves"), (nights, "set_events_through")],
    ids=["signals", "warnings", "progress"],
)
def test_a_tick_that_is_killed_leaves_nothing_half_done(
    firm: TinyFirm, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    customer(firm, "C1")
    calm_night(firm, 1)
    leaves(firm, "C1", firm.moment(day(1), 12))
    at = firm.moment(day(1), 12.5)
    firm.clock_at(at)
    before = firm.dump()
    written = getattr(place, name)

    def killed(*arguments: Any, **named: Any) -> None:
        written(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(place, name, killed)
        firm.tick(at)
    assert firm.dump() == before
    assert firm.tick(at).moves == 1


@pytest.mark.req("S82")
def test_what_the_clock_raises_has_its_priority_at_once(make_firm: Callable[..., TinyFirm]) -> None:
    pressing = RULES.replace("    counts_as: note\n", "    counts_as: note\n    priority: high\n")
    firm = make_firm({"warnings/events.yaml": pressing})
    for name, tier in (("C1", 50), ("C2", 10), ("C3", 10)):
        customer(firm, name, tier=tier)
    calm_night(firm, 1)
    noon = firm.moment(day(1), 12)
    leaves(firm, "C1", noon)
    leaves(firm, "C2", noon)
    firm.facts.add("note", "C3", noon, what="unhappy")
    firm.tick(noon + timedelta(minutes=5))
    stands = "select customer_id, level, priority from care.warning join care.customer using (customer_no) order by 1"
    assert firm.rows(stands) == [("C1", 3, "high"), ("C2", 2, "medium"), ("C3", 1, "high")]


@pytest.mark.req("S80")
def test_the_delay_from_knowing_of_an_event_to_deciding_who_hears_is_held_against_the_target(
    firm: TinyFirm,
    shared_warehouse: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("C1", "C2", "C3"):
        customer(firm, name)
    calm_night(firm, 1)
    noon = firm.moment(day(1), 12)
    leaves(firm, "C1", noon - timedelta(hours=5), source_key="k1", known_from=noon)
    firm.tick(noon + timedelta(minutes=7))
    # raised in time, told only later: what counts is when it was decided who hears
    leaves(firm, "C3", noon + timedelta(minutes=10), source_key="k3")
    at = noon + timedelta(minutes=12)
    firm.clock_at(at)
    assert advance(firm.connection, firm.configuration.care, at, (apply_events,)).raised_early == 1
    firm.tick(noon + timedelta(minutes=30))
    leaves(firm, "C2", firm.moment(day(1), 23), source_key="k2")
    calm_night(firm, 2, now=firm.moment(day(2), 2))
    delays = "select customer_id, fact_key, between_nights, delay from care.notice_delay order by 1"
    assert firm.rows(delays) == [
        ("C1", "given.contact_event/k1", True, timedelta(minutes=7)),
        ("C2", "given.contact_event/k2", False, timedelta(hours=3)),
        ("C3", "given.contact_event/k3", True, timedelta(minutes=20)),
    ]
    monkeypatch.setenv("CARE_DB", shared_warehouse)
    asked = [
        "warning",
        "delays",
        "--from",
        "2026-06-01",
        "--to",
        "2026-06-01",
        "--config",
        str(tmp_path / "config"),
    ]
    assert main([*asked, "--json"]) == 1, "one of them missed the target"
    told = json.loads(capsys.readouterr().out)
    assert (told["events"], told["within"], told["target_minutes"]) == (3, 2, 20), (
        "twenty minutes are within twenty"
    )
    assert [one["customer_id"] for one in told["slowest"]] == ["C2", "C3", "C1"]
    main(asked)
    assert capsys.readouterr().out.startswith(
        "3 events told of: 2 within 20 minutes (67%), median 20, longest 180 minutes\n  180 minutes  C2  contact_left"
    )


def test_the_clock_of_a_quiet_day_reads_one_row_and_writes_nothing(firm: TinyFirm) -> None:
    customer(firm, "C1")
    calm_night(firm, 1)
    before = firm.dump()
    firm.tick(firm.moment(day(1), 3))
    advance(firm.connection, firm.configuration.care, firm.moment(day(1), 3), (apply_nights,))
    after = firm.dump()
    assert {name for name in after if after[name] != before[name]} == {"pinned_clock"}
