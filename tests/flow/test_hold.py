"""A night on which too many would rise is rather a broken feed: it is held, and moves nobody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from tests.firm import FILES, MONDAY, TinyFirm

NAMES = tuple(f"C{number}" for number in range(1, 11))
MakeFirm = Callable[..., TinyFirm]


def day(number: int) -> date:
    return MONDAY + timedelta(days=number - 1)


@pytest.fixture
def guarded(make_firm: MakeFirm) -> TinyFirm:
    """Return a firm of ten customers that holds a night on which more than 30 % would rise, after three calm nights."""
    levels = FILES["levels.yaml"].replace("hold_if_more_than: 100", "hold_if_more_than: 30")
    firm = make_firm({"levels.yaml": levels})
    for name in NAMES:
        firm.customer(name)
    for number in (1, 2, 3):
        firm.calm(day(number))
        firm.night(day(number))
    return firm


def odd(firm: TinyFirm, night: date, count: int) -> None:
    """Let the first so many customers be odd, the others calm."""
    for name in NAMES[:count]:
        firm.dial(name, night, quiet=1, strain=0, halt=0, mood=90)
    firm.calm(night, *NAMES[count:])


def state(firm: TinyFirm, night: date) -> str:
    [(found,)] = firm.rows("select state from care.night where day = %s", night)
    return str(found)


@pytest.mark.parametrize(("count", "held"), [(3, False), (4, True)])
def test_more_than_so_many_percent_hold_a_night(guarded: TinyFirm, count: int, held: bool) -> None:
    odd(guarded, day(4), count)
    done = guarded.night(day(4))
    assert done.held == (("2026-06-04",) if held else ())
    assert done.moves == (0 if held else count)
    assert state(guarded, day(4)) == ("held" if held else "sealed")


def test_a_held_night_moves_nothing_and_stays_held(guarded: TinyFirm) -> None:
    tables = (
        "signal",
        "warning",
        "warning_event",
        "care_case",
        "care_task",
        "progress",
    )
    before = guarded.dump(*tables)
    odd(guarded, day(4), 10)
    guarded.night(day(4))
    assert guarded.dump(*tables) == before
    everything = guarded.dump()
    assert guarded.night(day(4)).held == ()
    assert guarded.dump() == everything
    assert guarded.rows("select count(*) from care.health_night where day = %s", day(4)) == [(10,)]


def test_a_later_normal_night_supersedes_a_held_one_which_counts_as_missing(make_firm: MakeFirm) -> None:
    levels = FILES["levels.yaml"].replace("hold_if_more_than: 100", "hold_if_more_than: 30")
    slow = FILES["warnings/dials.yaml"].replace("when: strain >= 1", "when: strain >= 1\n    holds_for: 2")
    firm = make_firm({"levels.yaml": levels, "warnings/dials.yaml": slow})
    for name in NAMES:
        firm.customer(name)
    for number in (1, 2):
        firm.calm(day(number))
        firm.night(day(number))
    firm.calm(day(3), *NAMES[1:])
    firm.dial("C1", day(3), quiet=0, strain=1, halt=0, mood=90)
    firm.night(day(3))
    for name in NAMES:
        firm.dial(name, day(4), quiet=1, strain=1, halt=1, mood=90)
    assert firm.night(day(4)).held == ("2026-06-04",)
    firm.calm(day(5), *NAMES[1:])
    firm.dial("C1", day(5), quiet=0, strain=1, halt=0, mood=90)
    assert firm.night(day(5)).moves == 1, "two nights of strain, with the held one between them"
    assert firm.rows("select customer_no, level, opened_day from care.warning") == [
        (firm.facts.customer("C1"), 1, day(5))
    ]
    assert state(firm, day(4)) == "held"
    assert firm.rows("select applied_through from care.progress") == [(day(5),)]
    assert firm.tick(firm.moment(day(5), 12)).moves == 0, "what was superseded is not applied later"


def test_what_has_long_been_so_comes_up_in_the_first_nights_without_holding_them(make_firm: MakeFirm) -> None:
    """Health acts after two nights: in a firm that was never watched, half of it may come up on the second."""
    firm = make_firm(
        {"levels.yaml": FILES["levels.yaml"].replace("hold_if_more_than: 100", "hold_if_more_than: 30")}
    )
    for name in NAMES:
        firm.customer(name)
    for number in (1, 2):
        for name in NAMES:
            firm.dial(name, day(number), quiet=0, strain=0, halt=0, mood=40)
        assert firm.night(day(number)).held == ()
    assert firm.rows("select level, count(*) from care.warning group by 1") == [(2, 10)]


def test_rising_counts_and_standing_does_not(guarded: TinyFirm) -> None:
    for number, count in ((4, 3), (5, 6), (6, 9)):
        odd(guarded, day(number), count)
        assert guarded.night(day(number)).held == ()
    assert guarded.rows("select count(*) from care.warning where level = 1") == [(9,)]
