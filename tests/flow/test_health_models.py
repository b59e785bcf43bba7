"""Nights of a firm with several health models: what is stored, replayed and explained."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from tests.firm import MONDAY, TinyFirm

from carewatch.flow.backtest import replay_day
from carewatch.flow.explain import explain

DEALERS = """
version: 1
model: dealers
label: {en: Dealers, zh-CN: 经销商}
when: tier is A
order: 1
dimensions:
  talks: {label: Talks, weight: 0.5, metrics: {strain: {weight: 1, points: {0: 100, 10: 0}}}}
  use: {label: Use, weight: 0.5, metrics: {mood: {weight: 1, points: {0: 0, 100: 100}}}}
hold_nights: 1
"""


@pytest.fixture
def firm(make_firm: Callable[..., TinyFirm]) -> TinyFirm:
    firm = make_firm({"health/dealers.yaml": DEALERS})
    firm.customer("plain", tier="B")
    firm.customer("dealer", tier="A")
    for number in range(3):
        day = MONDAY + timedelta(days=number)
        for name in ("plain", "dealer"):
            firm.dial(name, day, quiet=0, strain=9, halt=0, mood=20)
        firm.night(day)
    return firm


@pytest.mark.req("S57")
def test_a_score_names_its_model_and_its_version(firm: TinyFirm) -> None:
    rows = firm.rows(
        "select c.customer_id, h.model, h.score, h.colour, h.dimensions, n.judgement from care.health_night h "
        "join care.night n using (day, revision) join care.customer c using (customer_no) where day = %s order by 1",
        MONDAY,
    )
    version = firm.configuration.judgement.fingerprint
    assert [row[:4] + row[5:] for row in rows] == [
        ("dealer", 1, 15, 1, version),
        ("plain", 0, 20, 1, version),
    ]
    assert np.array_equal([row[4] for row in rows], [[10, 20], [20, np.nan]], equal_nan=True)


def test_the_colour_acts_after_the_hold_of_the_customers_own_model(firm: TinyFirm) -> None:
    opened = firm.rows(
        "select c.customer_id, s.opened_day - %s::date from care.signal s join care.customer c using (customer_no) "
        "where rule = 'health_red' and state = 'open' order by 1",
        MONDAY,
    )
    assert opened == [("dealer", 0), ("plain", 1)]


def test_explanation_and_replay_come_to_what_is_stored(firm: TinyFirm) -> None:
    for name, dimensions in (("dealer", ["talks", "use"]), ("plain", ["use"])):
        explained = explain(firm.connection, name, MONDAY)
        assert explained.equals_stored
        assert [one["dimension"] for one in explained.dimensions] == dimensions
    replayed = replay_day(firm.connection, firm.configuration.judgement, MONDAY)
    stored = firm.rows(
        "select customer_no, model, score from care.health_night where day = %s order by customer_no", MONDAY
    )
    scores = replayed.judged.scores
    found = zip(replayed.customers.tolist(), scores.model.tolist(), scores.score.tolist(), strict=True)
    assert [*found] == stored
