"""What a rule may say beside its condition, on a real warehouse: excuses, hiding, classes, priority."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from tests.firm import MONDAY, TinyFirm, changed

from carewatch.flow.explain import explain

TUESDAY = MONDAY + timedelta(days=1)


def rules_with(*extra: tuple[str, str]) -> dict[str, str]:
    """Return the dials' rules with lines added behind `counts_as` of the rules named."""
    return changed(
        "warnings/dials.yaml",
        *((f"    counts_as: {name}\n", f"    counts_as: {name}\n    {line}\n") for name, line in extra),
    )


def dials(firm: TinyFirm, name: str, night: date, **on: float) -> None:
    firm.dial(name, night, **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90, **on})


def levels(firm: TinyFirm) -> dict[str, int]:
    return dict(
        firm.rows(
            "select c.customer_id, w.level from care.warning w join care.customer c using (customer_no) "
            "where w.closed_at is null"
        )
    )


@pytest.mark.req("S27")
def test_a_recorded_reason_pauses_the_rules_of_its_indicator_while_it_lasts_and_explain_says_so(
    firm: TinyFirm,
) -> None:
    firm.customer("C1", tier="A")
    firm.customer("C2", tier="A")
    known = firm.moment(MONDAY - timedelta(days=3), 9)
    firm.facts.add(
        "reasonable_reason", "C1", known, what="low_season", covers="halt", starts_on=MONDAY - timedelta(days=2),
        ends_on=TUESDAY,
    )  # fmt: skip
    stood = []
    for number in range(-1, 5):
        night = MONDAY + timedelta(days=number)
        for name in ("C1", "C2"):
            dials(firm, name, night, halt=1)
        firm.night(night)
        stood.append(levels(firm))
        if number == 0:
            [covered] = [one for one in explain(firm.connection, "C1").rules if one["rule"] == "halt"]
    # The night of a day sees the day before: the reason covers the nights of 31 May to 3 June.
    assert stood == [{"C2": 2}] * 4 + [{"C1": 2, "C2": 2}] * 2
    assert covered["state"] == "covered" and covered["text"]["en"] == "halt is 1"
    assert covered["covered_by"] == {"reason": "low_season", "until": TUESDAY.isoformat(), "unless": None}


@pytest.mark.req("S27")
def test_a_reason_that_was_not_known_yet_or_is_withdrawn_excuses_nobody(firm: TinyFirm) -> None:
    for name in ("C1", "C2", "C3"):
        firm.customer(name)
        dials(firm, name, MONDAY, halt=1)
    begun = firm.moment(MONDAY - timedelta(days=5))
    reason = {"what": "stocktaking", "covers": "halt quiet"}
    firm.facts.add("reasonable_reason", "C1", begun, known_from=firm.moment(MONDAY, 9), **reason)
    firm.facts.add("reasonable_reason", "C2", begun, known_to=firm.moment(MONDAY, 1), **reason)
    firm.facts.add("reasonable_reason", "C3", begun, **reason)
    firm.night(MONDAY)
    assert levels(firm) == {"C1": 2, "C2": 2}


def test_a_reason_recorded_later_pauses_an_open_signal_and_clears_nothing(firm: TinyFirm) -> None:
    firm.customer("C1")
    dials(firm, "C1", MONDAY, halt=1)
    firm.night(MONDAY)
    firm.facts.add("reasonable_reason", "C1", firm.moment(MONDAY, 10), what="relocation", covers="halt")
    dials(firm, "C1", TUESDAY, halt=1)
    firm.night(TUESDAY)
    assert levels(firm) == {"C1": 2}
    assert firm.rows("select state, true_nights from care.signal") == [("open", 1)]
    wednesday = TUESDAY + timedelta(days=1)
    dials(firm, "C1", wednesday, halt=0)
    firm.night(wednesday)
    assert firm.rows("select state from care.signal") == [("closed",)], "what is over is over, excused or not"


