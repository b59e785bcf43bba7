"""One customer on one night, computed again from the facts and shown as what was stored."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.firm import MONDAY, TinyFirm, changed

from carewatch.flow.explain import Explanation, UnknownCustomer, explain
from carewatch.store.nights import NoNight

TUESDAY = MONDAY + timedelta(days=1)


@pytest.fixture
def lived(firm: TinyFirm) -> TinyFirm:
    """Return a firm with two nights: C007 is odd on both, worse on the second."""
    for name in ("C007", "C070", "D1_5"):
        firm.customer(name, tier="A", sales=100)
    firm.calm(MONDAY, "C070", "D1_5")
    firm.calm(TUESDAY, "C070", "D1_5")
    firm.dial("C007", MONDAY, quiet=1, strain=0, mood=55)
    firm.dial("C007", TUESDAY, quiet=2, strain=0, halt=1, mood=48)
    firm.night(MONDAY)
    firm.night(TUESDAY)
    return firm


def rule(explanation: Explanation, name: str) -> dict[str, Any]:
    return next(one for one in explanation.rules if one["rule"] == name)


def test_an_explanation_equals_what_was_stored(lived: TinyFirm) -> None:
    for name in ("C007", "C070", "D1_5"):
        for night in (MONDAY, TUESDAY, None):
            assert explain(lived.connection, name, night).equals_stored
    explained = explain(lived.connection, "C007")
    [(tier, colour, score, share, fingerprint)] = lived.rows(
        "select h.tier, h.colour, h.score, h.known_share, n.judgement from care.health_night h join care.night n "
        "using (day, revision) where h.day = %s and h.customer_no = %s",
        TUESDAY,
        lived.facts.customer("C007"),
    )
    assert (explained.day, explained.tier, explained.judgement) == ("2026-06-02", "A", fingerprint)
    assert (explained.score, explained.known_share) == (score, share) == (48.0, 1.0)
    assert (tier, colour, explained.colour) == (0, 1, "red")
    [dimension] = explained.dimensions
    assert dimension["dimension"] == "use" and dimension["score"] == 48
    [metric] = dimension["metrics"]
    assert {"metric": "mood", "weight": 1.0, "value": 48.0, "points": 48.0}.items() <= metric.items()


def test_a_changed_number_is_noticed(lived: TinyFirm) -> None:
    customer = lived.facts.customer("C007")
    quiet = list(lived.configuration.judgement.metrics).index("quiet") + 1
    which = "where customer_no = %s and day = %s returning 1"
    lived.rows(f"update care.metric_night set metrics[{quiet}] = 1.0000001 {which}", customer, MONDAY)
    lived.rows(f"update care.health_night set rules[1] = 0 {which}", customer, TUESDAY)
    assert not explain(lived.connection, "C007", MONDAY).equals_stored
    assert not explain(lived.connection, "C007", TUESDAY).equals_stored
    assert explain(lived.connection, "C070", MONDAY).equals_stored


def test_rules_show_each_clause_with_what_was_found(make_firm: Callable[..., TinyFirm]) -> None:
    firm = make_firm(
        changed(
            "warnings/dials.yaml", ("when: quiet >= 1", "when: {all: [quiet >= 1, tier is A, strain < 3]}")
        )
    )
    firm.customer("C1", tier="A")
    firm.customer("C2", tier="B")
    firm.dial("C1", MONDAY, quiet=2, halt=1)
    firm.dial("C2", MONDAY, quiet=2, strain=0, halt=0, mood=95)
    firm.night(MONDAY)
    first, second = explain(firm.connection, "C1"), explain(firm.connection, "C2")
    assert rule(first, "quiet")["state"] == "unknown"
    assert [(one["holds"], one["actual"]) for one in rule(first, "quiet")["clauses"]] == [
        (True, 2.0),
        (True, "A"),
        (None, None),
    ]
    assert rule(second, "quiet")["state"] == "clear" and rule(second, "quiet")["text"] is None
    assert [(one["holds"], one["actual"]) for one in rule(second, "quiet")["clauses"]] == [
        (True, 2.0),
        (False, "B"),
        (True, 0.0),
    ]
    assert rule(first, "halt") == {
        "rule": "halt",
        "label": "halt",
        "state": "hit",
        "severity": "severe",
        "text": {"en": "halt is 1", "zh-CN": "halt 为 1"},
        "clauses": [
            {
                "clause": "halt >= 1",
                "holds": True,
                "actual": 1.0,
                "within": [],
                "says": {"en": "halt is at least 1", "zh-CN": "halt 不低于 1"},
                "unit": {"en": "", "zh-CN": ""},
            }
        ],
        "covered_by": None,
        "stays_until": None,
        "open": True,
        "pending": None,
    }
    assert (first.colour, first.score) == ("grey", None)


def test_the_words_are_those_of_the_stored_warning(lived: TinyFirm) -> None:
    explained = explain(lived.connection, "C007")
    assert explained.warning is not None
    assert (explained.warning["level"], explained.warning["last_event"]) == (2, "rose")
    stored = {one["rule"]: one["text"] for one in explained.warning["reasons"]}
    assert stored["halt"] == rule(explained, "halt")["text"]
    assert (
        stored["health_yellow"]["en"]
        == rule(explained, "health_yellow")["text"]["en"]
        == "Health is below green: 48.00 points."
    )
    before = explain(lived.connection, "C007", MONDAY).warning
    assert before is not None and (before["level"], before["last_event"]) == (1, "opened")
    assert explain(lived.connection, "C070").warning is None
    json.dumps(explained.as_data(), default=str)


def test_what_became_known_later_and_what_is_configured_now_change_no_explanation(
    make_firm: Callable[..., TinyFirm], lived: TinyFirm
) -> None:
    before = explain(lived.connection, "C007", TUESDAY)
    noon = lived.moment(MONDAY, 12)
    lived.facts.add("usage_day", "C007", noon, logins=500, known_from=lived.moment(TUESDAY, 9))
    lived.configuration = make_firm(
        changed("warnings/dials.yaml", ("when: quiet >= 1", "when: quiet >= 7"))
    ).configuration
    lived.calm(TUESDAY + timedelta(days=1))
    lived.night(TUESDAY + timedelta(days=1))
    assert explain(lived.connection, "C007", TUESDAY) == before
    assert explain(lived.connection, "C007").judgement != before.judgement


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("c007", "unknown customer 'c007'; did you mean C007?"),
        ("C07", "unknown customer 'C07'; did you mean C007, C070?"),
        ("C0O7", "unknown customer 'C0O7'; did you mean C007?"),
        ("CO07", "unknown customer 'CO07'; did you mean C007?"),
        ("C0077", "unknown customer 'C0077'; did you mean C007?"),
        ("0C70", "unknown customer '0C70'; did you mean C070?"),
        ("D1_6", "unknown customer 'D1_6'; did you mean D1_5?"),
        ("D1-5", "unknown customer 'D1-5'; did you mean D1_5?"),
        ("07", "unknown customer '07'; did you mean C007, C070?"),
        ("%", "unknown customer '%'"),
        ("\\", "unknown customer '\\'"),
        ("Z99", "unknown customer 'Z99'"),
    ],
)
def test_a_mistyped_customer_is_answered_with_the_nearest(
    shared_firm: TinyFirm, asked: str, answer: str
) -> None:
    with pytest.raises(UnknownCustomer) as caught:
        explain(shared_firm.connection, asked)
    assert str(caught.value) == answer


@pytest.fixture
def shared_firm(firm: TinyFirm) -> TinyFirm:
    """Return a firm of three customers without a night."""
    for name in ("C007", "C070", "D1_5"):
        firm.facts.customer(name)
    return firm


def test_without_a_sealed_night_it_says_what_to_run(shared_firm: TinyFirm) -> None:
    with pytest.raises(NoNight, match="no night has been run yet; run one first: care run --day DAY"):
        explain(shared_firm.connection, "C007")


def test_a_customer_who_came_later_was_not_known_then(lived: TinyFirm) -> None:
    later = lived.moment(TUESDAY, 12)
    lived.facts.belongs("new", "new", later)
    lived.facts.add("customer", "new", later, name="New", owner="ann")
    with pytest.raises(UnknownCustomer, match="new was not known on the night of 2026-06-02"):
        explain(lived.connection, "new")
