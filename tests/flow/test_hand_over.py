"""Nobody's customer: there is none, whoever leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.firm import MONDAY, TinyFirm, changed

TUESDAY = MONDAY + timedelta(days=1)
MakeFirm = Callable[..., TinyFirm]
ORPHANS = """
    select 'warning', warning_no from care.warning join care.person p on p.person_id = owner_id
    where closed_at is null and not p.active
    union all
    select 'task', task_no from care.care_task t join care.person p on p.person_id = t.owner_id
    where t.state = 'open' and not p.active
"""
ANN = "  ann: {name: Ann, roles: [account_manager], manager: bob"
BOB = "  bob: {name: Bob, roles: [sales_manager], manager: eve"


def leave(make_firm: MakeFirm, firm: TinyFirm, *lines: str) -> None:
    """Let people become inactive, each named by the beginning of the line that people.yaml has for them."""
    files = changed("people.yaml", *((line, line + ", active: false") for line in lines))
    firm.configuration = make_firm(files).configuration


@pytest.fixture
def warned(firm: TinyFirm) -> TinyFirm:
    """Return a firm with a level-2 warning of Ann's, a level-1 warning of Ann's and one of Lin's."""
    for name, owner, halt in (("C1", "ann", 1), ("C2", "ann", 0), ("C3", "lin", 0)):
        firm.customer(name, owner=owner)
        firm.dial(name, MONDAY, quiet=1, strain=0, halt=halt, mood=90)
    firm.night(MONDAY)
    return firm


@pytest.mark.req("S93", "S104")
def test_who_leaves_is_followed_by_the_person_above_in_warnings_and_tasks(
    make_firm: MakeFirm, warned: TinyFirm
) -> None:
    leave(make_firm, warned, ANN)
    done = warned.tick(warned.moment(MONDAY, 10))
    assert done.handed_over == 2
    assert warned.rows(ORPHANS) == []
    assert warned.rows("select warning_no, owner_id from care.warning order by 1") == [
        (1, "bob"),
        (2, "bob"),
        (3, "lin"),
    ]
    assert warned.rows("select distinct owner_id from care.care_task where state = 'open' order by 1") == [
        ("bob",),
        ("lin",),
    ]
    flagged = warned.rows(
        "select warning_no, day, by from care.warning_event where what = 'handed_over' order by 1"
    )
    assert flagged == [(1, MONDAY, "carewatch"), (2, MONDAY, "carewatch")]


def test_the_heir_is_told_with_reasons_and_tasks(make_firm: MakeFirm, warned: TinyFirm) -> None:
    leave(make_firm, warned, ANN)
    warned.tick(warned.moment(TUESDAY, 10))
    [(text,)] = warned.rows(
        "select message->>'text' from care.outbox where key = 'digest/bob/mail/2026-06-02'"
    )
    assert "1. Firm C1 (C1) - handed over to Bob, level 2, tier B\n   health 90, green," in text
    assert "   - halt is 1\n   - quiet is 1\n" in text
    assert "   > Call and learn the problem - Bob, by 2026-06-01 14:00\n" in text
    assert "2. Firm C2 (C2) - handed over to Bob, level 1, tier B\n" in text


def test_a_hand_over_by_day_is_told_even_when_the_last_night_was_one_of_the_past(
    make_firm: MakeFirm, firm: TinyFirm
) -> None:
    firm.customer("C1")
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY, backfill=True)
    leave(make_firm, firm, ANN)
    firm.tick(firm.moment(MONDAY, 10))
    assert firm.rows("select receiver, send from care.notice_decision order by transition") == [
        ("ann", False),
        ("bob", True),
    ]


def test_the_day_of_a_hand_over_is_the_firms(make_firm: MakeFirm, warned: TinyFirm) -> None:
    leave(make_firm, warned, ANN)
    warned.tick(warned.moment(TUESDAY, 1))
    assert {
        row[0] for row in warned.rows("select day from care.warning_event where what = 'handed_over'")
    } == {TUESDAY}


def test_a_chain_of_people_who_left_ends_at_somebody_active(make_firm: MakeFirm, warned: TinyFirm) -> None:
    leave(make_firm, warned, ANN, BOB)
    warned.tick(warned.moment(MONDAY, 10))
    assert warned.rows(ORPHANS) == []
    assert {row[0] for row in warned.rows("select owner_id from care.warning where warning_no < 3")} == {
        "eve"
    }


def test_somebody_who_is_no_longer_named_is_followed_by_the_manager_they_had(
    make_firm: MakeFirm, warned: TinyFirm
) -> None:
    line = next(line for line in changed("people.yaml")["people.yaml"].splitlines() if "ann:" in line)
    warned.configuration = make_firm(changed("people.yaml", (line + "\n", ""))).configuration
    warned.tick(warned.moment(MONDAY, 10))
    assert warned.rows(ORPHANS) == []
    assert warned.rows("select active from care.person where person_id = 'ann'") == [(False,)]
    assert {row[0] for row in warned.rows("select owner_id from care.warning where warning_no < 3")} == {
        "bob"
    }


def test_a_new_warning_never_goes_to_somebody_who_left(make_firm: MakeFirm, firm: TinyFirm) -> None:
    leave(make_firm, firm, ANN)
    for name, owner in (("C1", "ann"), ("C2", "stranger"), ("C3", None)):
        firm.customer(name, owner=owner)
        firm.dial(name, MONDAY, quiet=0, strain=0, halt=1, mood=90)
    firm.night(MONDAY)
    assert firm.rows(ORPHANS) == []
    assert firm.rows("select owner_id from care.warning order by warning_no") == [
        ("bob",),
        ("eve",),
        ("eve",),
    ]


def test_handing_over_again_changes_nothing_and_who_comes_back_takes_nothing_back(
    make_firm: MakeFirm, warned: TinyFirm
) -> None:
    before = warned.configuration
    leave(make_firm, warned, ANN)
    at = warned.moment(MONDAY, 10)
    warned.tick(at)
    everything = warned.dump()
    assert warned.tick(at).handed_over == 0
    assert warned.dump() == everything
    warned.configuration = before
    warned.tick(at)
    assert warned.rows("select owner_id from care.warning order by warning_no") == [
        ("bob",),
        ("bob",),
        ("lin",),
    ]


@pytest.mark.req("D21")
def test_the_task_of_an_old_night_run_again_brings_nobody_back(make_firm: MakeFirm, warned: TinyFirm) -> None:
    old = warned.configuration
    leave(make_firm, warned, ANN)
    warned.dial("C1", TUESDAY, quiet=1, strain=1, halt=1, mood=90)
    warned.night(TUESDAY)
    everything = warned.dump()
    warned.configuration = old
    warned.night(MONDAY, now=warned.moment(TUESDAY))
    assert warned.dump() == everything
    assert warned.rows(ORPHANS) == []
