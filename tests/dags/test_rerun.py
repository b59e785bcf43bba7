"""Broken off anywhere and run again, the night and the clock end in the same rows, and nobody hears of anything twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.channels.servers import Hook, web
from tests.dags.compare import FATE, Dump, different, dump
from tests.dags.faults import number_without_gaps, plant
from tests.dags.killing import kill_when, locked
from tests.dags.running import Dags
from tests.dags.town import Town, another, day, prepare

from carewatch.store import outbox

SECOND_NIGHT = {"C1": "quiet halt", "C2": "quiet", "C4": "quiet", "C5": "halt", "C6": "halt"}
"""C1 rises, C2 falls, C3 clears, one is new at each level."""
Open = Callable[[str], AbstractContextManager[Town]]


@pytest.fixture(scope="module")
def eve(warehouse_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the name of a warehouse on the eve of the second night, of which each test takes copies."""

    def first_night(town: Town) -> None:
        town.people()
        town.dials(1, C1="quiet", C2="halt", C3="halt")
        town.dials(2, **SECOND_NIGHT)
        town.firm.night(day(1))

    with prepare(warehouse_server, tmp_path_factory.mktemp("eve"), first_night) as name:
        yield name


@pytest.fixture
def open_town(warehouse_server: str, eve: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Return an opener of towns of their own on that eve, each by a name."""
    return lambda name: another(warehouse_server, eve, tmp_path / name, monkeypatch.setenv)


def run(dags: Dags, town: Town, dag_id: str, *, tries: int = 1) -> None:
    """Run the second night, or the clock on its evening, in the hours in which messages may go out."""
    if dag_id == "care_nightly":
        ran = dags.run(dag_id, town.at(2, 9), day=day(2).isoformat(), tries=tries)
    else:
        ran = dags.run(dag_id, town.at(2, 19), tries=tries)
    assert ran.state == "success", ran


def before(town: Town, dag_id: str) -> None:
    """Bring the town to where the Dag begins: the clock finds the second night done, and nothing delivered."""
    if dag_id == "care_clock":
        town.firm.night(day(2))


@pytest.fixture
def undisturbed(dags: Dags, open_town: Open, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Dump]:
    """Return a function that runs a Dag undisturbed and says what it left."""

    def left_by(dag_id: str) -> Dump:
        with open_town("undisturbed") as town, monkeypatch.context() as patched:
            plant(patched, armed=False)
            before(town, dag_id)
            run(dags, town, dag_id)
            assert town.arrived() == dict.fromkeys(town.outbox(), 1)
            return dump(town, FATE)

    return left_by


def nothing_twice(
    dags: Dags, town: Town, arrived: Callable[[], Counter[str]] | None = None
) -> dict[str, str]:
    """Let claims expire; return what became of each message, none of which arrived twice or is forgotten."""
    after = town.firm.moment(day(2), 19.5)
    town.firm.clock_at(after)
    assert dags.run("care_clock", after).state == "success"
    became, came = town.outbox(), (arrived or town.arrived)()
    assert set(became.values()) <= {"sent", "uncertain"}
    assert max(came.values()) == 1 and came.keys() <= became.keys()
    assert {key for key, state in became.items() if state == "sent"} <= came.keys()
    listed = {row[0] for row in outbox.listing(town.firm.connection, ["failed", "uncertain"])}
    assert listed == {key for key, state in became.items() if state == "uncertain"}
    return became


def keys_asked(chat: Hook) -> list[str]:
    """Return the keys of the messages that a chat server was given."""
    return [json.loads(body)["key"] for _, _, body in chat.asked]


@pytest.mark.req("D21", "S5")
@pytest.mark.parametrize(
    ("dag_id", "points"),
    [
        (
            "care_nightly",
            {
                "open_night": 8, "measure_metrics": 2, "judge_health": 2, "advance_warnings": 2, "start_level_1": 2,
                "start_level_2": 2, "start_level_3": 2, "decide_notices": 2, "seal_night": 2,
            },
        ),
        ("care_clock", {"advance_care": 2}),
    ],
)  # fmt: skip
def test_broken_off_at_both_sides_of_every_commit_and_tried_again(
    dags: Dags,
    open_town: Open,
    undisturbed: Callable[[str], Dump],
    monkeypatch: pytest.MonkeyPatch,
    dag_id: str,
    points: dict[str, int],
) -> None:
    expected = undisturbed(dag_id)
    with open_town("broken off") as town:
        before(town, dag_id)
        with monkeypatch.context() as patched:
            faults = plant(patched, armed=True)
            run(dags, town, dag_id, tries=30)
        broken_off = faults.by_task()
        assert broken_off.pop("deliver_outbox") >= 4
        assert broken_off == points
        assert faults.unguarded == [], (
            "what is written outside of a transaction cannot be broken off in the middle"
        )
        assert different(expected, dump(town, FATE)) == {}
        became = nothing_twice(dags, town)
        assert {"sent", "uncertain"} == set(became.values())
        never = became.keys() - town.arrived().keys()
        assert never and {became[key] for key in never} == {"uncertain"}


@pytest.mark.req("D21")
def test_a_night_killed_in_the_middle_of_moving_warnings(
    dags: Dags, open_town: Open, undisturbed: Callable[[str], Dump], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = undisturbed("care_nightly")
    with open_town("killed") as town:
        now = town.at(2, 9)
        # signals are written already when the events of warnings are: the transaction is half done
        with locked(town.dsn, "care.warning_event") as somebody_waits:
            kill_when(somebody_waits, "care_nightly", town.folder, now=now, day=day(2))
        assert town.firm.rows("select state from care.night where day = %s", day(2)) == [("judged",)]
        number_without_gaps(town.firm.connection)
        with monkeypatch.context() as patched:
            plant(patched, armed=False)
            run(dags, town, "care_nightly")
        assert different(expected, dump(town, FATE)) == {}
        assert town.arrived() == dict.fromkeys(town.outbox(), 1)
        assert set(town.outbox().values()) == {"sent"}


@pytest.mark.req("D21")
def test_a_clock_killed_while_a_message_is_on_its_way(
    dags: Dags, open_town: Open, undisturbed: Callable[[str], Dump], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = undisturbed("care_clock")
    with open_town("killed") as town, web() as chat:
        before(town, "care_clock")
        chat.may_answer.clear()
        monkeypatch.setenv("AIRFLOW_CONN_CARE_CHAT", f"http://:secret@127.0.0.1:{chat.port}")
        kill_when(chat.was_asked.is_set, "care_clock", town.folder, now=town.at(2, 19))
        chat.may_answer.set()
        [(unknown,)] = town.firm.rows("select key from care.outbox where state = 'claimed'")
        assert "/chat/" in unknown
        number_without_gaps(town.firm.connection)
        with monkeypatch.context() as patched:
            plant(patched, armed=False)
            run(dags, town, "care_clock")
        assert different(expected, dump(town, FATE)) == {}
        became = nothing_twice(dags, town, lambda: town.arrived() + Counter(keys_asked(chat)))
        assert [key for key, state in became.items() if state == "uncertain"] == [unknown]
        assert sorted(keys_asked(chat)) == sorted(key for key in became if "/chat/" in key)


@pytest.mark.req("S5")
def test_a_finished_night_and_a_finished_tick_run_again_change_nothing(dags: Dags, open_town: Open) -> None:
    with open_town("again") as town:
        for dag_id in ("care_nightly", "care_clock"):
            run(dags, town, dag_id)
            left, arrived = dump(town), town.arrived()
            run(dags, town, dag_id)
            assert different(left, dump(town)) == {}
            assert town.arrived() == arrived
