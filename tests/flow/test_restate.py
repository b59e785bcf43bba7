"""What became known later corrects past nights as a new revision, and moves no warning and no message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from tests.firm import MONDAY, TinyFirm, changed

from carewatch.flow.explain import explain
from carewatch.flow.restate import Restated, restate

MakeFirm = Callable[..., TinyFirm]
FATE = (
    "signal",
    "warning",
    "warning_event",
    "care_case",
    "care_task",
    "notice_decision",
    "outbox",
    "progress",
)


def day(number: int) -> date:
    return MONDAY + timedelta(days=number - 1)


def restated(firm: TinyFirm, first: int, last: int | None = None, *, now: int = 6) -> list[Restated]:
    firm.clock_at(firm.moment(day(now), 9))
    return list(
        restate(
            firm.connection, day(first), None if last is None else day(last),
            sources=firm.sources, calendar=firm.configuration.care.work,
        )
    )  # fmt: skip


def summary(firm: TinyFirm, found: list[Restated]) -> list[tuple[int, int, int]]:
    return [((one.day - MONDAY).days + 1, one.revision, len(one.changed)) for one in found]


@pytest.fixture
def lived(firm: TinyFirm) -> TinyFirm:
    """Return the firm of two customers after five nights; on the third C1 was strained and the second night's mood of C2
    was not known until later."""
    for name in ("C1", "C2"):
        firm.customer(name)
    for number in range(1, 6):
        firm.dial("C1", day(number), quiet=0, strain=float(number == 3), halt=0, mood=90)
        firm.dial("C2", day(number), quiet=0, strain=0, halt=0, **({} if number == 2 else {"mood": 90}))
        firm.night(day(number))
    late = firm.moment(day(1), 12)
    firm.facts.add("survey", "C2", late, score=20, known_from=firm.moment(day(6), 3))
    return firm


@pytest.mark.req("S5")
def test_late_rows_change_the_next_night_and_a_restatement_the_affected_days(lived: TinyFirm) -> None:
    firm = lived
    before = firm.dump(*FATE)
    run = explain(firm.connection, "C2", day(2))
    assert (run.revision, run.colour) == (0, "grey")
    assert summary(firm, restated(firm, 1)) == [(1, 0, 0), (2, 1, 1), (3, 0, 0), (4, 0, 0), (5, 0, 0)]
    assert firm.dump(*FATE) == before, "no warning and no message moved"
    corrected = explain(firm.connection, "C2", day(2))
    assert (corrected.revision, corrected.colour, corrected.score, corrected.equals_stored) == (
        1,
        "red",
        20,
        True,
    )
    as_run = explain(firm.connection, "C2", day(2), revision=0)
    assert as_run == run and as_run.equals_stored, "the night as it was run is still what was stored"
    assert firm.rows(
        "select day, revision, state, notifies from care.night where day = %s order by 2", day(2)
    ) == [
        (day(2), 0, "sealed", True),
        (day(2), 1, "sealed", False),
    ]
    assert firm.rows("select day, revision from care.newest_night order by day") == [
        (day(number), int(number == 2)) for number in range(1, 6)
    ]


@pytest.mark.req("S5")
def test_restating_again_changes_nothing_and_a_later_correction_is_the_next_revision(lived: TinyFirm) -> None:
    firm = lived
    restated(firm, 1, 3)
    everything = firm.dump()
    assert summary(firm, restated(firm, 1, 3)) == [(1, 0, 0), (2, 1, 0), (3, 0, 0)]
    assert firm.dump() == everything
    firm.facts.add("survey", "C1", firm.moment(day(1), 13), score=95, known_from=firm.moment(day(7), 3))
    assert summary(firm, restated(firm, 2, 2, now=8)) == [(2, 2, 1)]
    assert explain(firm.connection, "C1", day(2)).score == 95
    for revision in (0, 1, 2):
        assert explain(firm.connection, "C1", day(2), revision).equals_stored


def test_a_later_night_folds_the_nights_as_they_were_run(make_firm: MakeFirm) -> None:
    """Three strained nights open a signal; a restatement that takes one of them away does not take the count away."""
    slow = changed("warnings/dials.yaml", ("when: strain >= 1", "when: strain >= 1\n    holds_for: 3"))
    firm = make_firm(slow)
    firm.customer("C1")
    for number in (1, 2):
        firm.dial("C1", day(number), quiet=0, strain=1, halt=0, mood=90)
        firm.night(day(number))
    firm.rows(
        "update care.fact_usage_day set known_to = %s where event_day < %s returning 1",
        firm.moment(day(2), 5), day(1),
    )  # fmt: skip
    assert summary(firm, restated(firm, 1, now=2)) == [(1, 1, 1), (2, 0, 0)]
    assert explain(firm.connection, "C1", day(1)).rules[1]["state"] == "unknown"
    firm.dial("C1", day(3), quiet=0, strain=1, halt=0, mood=90)
    firm.night(day(3))
    assert firm.rows("select rule, state, true_nights from care.signal") == [("strain", "open", 3)]
    assert firm.tick(firm.moment(day(3), 12)).moves == 0


def test_the_people_of_an_old_night_do_not_come_back_with_its_restatement(
    make_firm: MakeFirm, lived: TinyFirm
) -> None:
    firm = lived
    firm.configuration = make_firm(changed("people.yaml", ("name: Ann", "name: Anna"))).configuration
    firm.calm(day(6))
    firm.night(day(6))
    restated(firm, 1, 3, now=7)
    firm.tick(firm.moment(day(7), 12))
    assert firm.rows("select name from care.person where person_id = 'ann'") == [("Anna",)]


def test_the_rerun_of_a_restated_night_is_the_night_as_it_was_run(lived: TinyFirm) -> None:
    restated(lived, 2, 2)
    everything = lived.dump()
    lived.night(day(2))
    assert {name for name, rows in lived.dump().items() if rows != everything[name]} <= {"pinned_clock"}
