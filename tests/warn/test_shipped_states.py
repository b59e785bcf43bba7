"""What the shipped rules say beside their condition: what excuses them, when they are over, when they count, as what."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from carewatch.measure.columns import Columns
from carewatch.spec.loading import load
from carewatch.warn.fold import Memory, Phase, fold
from carewatch.warn.hits import State, rule_state
from carewatch.warn.judge import Judged, judge, level_of_hits
from carewatch.warn.level import severities
from carewatch.warn.reasons import hidden_by

SPEC = load(Path(__file__).resolve().parents[2] / "config").judgement
C, H, L, X = State.CLEAR, State.HIT, State.LINGERING, State.COVERED


@dataclass(frozen=True)
class Said:
    """A shipped rule and one customer's numbers; names that are not given are missing."""

    req: str
    rule: str
    state: State
    given: dict[str, float | str]

    def __str__(self) -> str:
        values = ", ".join(f"{name} {value}" for name, value in self.given.items())
        return f"{self.req} {self.rule}: {values}"


def said(req: str, rule: str, *states: tuple[State, dict[str, float | str]]) -> list[Said]:
    return [Said(req, rule, state, given) for state, given in states]


ON_RECORD: dict[str, float | str] = {"reason": "low_season"}
FELL_LAST_YEAR: dict[str, float | str] = {"amount_change_last_year": -20, "amount_year_on_year": -30}


def its_own_season(req: str, rule: str, fires: dict[str, float | str]) -> list[Said]:
    """A fall of sales that came at this time last year as well, to much the same sales, is no news."""
    return said(
        req,
        rule,
        (H, fires),
        (X, fires | ON_RECORD),
        (X, fires | FELL_LAST_YEAR),
        (H, fires | FELL_LAST_YEAR | {"amount_change_last_year": -19.9}),
        (H, fires | FELL_LAST_YEAR | {"amount_year_on_year": -30.1}),
    )


def silence(rule: str, fires: dict[str, float | str]) -> list[Said]:
    """Who always orders that rarely, or has said why not, is not silent."""
    return said(
        "S33",
        rule,
        (H, fires),
        (X, fires | ON_RECORD),
        (X, fires | {"silence_over_own_gap": 1.49}),
        (H, fires | {"silence_over_own_gap": 1.5}),
    )


VALUE: dict[str, float | str] = {"order_value_change_90d": -70, "order_value_before": 100_000}
YEAR: dict[str, float | str] = {"amount_year_on_year": -30, "orders_365d": 12}
COMES: dict[str, float | str] = YEAR | {"amount_change_90d": 20, "amount_change_last_year": 20}
GOES: dict[str, float | str] = YEAR | {
    "amount_change_90d": -20, "amount_change_last_year": -20, "silence_over_own_gap": 1.49,
}  # fmt: skip
ASKED: dict[str, float | str] = {"inquiries_usual_week": 3, "days_since_inquiry": 15}

EXCUSED = [
    *its_own_season("S26", "order_amount_down_two_months", {"amount_months_down": 2}),
    *its_own_season("S26", "orders_from_five_to_two", {"orders_change_30d": -60}),
    *said(
        "S26",
        "orders_from_five_to_two",
        (X, {"orders_change_30d": -60, "amount_change_90d": 0}),
        (H, {"orders_change_30d": -60, "amount_change_90d": -0.1}),
    ),
    *its_own_season("S34", "order_amount_down_three_months", {"amount_months_down": 3}),
    *said(
        "S27",
        "order_value_down_by_70",
        (H, VALUE),
        (X, VALUE | ON_RECORD),
        (X, VALUE | {"amount_year_on_year": -30}),
        (H, VALUE | {"amount_year_on_year": -30.1}),
    ),
    *said("S28", "inquiries_fell_silent", (H, ASKED), (X, ASKED | ON_RECORD)),
    *silence("no_order_for_four_months", {"days_since_order": 120}),
    *silence("no_order_for_three_months", {"days_since_order": 90, "own_gap": 44.9}),
    *said(
        "S38",
        "orders_down_year_on_year",
        (H, YEAR),
        (X, YEAR | ON_RECORD),
        (X, COMES),
        (H, COMES | {"amount_change_90d": 19.9}),
        (H, COMES | {"amount_change_last_year": 19.9}),
        (X, GOES),
        (H, GOES | {"amount_change_90d": -19.9}),
        (H, GOES | {"amount_change_last_year": -19.9}),
        (H, GOES | {"silence_over_own_gap": 1.5}),
    ),
]
OVER = [
    *said("S21", "silent_beyond_own_rhythm", (L, {"silence_over_own_gap": 1.5}), (C, {"silence_over_own_gap": 1.4})),
    *said("S26", "orders_from_five_to_two", (L, {"orders_change_30d": -30}), (C, {"orders_change_30d": -29.9})),
    *said("S27", "order_value_down_by_70", (L, VALUE | {"order_value_change_90d": -50}), (C, VALUE | {"order_value_change_90d": -49.9})),
    *said("S28", "inquiries_fell_silent", (L, ASKED | {"days_since_inquiry": 8}), (C, ASKED | {"days_since_inquiry": 7})),
    *said("S30", "talks_turned_distant", (L, {"distant_talks_60d": 2}), (C, {"distant_talks_60d": 1})),
    *said("S38", "orders_down_year_on_year", (L, YEAR | {"amount_year_on_year": -20}), (C, YEAR | {"amount_year_on_year": -19.9})),
    *said("S34", "complaints_pile_up", (L, {"complaints_90d": 2}), (C, {"complaints_90d": 1})),
    *said("S34", "order_value_down", (L, {"order_value_change_90d": -15}), (C, {"order_value_change_90d": -14.9})),
    *said("S22", "unhappy", (L, {"satisfaction_180d": 3.4}), (C, {"satisfaction_180d": 3.5})),
    *said("S18", "pays_later", (L, {"days_late_180d": 12}), (C, {"days_late_180d": 11.9})),
    *said("S18", "credit_line_used_up", (L, {"credit_use": 75}), (C, {"credit_use": 74.9})),
]  # fmt: skip


