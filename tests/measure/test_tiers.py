"""Tiers: a value score computed by hand, cut by score or by share, both sides of every cut."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.measure.health import tier_of
from carewatch.measure.tiers import Tiered, by_value, concentration, tier_day, tiers, treated
from carewatch.paths import home
from carewatch.spec.document import read_document, validate
from carewatch.spec.tiers import Tiers

NAN = float("nan")
JUNE = date(2026, 6, 1)


def shipped() -> Tiers:
    spec, problems = validate(read_document(home() / "config" / "tiers.yaml"), Tiers)
    assert spec is not None and not problems
    return spec.model_copy(update={"potential": None})


def forty_thirty_twenty_ten(**changes: Any) -> Tiers:
    spec = {
        "version": 1,
        "metrics": {
            "sales": {"weight": 0.4, "points": {0: 0, 100000: 30, 500000: 60, 2000000: 100}},
            "profit_rate": {"weight": 0.3, "points": {0: 0, 10: 40, 20: 70, 35: 100}},
            "years": {"weight": 0.2, "points": {0: 0, 1: 30, 3: 70, 8: 100}},
            "growth": {"weight": 0.1, "points": {-50: 0, 0: 50, 50: 100}, "missing": 50},
        },
        "cuts": {"A": 65, "B": 45},
        "otherwise": "C",
    }
    return Tiers.model_validate(spec | changes)


def tiered(spec: Tiers, *rows: tuple[float, ...]) -> Tiered:
    table = np.array(rows, dtype=np.float64)
    return tiers(
        spec, {name: table[:, position] for position, name in enumerate(spec.metrics)}, len(table), JUNE
    )


BY_HAND = {
    # 0.4 x 45 + 0.3 x 55 + 0.2 x 50 + 0.1 x 60 = 18 + 16.5 + 10 + 6
    (300000, 15, 2, 10): (50.5, "B"),
    # 0.4 x 100 + 0.3 x 100 + 0.2 x 100 + 0.1 x 100, above every last knot
    (9000000, 60, 40, 500): (100, "A"),
    # growth is missing and earns 50: 0.4 x 60 + 0.3 x 70 + 0.2 x 70 + 0.1 x 50 = 24 + 21 + 14 + 5
    (500000, 20, 3, NAN): (64, "B"),
    # 0.4 x 60 + 0.3 x (70 + 2/3 x 30) + 0.2 x 70 + 0.1 x 50 = 24 + 27 + 14 + 5
    (500000, 30, 3, 0): (70, "A"),
    # profit rate and years are missing and earn 0: 0.4 x 30 + 0.1 x 0
    (100000, NAN, NAN, -50): (12, "C"),
    # 0.4 x 10 + 0.3 x 13.2 + 0.2 x 15 + 0.1 x 45.67 = 4 + 3.96 + 3 + 4.567 = 15.527
    (100000 / 3, 3.3, 0.5, -4.33): (15.53, "C"),
    (0, 0, 0, -99): (0, "C"),
}


@pytest.mark.req("S63")
@pytest.mark.parametrize("values", BY_HAND)
def test_the_value_score_is_forty_thirty_twenty_ten_by_hand(values: tuple[float, ...]) -> None:
    expected, tier = BY_HAND[values]
    for spec in (forty_thirty_twenty_ten(), shipped()):
        assert [metric.weight for metric in spec.metrics.values()] == [0.4, 0.3, 0.2, 0.1]
        result = tiered(spec, values)
        assert result.value_score.tolist() == [expected]
        assert spec.names[result.tier[0]] == tier


@pytest.mark.req("S63")
def test_the_cuts_are_configured_and_begin_with_their_own_score() -> None:
    for cuts, expected in (
        ({"A": 50.5, "B": 12}, "AABB"),
        ({"A": 50.51, "B": 12.01}, "ABBC"),
        ({"A": 80}, "AZZZ"),
    ):
        spec = forty_thirty_twenty_ten(cuts=cuts, otherwise="Z" if len(cuts) == 1 else "C")
        rows = [values for values in BY_HAND if BY_HAND[values][0] in (100, 50.5, 15.53, 12)]
        rows.sort(key=lambda values: -BY_HAND[values][0])
        assert "".join(spec.names[tier] for tier in tiered(spec, *rows).tier) == expected


def by_score(*values: float) -> list[int]:
    return tier_of(np.array(values), {"A": 65, "B": 45}, "score").tolist()


@pytest.mark.req("S63")
def test_both_sides_of_the_shipped_cuts() -> None:
    spec = shipped()
    values = np.array([65, 64.99, 45, 44.99])
    assert [spec.names[at] for at in tier_of(values, spec.cuts, spec.by)] == ["A", "B", "B", "C"]


def by_share(values: list[float], **cuts: float) -> str:
    return "".join("ABC"[tier] for tier in tier_of(np.array(values), cuts, "share"))


def test_by_score_both_sides_of_every_cut() -> None:
    assert by_score(65.01, 65, 64.99, 45, 44.99, 0, 100, NAN) == [0, 0, 1, 1, 2, 2, 0, 2]


def test_by_share_a_tier_ends_where_its_percent_of_customers_does() -> None:
    ten = [95.0, 15, 85, 25, 75, 35, 65, 45, 55, 5]
    assert by_share(ten, A=20, B=50) == "ACACBCBCBC"
    assert by_share(ten, A=29.99, B=50) == "ACACBCBCBC"
    assert by_share(ten, A=30, B=50) == "ACACACBCBC"
    assert by_share(ten, A=100) == "A" * 10
    assert by_share([3.0, 2, 1], A=33, B=67) == "BBC", "a share smaller than one customer has none"
    assert by_share([3.0, 2, 1], A=100 / 3, B=200 / 3) == "ABC", "a third of three is one"
    assert by_share([], A=20, B=50) == ""


def test_by_share_ties_are_broken_by_the_order_of_customers() -> None:
    assert by_share([50.0] * 10, A=20, B=50) == "AABBBCCCCC"
    assert by_share([50.0, 60, 50, 50], A=50, B=75) == "AABC"


def test_by_share_the_unknown_take_no_place() -> None:
    assert by_share([NAN, 10, NAN, 20, NAN], A=50) == "BBBAB"
    assert by_share([NAN, NAN], A=50) == "BB"


@given(st.lists(st.integers(0, 10_000), unique=True, min_size=1, max_size=60), st.randoms())
def test_by_share_without_ties_does_not_depend_on_the_order(scores: list[int], random: Any) -> None:
    shuffled = random.sample(scores, len(scores))
    cuts = {"A": 17.5, "B": 60.0}
    first = dict(zip(scores, tier_of(np.array(scores, dtype=float), cuts, "share").tolist(), strict=True))
    second = dict(
        zip(shuffled, tier_of(np.array(shuffled, dtype=float), cuts, "share").tolist(), strict=True)
    )
    assert first == second
    best = sorted(scores, reverse=True)
    assert [first[value] for value in best] == sorted(first.values()), "nobody stands above a better one"
    assert list(first.values()).count(0) == int(len(scores) * 0.175)


@given(st.lists(st.tuples(*[st.one_of(st.just(NAN), st.floats(-1e6, 1e7))] * 4), min_size=1, max_size=30))
def test_by_score_a_customer_alone_is_what_it_is_in_a_batch(rows: list[tuple[float, ...]]) -> None:
    spec = forty_thirty_twenty_ten()
    together = tiered(spec, *rows)
    for position, row in enumerate(rows):
        alone = tiered(spec, row)
        assert together.value_score[position : position + 1].tobytes() == alone.value_score.tobytes()
        assert together.tier[position] == alone.tier[0]


@pytest.mark.req("S66")
@pytest.mark.parametrize(
    ("day", "stands"),
    [
        (date(2026, 6, 1), date(2026, 6, 1)),
        (date(2026, 5, 31), date(2026, 5, 1)),
        (date(2024, 2, 29), date(2024, 2, 1)),
        (date(2026, 1, 1), date(2026, 1, 1)),
    ],
)
def test_the_tier_day_is_the_first_of_the_month(day: date, stands: date) -> None:
    assert tier_day(day) == stands


@pytest.mark.parametrize(
    "changes",
    [
        {"cuts": {"A": 45, "B": 65}},
        {"cuts": {"A": 45, "B": 45}},
        {"by": "share", "cuts": {"A": 50, "B": 20}},
        {"otherwise": "A"},
        {"cuts": {}},
        {"metrics": {"sales": {"weight": 0.9, "points": {0: 0, 1: 100}}}},
    ],
)
def test_tiers_that_cannot_be_meant_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        forty_thirty_twenty_ten(**changes)


AUTUMN = {"sales": 0.3, "profit_rate": 0.2, "years": 0.1, "growth": 0.4}


@pytest.mark.req("S64")
def test_the_weights_of_the_tier_day_count_from_their_own_day_on() -> None:
    spec = forty_thirty_twenty_ten(
        weights={"2026-09-01": AUTUMN, "2027-01-01": {**AUTUMN, "sales": 0.4, "growth": 0.3}}
    )
    row = {
        "sales": np.array([0.0]),
        "profit_rate": np.array([0.0]),
        "years": np.array([0.0]),
        "growth": np.array([50.0]),
    }
    scores = {
        day: float(tiers(spec, row, 1, day).value_score[0])
        for day in (date(2026, 8, 31), date(2026, 9, 1), date(2026, 12, 31), date(2027, 1, 1))
    }
    assert list(scores.values()) == [10, 40, 40, 30]


@pytest.mark.req("S64")
@pytest.mark.parametrize(
    "weights", [{**AUTUMN, "sales": 0.4}, {"sales": 1}, {**AUTUMN, "sales": 0.2, "profit": 0.1}]
)
def test_dated_weights_name_every_metric_and_sum_to_one(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"weights|tier metric"):
        forty_thirty_twenty_ten(weights={"2026-09-01": weights})


def by_money(values: list[float], **cuts: float) -> str:
    return "".join("ABC"[tier] for tier in by_value(np.array(values), cuts))


@pytest.mark.req("S67")
def test_by_value_a_tier_takes_the_fewest_who_bring_its_percent_together() -> None:
    assert by_money([5, 40, 15, 40], A=80, B=95) == "CABA", "40 + 40 are 80 of 100, and 15 more make 95"
    assert by_money([5, 40, 16, 39], A=80, B=95) == "CAAA", "79 are not enough, and 95 are"
    assert by_money([10, 10, 10, 10], A=50, B=75) == "AABC"
    assert by_money([NAN, 0, -5, 7], A=80) == "BBBA", "who brings nothing brings no share"
    assert by_money([NAN, 0], A=80) == "BB"
    assert by_money([], A=80) == ""


@pytest.mark.req("S67")
@given(st.lists(st.floats(0.01, 1e6), min_size=1, max_size=50), st.floats(1, 100))
def test_by_value_fewer_customers_would_bring_less_than_the_cut(money: list[float], cut: float) -> None:
    values = np.array(money)
    best = values[by_value(values, {"A": cut}) == 0]
    assert best.sum() >= values.sum() * (cut - 1e-6) / 100
    assert best.sum() - best.min() < values.sum() * (cut + 1e-6) / 100
    assert len(best) == concentration(values, of=cut).needed


@pytest.mark.req("S67")
def test_concentration_says_what_the_largest_bring_and_how_many_bring_eighty_percent() -> None:
    money = np.array([800.0, 50, 40, 30, 20, 20, 15, 10, 10, 5, NAN, 0, -3])
    found = concentration(money)
    assert (found.customers, found.total, found.brought, found.needed) == (10, 1000, 85, 1)
    assert concentration(np.array([400.0, 390, 210])).needed == 3, "79 % are not 80"
    assert concentration(np.array([400.0, 400, 200])).needed == 2
    assert concentration(np.array([1.0] * 10)).brought == 20
    assert concentration(np.array([1.0] * 11)).brought == pytest.approx(300 / 11), (
        "a part of a customer is a whole one"
    )
    assert (concentration(np.zeros(3)).brought, concentration(np.zeros(3)).needed) == (0, 0)


@pytest.mark.req("S65")
def test_potential_shields_from_a_worse_tier_and_never_from_a_better_one() -> None:
    potential = {"when": {"all": ["growth >= 30", "sales < 200000"]}, "shields": "B"}
    spec = forty_thirty_twenty_ten(potential=potential)
    rows = [
        (199999, 0, 0, 30),
        (200000, 0, 0, 30),
        (199999, 0, 0, 29.99),
        (199999, 40, 9, 90),
        (1, 0, 0, NAN),
    ]
    found = tiered(spec, *rows)
    assert found.potential.tolist() == [True, False, False, True, False]
    assert [spec.names[tier] for tier in found.tier] == ["C", "C", "C", "A", "C"]
    assert [spec.names[tier] for tier in treated(spec, found)] == ["B", "C", "C", "A", "C"]
    plain = forty_thirty_twenty_ten()
    assert treated(plain, tiered(plain, *rows)).tolist() == found.tier.tolist()


@pytest.mark.req("S65")
def test_the_shipped_potential_is_a_small_customer_that_grows_by_a_third_and_stands_like_b() -> None:
    spec, _ = validate(read_document(home() / "config" / "tiers.yaml"), Tiers)
    assert spec is not None
    growth, amount = np.array([[30, 199_999], [29.99, 199_999], [30, 200_000], [NAN, 1], [900, 0]]).T
    columns = {name: np.zeros(5) for name in spec.reads()} | {"growth_365d": growth, "amount_365d": amount}
    found = tiers(spec, columns, 5, JUNE)
    assert found.potential.tolist() == [True, False, False, False, True]
    assert {spec.names[at] for at in found.tier} == {"C"}
    assert [spec.names[at] for at in treated(spec, found)] == ["B", "C", "C", "C", "B"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"by": "value"}, "no metric says what that is"),
        ({"by": "value", "money": "sales", "cuts": {"A": 95, "B": 80}}, "is cut at 80"),
        ({"potential": {"when": "growth > 1", "shields": "D"}}, "unknown tier 'D'"),
    ],
)
def test_tiers_by_value_and_shields_name_what_is_missing(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        forty_thirty_twenty_ten(**changes)
