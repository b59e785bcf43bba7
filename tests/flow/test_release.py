"""A held night asks: engineers once, account owners never; a person releases the newest one, or a normal night takes over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from tests.firm import FILES, MONDAY, TinyFirm

from carewatch.flow.release import NotReleasable, question, reject, release
from carewatch.store import holds, nights

NAMES = tuple(f"C{number}" for number in range(1, 11))
MakeFirm = Callable[..., TinyFirm]
HOLDING = FILES["levels.yaml"].replace("hold_if_more_than: 100", "hold_if_more_than: 30")


def day(number: int) -> date:
    return MONDAY + timedelta(days=number - 1)


def night(firm: TinyFirm, number: int, odd: int = 0) -> Any:
    """Run a night on which so many customers are halted and strained, the others calm."""
    for name in NAMES[:odd]:
        firm.dial(name, day(number), quiet=0, strain=1, halt=1, mood=90)
    firm.calm(day(number), *NAMES[odd:])
    return firm.night(day(number))


def released(firm: TinyFirm, number: int, hour: float = 9) -> Any:
    now = firm.moment(day(number), hour)
    firm.clock_at(now)
    return release(firm.connection, day(number), by="zoe", why="the biggest customer's sister firms", now=now)


def warned(firm: TinyFirm) -> list[tuple[int, int]]:
    return firm.rows("select level, count(*) from care.warning group by 1 order by 1")


def told(firm: TinyFirm) -> list[tuple[str, str]]:
    return firm.rows("select receiver, kind from care.outbox order by created_at, key")


@pytest.fixture
def held(make_firm: MakeFirm) -> TinyFirm:
    """Return the firm after three calm nights and a held one on which eight of ten would rise."""
    firm = make_firm({"levels.yaml": HOLDING})
    for name in NAMES:
        firm.customer(name)
    for number in (1, 2, 3):
        night(firm, number)
    assert night(firm, 4, odd=8).held == ("2026-06-04",)
    return firm


@pytest.mark.req("D9")
def test_a_held_night_tells_the_engineers_once_and_nobody_else(held: TinyFirm) -> None:
    [(key, address, subject, text)] = held.rows(
        "select key, message ->> 'to', message ->> 'subject', message ->> 'text' from care.outbox"
    )
    assert (key, address) == ("hold/engineers/mail/night:2026-06-04", "data-engineering@huaxing.example")
    assert subject == "The night of 2026-06-04 is held: 8 of 10 customers would rise at once"
    assert "level 2: 8" in text and "- halt: 8 customers" in text and "care night release 2026-06-04" in text
    assert held.rows("select send, receiver from care.notice_decision") == [(True, "engineers")]
    night(held, 4, odd=8)
    held.tick(held.moment(day(4), 12))
    assert len(told(held)) == 1, "a rerun and a tick repeat nothing"


@pytest.mark.req("D9")
def test_a_release_applies_the_night_and_says_who_did(held: TinyFirm) -> None:
    done = released(held, 4)
    assert (done.moves, warned(held)) == (8, [(2, 8)])
    assert done.tasks > 0 and done.messages > 0
    assert held.rows("select state from care.night where day = %s", day(4)) == [("sealed",)]
    assert held.rows(
        "select by, what, subject, detail ->> 'why' from care.audit where what like 'night%%'"
    ) == [("zoe", "night_released", "night:2026-06-04", "the biggest customer's sister firms")]
    assert ("ann", "digest") in told(held), "now the owner hears"


@pytest.mark.req("D9")
def test_a_true_mass_event_is_held_once_and_not_for_ever(held: TinyFirm) -> None:
    """After the release what was raised stands; only what rises anew counts against the limit."""
    released(held, 4)
    assert night(held, 5, odd=10).held == (), "two more of ten rise"
    assert warned(held) == [(2, 10)]
    assert night(held, 6, odd=10).held == ()


@pytest.mark.req("D9")
def test_without_an_answer_every_night_is_held_again_and_each_tells_once(held: TinyFirm) -> None:
    assert night(held, 5, odd=8).held == ("2026-06-05",)
    assert [kind for _, kind in told(held)] == ["hold", "hold"]
    with pytest.raises(
        NotReleasable, match="the night of 2026-06-04 was superseded by the night of 2026-06-05"
    ):
        released(held, 4)
    assert released(held, 5).moves == 8


@pytest.mark.req("D9")
def test_a_normal_night_supersedes_a_held_one(held: TinyFirm) -> None:
    assert question(held.connection) is not None
    night(held, 5)
    assert question(held.connection) is None
    before = held.dump()
    with pytest.raises(NotReleasable, match="superseded by the night of 2026-06-05"):
        released(held, 4)
    assert {name for name, rows in held.dump().items() if rows != before[name]} <= {"pinned_clock"}


def test_what_is_not_held_cannot_be_released_and_what_was_released_not_twice(held: TinyFirm) -> None:
    with pytest.raises(NotReleasable, match="the night of 2026-06-03 is not held, it is sealed"):
        released(held, 3)
    released(held, 4)
    before = held.dump()
    with pytest.raises(NotReleasable, match="the night of 2026-06-04 is not held, it is sealed"):
        released(held, 4, hour=10)
    assert {name for name, rows in held.dump().items() if rows != before[name]} <= {"pinned_clock"}


def test_a_rejected_night_stays_held_and_may_still_be_released(held: TinyFirm) -> None:
    reject(held.connection, day(4), by="zoe", why="the feed", now=held.moment(day(4), 9))
    assert held.rows("select by, what from care.audit where what like 'night%%'") == [
        ("zoe", "night_rejected")
    ]
    assert warned(held) == []
    assert released(held, 4, hour=11).moves == 8


def test_the_question_says_what_would_happen(held: TinyFirm) -> None:
    asked = question(held.connection)
    assert asked is not None
    assert asked["day"] == "2026-06-04"
    assert asked["subject"] == "Release the night of 2026-06-04? 8 of 10 customers would rise at once"
    assert (
        "- 2: 8" in asked["body"] and "- halt: 8" in asked["body"] and "- none: every feed" in asked["body"]
    )


@pytest.mark.req("D9")
def test_the_question_names_what_weighs_most_first_in_peoples_words(make_firm: MakeFirm) -> None:
    rules = FILES["warnings/dials.yaml"].replace(
        "label: strain", "label: {en: Lines under strain, zh-CN: 产线吃紧}"
    )
    firm = make_firm({"levels.yaml": HOLDING, "warnings/dials.yaml": rules})
    for name in NAMES:
        firm.customer(name)
    for number in (1, 2, 3):
        night(firm, number)
    night(firm, 4, odd=8)
    counts = ('{"1": 2, "3": 6}', '{"halt": 3, "strain": 8, "health_yellow": 5}')
    firm.connection.execute("update care.hold set levels = %s, rules = %s", counts)
    asked = question(firm.connection)
    assert asked is not None
    counted = [line for line in asked["body"].splitlines() if line.startswith("- ")]
    assert counted[:5] == [
        "- 3: 6",
        "- 1: 2",
        "- Lines under strain: 8",
        "- Health below green: 5",
        "- halt: 3",
    ]
    [newest, *_] = holds.listing(firm.connection, 1)
    assert newest.hold is not None and list(newest.hold.levels) == ["3", "1"]


def test_the_listing_shows_what_was_held(held: TinyFirm) -> None:
    [newest, before, *_] = holds.listing(held.connection, 14)
    assert (newest.day, newest.state, newest.hold) == (
        day(4),
        "held",
        holds.Hold(10, 8, {"2": 8}, {"halt": 8, "strain": 8}),
    )
    assert (before.day, before.state, before.hold) == (day(3), "sealed", None)


def test_a_held_night_of_the_past_tells_nobody(make_firm: MakeFirm) -> None:
    firm = make_firm({"levels.yaml": HOLDING})
    for name in NAMES:
        firm.customer(name)
    for number, odd in ((1, 0), (2, 0), (3, 0), (4, 8)):
        for name in NAMES[:odd]:
            firm.dial(name, day(number), quiet=0, strain=1, halt=1, mood=90)
        firm.calm(day(number), *NAMES[odd:])
        firm.night(day(number), now=firm.moment(day(20)))
    assert nights.night_of(firm.connection, day(4)).state == "held"
    assert told(firm) == []
    assert firm.rows("select send, reason from care.notice_decision") == [
        (False, "the night lies in the past: nobody is told")
    ]


def test_without_engineers_the_reason_is_stored(make_firm: MakeFirm) -> None:
    notices = (
        "version: 1\nchannels: {mail: {connection: care_mail, label: Mail}, chat: {connection: care_chat, label: Chat}}\n"
        "tell: {1: [owner], 2: [owner], 3: [owner]}\n"
    )
    firm = make_firm({"levels.yaml": HOLDING, "notices.yaml": notices})
    for name in NAMES:
        firm.customer(name)
    for number, odd in ((1, 0), (2, 0), (3, 0), (4, 8)):
        night(firm, number, odd)
    assert told(firm) == []
    assert firm.rows("select send, reason from care.notice_decision") == [
        (False, "notices.yaml names no engineers")
    ]