def columns(given: dict[str, float | str], rule: str) -> Columns:
    texts = {"reason", "tier", "industry"}
    missing = {
        name: np.array([None], object) if name in texts else np.array([np.nan])
        for name in (*SPEC.rules[rule].names(), "reason")
    }
    return missing | {
        name: np.array([value], object if isinstance(value, str) else np.float64)
        for name, value in given.items()
    }


@pytest.mark.parametrize(
    "one", [pytest.param(one, marks=pytest.mark.req(one.req), id=str(one)) for one in [*EXCUSED, *OVER]]
)
def test_state(one: Said) -> None:
    assert rule_state(SPEC.rules[one.rule], columns(one.given, one.rule)).tolist() == [one.state]


@pytest.fixture(scope="module")
def nobody() -> Judged:
    """A customer of each tier of whom nothing is known."""
    names = {name for rule in SPEC.rules.values() for name in rule.names()} | {*SPEC.metrics}
    classes = {name for rule in SPEC.rules.values() for name in rule.classes()}
    texts = {"reason", "industry", "country", "region", "segment", "owner"} | classes
    size = len(SPEC.tiers.names)
    unknown: Columns = {
        **{name: np.full(size, np.nan) for name in names},
        **{name: np.full(size, None, object) for name in texts},
        **{f"days_since_event.{name}": np.full(size, np.nan) for name in SPEC.event_rules()},
    }
    return judge(SPEC, unknown, np.arange(size, dtype=np.int16))


def nights(judged: Judged, *rules: str, count: int) -> Memory:
    """Return the memory after so many nights on which these rules and no others held for everybody."""
    states = np.full_like(judged.states, C)
    states[:, [judged.book.number(rule) for rule in rules]] = H
    memory, size = Memory.empty(*states.shape), len(states)
    for _ in range(count):
        memory = fold(memory, states, judged.book, dormant=np.zeros(size, bool), missed=0)
    return memory


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        pytest.param(rule, count, marks=pytest.mark.req(req), id=f"{req} {rule}")
        for req, rule, count in (
            ("S20", "tickets_surge_or_stop", 1),
            ("S20", "logins_surge_or_stop", 1),
            ("S21", "silent_beyond_own_rhythm", 1),
            ("S26", "order_amount_down_two_months", 1),
            ("S26", "orders_from_five_to_two", 1),
            ("S27", "order_value_down_by_70", 1),
            ("S28", "inquiries_fell_silent", 1),
            ("S29", "stays_away_from_events", 1),
            ("S30", "talks_turned_distant", 1),
            ("S33", "no_order_for_four_months", 1),
            ("S34", "order_amount_down_three_months", 1),
            ("S37", "less_active_complaining_and_unsure", 1),
            ("S38", "orders_down_year_on_year", 3),
            ("S39", "no_order_and_less_satisfied", 1),
            ("S40", "contract_ends_without_follow_up", 1),
            ("S41", "overdue_over_60_days", 1),
            ("S42", "logins_down_in_a_week", 1),
        )
    ],
)
def test_a_signal_opens_after_so_many_nights(nobody: Judged, rule: str, count: int) -> None:
    at = nobody.book.number(rule)
    assert (nights(nobody, rule, count=count).phase[:, at] == Phase.OPEN).all()
    assert not (nights(nobody, rule, count=count - 1).phase[:, at] == Phase.OPEN).any()


