"""Laws of conforming: in which order and how often batches arrive decides nothing about what is believed, and what was
known at any moment is what a naive history of the batches says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.store.landed import MASTER, ORDERS, Landing, sources

Connection = psycopg.Connection[Any]
Version = tuple[str, int]
VOID = "void"
DELAY = timedelta(hours=2)
LAW = settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

WITHDRAWING = ORDERS.replace("columns:", "withdrawn_when: kind = 'void'\n    columns:")
DATED = MASTER + WITHDRAWING
UNDATED = MASTER + WITHDRAWING.replace("    changed_at: updated\n", "")
SNAPSHOT = "kind: database\n" + UNDATED.replace(
    "withdrawn_when:", "snapshot: true\n    ends_at_most: 100\n    withdrawn_when:"
)

_versions = st.tuples(st.sampled_from("ABC"), st.integers(1, 4))
_values = st.sampled_from(["1", "2", VOID])
_contents = st.dictionaries(_versions, _values, min_size=3)


@dataclass
class Belief:
    """What a naive person would have written down: when the belief about each key changed, and to what."""

    changes: dict[str, list[tuple[datetime, str | None]]] = field(default_factory=dict)

    def note(self, key: str, at: datetime, value: str) -> None:
        self.changes.setdefault(key, []).append((at, None if value == VOID else value))

    def at(self, moment: datetime) -> dict[str, str]:
        found = {}
        for key, changes in self.changes.items():
            value = next((value for at, value in reversed(changes) if at <= moment), None)
            if value is not None:
                found[key] = value
        return found

    def moments(self) -> set[datetime]:
        return {at for changes in self.changes.values() for at, _ in changes}


def _row(key: str, value: str, written: int | None = None) -> dict[str, Any]:
    dated = {} if written is None else {"updated": f"2026-05-1{written}"}
    return {
        "no": key, "amount": None if value == VOID else value, "kind": value if value == VOID else None,
        "at": "2026-05-01", "code": "C2" if key == "C" else "C1", **dated,
    }  # fmt: skip


def _written_at(written: int) -> datetime:
    """Return from when the first load believes a version: midnight in Shanghai, and the source's delay."""
    return datetime(2026, 5, 10 + written - 1, 16, tzinfo=UTC) + DELAY


def _check(landing: Landing, belief: Belief) -> None:
    """Compare what was known at every moment at which anything changed, and now."""
    stored = landing.rows("select source_key, amount::text, known_from, known_to from care.fact_order")
    moments = belief.moments() | {at for row in stored for at in row[2:] if at is not None}
    for moment in sorted({*moments, *(one - timedelta(seconds=1) for one in moments), landing.now}):
        known = [row[:2] for row in stored if row[2] <= moment and (row[3] is None or row[3] > moment)]
        assert len(known) == len(dict(known)), "two versions of a key are believed at once"
        assert dict(known) == belief.at(moment), moment


def _dated(
    connection: Connection, contents: Mapping[Version, str], batches: Sequence[Iterable[Version]]
) -> dict[str, str]:
    """Take batches of versions that say when they were written; return what is believed in the end."""
    belief, newest, waiting = Belief(), dict[str, int](), dict[Version, bool]()
    with connection.transaction(force_rollback=True):
        landing = Landing(connection, sources(sales=DATED))
        landing.take("sales", customers=[{"code": "C1", "since": "2026-01-01"}])

        def believe(versions: Iterable[Version], *, history: bool) -> None:
            for key, written in sorted(set(versions)):
                if written > newest.get(key, 0) and (
                    history or written == max(one for name, one in versions if name == key)
                ):
                    newest[key] = written
                    belief.note(key, _written_at(written) if history else landing.now, contents[key, written])

        for number, batch in enumerate(batches):
            landing.later(hours=1)
            landing.take(
                "sales", orders=[_row(key, contents[key, written], written) for key, written in batch]
            )
            believe([one for one in batch if one[0] != "C"], history=number == 0)
            for version in batch:
                if version[0] == "C":
                    waiting.setdefault(version, number == 0)
        landing.later(hours=1)
        landing.take("sales", customers=[{"code": "C2", "since": "2026-01-01"}])
        for history in (True, False):
            # Released load by load: those of the first with its times, the others one after the other at this moment.
            for version in sorted(one for one, first in waiting.items() if first is history):
                believe(
                    [one for one, first in waiting.items() if first and history] or [version], history=history
                )
        _check(landing, belief)
        assert landing.waiting() == []
        return {key: row[0] for key, row in landing.open_facts("order", "amount::text").items()}


@pytest.mark.req("S5")
@LAW
@given(data=st.data())
def test_dated_versions_in_any_order_and_repetition_give_the_same_facts(
    connection: Connection, data: st.DataObject
) -> None:
    drawn = data.draw(_contents)
    # A withdrawal of a customer who is unknown yet is no row that could wait: C is never void.
    contents = {one: "3" if one[0] == "C" and value == VOID else value for one, value in drawn.items()}
    some = st.lists(st.sampled_from(sorted(contents)), min_size=1, max_size=4)
    batches = [*data.draw(st.lists(some, min_size=1, max_size=3)), sorted(contents)]
    repeated = data.draw(st.lists(st.sampled_from(batches), max_size=2))
    once = _dated(connection, contents, batches)
    assert once == _dated(connection, contents, data.draw(st.permutations([*batches, *repeated])))
    last = {key: contents[key, max(one for name, one in contents if name == key)] for key, _ in contents}
    assert once == {key: value for key, value in last.items() if value != VOID}


@pytest.mark.req("S5")
@LAW
@given(data=st.data())
@pytest.mark.parametrize("snapshot", [False, True])
def test_loads_taken_in_any_order_and_repetition_give_the_facts_of_the_newest(
    connection: Connection, data: st.DataObject, snapshot: bool
) -> None:
    load = st.dictionaries(st.sampled_from("ABD"), _values, min_size=1)
    loads = data.draw(st.lists(load, min_size=1, max_size=4))
    order = data.draw(st.permutations(range(len(loads))))
    belief, said, newest = Belief(), dict[str, int](), -1
    with connection.transaction(force_rollback=True):
        landing = Landing(connection, sources(sales=SNAPSHOT if snapshot else UNDATED))
        landing.take("sales", customers=[{"code": "C1", "since": "2026-01-01"}])
        if snapshot:
            # An empty reading of a table came first: nothing is taken for history.
            landing.take("sales")
        landed = [
            landing.land("sales", orders=[_row(key, value) for key, value in one.items()]) for one in loads
        ]
        for position, number in enumerate(order):
            landing.later(hours=1)
            landing.take_only("sales", landed[number])
            landing.take_only("sales", landed[data.draw(st.sampled_from(order[: position + 1]))])
            if snapshot and number < newest:
                continue
            newest = number
            content = {**dict.fromkeys(said, VOID), **loads[number]} if snapshot else loads[number]
            history = not snapshot and position == 0
            for key, value in content.items():
                if number >= said.get(key, -1):
                    said[key] = number
                    since = datetime(2026, 4, 30, 16, tzinfo=UTC) + DELAY
                    belief.note(key, since if history else landing.now, value)
        _check(landing, belief)
