"""Memory between nights, against one cell of it written out in plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.warn.book import book_of, rule

from carewatch.warn.fold import LONGEST_GAP, Memory, Phase, fold
from carewatch.warn.hits import RuleBook, State

U, C, H, L = State.UNKNOWN, State.CLEAR, State.HIT, State.LINGERING


@dataclass(frozen=True)
class Cell:
    """What one rule remembers of one customer."""

    phase: Phase = Phase.NONE
    true_nights: int = 0
    clear_nights: int = 0


@dataclass(frozen=True)
class Night:
    """What a night says: the rule's state, whether the customer sleeps, and the nights that are missing before it."""

    state: State
    dormant: bool = False
    missed: int = 0


def remembered(cell: Cell, night: Night, holds_for: int, clears_after: int) -> Cell:
    """Return the cell after a night, case by case."""
    if night.dormant:
        return Cell()
    if night.missed > 3:
        cell = replace(cell, true_nights=0, clear_nights=0)
    if night.state is H:
        lasted = cell.true_nights + 1
        is_open = cell.phase is Phase.OPEN or lasted >= holds_for
        return Cell(Phase.OPEN if is_open else Phase.PENDING, lasted, 0)
    if night.state is U:
        if cell.phase is Phase.PENDING and cell.true_nights == 0:
            return Cell()
        return cell
    if cell.phase is not Phase.OPEN:
        return Cell()
    if night.state is L:
        return Cell(Phase.OPEN)
    if cell.clear_nights + 1 >= clears_after:
        return Cell()
    return Cell(Phase.OPEN, 0, cell.clear_nights + 1)


def one_rule(holds_for: int = 1, clears_after: int = 1) -> RuleBook:
    return book_of({"r": rule(holds_for=holds_for, clears_after=clears_after)})


def folded(book: RuleBook, nights: Sequence[Night]) -> list[Cell]:
    """Return the cell of the first rule after each night."""
    memory = Memory.empty(1, len(book.names))
    cells = []
    for night in nights:
        states = np.full((1, len(book.names)), night.state, np.int16)
        memory = fold(memory, states, book, dormant=np.array([night.dormant]), missed=night.missed)
        cells.append(
            Cell(Phase(memory.phase[0, 0]), int(memory.true_nights[0, 0]), int(memory.clear_nights[0, 0]))
        )
    return cells


def phases(holds_for: int, clears_after: int, *nights: State | Night) -> str:
    """Return a letter a night: - none, p pending, o open."""
    made = [night if isinstance(night, Night) else Night(night) for night in nights]
    return "".join("-po"[cell.phase] for cell in folded(one_rule(holds_for, clears_after), made))


NIGHTS = st.lists(
    st.builds(
        Night,
        st.sampled_from([U, C, H, H, L]),
        st.sampled_from([False] * 9 + [True]),
        st.sampled_from([0] * 6 + [1, 3, 4, 9]),
    ),
    max_size=30,
)


@given(NIGHTS, st.integers(1, 5), st.integers(1, 5))
def test_one_cell_does_what_it_says(nights: list[Night], holds_for: int, clears_after: int) -> None:
    expected, cell = [], Cell()
    for night in nights:
        cell = remembered(cell, night, holds_for, clears_after)
        expected.append(cell)
    assert folded(one_rule(holds_for, clears_after), nights) == expected


@given(st.data())
def test_a_batch_is_each_customer_alone(data: st.DataObject) -> None:
    book = book_of(
        {
            f"r{number}": rule(counts_as=f"i{number}", holds_for=hold, clears_after=clear)
            for number, (hold, clear) in enumerate([(1, 1), (3, 2), (2, 4)])
        }
    )
    customers, rules = data.draw(st.integers(1, 6)), len(book.names)
    cell = st.sampled_from([int(state) for state in State])
    nights = data.draw(
        st.lists(
            st.tuples(
                st.lists(cell, min_size=customers * rules, max_size=customers * rules),
                st.lists(st.booleans(), min_size=customers, max_size=customers),
                st.sampled_from([0, 1, 3, 4]),
            ),
            max_size=8,
        )
    )
    together = Memory.empty(customers, rules)
    apart = [Memory.empty(1, rules) for _ in range(customers)]
    for flat, dormant, missed in nights:
        states = np.array(flat, np.int16).reshape(customers, rules)
        asleep = np.array(dormant)
        together = fold(together, states, book, dormant=asleep, missed=missed)
        apart = [
            fold(one, states[[at]], book, dormant=asleep[[at]], missed=missed) for at, one in enumerate(apart)
        ]
    for at, one in enumerate(apart):
        assert together.phase[at].tolist() == one.phase[0].tolist()
        assert together.true_nights[at].tolist() == one.true_nights[0].tolist()
        assert together.clear_nights[at].tolist() == one.clear_nights[0].tolist()


def test_it_opens_on_the_night_it_has_held_for() -> None:
    assert phases(1, 1, H) == "o"
    assert phases(3, 1, H, H) == "pp"
    assert phases(3, 1, H, H, H) == "ppo"
    assert phases(3, 1, H, H, C, H, H, H) == "pp-ppo", "a clear night begins the count again"


def test_it_closes_on_the_night_it_has_been_clear_for() -> None:
    assert phases(1, 1, H, C) == "o-"
    assert phases(1, 3, H, C, C) == "ooo"
    assert phases(1, 3, H, C, C, C) == "ooo-"
    assert phases(1, 3, H, C, C, H, C, C, C) == "oooooo-", "a hit begins the count again"


def test_between_the_condition_and_clears_if_it_stays_and_counts_begin_again() -> None:
    assert phases(1, 2, H, L, L, L, L) == "ooooo"
    assert phases(1, 2, H, C, L, C, C) == "oooo-"
    assert phases(2, 1, H, L, H, H) == "p-po", "a pending one does not linger"


def test_unknown_pauses_both_counts() -> None:
    assert phases(3, 1, H, U, U, U, U, U, H, H) == "ppppppp" + "o"
    assert phases(1, 2, H, C, U, U, U, C) == "ooooo-"
    assert phases(1, 1, U, U) == "--"


@pytest.mark.parametrize(("missed", "shown"), [(1, "ppo"), (LONGEST_GAP, "ppo"), (LONGEST_GAP + 1, "ppp")])
def test_missing_nights_count_neither_way_and_more_than_three_begin_again(missed: int, shown: str) -> None:
    assert phases(3, 1, H, H, Night(H, missed=missed)) == shown


@pytest.mark.parametrize(("missed", "shown"), [(LONGEST_GAP, "oo-"), (LONGEST_GAP + 1, "ooo")])
def test_missing_nights_count_neither_way_for_clearing(missed: int, shown: str) -> None:
    assert phases(1, 2, H, C, Night(C, missed=missed)) == shown


def test_an_open_signal_survives_any_gap() -> None:
    assert phases(1, 2, H, Night(U, missed=100), Night(C, missed=100), C) == "ooo-"


def test_a_dormant_customer_has_no_signals() -> None:
    asleep = Night(C, dormant=True)
    assert phases(1, 5, H, asleep, H) == "o-o"
    assert phases(3, 1, H, H, asleep, H, H, H) == "pp-ppo"
    assert phases(1, 1, Night(H, dormant=True)) == "-"


def test_a_hit_that_lasts_for_years_stays_within_the_stored_width() -> None:
    cells = folded(one_rule(60, 60), [Night(H)] * 300)
    assert [cell.phase for cell in cells[58:60]] == [Phase.PENDING, Phase.OPEN]
    assert 60 <= cells[-1].true_nights <= np.iinfo(np.int8).max
