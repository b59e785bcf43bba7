"""Loads through the Dag, from real files and a real database: into facts, broken off anywhere, and on to the night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from tests.dags.compare import Dump, different, dump
from tests.dags.faults import number_without_gaps, plant
from tests.dags.killing import kill_when, locked
from tests.dags.running import Dags, Ran
from tests.dags.supply import first_day, second_day
from tests.dags.town import Town, another, day, prepare

Open = Callable[[str], AbstractContextManager[Town]]
NAMES = {"*": ("load_id",)}
"""Loads are named by the second in which they ran."""


@pytest.fixture(scope="module")
def founded(warehouse_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the name of a warehouse into which nothing was loaded yet."""
    with prepare(warehouse_server, tmp_path_factory.mktemp("founded"), lambda town: None) as name:
        yield name


@pytest.fixture
def open_town(warehouse_server: str, founded: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    return lambda name: another(warehouse_server, founded, tmp_path / name, monkeypatch.setenv)


def ingest(dags: Dags, town: Town, number: int, *, hour: float = 1, tries: int = 1) -> Ran:
    return dags.run("care_ingest", town.at(number, hour), tries=tries)


def totals(town: Town) -> list[tuple[object, ...]]:
    """Return what all loads of each stream came to; what a load says again counts nowhere here."""
    return town.firm.rows(
        "select origin, sum(new), sum(changed), sum(quarantined), bool_or(history) from care.load group by 1 order by 1"
    )


def published(run_id: str) -> list[str]:
    """Return the names of the assets that a run said it had moved, each as often as it said so."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        names = select(AssetModel.name).join(AssetEvent, AssetEvent.asset_id == AssetModel.id)
        return list(session.scalars(names.where(AssetEvent.source_run_id == run_id)))


def facts(town: Town) -> Dump:
    """Return everything but the list of loads: one that is run again is a load more."""
    return {name: rows for name, rows in dump(town, NAMES).items() if name != "care.load"}


def test_from_the_sources_over_the_night_to_the_mail(dags: Dags, open_town: Open) -> None:
    with open_town("whole") as town:
        first_day(town)
        ran = ingest(dags, town, 1)
        assert ran.state == "success" and set(ran.tasks.values()) == {"success"}
        assert {name for name in ran.tasks if "[" in name} == {
            "load_masters[0]", "conform_masters[0]", "load_others[0]", "conform_others[0]",
        }  # fmt: skip
        assert published(ran.run_id) == ["care_facts"], "once, however many sources were read"
        assert totals(town) == [
            ("book.customers", 6, 0, 1, True),
            ("meter.moods", 6, 0, 1, True),
            ("meter.usage", 5, 0, 2, True),
        ]
        assert town.firm.rows(
            "select reason, field, count(*) from quarantine.row group by 1, 2 order by 1"
        ) == [
            ("not a number", "halt", 1),
            ("not a time", "since", 1),
            ("unknown customer", "customer", 2),
        ]
        ran = dags.run("care_nightly", town.at(1, 2), day=day(1).isoformat())
        assert ran.state == "success"
        assert town.firm.rows("select late_sources from care.night") == [([],)]
        levels = "select customer_id, level from care.warning join care.customer using (customer_no) where level > 0 order by 1"
        assert town.firm.rows(levels) == [("C1", 1), ("C2", 2), ("C3", 3)]

        second_day(town)
        assert ingest(dags, town, 2).state == "success"
        assert town.firm.rows("select reason from quarantine.row where state = 'waiting'") == [
            ("not a time",)
        ]
        ran = dags.run("care_nightly", town.at(2, 9), day=day(2).isoformat())
        assert town.firm.rows(levels) == [("C1", 1), ("C4", 2), ("C7", 2)]
        assert town.arrived() == dict.fromkeys(town.outbox(), 1) and len(town.outbox()) >= 6


def test_a_source_that_cannot_be_reached_fails_the_run_and_holds_up_no_other(
    dags: Dags, open_town: Open
) -> None:
    with open_town("unreachable") as town:
        first_day(town)
        town.firm.connection.execute("alter table meter.usage rename to other")
        ran = ingest(dags, town, 1, tries=2)
        assert ran.state == "failed", "somebody has to look at it"
        assert (ran.tasks["load_others[0]"], ran.tries["load_others[0]"]) == ("failed", 2)
        assert ran.tasks["all_loaded"] == "upstream_failed"
        assert ran.tasks["conform_masters[0]"] == ran.tasks["publish_facts"] == "success"
        assert town.firm.rows("select count(*) from care.fact_customer") == [(6,)]

        town.firm.connection.execute("alter table meter.other rename to usage")
        assert ingest(dags, town, 1, hour=1.5).state == "success", "what was not read is due again at once"
        assert town.firm.rows("select count(*) from care.fact_usage_day") == [(5,)]


def test_a_source_without_a_connection_fails_at_once(
    dags: Dags, open_town: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_town("unconnected") as town:
        first_day(town)
        monkeypatch.delenv("AIRFLOW_CONN_CARE_METER")
        ran = ingest(dags, town, 1, tries=3)
        assert (ran.tasks["load_others[0]"], ran.tries["load_others[0]"]) == ("failed", 1)


@pytest.mark.req("S5")
def test_nothing_is_due_within_the_hour_and_reading_the_same_again_changes_nothing(
    dags: Dags, open_town: Open
) -> None:
    with open_town("again") as town:
        first_day(town)
        ingest(dags, town, 1)
        left = dump(town)
        ran = ingest(dags, town, 1, hour=1.1)
        assert ran.state == "success" and ran.tasks["publish_facts"] == "success"
        assert ran.tasks["load_masters"] == ran.tasks["load_others"] == "skipped"
        assert different(left, dump(town)) == {}
        left = facts(town)
        assert "load_others[0]" in ingest(dags, town, 1, hour=3).tasks
        assert different(left, facts(town)) == {}


@pytest.fixture(scope="module")
def undisturbed(
    dags: Dags, warehouse_server: str, founded: str, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[Dump, object]]:
    """Return what two undisturbed days leave, day by day."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with (
        pytest.MonkeyPatch.context() as patched,
        another(warehouse_server, founded, folder, patched.setenv) as town,
    ):
        plant(patched, armed=False)
        left = []
        for number, show in ((1, first_day), (2, second_day)):
            show(town)
            assert ingest(dags, town, number).state == "success"
            left.append((facts(town), totals(town)))
        return left


