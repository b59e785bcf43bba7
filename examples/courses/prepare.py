"""Write the files that sources.yaml of this pack reads, from the Open University's tables.

    python examples/courses/prepare.py OULAD_FOLDER FOLDER [--presentation 2013B ...]

The tables count days from the start of a presentation and name the presentation of a hand-in only through the
assessment. This is the view that a data engineer would put on the source: days become dates (2013B starts on 1 February
2013, 2013J on 1 October; the true days are not published) and rows get their student. A row is written only from what
stands in the tables on its own date, so that a day never sees later ones:

- registrations.csv: student and presentation, day of registration, last day of the course, day of withdrawal;
- due.csv: a piece of work, a week after it fell due, and whether it was handed in by then; only of who is still there
  (in several modules a third of all work comes within that week, so the day itself would tell nothing);
- work.csv: a piece of work that was handed in, on time or late; carried over ones (is_banked) are none;
- clicks.csv: what the student looked at before the start, known on the first day.

Scores are left out: they are known only some time after the hand-in, and the tables do not say when.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

_COURSE = ["code_module", "code_presentation"]
_STARTS = {"B": "02-01", "J": "10-01"}
_GRACE = 7


def _read(folder: Path, name: str, presentations: Sequence[str]) -> pd.DataFrame:
    table = pd.read_csv(folder / f"{name}.csv.gz")
    if presentations and "code_presentation" in table:
        table = table[table["code_presentation"].isin(presentations)]
    return table


def _day(table: pd.DataFrame, count: pd.Series) -> pd.Series:
    """Return the date of a day that is counted from the start of the row's presentation."""
    year, letter = table["code_presentation"].str[:4], table["code_presentation"].str[4]
    start = pd.to_datetime(year + "-" + letter.map(_STARTS))
    return start + pd.to_timedelta(count, unit="D")


def prepare(source: Path, target: Path, presentations: Sequence[str] = ()) -> None:
    """Write the pack's files of some presentations (all unless named)."""
    target.mkdir(parents=True, exist_ok=True)
    registered = _registrations(source, presentations)
    _write(
        registered.drop(columns="id_student").assign(student=registered["id_student"]),
        target,
        "registrations",
    )
    assessments = _read(source, "assessments", presentations)
    work = pd.read_csv(source / "submissions.csv.gz").merge(assessments, on="id_assessment")
    work = work[work["is_banked"] == 0]
    work["handed_in_on"] = _day(work, work["date_submitted"])
    _write(
        pd.DataFrame({"student": work["id_student"], "assessment": work["id_assessment"], "handed_in_on": work["handed_in_on"]}),
        target, "work",
    )  # fmt: skip
    _write(_due(registered, assessments, work), target, "due")
    clicks = _read(source, "pre_course_clicks", presentations)
    clicks["started_on"] = _day(clicks, pd.Series(0, index=clicks.index))
    clicks["course"] = clicks["code_module"] + " " + clicks["code_presentation"]
    clicks = clicks.rename(columns={"id_student": "student", "pre_course_clicks": "clicks"})
    _write(clicks[["course", "student", "started_on", "clicks"]], target, "clicks")


def _registrations(source: Path, presentations: Sequence[str]) -> pd.DataFrame:
    table = _read(source, "registrations", presentations).merge(
        _read(source, "courses", presentations), on=_COURSE
    )
    return pd.DataFrame(
        {
            "id_student": table["id_student"],
            "course": table["code_module"] + " " + table["code_presentation"],
            "registered_on": _day(table, table["date_registration"]),
            "ends_on": _day(table, table["module_presentation_length"]),
            "withdrawn_on": _day(table, table["date_unregistration"]),
        }
    )


def _due(registered: pd.DataFrame, assessments: pd.DataFrame, work: pd.DataFrame) -> pd.DataFrame:
    """Return what was seen a week after work fell due, of students who were registered then; exams aside."""
    asked = assessments[(assessments["assessment_type"] != "Exam") & (assessments["weight"] > 0)].copy()
    asked["looked_on"] = _day(asked, asked["date"] + _GRACE)
    asked["course"] = asked["code_module"] + " " + asked["code_presentation"]
    due = registered.merge(asked[["course", "id_assessment", "looked_on"]].dropna(), on="course")
    there = (due["registered_on"] <= due["looked_on"]) & ~(due["withdrawn_on"] <= due["looked_on"])
    due = due[there].merge(
        work[["id_student", "id_assessment", "handed_in_on"]], on=["id_student", "id_assessment"], how="left"
    )
    handed_in = (due["handed_in_on"] <= due["looked_on"]).map({True: "yes", False: "no"})
    return pd.DataFrame(
        {
            "student": due["id_student"],
            "assessment": due["id_assessment"],
            "looked_on": due["looked_on"],
            "handed_in": handed_in,
        }
    )


def _write(table: pd.DataFrame, target: Path, name: str) -> None:
    table.to_csv(target / f"{name}.csv", index=False, date_format="%Y-%m-%d")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument(
        "--presentation", action="append", default=[], metavar="2013B", help="only these; repeatable"
    )
    given = parser.parse_args()
    prepare(given.source, given.target, given.presentation)


if __name__ == "__main__":
    main()
