"""A firm with one night a week: the nights in between are not missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.firm import FILES, MONDAY, TinyFirm, changed

from carewatch.flow.backtest import folds, replay

WEEK = timedelta(days=7)
TWO_NIGHTS = {
    "warnings/dials.yaml": FILES["warnings/dials.yaml"].replace(
        "when: strain >= 1", "when: strain >= 1\n    holds_for: 2"
    )
}
WEEKLY = changed("firm.yaml", ("currency: CNY", "currency: CNY\nnights: monday"))


def strained(firm: TinyFirm, weeks: int) -> list[str]:
    """Live through Mondays on which C1 is under strain; return the states of its signal after each."""
    firm.customer("C1")
    states = []
    for week in range(weeks):
        firm.dial("C1", MONDAY + week * WEEK, quiet=0, strain=1, halt=0, mood=90)
        firm.night(MONDAY + week * WEEK)
        states += [row[0] for row in firm.rows("select state from care.signal where rule = 'strain'")]
    return states


@pytest.mark.req("S12")
def test_two_nights_in_a_row_are_two_weeks_of_a_weekly_firm(make_firm: Callable[..., TinyFirm]) -> None:
    firm = make_firm({**TWO_NIGHTS, **WEEKLY})
    assert strained(firm, 2) == ["pending", "open"]
    assert firm.rows("select level from care.warning") == [(1,)]


@pytest.mark.req("S12")
def test_of_a_daily_firm_six_nights_would_be_missing(make_firm: Callable[..., TinyFirm]) -> None:
    assert strained(make_firm(TWO_NIGHTS), 3) == ["pending", "pending", "pending"]


@pytest.mark.req("S12")
def test_a_weekly_night_is_judged_by_a_fingerprint_of_its_own(make_firm: Callable[..., TinyFirm]) -> None:
    daily, weekly = make_firm(TWO_NIGHTS).configuration, make_firm({**TWO_NIGHTS, **WEEKLY}).configuration
    assert daily.judgement.fingerprint != weekly.judgement.fingerprint


@pytest.mark.req("S12")
def test_a_replay_by_weeks_folds_the_nights_of_a_weekly_firm(make_firm: Callable[..., TinyFirm]) -> None:
    """It steps on the firm's own weekday, wherever the period begins, and comes to the levels of the nights."""
    firm = make_firm({**TWO_NIGHTS, **WEEKLY})
    strained(firm, 2)
    spec = firm.configuration.judgement
    assert folds(spec, "week") and not folds(spec, "day")
    wednesday = MONDAY - timedelta(days=5)
    found = list(replay(firm.connection, spec, wednesday, MONDAY + WEEK, "week", lambda text: None))
    assert [(one.day, one.level.tolist()) for one in found] == [(MONDAY, [0]), (MONDAY + WEEK, [1])]
