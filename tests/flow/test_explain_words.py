"""What an explanation says: what costs points, what would help, what is unknown and why, what waits, what was before."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.firm import MONDAY, TinyFirm, changed

from carewatch.commands.explain_text import explain_lines
from carewatch.flow.explain import Explanation, explain

DAY = timedelta(days=1)
LABELS = {
    "metrics/words.yaml": """
version: 1
metrics:
  spent: {label: {en: Spent in 90 days, zh-CN: 90天消费}, kind: sum, fact: order, of: amount, window: 90 days, unit: CNY, owner: tests}
  answer: {label: {en: Answer, zh-CN: 回答}, kind: average, fact: survey, of: score, window: 30 days, owner: tests}
  complaints:
    {label: {en: Complaints, zh-CN: 投诉}, kind: count, fact: ticket, where: complaint, window: 90 days, empty: missing, owner: tests}
  silence: {label: {en: Silence, zh-CN: 沉默}, kind: days_since, fact: order, window: 2 years, unit: days, owner: tests}
  gap: {label: {en: Usual gap, zh-CN: 通常间隔}, kind: rhythm, part: mean_gap, fact: order, window: 2 years, unit: days, owner: tests}
  trend: {label: {en: Spent against before, zh-CN: 消费环比}, kind: change, metric: spent, unit: "%", owner: tests}
  per_answer: {label: {en: Spent per answer, zh-CN: 每次回答消费}, kind: ratio, metric: spent, over: answer, owner: tests}
""",
    "health.yaml": """
version: 1
label: Words
dimensions:
  money:
    label: {en: Money, zh-CN: 资金}
    weight: 0.5
    metrics:
      silence: {weight: 0.8, points: {0: 100, 60: 70, 120: 0}}
      gap: {weight: 0.1, points: {0: 100, 60: 0}}
      trend: {weight: 0.1, points: {-100: 0, 0: 100}}
  talk:
    label: {en: Talk, zh-CN: 沟通}
    weight: 0.5
    metrics:
      mood: {weight: 0.6, points: {0: 0, 100: 100}}
      answer: {weight: 0.1, points: {0: 0, 100: 100}}
      complaints: {weight: 0.1, points: {0: 100, 4: 0}}
      spent: {weight: 0.1, points: {0: 0, 1000: 100}}
      per_answer: {weight: 0.1, points: {0: 0, 1000: 100}}
bands: {green: 60, yellow: 30}
grey_below: 60
""",
    "warnings/words.yaml": """
version: 1
rules:
  quiet_or_sad:
    label: {en: Quiet or sad, zh-CN: 沉默或不满}
    severity: moderate
    counts_as: silence
    dimension: money
    holds_for: 3
    when:
      any:
        - silence > 30 days
        - all: [mood < 20, tier is A]
        - none: [spent < 5, mood > 90]
    because: {en: "No order for {silence} days.", zh-CN: "已 {silence} 天没有订单。"}
