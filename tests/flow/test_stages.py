"""Stages of a customer's life through nights: transitions with their day, once, in date order; rules read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from tests.firm import FILES, MONDAY, TinyFirm, changed

from carewatch.flow.backtest import replay_day

STAGES = (
    FILES["stages.yaml"]
    + """
stages:
  dormant: {label: {en: Dormant, zh-CN: 沉睡期}}
  busy: {label: {en: Busy, zh-CN: 活跃期}, when: {all: [quiet < 1, tier is not C]}}
  still: {label: {en: Still, zh-CN: 平静期}}
"""
)


def transitions(firm: TinyFirm) -> list[tuple[date, str | None, str]]:
    return firm.rows("select day, came_from, stage from care.stage_event order by day")


def after(days: int) -> date:
    return MONDAY + timedelta(days=days)


@pytest.mark.req("S118")
def test_every_transition_is_kept_with_its_day_and_rules_read_the_stage(
    make_firm: Callable[..., TinyFirm],
) -> None:
    rules = changed(
        "warnings/dials.yaml", ("when: strain >= 1", "when: {all: [strain >= 1, stage is 平静期]}")
    )
    firm = make_firm({"stages.yaml": STAGES, **rules})
    firm.customer("C1")
    for ahead, quiet in enumerate((0, 0, 1, 99)):
        firm.dial("C1", after(ahead), quiet=quiet, strain=1, halt=0, mood=90)
        firm.night(after(ahead))
    expected = [(after(0), None, "busy"), (after(2), "busy", "still"), (after(3), "still", "dormant")]
    assert transitions(firm) == expected
    opened = firm.rows("select rule, opened_day from care.signal where rule = 'strain'")
    assert opened == [("strain", after(2))], "the rule fires in the stage that it names, not before"
    before = firm.dump("stage_event", "health_night_2026_06")
    firm.night(after(3))
    firm.night(after(-1), now=firm.moment(after(3), 5), backfill=True)
    assert transitions(firm) == expected, "neither a rerun nor a night of the past is a transition"
    assert firm.dump("stage_event", "health_night_2026_06") == before
    assert firm.rows("select stage, until from care.customer_stage order by since") == [
        ("busy", after(2)),
        ("still", after(3)),
        ("dormant", None),
    ]
    spec = firm.configuration.judgement
    replayed = [
        replay_day(firm.connection, spec, after(ahead)).judged.columns["stage"].tolist()
        for ahead in (0, 2, 3)
    ]
    assert replayed == [["busy"], ["still"], ["dormant"]]


@pytest.mark.req("S85")
def test_customers_lost_before_the_first_night_are_dormant_without_a_warning(
    make_firm: Callable[..., TinyFirm],
) -> None:
    silence = """
version: 1
metrics:
  silence: {label: Silence, kind: days_since, fact: order, window: 730 days, owner: tests}
"""
    watched = STAGES + f"watched_from: {MONDAY}\nsilence: silence\n"
    firm = make_firm({"stages.yaml": watched, "metrics/more.yaml": silence})
    for name, back in (("C1", 90), ("C2", 89)):
        firm.customer(name)
        firm.facts.add("order", name, firm.moment(after(-back), 12), amount=100)
        firm.dial(name, MONDAY, quiet=0, strain=1, halt=0, mood=90)
    firm.night(MONDAY)
    warned = "select customer_id from care.warning join care.customer using (customer_no) order by 1"
    assert firm.rows(warned) == [("C2",)]
    assert firm.rows("select customer_id, stage from care.customer_stage order by 1") == [
        ("C1", "dormant"),
        ("C2", "busy"),
    ]
    firm.facts.add("order", "C1", firm.moment(MONDAY, 12), amount=100)
    for name in ("C1", "C2"):
        firm.dial(name, after(1), quiet=0, strain=1, halt=0, mood=90)
    firm.night(after(1))
    assert firm.rows(warned) == [("C1",), ("C2",)], "who buys again is watched again"