def test_broken_off_at_every_step_and_at_both_sides_of_every_commit(
    dags: Dags,
    open_town: Open,
    undisturbed: list[tuple[Dump, object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_town("broken off") as town, monkeypatch.context() as patched:
        faults = plant(patched, armed=True)
        for (rows, counts), number, show in zip(undisturbed, (1, 2), (first_day, second_day), strict=True):
            show(town)
            assert ingest(dags, town, number, tries=60).state == "success"
            assert different(rows, facts(town)) == {}
            assert totals(town) == counts
        assert faults.unguarded == []
        broken_off = faults.by_task()
        assert broken_off["load_masters[0]"] == broken_off["load_others[0]"] == 6
        assert broken_off["conform_masters[0]"] >= 8 and broken_off["conform_others[0]"] >= 16


def test_killed_while_it_lands_and_killed_while_it_conforms(
    dags: Dags,
    open_town: Open,
    undisturbed: list[tuple[Dump, object]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with open_town("killed") as town, monkeypatch.context() as patched:
        plant(patched, armed=False)
        first_day(town)
        ingest(dags, town, 1)
        second_day(town)
        now = town.at(2, 1)
        with locked(town.dsn, "raw_meter.usage") as somebody_waits:
            kill_when(somebody_waits, "care_ingest", town.folder, now=now)
        with locked(town.dsn, "care.fact_survey") as somebody_waits:
            kill_when(somebody_waits, "care_ingest", town.folder, now=now)
        number_without_gaps(town.firm.connection)
        assert ingest(dags, town, 2).state == "success"
        rows, counts = undisturbed[1]
        assert different(rows, facts(town)) == {}
        assert totals(town) == counts
