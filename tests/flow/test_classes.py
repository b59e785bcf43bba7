"""Classes of customers in rules: the same drop is judged by tier, RFM class, segment and potential."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.firm import FILES, MONDAY, TinyFirm, changed

RFM = """
version: 1
recency: {metric: silence, cut: 100}
frequency: {metric: orders, cut: 1}
monetary: {metric: takings, best: 40}
classes:
  key: {monetary: high, label: {en: Key, zh-CN: 重要客户}}
  usual: {label: {en: Usual, zh-CN: 一般客户}}
"""
SEGMENTS = """
version: 1
segments:
  habit:
    label: {en: Habit, zh-CN: 习惯}
    segments: {buys: {label: {en: Buys, zh-CN: 常购}, when: orders >= 1}}
    otherwise: idle
"""
BY_SALES = """
version: 1
scheme: by_sales
metrics: {sales: {weight: 1, points: {0: 0, 100000: 100}}}
by: value
money: sales
cuts: {top: 80}
otherwise: rest
"""
METRICS = {
    "metrics/more.yaml": """
version: 1
metrics:
  orders: {label: Orders, kind: count, fact: order, window: 365 days, better: higher, owner: tests}
  takings: {label: Takings, kind: sum, fact: order, of: amount, window: 365 days, better: higher, owner: tests}
  silence: {label: Silence, kind: days_since, fact: order, window: 730 days, better: lower, owner: tests}
"""
}
DIVIDED = {**METRICS, "rfm.yaml": RFM, "segments.yaml": SEGMENTS, "tiers/by_sales.yaml": BY_SALES}


def levels(firm: TinyFirm) -> list[tuple[str, int]]:
    return firm.rows(
        "select customer_id, level from care.warning join care.customer using (customer_no) order by 1"
    )


@pytest.mark.req("S69")
def test_the_same_drop_is_graver_for_a_key_customer_by_rfm_class(make_firm: Callable[..., TinyFirm]) -> None:
    rules = changed(
        "warnings/dials.yaml",
        ("severity: mild\n", "severity: mild\n    severity_by: {rfm: {key: critical, usual: mild}}\n"),
    )
    firm = make_firm({**DIVIDED, **rules})
    for name, sales in (("C1", 90_000), ("C2", 500), ("C3", 0)):
        firm.customer(name, tier="C", sales=sales)
        firm.dial(name, MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    assert levels(firm) == [("C1", 3), ("C2", 1), ("C3", 1)]
    assert firm.rows("select distinct severity from care.signal order by 1") == [("critical",), ("mild",)]


@pytest.mark.req("S68")
@pytest.mark.req("S71")
@pytest.mark.parametrize(
    ("condition", "warned"),
    [
        ("rfm is 重要客户", ["C1"]),
        ("rfm is not key", ["C2", "C3"]),
        ("habit is 常购", ["C1", "C2"]),
        ("by_sales is top", ["C1"]),
        ("tier is C", ["C1", "C2", "C3"]),
    ],
)
def test_rules_read_every_division_by_its_name(
    make_firm: Callable[..., TinyFirm], condition: str, warned: list[str]
) -> None:
    rules = changed("warnings/dials.yaml", ("when: quiet >= 1", f"when: {{all: [quiet >= 1, {condition}]}}"))
    firm = make_firm({**DIVIDED, **rules})
    for name, sales in (("C1", 90_000), ("C2", 500), ("C3", 0)):
        firm.customer(name, tier="C", sales=sales)
        firm.dial(name, MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    assert [name for name, _ in levels(firm)] == warned


@pytest.mark.req("S68")
def test_one_rule_has_a_threshold_for_each_class(make_firm: Callable[..., TinyFirm]) -> None:
    when = "when: {any: [{all: [rfm is key, quiet >= 1]}, quiet >= 3]}"
    firm = make_firm({**DIVIDED, **changed("warnings/dials.yaml", ("when: quiet >= 1", when))})
    for name, sales, quiet in (("C1", 90_000, 1), ("C2", 500, 2), ("C3", 0, 3)):
        firm.customer(name, tier="C", sales=sales)
        firm.dial(name, MONDAY, quiet=quiet, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    assert [name for name, _ in levels(firm)] == ["C1", "C3"]


@pytest.mark.req("S65")
def test_a_small_fast_grower_is_promised_what_the_shield_says(make_firm: Callable[..., TinyFirm]) -> None:
    potential = "potential: {when: {all: [profit_rate >= 20, sales < 1000]}, shields: B}\n"
    firm = make_firm({"tiers.yaml": FILES["tiers.yaml"] + potential})
    for name, sales in (("C1", 999), ("C2", 1000)):
        firm.customer(name, tier="C", sales=sales)
        firm.dial(name, MONDAY, quiet=0, strain=1, halt=1, mood=90)
    firm.rows("update care.fact_customer set profit_rate = 20 returning 1")
    firm.night(MONDAY)
    assert firm.rows(
        "select customer_id, tier from care.warning join care.customer using (customer_no) order by 1"
    ) == [
        ("C1", "B"),
        ("C2", "C"),
    ]
    first_calls = firm.rows("select due_at from care.care_task where step = 'first_call' order by due_at")
    assert first_calls[1][0] - first_calls[0][0] == timedelta(hours=4), "4 working hours for B, 8 for C"
    assert firm.rows("select class, potential from care.customer_class order by customer_id") == [
        ("C", True),
        ("C", False),
    ], "the history keeps what was earned"
