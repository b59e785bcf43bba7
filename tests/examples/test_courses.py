"""The pack of course registrations: on a small course with every kind of line, and on a real one where it is at hand."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, timedelta
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

PACK = "courses"
REAL = SHARED / "oulad_lite"
needs_real_data = needs("oulad_lite")
START = date(2013, 2, 1)
DATED = {
    "registrations": Dated("date_registration", {"date_unregistration": ()}, moment=float),
    "submissions": Dated("date_submitted", {}, final=("score",), moment=float),
}
"""Days are counted from the start; assessments, courses and the clicks before the start are known on the first day."""


@pytest.fixture
def course() -> Tables:
    """Two courses of 2013B with one student for each kind of line.

    keen 1, fading 2 (hands in nothing, leaves on day 118), 3 left before the start, 4 does well and leaves one of two
    courses on day 70, 5 came late, 6 came and went between two months, 7 hands in a little late and once carried over.
    """
    in_module = "code_module,code_presentation,"
    work = [
        (1, 0, 20),
        (1, 1, 50),
        (1, 2, 80),
        (1, 3, 110),
        (4, 0, 18),
        (4, 1, 49),
        (4, 2, 80),
        (4, 3, 108),
        (5, 1, 50),
    ]
    work += [(5, 2, 88), (7, 0, 27), (7, 1, 58), (6, 0, 20)]
    return {
        "registrations": table(
            f"{in_module}id_student,date_registration,date_unregistration",
            "AAA,2013B,1,-40,", "AAA,2013B,2,-30,118.0", "AAA,2013B,3,-60,-5.0", "AAA,2013B,4,-20,",
            "BBB,2013B,4,-20,70.0", "AAA,2013B,5,30,", "AAA,2013B,6,40,45.0", "AAA,2013B,7,-1,", "BBB,2013B,1,,",
        ),
        "courses": table(f"{in_module}module_presentation_length", "AAA,2013B,240", "BBB,2013B,240"),
        "assessments": table(
            f"{in_module}id_assessment,assessment_type,date,weight",
            *(f"AAA,2013B,10{at},TMA,{day}.0,25.0" for at, day in enumerate((20, 50, 80, 110))),
            "AAA,2013B,104,CMA,60.0,0.0", "AAA,2013B,105,Exam,,100.0", "BBB,2013B,106,TMA,200.0,100.0",
        ),
        "submissions": table(
            "id_assessment,id_student,date_submitted,is_banked,score",
            *(f"10{at},{student},{day},0,70.0" for student, at, day in work), "102,7,-1,1,80.0", "103,7,111,0,",
        ),
        "pre_course_clicks": table(
            f"{in_module}id_student,pre_course_clicks,pre_course_interaction_rows",
            "AAA,2013B,1,210,30", "AAA,2013B,2,2,1", "AAA,2013B,4,90,9", "BBB,2013B,4,15,3",
        ),
    }  # fmt: skip


def prepared(tables: Tables, folder: Path) -> Path:
    """Write the tables as the university gives them; return the folder that prepare.py made of them."""
    script(PACK, "prepare").prepare(write(folder / "raw", tables), folder / "ready")
    return folder / "ready"


def test_work_is_looked_for_a_week_after_it_fell_due_where_the_student_is_still_there(
    course: Tables, tmp_path: Path
) -> None:
    with (prepared(course, tmp_path) / "due.csv").open(encoding="utf-8") as file:
        rows = [
            (int(row["student"]), (date.fromisoformat(row["looked_on"]) - START).days, row["handed_in"])
            for row in csv.DictReader(file)
        ]
    looked = {
        student: [(day, said) for one, day, said in sorted(rows) if one == student] for student in range(1, 8)
    }
    days = (27, 57, 87, 117)
    assert looked[1] == [(day, "yes") for day in days]
    assert looked[2] == [(day, "no") for day in days], "it left on the day after the last one"
    assert looked[3] == [] and looked[6] == [], "gone before the first was looked for, and in between"
    assert looked[4] == [*((day, "yes") for day in days)], "the other course was left before anything was due"
    assert looked[5] == [(57, "yes"), (87, "no"), (117, "no")], "it came on day 30; eight days late is missed"
    assert looked[7] == [(27, "yes"), (57, "no"), (87, "no"), (117, "yes")], (
        "a week late is in time; carried over is none"
    )


def test_a_course_with_every_kind_of_line(
    course: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = try_pack(
        capsys, PACK, prepared(course, tmp_path), tmp_path / "scores.csv", "2013-03-01", "2013-06-01"
    )
    assert tried.loaded("university.registrations") == {"new": 8, "quarantined": 1}, (
        "one has no day of registration"
    )
    assert tried.loaded("university.withdrawals") == {"new": 4, "filtered": 5}
    assert tried.loaded("university.due") == {"new": 19}
    assert tried.loaded("university.work") == {"new": 14}
    assert tried.loaded("university.clicks") == {"new": 4}
    told = tried.told
    assert (told["lost"], told["warned_ahead"], told["missed"]) == (2, 1, 1), (
        "2 after warnings and 4 out of the blue; 3 and 6 were at risk on no as-of day"
    )
    assert tried.level["2013-05-01", "2"] >= 2 and tried.level["2013-05-01", "1"] == 0
    assert tried.risk["2013-05-01", "2"] > tried.risk["2013-05-01", "7"] > tried.risk["2013-05-01", "1"]
    assert tried.level["2013-06-01", "2"] == 0, "who has left is dormant and no longer warned of"


def known_on(tables: Tables, days: list[date], folder: Path, new_warehouse: Callable[[], str]) -> list[int]:
    """Check that no later line moves a number of these days; return how many customers each knows."""
    cuts = {}
    for day in days:
        cut = {**tables, **{name: how.on(tables[name], (day - START).days) for name, how in DATED.items()}}
        cuts[day] = prepared(cut, folder / f"{day}")
    return no_later_line_moves_a_number(new_warehouse, PACK, prepared(tables, folder / "all"), cuts)


def test_no_later_line_moves_a_number(
    course: Tables, tmp_path: Path, new_warehouse: Callable[[], str]
) -> None:
    """The days on which work comes, is looked for, and comes a day after that."""
    days = [START + timedelta(days=days) for days in (0, 57, 88)]
    assert known_on(course, days, tmp_path, new_warehouse) == [5, 7, 7]


def slice_of(divisor: int) -> Tables:
    """Return the real tables of 2013B, of one student in so many."""
    tables = {
        name: read(REAL / f"{name}.csv.gz")
        for name in ("registrations", "courses", "assessments", "submissions", "pre_course_clicks")
    }
    of_2013b = {row["id_assessment"] for row in tables["assessments"] if row["code_presentation"] == "2013B"}
    return {
        name: [
            row
            for row in rows
            if row.get("code_presentation", "2013B") == "2013B"
            and row.get("id_assessment", next(iter(of_2013b))) in of_2013b
            and int(row.get("id_student", 0)) % divisor == 0
        ]
        for name, rows in tables.items()
    }


@needs_real_data
def test_no_later_line_of_a_real_course_moves_a_number(
    tmp_path: Path, new_warehouse: Callable[[], str]
) -> None:
    assert known_on(slice_of(20), [date(2013, 5, 1)], tmp_path, new_warehouse) > [150]


@needs_real_data
def test_health_ranks_who_withdraws_within_a_month(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    """All of 2013B: the riskiest tenth withdraws more than one and a half times as often as the average."""
    script(PACK, "prepare").prepare(REAL, tmp_path / "ready", ["2013B"])
    tried = try_pack(capsys, PACK, tmp_path / "ready", tmp_path / "scores.csv", "2013-03-01", "2013-06-01")
    record_property("trial", tried.told)
    assert tried.loaded("university.registrations") == {"new": 4676}
    assert tried.loaded("university.withdrawals") == {"new": 1343, "filtered": 3333}
    assert tried.told["judged_days"] == 4
    assert tried.told["base_rate"] == pytest.approx(0.035, abs=0.002)
    assert tried.told["top_decile_lift"] >= 1.5
    assert tried.told["pr_auc"] >= 1.5 * tried.told["base_rate"]
