"""The pack of tickets: on a small log with every kind of line, and on the real one where it is at hand."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from tests.examples.pack import (
    SHARED,
    Dated,
    Tables,
    needs,
    no_later_line_moves_a_number,
    read,
    script,
    table,
    try_pack,
    write,
)

PACK = "incident_log"
REAL = SHARED / "uci_incident_log"
needs_real_data = needs("uci_incident_log")
FINAL = (
    "made_sla", "reopen_count", "reassignment_count", "priority", "impact", "urgency", "resolved_at", "closed_at",
    "last_state", "events",
)  # fmt: skip
INCIDENT = (
    "number,caller_id,opened_at,resolved_at,closed_at,contact_type,location,category,subcategory,impact,urgency,priority,"
    "made_sla,reassignment_count,reopen_count,events,last_state"
)
LINE = "number,sys_updated_at,incident_state,active,made_sla,reassignment_count,reopen_count,priority,assignment_group"
DATED = {"incidents": Dated("opened_at", {}, final=FINAL), "incident_events": Dated("sys_updated_at", {})}


@pytest.fixture
def log() -> Tables:
    """Caller 7 is served badly (moved, solved, reopened, broken promises), 8 well; one ticket has no caller."""
    rest = "Phone,1,2,3"
    lines = [
        "01,2016-03-01 09:10,New,true,true,0,0,3,10", "01,2016-03-02 09:00,Active,true,true,1,0,3,11",
        "01,2016-03-02 09:00,Active,true,true,2,0,3,12", "01,2016-03-05 09:00,Resolved,true,true,2,0,2,12",
        "01,2016-03-06 09:00,Active,true,true,2,1,2,12", "01,2016-03-08 09:00,Resolved,true,true,2,1,2,12",
        "01,2016-03-13 09:00,Closed,false,false,2,1,2,12",
        "02,2016-03-01 10:00,Resolved,true,true,0,0,4,10", "02,2016-03-06 10:00,Closed,false,true,0,0,4,10",
        "03,2016-03-10 08:30,New,true,false,0,0,1,10", "03,2016-03-30 08:00,Closed,false,false,0,0,1,10",
        "04,2016-03-11 09:00,New,true,true,0,0,3,10",
        "05,2016-03-15 00:05,Active,true,true,0,0,3,10", "05,2016-04-20 09:00,Closed,false,false,0,0,3,10",
    ]  # fmt: skip
    return {
        "incidents": table(
            INCIDENT,
            f"01,7,2016-03-01 09:00,2016-03-08 09:00,2016-03-13 09:00,{rest},2,2,2,false,2,1,7,Closed",
            f"02,8,2016-03-01 09:30,2016-03-01 10:00,2016-03-06 10:00,{rest},2,2,4,true,0,0,2,Closed",
            f"03,7,2016-03-10 08:00,,2016-03-30 08:00,{rest},1,1,1,false,0,0,2,Closed",
            f"04,,2016-03-11 08:00,,,{rest},2,2,3,true,0,0,1,New",
            f"05,7,2016-03-14 23:55,,2016-04-20 09:00,{rest},2,2,3,false,0,0,2,Closed",
        ),
        "incident_events": table(LINE, *lines),
    }


def prepared(tables: Tables, folder: Path) -> Path:
    """Write the tables as the desk gives them; return the folder that prepare.py made of them."""
    script(PACK, "prepare").prepare(write(folder / "raw", tables), folder / "ready")
    return folder / "ready"


def test_what_changed_from_line_to_line_is_what_happened(log: Tables, tmp_path: Path) -> None:
    ready = prepared(log, tmp_path)
    with (ready / "ticket_events.csv").open(encoding="utf-8") as file:
        found = [
            (row["number"], row["what"], row["happened_at"][5:10], row["count"])
            for row in csv.DictReader(file)
        ]
    assert sorted(found) == sorted([
        ("01", "reassigned", "03-02", "1"), ("01", "reassigned", "03-02", "2"), ("01", "resolved", "03-05", "1"),
        ("01", "reopened", "03-06", "1"), ("01", "resolved", "03-08", "2"), ("01", "closed", "03-13", "1"),
        ("01", "breached", "03-13", "1"), ("02", "resolved", "03-01", "1"), ("02", "closed", "03-06", "1"),
        ("03", "breached", "03-10", "1"), ("03", "closed", "03-30", "1"), ("05", "breached", "04-20", "1"),
        ("05", "closed", "04-20", "1"),
    ])  # fmt: skip
    with (ready / "tickets.csv").open(encoding="utf-8") as file:
        priorities = {row["number"]: row["priority"] for row in csv.DictReader(file)}
    assert priorities == {"01": "normal", "02": "low", "03": "urgent", "04": "normal", "05": "normal"}, (
        "as in the first line: 01 became high only later"
    )


def test_a_log_with_every_kind_of_line(
    log: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready = prepared(log, tmp_path)
    tried = try_pack(capsys, PACK, ready, tmp_path / "scores.csv", "2016-03-07", "2016-04-18", "week")
    assert tried.loaded("desk.tickets") == {"new": 4, "quarantined": 1}, "one has no caller"
    assert tried.loaded("desk.ticket_events") == {"new": 13}
    told = tried.told
    assert told["lost"] == told["warned_ahead"] == 2, (
        "each missed SLA of 7 in these days came after a warning"
    )
    assert tried.level["2016-03-14", "7"] > 0 and tried.level["2016-03-14", "8"] == 0
    assert tried.risk["2016-03-14", "7"] > tried.risk["2016-03-14", "8"]


def known_on(tables: Tables, days: list[str], folder: Path, new_warehouse: Callable[[], str]) -> list[int]:
    """Check that no later line moves a number of these days; return how many customers each knows."""
    cuts = {}
    for day in days:
        cut = {name: how.on(tables[name], day) for name, how in DATED.items()}
        cuts[date.fromisoformat(day)] = prepared(cut, folder / day)
    return no_later_line_moves_a_number(new_warehouse, PACK, prepared(tables, folder / "all"), cuts)


def test_no_later_line_moves_a_number(log: Tables, tmp_path: Path, new_warehouse: Callable[[], str]) -> None:
    """The days on which a ticket comes back, is closed with its SLA missed, and is first spoken of after midnight."""
    days = ["2016-03-06", "2016-03-13", "2016-03-15"]
    assert known_on(log, days, tmp_path, new_warehouse) == [2, 2, 2]


def slice_of(divisor: int) -> Tables:
    """Return the real tables, of one caller in so many."""
    tables = {name: read(REAL / f"{name}.csv.gz") for name in DATED}
    callers = {row["number"]: row["caller_id"] for row in tables["incidents"]}
    return {
        name: [row for row in rows if callers[row["number"]] and int(callers[row["number"]]) % divisor == 0]
        for name, rows in tables.items()
    }


@needs_real_data
def test_no_later_line_of_the_real_log_moves_a_number(
    tmp_path: Path, new_warehouse: Callable[[], str]
) -> None:
    assert known_on(slice_of(20), ["2016-04-15"], tmp_path, new_warehouse) > [150]


@needs_real_data
def test_health_ranks_whose_next_promise_is_broken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    """One caller in three: the riskiest tenth has at least twice as many missed SLAs in 14 days as the average."""
    ready = prepared(slice_of(3), tmp_path)
    tried = try_pack(capsys, PACK, ready, tmp_path / "scores.csv", "2016-04-08", "2016-04-29", "week")
    record_property("trial", tried.told)
    assert set(tried.loaded("desk.tickets")) == set(tried.loaded("desk.ticket_events")) == {"new"}
    assert tried.told["judged_days"] == 4
    assert 0.15 < tried.told["base_rate"] < 0.25
    assert tried.told["top_decile_lift"] >= 2