def test_a_hidden_reason_is_left_out_of_notices_and_counts_all_the_same(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm(rules_with(("strain", "hides: [quiet]")))
    for name, on in (("C1", {"quiet": 1, "strain": 1}), ("C2", {"quiet": 1})):
        firm.customer(name)
        dials(firm, name, MONDAY, **on)
    firm.night(MONDAY)
    [(text,)] = firm.rows("select message->>'text' from care.outbox")
    first, second = text.split("2. ")
    assert "strain is 1" in first and "quiet is 1" not in first
    assert "quiet is 1" in second, "alone it is told"
    [(reasons,)] = firm.rows("select reasons from care.warning where warning_no = 1")
    assert [(one["rule"], one.get("hidden_by")) for one in reasons] == [
        ("strain", None),
        ("quiet", ["strain"]),
    ]
    assert firm.rows("select count(*) from care.signal where state = 'open'") == [(3,)]


@pytest.mark.req("S69")
def test_the_same_signal_warns_more_of_a_customer_of_another_segment(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm(rules_with(("quiet", "severity_by: {segment: {key: severe}}")))
    since = firm.moment(date(2020, 1, 1))
    for name, segment in (("C1", "key"), ("C2", "small"), ("C3", None)):
        firm.facts.belongs(name, name, since)
        firm.facts.add("customer", name, since, name=name, owner="ann", profit_rate=50, segment=segment)
        dials(firm, name, MONDAY, quiet=1)
    firm.night(MONDAY)
    assert levels(firm) == {"C1": 2, "C2": 1, "C3": 1}
    assert firm.rows("select severity from care.signal order by customer_no") == [
        ("severe",),
        ("mild",),
        ("mild",),
    ]


@pytest.mark.req("S82")
def test_a_rule_of_high_priority_is_told_to_the_manager_at_level_1_and_stands_first(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm(rules_with(("quiet", "priority: high")))
    firm.customer("C1", owner="lin", tier="B", sales=9000)
    firm.customer("C2", owner="lin", tier="B", sales=10)
    dials(firm, "C1", MONDAY, strain=1)
    dials(firm, "C2", MONDAY, quiet=1)
    firm.night(MONDAY)
    assert firm.rows("select level, priority from care.warning order by 1, 2") == [(1, "high"), (1, "low")]
    told = dict(firm.rows("select receiver, message->>'text' from care.outbox where channel = 'mail'"))
    assert sorted(told) == ["bob", "lin"]
    assert (
        "Firm C1" not in told["bob"] and "Firm C2 (C2) - new at level 1, high priority, tier B" in told["bob"]
    )
    assert told["lin"].index("Firm C2") < told["lin"].index("Firm C1")


@pytest.mark.req("S82", "S81")
def test_a_priority_that_rises_at_the_same_level_is_stored_and_told_once(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm(rules_with(("quiet", "priority: high")))
    firm.customer("C1")
    for number, quiet in enumerate([0, 1, 1, 0]):
        night = MONDAY + timedelta(days=number)
        dials(firm, "C1", night, strain=1, quiet=quiet)
        firm.night(night)
    history = "select what, level, priority from care.warning_event order by transition"
    assert firm.rows(history) == [
        ("opened", 1, "low"),
        ("changed", 1, "high"),
        ("changed", 1, "low"),
    ]
    decided = (
        "select transition, receiver, send, reason from care.notice_decision "
        "where subject like 'warning:%%' order by 1, 2"
    )
    assert firm.rows(decided) == [
        (1, "ann", True, "a warning opened at level 1"),
        (2, "ann", True, "the priority rose to high at level 1"),
        (2, "bob", True, "the priority rose to high at level 1"),
        (3, "ann", False, "the priority changed: it is not high"),
    ]


@pytest.mark.req("S82")
def test_among_equals_risk_times_value_comes_first_and_unknown_health_is_not_healthy(firm: TinyFirm) -> None:
    # risk x value: C1 0.1 x 5000, C2 0.25 x 3000, C3 unknown: 1 x 1000
    for name, sales, mood in (("C1", 5000, 90), ("C2", 3000, 75), ("C3", 1000, None)):
        firm.customer(name, owner="lin", sales=sales)
        firm.dial(name, MONDAY, quiet=1, strain=0, halt=0, **({} if mood is None else {"mood": mood}))
    firm.night(MONDAY)
    assert firm.rows("select risk from care.warning order by customer_no") == [
        (pytest.approx(0.1),),
        (0.25,),
        (1.0,),
    ]
    [(text,)] = firm.rows("select message->>'text' from care.outbox where receiver = 'lin'")
    order = sorted(("C1", "C2", "C3"), key=lambda name: text.index(f"Firm {name}"))
    assert order == ["C3", "C2", "C1"]