""",
}


@pytest.fixture
def spoken(make_firm: Callable[..., TinyFirm]) -> TinyFirm:
    """Return a firm with one customer who ordered once, 91 days ago, and whose mood is 60."""
    rules = changed("warnings/dials.yaml", ("dimension: use", "dimension: talk"))
    firm = make_firm(LABELS | rules)
    firm.customer("K", tier="B")
    firm.facts.add("order", "K", firm.moment(MONDAY - 91 * DAY, 12), amount=500)
    firm.dial("K", MONDAY, mood=60)
    return firm


def english(explained: Explanation, **how: bool) -> str:
    return "\n".join(explain_lines(explained, "en", **how))


@pytest.mark.req("D3", "S59")
def test_it_says_what_costs_points_and_what_would_bring_green_back(spoken: TinyFirm) -> None:
    spoken.night(MONDAY)
    explained = explain(spoken.connection, "K")
    lost = [metric["lost"] for dimension in explained.dimensions for metric in dimension["metrics"]]
    assert explained.score is not None and explained.colour == "yellow"
    assert round(sum(lost), 2) == round(100 - explained.score, 2)
    said = english(explained)
    assert said.startswith(f"K, night of 2026-06-01: health {explained.score:.2f}, yellow, tier B\n")
    assert f"({100 - explained.score:.2f} lacking to 100)" in said
    assert "Silence: 91 days earns 33.83" in said
    assert said.index("Silence: 91 days") < said.index("Answer: 60 earns 60") < said.index("Unknown ("), (
        "worst first"
    )
    for change in explained.back_to_green["single"]:
        assert change["bound"] in ("at_least", "at_most")
    [silence] = [one for one in explained.back_to_green["single"] if one["metric"] == "silence"]
    assert f"Silence: at most {silence['value']:g} days (now 91 days)" in said
    # The order comes that makes the silence as short as was said: the customer is green.
    tuesday = MONDAY + DAY
    spoken.facts.add(
        "order", "K", spoken.moment(tuesday - timedelta(days=int(silence["value"])), 12), amount=0
    )
    spoken.facts.add("survey", "K", spoken.moment(MONDAY, 12), score=60)
    spoken.night(tuesday)
    after = explain(spoken.connection, "K")
    assert after.colour == "green" and "Back to green" not in english(after)


def test_ids_are_shown_when_they_are_asked_for_and_else_nowhere(spoken: TinyFirm) -> None:
    spoken.night(MONDAY)
    explained = explain(spoken.connection, "K")
    for language in ("en", "zh-CN"):
        lines = explain_lines(explained, language, everything=True)
        found = [line for line in lines if re.search(r"[a-z]+_[a-z]+", line)]
        assert not found, found
    chinese = "\n".join(explain_lines(explained, "zh-CN", everything=True))
    assert "沉默：91 天" in chinese and "B 类客户" in chinese and "黄" in chinese
    assert not re.search(r"[a-z]{4,}", re.sub(r"quiet|strain|halt|mood|Silence|--all", "", chinese)), (
        "no English is left"
    )
    assert "Quiet or sad [quiet_or_sad]" in english(explained, ids=True, everything=True)


def test_a_rule_shows_its_groups_and_how_long_it_must_still_last(spoken: TinyFirm) -> None:
    for number in range(2):
        spoken.dial("K", MONDAY + number * DAY, mood=60)
        spoken.night(MONDAY + number * DAY)
    told = english(explain(spoken.connection, "K"))
    at = told.index("Quiet or sad (fired, moderate)")
    assert told[at : told.index("\nHealth", at) if "\nHealth" in told[at:] else None].startswith(
        "Quiet or sad (fired, moderate)\n"
        "    No order for 92 days.\n"
        "    2 of 3 nights; 1 more until it counts\n"
        "    one of these is enough:\n"
        "      yes  Silence is above 30 days (it is 92 days)\n"
        "      all of these:\n"
        "        no   mood is below 20 (it is 60)\n"
        "        no   tier is A (it is B)\n"
        "      none of these may hold:\n"
        "        yes  Spent in 90 days is below 5 CNY (it is 0 CNY)\n"
        "        no   mood is above 90 (it is 60)\n"
    )
    spoken.night(MONDAY + 2 * DAY)
    third = next(one for one in explain(spoken.connection, "K").rules if one["rule"] == "quiet_or_sad")
    assert third["pending"] is None, "three nights are enough"
    before = next(
        one for one in explain(spoken.connection, "K", MONDAY).rules if one["rule"] == "quiet_or_sad"
    )
    assert before["pending"] == {"nights": 1, "of": 3}, "as it was on that night"


def unknown(explained: Explanation) -> dict[str, dict[str, Any]]:
    return {one["metric"]: one["why"] for one in explained.unknown}


def test_it_says_why_a_number_is_unknown(spoken: TinyFirm) -> None:
    firm, noon = spoken, spoken.moment(MONDAY - DAY, 12)
    firm.customer("R", tier="B")
    firm.facts.add("order", "R", noon, amount=None, amount_original=70, currency="EUR")
    firm.facts.add("ticket", "R", noon, ticket_no="1", complaint=False)
    firm.facts.add("survey", "R", firm.moment(MONDAY - 50 * DAY, 12), score=3)
    firm.night(MONDAY)
    rated, first = explain(firm.connection, "R"), explain(firm.connection, "K")
    assert unknown(rated)["spent"] == {"kind": "rate", "currencies": ["EUR"]}
    assert unknown(rated)["gap"] == {"kind": "few", "fact": "order"}
    assert unknown(rated)["answer"] == {
        "kind": "rows", "fact": "survey", "counted": False, "window": {"count": 30, "unit": "day"}, "last": "2026-04-12"
    }  # fmt: skip
    assert unknown(rated)["complaints"] == {
        "kind": "rows", "fact": "ticket", "counted": True, "window": {"count": 90, "unit": "day"}, "last": None
    }  # fmt: skip
    assert unknown(rated)["trend"]["kind"] == "part" and unknown(rated)["trend"]["because"]["kind"] == "rate"
    assert unknown(first).keys() == {"gap", "complaints"}
    said = english(rated)
    assert "Spent in 90 days: no exchange rate for EUR" in said
    assert "Answer: no surveys in 30 days, the last one on 2026-04-12" in said
    assert "Complaints: nothing to count in the tickets in 90 days, and none before" in said
    assert "Spent against before: Spent in 90 days is unknown, no exchange rate for EUR" in said
    assert "Usual gap: too few orders, or the value is empty" in said
    assert "Grey as long as so little is known" in said
    assert "缺少 EUR 的汇率" in "\n".join(explain_lines(rated, "zh-CN"))


def test_pending_is_what_the_fold_remembers(make_firm: Callable[..., TinyFirm]) -> None:
    held = changed(
        "warnings/dials.yaml", ("when: quiet >= 1", "when: quiet >= 1\n    holds_for: 3\n    clears_after: 2")
    )
    firm = make_firm(held)
    series = {"C1": "1.1u1..11", "C2": "111.u1.1.", "C3": "u11.111..", "C4": "..1u1u11."}
    for name in series:
        firm.customer(name)
    for number in range(9):
        for name, dials in series.items():
            if dials[number] != "u":
                firm.dial(name, MONDAY + number * DAY, quiet=float(dials[number] == "1"), mood=90)
        firm.night(MONDAY + number * DAY)
        stored = dict(
            firm.rows(
                "select c.customer_id, s.true_nights from care.signal s join care.customer c using (customer_no) "
                "where s.state = 'pending' and s.rule = 'quiet'"
            )
        )
        for name in series:
            rule = next(one for one in explain(firm.connection, name).rules if one["rule"] == "quiet")
            pending = rule["pending"]["nights"] if rule["pending"] else None
            assert pending == stored.get(name), (name, number)


def test_it_tells_of_the_warnings_before(firm: TinyFirm) -> None:
    firm.customer("K")
    for number, halt in enumerate((1, 0, 1, 1)):
        firm.dial("K", MONDAY + number * DAY, quiet=halt, strain=0, halt=0, mood=90)
        firm.night(MONDAY + number * DAY)
    newest, past = explain(firm.connection, "K"), explain(firm.connection, "K", MONDAY + DAY)
    assert newest.warning is not None and newest.warning["owner"] == "Ann"
    [earlier] = newest.earlier_warnings
    assert (earlier["opened_day"], earlier["closed_day"], earlier["peak_level"]) == (
        "2026-06-01",
        "2026-06-02",
        1,
    )
    said = english(newest)
    assert "Warning: level 1 since 2026-06-03, owner Ann" in said
    assert "2026-06-03  opened, level 1, by the system" in said
    assert f"2026-06-01 to 2026-06-02, peak level 1, {earlier['result'].replace('_', ' ')}" in said
    assert (
        past.warning is not None
        and past.warning["closed_day"] == "2026-06-02"
        and past.earlier_warnings == []
    )
    assert "Last warning: 2026-06-01 to 2026-06-02" in english(past)
    assert (
        "No warning so far." in english(explain(firm.connection, "K", MONDAY))
        or past.warning["warning_no"] == 1
    )


def test_what_has_neither_come_nor_gone_is_shown_only_while_it_is_open(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm(
        changed("warnings/dials.yaml", ("when: quiet >= 1", "when: quiet >= 5\n    clears_if: quiet < 1"))
    )
    for name, first in (("Open", 5), ("Near", 3)):
        firm.customer(name)
        for number, quiet in enumerate((first, 3)):
            firm.dial(name, MONDAY + number * DAY, quiet=quiet, mood=90)
    for number in range(2):
        firm.night(MONDAY + number * DAY)
    still, near = explain(firm.connection, "Open"), explain(firm.connection, "Near")
    assert "quiet (stays open, mild)\n    until quiet is below 1\n" in english(still)
    assert "No rule fired." in english(near) and "quiet (not over, mild)" in english(near, everything=True)
    assert "quiet (fired, mild)" in english(explain(firm.connection, "Open", MONDAY))
