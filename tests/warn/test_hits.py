"""A rule's state tonight: true, cleared, between, or unknown; and the floors that health sets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.warn.book import HEALTH, book_of, rule

from carewatch.measure.health import Colour, Scores
from carewatch.spec.loading import load
from carewatch.warn.hits import State, floor_state, floors, hits, rule_state
from carewatch.warn.level import severities

NAN = float("nan")
U, C, H, L = State.UNKNOWN, State.CLEAR, State.HIT, State.LINGERING
CONFIG = Path(__file__).resolve().parents[2] / "config"


def states(changes: dict[str, object], **columns: list[float | None]) -> list[int]:
    arrays = {
        name: np.array([NAN if value is None else value for value in values])
        for name, values in columns.items()
    }
    return rule_state(rule(**changes), arrays).tolist()


def test_a_rule_is_true_false_or_unknown() -> None:
    assert states({"when": "x >= 30"}, x=[29, 30, None]) == [C, H, U]


def test_unknown_does_not_hide_what_is_certain() -> None:
    both = {"when": {"all": ["x >= 1", "y >= 1"]}}
    assert states(both, x=[1, 0, None], y=[None, None, None]) == [U, C, U]
    either = {"when": {"any": ["x >= 1", "y >= 1"]}}
    assert states(either, x=[1, 0, None], y=[None, None, None]) == [H, U, U]


def test_clears_if_leaves_a_space_between() -> None:
    drop = {"when": "x <= -50", "clears_if": "x > -25"}
    assert states(drop, x=[-50, -49.9, -25, -24.9, None]) == [H, L, L, C, U]


def test_a_clears_if_that_cannot_be_told_is_unknown() -> None:
    other = {"when": "x >= 3", "clears_if": "y <= 1"}
    assert states(other, x=[3, 2, 2, 2, None], y=[None, None, 1, 2, 1]) == [H, U, C, L, U]


def test_a_condition_that_holds_wins_over_its_own_clears_if() -> None:
    assert states({"when": "x >= 1", "clears_if": "x >= 0"}, x=[1, 0, -1]) == [H, C, L]


def test_health_floors_have_a_margin_and_grey_sets_none() -> None:
    score = np.array([69.99, 70, 74.99, 75, 10, NAN])
    grey = np.array([False, False, False, False, True, False])
    assert floor_state(score, grey, 70, 5).tolist() == [H, L, L, C, U, U]


def test_a_margin_beyond_the_top_still_clears_at_the_top() -> None:
    score = np.array([97.9, 98, 99.99, 100])
    assert floor_state(score, np.zeros(4, bool), 98, 5).tolist() == [H, L, L, C]


def test_a_night_has_every_rule_and_both_floors() -> None:
    book = book_of({"first": rule(), "second": rule(when="x >= 5")})
    assert book.names == ("first", "second", "health_yellow", "health_red")
    assert book.holds_for.tolist() == [1, 1, 2, 2]
    colour = np.array([Colour.YELLOW, Colour.YELLOW, Colour.RED, Colour.GREY])
    scores = Scores(
        np.array([60.0, 49.99, 10.0, 90.0]), colour, np.ones(4), np.ones((4, 1)), *np.zeros((2, 4), np.int16)
    )
    found = hits(
        book,
        {"x": np.array([1.0, 5.0, 5.0, NAN])},
        floors=floors([HEALTH], scores, np.zeros(4, bool)),
        dormant=np.array([False, False, True, False]),
    )
    assert found.tolist() == [[H, C, H, C], [H, H, H, H], [C, C, C, C], [U, U, U, U]]


@pytest.mark.parametrize(
    ("name", "fires", "does_not"),
    [
        ("overdue_over_60_days", {"overdue_days": 61}, {"overdue_days": 60}),
        (
            "no_order_for_three_months",
            {"days_since_order": 90, "own_gap": 30, "silence_over_own_gap": 3},
            {"days_since_order": 89, "own_gap": 30, "silence_over_own_gap": 3},
        ),
        ("main_contact_left", {"days_since_event": 90}, {"days_since_event": NAN}),
    ],
)  # fmt: skip
def test_shipped_rules_on_both_sides(name: str, fires: dict[str, float], does_not: dict[str, float]) -> None:
    shipped = load(CONFIG).judgement.rules[name]
    nothing = {"reason": np.array([None], dtype=object)}
    for values, expected in ((fires, H), (does_not, C)):
        columns = nothing | {key: np.array([float(value)]) for key, value in values.items()}
        assert rule_state(shipped, columns).tolist() == [expected]


@pytest.mark.req("S37")
def test_three_together_fire_and_any_two_do_not() -> None:
    triple = {"when": {"all": ["activity_change <= -30", "complaints >= 2", "renewal_intent <= 2"]}}
    signs = {"activity_change": (-30.0, -29.0), "complaints": (2.0, 1.0), "renewal_intent": (2.0, 2.1)}
    columns = {
        name: [bad] + [good if name == kept else bad for kept in signs] for name, (bad, good) in signs.items()
    }
    assert states(triple, **columns) == [H, C, C, C]  # type: ignore[arg-type]
    assert states(triple, activity_change=[-50], complaints=[5], renewal_intent=[None]) == [U]


@pytest.mark.req("S45")
def test_many_tickets_with_falling_logins_fire_and_neither_alone_does() -> None:
    both = {"when": {"all": ["tickets_30d >= 5", "logins_change_30d <= -30"]}}
    assert states(both, tickets_30d=[5, 4, 5], logins_change_30d=[-30, -30, -29.9]) == [H, C, C]


@pytest.mark.req("S42")
def test_a_week_with_ten_percent_less_is_only_watched() -> None:
    one = rule(when="activity_change_7d <= -10", severity="watch")
    book = book_of({"less": one})
    found = rule_state(one, {"activity_change_7d": np.array([-10.0, -9.9])})
    assert found.tolist() == [H, C]
    assert severities(book, {"tier": np.array(["A", "A"], object)})[:, 0].tolist() == [0, 0]