@pytest.mark.parametrize(
    ("rules", "levels"),
    [
        pytest.param(rules, levels, marks=pytest.mark.req(req), id=f"{req} {', '.join(rules)}")
        for req, rules, levels in (
            ("S21", ("silent_beyond_own_rhythm", "no_order_for_four_months", "b_without_order_30_days"), [2, 1, 1]),
            ("S26", ("order_amount_down_two_months", "orders_from_five_to_two", "order_amount_down_20"), [1, 1, 1]),
            ("S27", ("order_value_down_by_70", "order_value_collapsed", "order_value_down"), [3, 3, 3]),
            ("S28", ("inquiries_fell_silent", "inquiries_halved"), [1, 1, 1]),
            ("S33", ("no_order_for_four_months", "no_purchase_for_the_industry"), [1, 1, 1]),
            ("S34", ("order_amount_down_three_months", "order_amount_down_two_months"), [2, 2, 2]),
            ("S38", ("orders_down_year_on_year", "order_amount_down_20"), [1, 1, 1]),
            ("S39", ("no_order_and_less_satisfied", "unhappy"), [1, 1, 1]),
            ("S40", ("contract_ends_without_follow_up", "contract_ends_soon"), [1, 1, 1]),
            ("S42", ("logins_down_in_a_week", "logins_surge_or_stop"), [0, 0, 0]),
        )
    ],
)  # fmt: skip
def test_what_says_the_same_counts_once(nobody: Judged, rules: tuple[str, ...], levels: list[int]) -> None:
    """Levels of A, B and C customers; two moderate indicators would be level 2."""
    states = np.full_like(nobody.states, C)
    states[:, [nobody.book.number(rule) for rule in rules]] = H
    assert level_of_hits(SPEC, replace(nobody, states=states)).tolist() == levels


@pytest.mark.parametrize(
    ("rules", "level"),
    [
        pytest.param(rules, level, marks=pytest.mark.req(req), id=f"{req} {', '.join(rules)}")
        for req, rules, level in (
            ("S36", ("cooperates_with_a_rival", "no_order_for_three_months", "overdue_over_60_days"), 3),
            ("S36", ("cooperates_with_a_rival", "competitor_cheaper_by_15"), 2),
            ("S31", ("competitor_cheaper_by_15", "cost_up_by_20"), 2),
            ("S32", ("cost_up_by_20", "inquiries_fell_silent"), 2),
            ("S26", ("order_amount_down_two_months", "inquiries_halved"), 2),
            ("S33", ("no_order_for_four_months", "order_amount_down_two_months"), 2),
            ("S30", ("talks_turned_distant", "unhappy", "pays_later"), 2),
            ("S39", ("no_order_and_less_satisfied", "talks_turned_distant", "pays_later"), 2),
        )
    ],
)
def test_what_says_different_things_adds_up(nobody: Judged, rules: tuple[str, ...], level: int) -> None:
    states = np.full_like(nobody.states, C)
    states[:, [nobody.book.number(rule) for rule in rules]] = H
    assert set(level_of_hits(SPEC, replace(nobody, states=states)).tolist()) == {level}


@pytest.mark.parametrize(
    ("rule", "by_tier"),
    [
        pytest.param(rule, by_tier, marks=pytest.mark.req(req), id=f"{req} {rule}")
        for req, rule, by_tier in (
            ("S21", "silent_beyond_own_rhythm", ["severe", "moderate", "moderate"]),
            ("S29", "stays_away_from_events", ["mild", "watch", "watch"]),
            ("S35", "main_contact_left", ["critical", "critical", "severe"]),
            ("S36", "competitor_at_the_customer", ["critical"] * 3),
            ("S36", "cooperates_with_a_rival", ["severe"] * 3),
            ("S38", "orders_down_year_on_year", ["moderate", "mild", "watch"]),
            ("S42", "logins_down_in_a_week", ["watch"] * 3),
        )
    ],
)
def test_severity_by_tier(nobody: Judged, rule: str, by_tier: list[str]) -> None:
    names = ("watch", "mild", "moderate", "severe", "critical")
    found = severities(nobody.book, nobody.columns)[:, nobody.book.number(rule)]
    assert [names[rank] for rank in found.tolist()] == by_tier


@pytest.mark.parametrize(
    ("worse", "lesser"),
    [
        pytest.param("order_value_down_by_70", "order_value_collapsed", marks=pytest.mark.req("S27")),
        pytest.param("order_value_down_by_70", "order_value_down", marks=pytest.mark.req("S27")),
        pytest.param(
            "order_amount_down_three_months", "order_amount_down_two_months", marks=pytest.mark.req("S34")
        ),
    ],
)
def test_a_notice_tells_the_worse_of_two_that_say_the_same(worse: str, lesser: str) -> None:
    assert hidden_by(SPEC.rules, [worse, lesser]) == {lesser: [worse]}
    assert hidden_by(SPEC.rules, [lesser]) == {}
