"""The packs for small firms: weekly nights from CSV files alone, and from nothing but a sheet of typed indicators."""

from __future__ import annotations

import csv
import importlib.util
import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

import pytest

from carewatch.cli import main
from carewatch.store.database import Connection, connect

ROOT = Path(__file__).resolve().parents[2]
LAST = date(2026, 6, 29)
WEEK = timedelta(days=7)


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_files", ROOT / "examples" / "small_firm" / "make_files.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def warehouse(migrated: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    monkeypatch.setenv("CARE_DB", migrated)
    with connect(migrated, autocommit=True) as connection:
        yield connection


def week_of(text: str) -> date:
    return date.fromisocalendar(int(text[:4]), int(text[6:]), 1)


@pytest.fixture
def live(
    warehouse: Connection, maker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, tuple[str, ...]], list[dict[str, int]]]:
    """Return a function: live the last three Mondays of a pack from some of the files; the counts of each load."""

    def run(pack: str, files: tuple[str, ...]) -> list[dict[str, int]]:
        every, folder, config = tmp_path / "all", tmp_path / "每周 数据", str(ROOT / "examples" / pack)
        maker.write(every, LAST)
        folder.mkdir()
        loads = []
        for monday in (LAST - 2 * WEEK, LAST - WEEK, LAST):
            for name in files:
                _cut(every / name, folder / name, monday)
            now = datetime(monday.year, monday.month, monday.day, 2, tzinfo=ZoneInfo("Asia/Shanghai"))
            warehouse.execute("delete from care.pinned_clock")
            warehouse.execute("insert into care.pinned_clock (at) values (%s)", (now,))
            capsys.readouterr()
            assert main(["load", "--config", config, "--data", str(folder), "--json"]) == 0
            told = json.loads(capsys.readouterr().out)
            loads.append({origin: counts["new"] for origin, counts in told.items()})
            assert all(counts["quarantined"] == 0 for counts in told.values())
            assert main(["run", "--config", config, "--day", monday.isoformat()]) == 0
        return loads

    return run


def _cut(source: Path, target: Path, monday: date) -> None:
    """Copy a file as it was on a Monday: what is dated later does not stand in it yet."""
    with source.open(encoding="gb18030", newline="") as file:
        head, *rows = list(csv.reader(file))
    if "周" in head:
        rows = [row for row in rows if week_of(row[head.index("周")]) < monday]
    if "下单日期" in head:
        rows = [
            row for row in rows if datetime.strptime(row[head.index("下单日期")], "%Y/%m/%d").date() < monday
        ]
    with target.open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def falls(values: list[float]) -> int:
    """Return how many of the newest values in a row are below the one before."""
    count = 0
    while count + 1 < len(values) and values[-1 - count] < values[-2 - count]:
        count += 1
    return count


def evidence(warehouse: Connection, rule: str, metric: str) -> dict[str, float]:
    return dict(
        warehouse.execute(
            "select c.customer_id, (s.evidence ->> %s)::float8 from care.signal s join care.customer c using (customer_no) "
            "where s.rule = %s and s.state = 'open'",
            (metric, rule),
        ).fetchall()
    )


def warned(warehouse: Connection) -> list[str]:
    rows = warehouse.execute(
        "select c.customer_id from care.warning w join care.customer c using (customer_no) where w.closed_at is null order by 1"
    ).fetchall()
    return [row[0] for row in rows]


@pytest.mark.req("S12")
def test_a_firm_lives_on_a_folder_of_csv_files_with_a_night_a_week(
    live: Callable[..., list[dict[str, int]]], warehouse: Connection, maker: ModuleType
) -> None:
    """Each Monday's load brings one week, no night counts as missing, and exactly those who fade or stop are warned of."""
    loads = live("small_firm", ("customers.csv", "orders.csv", "indicators.csv"))
    weekly = {
        "sheets.customers": 0,
        "sheets.orders": maker.CUSTOMERS - 1,
        "sheets.indicators": 3 * maker.CUSTOMERS,
    }
    assert loads[1:] == [weekly, weekly] and loads[0]["sheets.customers"] == maker.CUSTOMERS
    assert warehouse.execute("select count(*) from care.night where state = 'sealed'").fetchone() == (3,)
    expected = sorted(f"K{number:02}" for number in (*maker.FADING, maker.STOPPED))
    assert warned(warehouse) == expected
    last = maker.WEEKS
    for number in maker.FADING:
        # What opened on the first of the three nights, when two weeks were still to come.
        sold = [maker.purchases(number, week) for week in range(last - 2)]
        assert falls(sold) >= 3 and evidence(warehouse, "sales_fall", "sales_falling")[
            f"K{number:02}"
        ] == falls(sold)
    assert set(evidence(warehouse, "no_order_for_five_weeks", "days_since_order")) == {f"K{maker.STOPPED:02}"}
    assert warehouse.execute("select count(*) > 0 from care.outbox where kind = 'digest'").fetchone() == (
        True,
    )


@pytest.mark.req("S168", "S12")
def test_a_sheet_of_customer_week_indicator_value_is_enough(
    live: Callable[..., list[dict[str, int]]], warehouse: Connection, maker: ModuleType
) -> None:
    """Any indicator that falls three weeks in a row is flagged, whatever it is called."""
    loads = live("typed_indicators", ("indicators.csv",))
    assert loads[1:] == [{"sheet.values": 3 * maker.CUSTOMERS}] * 2
    assert warned(warehouse) == sorted(f"K{number:02}" for number in (*maker.FADING, maker.STOPPED))
    flagged = evidence(warehouse, "falls_in_a_row", "any_indicator_falling")
    for number in maker.FADING:
        weeks = range(maker.WEEKS - 2)
        series = (
            [maker.purchases(number, week) for week in weeks],
            [maker.satisfaction(number, week) for week in weeks],
            [float((week + number) % 3) for week in weeks],
        )
        assert flagged[f"K{number:02}"] == max(map(falls, series)) >= 3
    assert set(flagged) <= {f"K{number:02}" for number in (*maker.FADING, maker.STOPPED)}
    night = warehouse.execute(
        "select h.colour, count(*) from care.health_night h where day = %s group by 1 order by 1", (LAST,)
    ).fetchall()
    assert sum(count for _, count in night) == maker.CUSTOMERS and dict(night)[3] >= maker.CUSTOMERS - 6


@pytest.mark.req("S12")
def test_loading_without_a_change_brings_nothing(
    warehouse: Connection, maker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    maker.write(tmp_path, LAST)
    arguments = ["load", "--config", str(ROOT / "examples" / "typed_indicators"), "--data", str(tmp_path)]
    assert main(arguments) == 0 and main(arguments) == 0
    assert capsys.readouterr().out.splitlines() == [
        "sheet.values: 2,160 landed, 2,160 new",
        "sheet.values: nothing new",
    ]


def test_a_source_that_is_no_folder_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["load", "--config", str(ROOT / "config")]) == 2
    assert (
        capsys.readouterr().err
        == "`care load` reads files; sales, tickets needs Airflow's connections: run care_ingest\n"
    )
    assert (
        main(["load", "--config", str(ROOT / "examples" / "small_firm"), "--data", str(tmp_path / "no")]) == 2
    )
