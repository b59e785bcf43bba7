"""Beginning gently: record without telling, tell a pilot, release what was recorded within everybody's capacity."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from tests.firm import MONDAY, TinyFirm, changed, configure

from carewatch.commands import go_live_command
from carewatch.flow.advance import Advanced, advance
from carewatch.flow.launch import NotLive, say_go
from carewatch.store.locks import Lock, hold

WARM_UP = {"launch.yaml": "version: 1\nwarm_up: true\noperations: [sales_manager]\n"}
LIVE = {"launch.yaml": "version: 1\noperations: [sales_manager]\n"}
SENT = "select receiver, kind from care.outbox order by created_at, receiver, kind"


def worry(firm: TinyFirm, day_after: int, **halts: int) -> None:
    for name, halt in halts.items():
        firm.dial(name, MONDAY + timedelta(days=day_after), quiet=0, strain=0, halt=halt, mood=90)


def go(firm: TinyFirm, folder: Path, day_after: int, files: dict[str, str] = LIVE) -> Advanced:
    """Say that what was recorded goes live, at nine in the morning, as the command does."""
    firm.configuration = configure(folder, files)
    now = firm.moment(MONDAY + timedelta(days=day_after), 9)
    firm.clock_at(now)
    care = firm.configuration.care
    with firm.connection.transaction():
        hold(firm.connection, Lock.CARE_STATE)
        say_go(firm.connection, care, "eve", now)
    return advance(firm.connection, care, now)


def live(firm: TinyFirm) -> list[str]:
    query = "select customer_id from care.warning join care.customer using (customer_no) where live_at is not null order by 1"
    return [row[0] for row in firm.rows(query)]


@pytest.mark.req("S85")
def test_a_warm_up_records_warnings_and_neither_tells_nor_starts_anything(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm(WARM_UP)
    firm.customer("C1", tier="A")
    worry(firm, 0, C1=1)
    firm.night(MONDAY)
    assert firm.rows("select level, state, waits, live_at from care.warning") == [
        (2, "open", "warm_up", None)
    ]
    assert firm.rows("select * from care.care_case") == firm.rows("select * from care.outbox") == []
    decided = firm.rows("select send, reason from care.notice_decision")
    assert decided == [(False, "warm-up: warnings are recorded, nobody is told")] * len(decided) and decided
    before = firm.dump()
    firm.tick(firm.moment(MONDAY, 2))
    assert firm.dump() == before


@pytest.mark.req("S85")
@pytest.mark.parametrize(("live_from", "told"), [(MONDAY, True), (MONDAY + timedelta(days=1), False)])
def test_live_from_is_the_first_day_that_is_live(
    make_firm: Callable[..., TinyFirm], live_from: object, told: bool
) -> None:
    firm = make_firm({"launch.yaml": f"version: 1\nlive_from: {live_from}\n"})
    firm.customer("C1")
    worry(firm, 0, C1=1)
    firm.night(MONDAY)
    assert bool(firm.rows(SENT)) is bool(firm.rows("select 1 from care.care_task")) is told


@pytest.mark.req("S85")
def test_business_operations_alone_read_once_a_week_what_would_have_been(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm(WARM_UP)
    for name in ("C1", "C2"):
        firm.customer(name)
    worry(firm, 0, C1=1, C2=1)
    firm.night(MONDAY)
    assert firm.rows(SENT) == []
    worry(firm, 7, C1=1, C2=0)
    firm.night(MONDAY + timedelta(days=7))
    assert firm.rows(SENT) == [("bob", "warm_up"), ("bob", "warm_up")], "by both of his channels"
    text = firm.rows("select message->>'text' from care.outbox where channel = 'mail'")[0][0]
    assert "level 2: 2" in text and "Ann: 2" in text and "Firm C1 (C1) - level 2" in text and "C2)" in text
    worry(firm, 8, C1=1, C2=0)
    firm.night(MONDAY + timedelta(days=8))
    firm.tick(firm.moment(MONDAY + timedelta(days=8), 12))
    assert len(firm.rows(SENT)) == 2
    worry(firm, 14, C1=1, C2=0)
    firm.night(MONDAY + timedelta(days=14))
    assert len(firm.rows(SENT)) == 2, "a week that brought nothing is not told of"


@pytest.mark.req("S85")
def test_going_live_releases_the_worst_and_most_valuable_first_within_the_capacity_of_working_days(
    make_firm: Callable[..., TinyFirm], tmp_path: Path
) -> None:
    budget = changed("people.yaml", ("name: Ann,", "name: Ann, budget: 10,"))
    firm = make_firm({**WARM_UP, **budget})
    names = ("C1", "C2", "C3", "C4", "C5")
    for name, tier, sales in zip(names, "BABBB", (100, 100, 900, 500, 700), strict=True):
        firm.customer(name, tier=tier, sales=sales)
    worry(firm, 0, **dict.fromkeys(names, 1))
    firm.night(MONDAY)
    friday = 4
    assert go(firm, tmp_path / "live", friday, {**LIVE, **budget}).released == 2
    assert live(firm) == ["C2", "C3"], "tier A first, then the most at stake: two of ten a week"
    at = firm.moment(MONDAY + timedelta(days=friday), 9)
    assert firm.rows("select distinct started_at from care.care_case") == [(at,)], (
        "clocks begin with the release"
    )
    assert firm.rows("select distinct live_at from care.warning where live_at is not null") == [(at,)]
    assert firm.rows("select count(*) from care.care_task where due_at <= %s", at) == [(0,)]
    assert firm.rows("select what, count(*) from care.warning_event group by 1 order by 1") == [
        ("opened", 5),
        ("released", 2),
    ]
    assert firm.rows("select reason from care.notice_decision where send")[0] == (
        "the warning went live at level 2",
    )
    before = firm.dump()
    assert firm.tick(at) == Advanced()
    assert firm.dump() == before
    assert firm.tick(firm.moment(MONDAY + timedelta(days=6), 10)).released == 0, "nothing on a Sunday"
    assert firm.tick(firm.moment(MONDAY + timedelta(days=7), 10)).released == 2
    assert live(firm) == ["C2", "C3", "C4", "C5"]
    assert firm.tick(firm.moment(MONDAY + timedelta(days=8), 10)).released == 1
    assert firm.rows("select count(*) from care.warning_event where what = 'released'") == [(5,)]


@pytest.mark.req("S85")
def test_hours_of_work_limit_the_release_and_what_nobody_has_time_for_is_said(
    make_firm: Callable[..., TinyFirm], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    shared_warehouse: str,
) -> None:  # fmt: skip
    people = changed(
        "people.yaml",
        ("name: Ann,", "name: Ann, capacity: 5,"),
        ("name: 林小雨,", "name: 林小雨, budget: 0,"),
    )
    firm = make_firm({**WARM_UP, **people})
    for name, owner in (("C1", "ann"), ("C2", "ann"), ("C3", "lin")):
        firm.customer(name, owner=owner)
    worry(firm, 0, C1=1, C2=1, C3=1)
    firm.night(MONDAY)
    book = firm.configuration.care.playbooks_of(2, "B")
    hours = sum(step.effort for one in book for step in one.steps.values() if step.role == "owner")
    configure(tmp_path / "live", {**LIVE, **people})
    monkeypatch.setenv("CARE_DB", shared_warehouse)
    firm.clock_at(firm.moment(MONDAY, 9))
    chosen = argparse.Namespace(config=tmp_path / "live", by="eve", language=None, dry_run=True)
    before = firm.dump()
    go_live_command.run(chosen)
    said = capsys.readouterr().out
    waits = ["0"] * (int(-(-hours // 1)) - 1)
    assert f"ann: 2 recorded, by working day: {', '.join([*waits, '1'])}" in said, "an hour of work a day"
    assert "lin: 1 recorded" in said and "1 never: give lin a budget or capacity" in said
    assert firm.dump() == before, "a dry run changes nothing"
    chosen.language = "zh-CN"
    go_live_command.run(chosen)
    said = capsys.readouterr().out
    assert f"ann：已记录 2 条预警，各工作日放出：{'、'.join([*waits, '1'])}" in said
    assert (
        "lin：已记录 1 条预警，各工作日放出：无；另有 1 条始终排不上：请在 people.yaml 中给 lin 写上 budget 或 capacity"
        in said
    )
    chosen.dry_run = False
    go_live_command.run(chosen)
    assert firm.rows("select by from care.go_live") == [("eve",)]
    assert firm.rows("select by, what from care.audit where what = 'go_live'") == [("eve", "go_live")]


@pytest.mark.req("S85")
def test_nobody_goes_live_while_the_configuration_says_warm_up(
    make_firm: Callable[..., TinyFirm], tmp_path: Path
) -> None:
    firm = make_firm(WARM_UP)
    with pytest.raises(NotLive, match="warm_up"):
        go(firm, tmp_path / "warm", 1, WARM_UP)
    assert firm.rows("select * from care.go_live") == []


@pytest.mark.req("S157")
def test_of_a_pilot_only_its_customers_are_live_and_widening_it_releases_the_rest(
    make_firm: Callable[..., TinyFirm], tmp_path: Path
) -> None:
    pilot = {"launch.yaml": "version: 1\npilot: {all: ['owner in [ann, bob]', tier is not C]}\n"}
    firm = make_firm(pilot)
    for name, owner, tier in (("C1", "ann", "B"), ("C2", "lin", "B"), ("C3", "ann", "C")):
        firm.customer(name, owner=owner, tier=tier)
    worry(firm, 0, C1=1, C2=1, C3=1)
    firm.night(MONDAY)
    assert live(firm) == ["C1"]
    assert firm.rows("select distinct receiver from care.outbox order by 1") == [("ann",), ("bob",)]
    refused = firm.rows("select distinct reason from care.notice_decision where not send")
    assert refused == [("the customer is not in the pilot: nobody is told",)]
    assert firm.rows("select distinct owner_id from care.care_task where role = 'owner'") == [("ann",)]
    assert go(firm, tmp_path / "wide", 1, LIVE).released == 2
    assert live(firm) == ["C1", "C2", "C3"]


@pytest.mark.req("S85")
@pytest.mark.parametrize(
    ("profile", "stands"), [("usual", [("C1", 1), ("C2", 2)]), ("loose", [("C2", 1)])]
)  # fmt: skip
def test_a_loose_launch_asks_for_more_before_it_warns(
    make_firm: Callable[..., TinyFirm], profile: str, stands: list[tuple[str, int]]
) -> None:
    firm = make_firm({"launch.yaml": f"version: 1\nprofile: {profile}\n"})
    for name, dial in (("C1", "quiet"), ("C2", "halt")):
        firm.customer(name)
        firm.dial(name, MONDAY, **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90, dial: 1})
    firm.night(MONDAY)
    levels = "select customer_id, level from care.warning join care.customer using (customer_no) order by 1"
    assert firm.rows(levels) == stands


@pytest.mark.req("S85")
def test_what_has_cleared_meanwhile_or_was_recorded_after_the_word_is_not_released(
    make_firm: Callable[..., TinyFirm], tmp_path: Path
) -> None:
    pilot = {"launch.yaml": "version: 1\npilot: owner is bob\n"}
    firm = make_firm(pilot)
    for name in ("C1", "C2", "C3"):
        firm.customer(name)
    worry(firm, 0, C1=1, C2=1, C3=0)
    firm.night(MONDAY)
    worry(firm, 1, C1=0, C2=1, C3=0)
    firm.night(MONDAY + timedelta(days=1))
    assert go(firm, tmp_path / "pilot", 1, pilot).released == 0, "nobody waits inside the pilot"
    worry(firm, 2, C1=0, C2=1, C3=1)
    firm.night(MONDAY + timedelta(days=2))
    firm.configuration = configure(tmp_path / "wide", LIVE)
    assert firm.tick(firm.moment(MONDAY + timedelta(days=2), 10)).released == 1
    assert live(firm) == ["C2"], "C1 has cleared, C3 came after the word"
    assert go(firm, tmp_path / "again", 2, LIVE).released == 1
    assert live(firm) == ["C2", "C3"]


@pytest.mark.req("S85")
def test_machine_mails_rest_in_a_warm_up(make_firm: Callable[..., TinyFirm]) -> None:
    watch = changed("warnings/dials.yaml", ("severity: mild\n", "severity: watch\n    mails: owner\n"))
    firm = make_firm({**WARM_UP, **watch})
    firm.customer("C1")
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    assert firm.rows(SENT) == []
    assert firm.rows("select send, reason from care.notice_decision") == [
        (False, "warm-up, or not in the pilot: nothing is sent")
    ]


@pytest.mark.req("S72")
@pytest.mark.parametrize(("sales", "strategic"), [(2_000_000, False), (2_000_000.01, True)])
def test_the_strategic_layer_hears_decides_and_takes_over_above_two_million(
    make_firm: Callable[..., TinyFirm], sales: float, strategic: bool
) -> None:
    firm = make_firm()
    firm.customer("C1", tier="B", sales=sales)
    worry(firm, 0, C1=1)
    firm.night(MONDAY)
    decisions = firm.rows("select owner_id, role from care.care_task where step = 'decision'")
    assert decisions == ([("eve", "executive")] if strategic else [])
    plan_due = firm.rows("select due_at from care.care_task where step = 'plan'")
    assert firm.rows("select due_at from care.care_task where step = 'decision'") == (
        plan_due if strategic else []
    )
    told = {
        row[0]
        for row in firm.rows(
            "select receiver from care.notice_decision where subject like 'warning:%%' and send"
        )
    }
    assert told == {"ann", "bob", *(["eve"] if strategic else [])}
    firm.tick(firm.moment(MONDAY + timedelta(days=2), 12))
    assert firm.rows("select owner_id, role from care.care_task where step = 'escalation'") == [
        ("eve", "executive") if strategic else ("bob", "manager")
    ]


@pytest.mark.req("S72")
def test_a_light_warning_needs_no_decision_and_unknown_money_is_not_strategic(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm()
    firm.customer("C1", sales=9_000_000)
    firm.dial("C1", MONDAY, quiet=1, strain=0, halt=0, mood=90)
    firm.night(MONDAY)
    assert firm.rows("select level from care.warning") == [(1,)]
    told = firm.rows(
        "select receiver from care.notice_decision where subject like 'warning:%%' and send order by 1"
    )
    assert told == [("ann",), ("eve",)], "it hears of every warning"
    assert firm.rows("select 1 from care.care_task where step = 'decision'") == []
    care = firm.configuration.care
    assert (care.levels.deciding_role(None), care.levels.deciding_role(3e6)) == (None, "executive")
