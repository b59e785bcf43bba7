"""People act on warnings: through the command, on a real warehouse, with guards and traces."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from tests.firm import FILES, MONDAY, TinyFirm, changed, configure

from carewatch.cli import main, parser

Care = Callable[..., tuple[int, str, str]]


def day(number: int) -> date:
    return MONDAY + timedelta(days=number - 1)


@pytest.fixture
def care(shared_warehouse: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Care:
    """Return a caller of `care warning ...`: exit code, what it said, what it said went wrong."""
    monkeypatch.setenv("CARE_DB", shared_warehouse)

    def call(*words: object) -> tuple[int, str, str]:
        code = main(["warning", *map(str, words)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def night(firm: TinyFirm, number: int, **on: float) -> None:
    firm.dial("C1", day(number), **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90, **on})
    firm.night(day(number))


@pytest.fixture
def warned(firm: TinyFirm) -> TinyFirm:
    """Return a firm with a level-2 warning, opened on Monday."""
    firm.customer("C1", sales=700)
    night(firm, 1, halt=1)
    return firm


def warnings(firm: TinyFirm) -> list[tuple[object, ...]]:
    return firm.rows("select warning_no, state, level, closed_at is not null from care.warning order by 1")


@pytest.mark.req("S74", "S60", "S152")
def test_a_level_2_warning_is_taken_up_planned_and_closed(warned: TinyFirm, care: Care) -> None:
    assert care("ack", 1, "--by", "ann") == (0, "warning 1: acknowledged\n", "")
    code, _, said = care("close", 1, "--result", "recovered", "--by", "ann")
    assert code == 2 and "needs a written plan before it closes: care warning plan 1 --text" in said
    assert warnings(warned) == [(1, "acknowledged", 2, False)]
    assert care("plan", 1, "--text", "longer payment term", "--next", day(4), "--by", "bob")[:2] == (
        0,
        "warning 1: plan\n",
    )
    assert warned.rows("select state, result->>'plan' from care.care_task where step = 'plan'") == [
        ("done", "longer payment term")
    ]
    assert warned.rows("select next_date from care.care_case") == [(day(4),)]
    assert care("close", 1, "--result", "recovered", "--note", "signed again", "--by", "ann")[0] == 0
    assert warnings(warned) == [(1, "recovered", 0, True)]
    assert warned.rows("select closed_at is not null from care.care_case") == [(True,)]
    assert warned.rows("select distinct state from care.care_task where step <> 'plan'") == [("cancelled",)]
    assert warned.rows("select what, by from care.warning_event order by transition") == [
        ("opened", "carewatch"), ("acknowledged", "ann"), ("planned", "bob"), ("closed", "ann"),
    ]  # fmt: skip
    assert warned.rows("select what, by, subject from care.audit order by audit_no") == [
        ("acknowledged", "ann", "warning:1"), ("planned", "bob", "warning:1"), ("closed", "ann", "warning:1"),
    ]  # fmt: skip
    warned.tick(warned.moment(day(1), 15))
    told = (
        "select reason from care.notice_decision where subject = 'warning:1' and transition > 1 and not send"
    )
    assert {row[0] for row in warned.rows(told)} == {
        "somebody is on it: nobody has to act", "a plan was put on file: nobody has to act", "the warning closed",
    }  # fmt: skip


@pytest.mark.req("S152")
def test_an_act_asks_for_three_fields_at_most() -> None:
    actions = next(iter(parser()._subparsers._group_actions[0].choices["warning"]._subparsers._group_actions))  # type: ignore[union-attr]
    for act in ("ack", "plan", "close"):
        fields = {one.dest for one in actions.choices[act]._actions} - {"help", "warning", "language"}
        assert len(fields) <= 3, (act, fields)


@pytest.mark.req("S74")
def test_the_warehouse_itself_refuses_a_recovery_without_a_plan(warned: TinyFirm) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        warned.rows("update care.warning set state = 'recovered', closed_at = now() returning 1")


@pytest.mark.req("S60")
def test_who_has_dealt_with_signals_is_not_asked_again_until_they_have_rested(
    make_firm: Callable[..., TinyFirm], care: Care
) -> None:
    firm = make_firm(changed("levels.yaml", ("rest: 30", "rest: 3")))
    firm.customer("C1")
    night(firm, 1, quiet=1)
    assert care("close", 1, "--result", "false_alarm", "--by", "ann")[0] == 0
    lived = []
    for number in range(2, 7):
        night(firm, number, quiet=1)
        lived.append(len(warnings(firm)))
    assert lived == [1, 1, 1, 2, 2], "closed on day 1, it rests to day 4"
    assert firm.rows("select follows from care.warning where warning_no = 2") == [(None,)]


@pytest.mark.req("S60")
def test_a_new_signal_warns_though_an_old_one_rests(warned: TinyFirm, care: Care) -> None:
    care("close", 1, "--result", "false_alarm", "--note", "a machine was moved", "--by", "ann")
    night(warned, 2, halt=1, quiet=1)
    assert warned.rows("select warning_no, level, follows from care.warning where closed_at is null") == [
        (2, 1, 1)
    ]
    [(reasons,)] = warned.rows("select reasons from care.warning where warning_no = 2")
    assert [one["rule"] for one in reasons] == ["quiet"]
    night(warned, 3, halt=0, quiet=1)
    night(warned, 4, halt=1, quiet=1)
    assert warned.rows("select level from care.warning where warning_no = 2") == [(2,)], (
        "it came back after it was over"
    )


@pytest.mark.req("D14")
def test_warnings_are_shown_acted_on_and_refused_in_chinese(warned: TinyFirm, care: Care) -> None:
    chinese = ["--language", "zh-CN"]
    assert care("ack", 1, "--by", "ann", *chinese) == (0, "预警 1：已接手\n", "")
    assert care("close", 1, "--result", "recovered", "--by", "ann", *chinese) == (
        2, "", "预警 1 曾达到 2 级，须先有书面方案才能关闭：care warning plan 1 --text '...'\n",
    )  # fmt: skip
    [listed] = care("list", *chinese)[1].splitlines()
    assert listed.split()[:5] == ["1", "2", "级", "优先级中", "已接手"] and "涉及金额 700" in listed
    head, *lines = care("show", 1, *chinese)[1].splitlines()
    assert head.startswith("客户 C1 的预警 1：已接手，2 级（最高 2 级），优先级中，")
    assert [line.split("  ")[-1] for line in lines if line.startswith("  2")] == [
        "新建，2 级，系统",
        "已接手，2 级，ann",
    ]
    assert any("，进行中，期限 " in line for line in lines if line.startswith("  > "))
    assert care("show", 9, *chinese)[2] == "没有编号为 9 的预警；可查看：care warning list\n"


@pytest.mark.req("D14")
def test_where_nobody_says_a_language_it_is_that_of_the_last_nights_firm(
    make_firm: Callable[..., TinyFirm], care: Care
) -> None:
    assert care("list") == (0, "no warning lives\n", "")
    firm = make_firm({"firm.yaml": FILES["firm.yaml"] + "language: zh-CN\n"})
    firm.customer("C1")
    night(firm, 1)
    assert care("list") == (0, "没有进行中的预警\n", "")
    assert care("show", 9)[2].startswith("没有编号为 9 的预警")
    assert care("list", "--language", "en") == (0, "no warning lives\n", "")


def test_a_lost_customer_is_not_warned_of_again_for_the_same(warned: TinyFirm, care: Care) -> None:
    care("plan", 1, "--text", "visit", "--by", "ann")
    assert care("close", 1, "--result", "lost", "--by", "ann")[0] == 0
    night(warned, 60, halt=1)
    assert warnings(warned) == [(1, "lost", 0, True)]


def test_mistakes_are_said_in_one_line(warned: TinyFirm, care: Care) -> None:
    for words, said in (
        (
            ("ack", 1, "--by", "anm"),
            "nobody who is active has the id 'anm' in people.yaml; did you mean ann?\n",
        ),
        (("ack", 99, "--by", "ann"), "there is no warning 99; see: care warning list\n"),
        (("show", 99), "there is no warning 99; see: care warning list\n"),
    ):
        assert care(*words) == (2, "", said)
    before = warned.dump()
    assert care("ack", 1, "--by", "ann")[0] == 0
    after = warned.dump()
    assert care("ack", 1, "--by", "bob")[0] == 0 and warned.dump() == after != before, "taken up once"


@pytest.mark.req("S82", "S86")
def test_the_list_is_in_order_of_urgency_and_one_warning_shows_its_life(firm: TinyFirm, care: Care) -> None:
    assert care("list") == (0, "no warning lives\n", "")
    for name, sales, dial in (("C1", 10, "quiet"), ("C2", 9000, "quiet"), ("C3", 10, "halt")):
        firm.customer(name, sales=sales, owner="lin" if name == "C3" else "ann")
        firm.dial(name, MONDAY, **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90, dial: 1})
    firm.night(MONDAY)
    listed = json.loads(care("list", "--json")[1])
    assert [one["customer_id"] for one in listed] == ["C3", "C2", "C1"]
    assert [one["customer_id"] for one in json.loads(care("list", "--owner", "ann", "--json")[1])] == [
        "C2",
        "C1",
    ]
    text = care("list")[1].splitlines()
    assert text[0].split()[:5] == ["3", "level", "2", "medium", "open"]
    shown = care("show", 3)[1]
    assert "warning 3 of C3: open, level 2 (peak 2), medium priority, tier B, owner lin" in shown
    assert "severe: halt is 1 (since 2026-06-01)" in shown and "opened, level 2, by carewatch" in shown
    assert "Firm C3" not in shown, "names stay in the firm's own systems"


@pytest.mark.req("S82")
def test_priority_comes_before_level_level_before_stake_and_what_is_unknown_last(
    make_firm: Callable[..., TinyFirm], care: Care
) -> None:
    rules = changed("warnings/dials.yaml", ("counts_as: strain\n", "counts_as: strain\n    priority: high\n"))
    money = changed("metrics/dials.yaml", ("sales: {label: Sales,", "sales: {label: Sales, empty: missing,"))
    firm = make_firm(rules | money)
    for name, tier, sales, dial in (
        ("unknown", "B", 0, "quiet"), ("little", "B", 1, "quiet"), ("much", "B", 9, "quiet"),
        ("better tier", "A", 900, "quiet"), ("worse", "B", 1, "halt"), ("pressing", "C", 1, "strain"),
    ):  # fmt: skip
        firm.customer(name, tier=tier, sales=sales)
        firm.dial(name, MONDAY, **{"quiet": 0, "strain": 0, "halt": 0, "mood": 90, dial: 1})
    firm.night(MONDAY)
    listed = [
        (one["customer_id"], one["priority"], one["level"]) for one in json.loads(care("list", "--json")[1])
    ]
    assert listed == [
        ("pressing", "high", 1), ("worse", "medium", 2), ("better tier", "medium", 1),
        ("much", "low", 1), ("little", "low", 1), ("unknown", "low", 1),
    ]  # fmt: skip


@pytest.mark.req("S75")
def test_level_3_names_a_manager_who_takes_part_and_says_so(make_firm: Callable[..., TinyFirm]) -> None:
    firm = make_firm(changed("warnings/dials.yaml", ("severity: severe", "severity: critical")))
    firm.customer("C1", owner="ann")
    firm.customer("C2", owner="eve")
    firm.customer("C3", owner="ann")
    for number, halt in enumerate((0, 1), start=1):
        for name in ("C1", "C2"):
            firm.dial(name, day(number), quiet=1, strain=0, halt=halt, mood=90)
        firm.dial("C3", day(number), quiet=1, strain=0, halt=0, mood=30)
        firm.night(day(number))
        named = firm.rows("select level, manager_id from care.warning order by customer_no")
        assert named == ([(3, "bob"), (3, "eve"), (2, None)] if halt else [(1, None)] * 3), "others need none"
    [(text,)] = firm.rows(
        "select message->>'text' from care.outbox where key = 'warning/ann/mail/warning:1/2'"
    )
    assert "owner Ann, taking part: Bob" in text


@pytest.mark.req("S75")
def test_a_manager_who_left_is_replaced_at_once(make_firm: Callable[..., TinyFirm], tmp_path: Path) -> None:
    critical = changed("warnings/dials.yaml", ("severity: severe", "severity: critical"))
    firm = make_firm(critical)
    firm.customer("C1")
    night(firm, 1, halt=1)
    stays = "{name: Bob, roles: [sales_manager], "
    gone = changed("people.yaml", (stays, f"{stays}active: false, "))
    firm.configuration = configure(tmp_path / "later", {**critical, **gone})
    firm.tick(firm.moment(day(1), 9))
    assert firm.rows("select manager_id from care.warning") == [("eve",)]


@pytest.mark.parametrize(("after", "state"), [(89, "open"), (90, "expired")])
def test_a_light_warning_that_did_not_move_expires_and_rests(firm: TinyFirm, after: int, state: str) -> None:
    firm.customer("C1")
    night(firm, 1, quiet=1)
    for number in (1 + after, 2 + after):
        night(firm, number, quiet=1)
        if number == 1 + after:
            assert [row[1] for row in warnings(firm)] == [state]
    assert len(warnings(firm)) == 1, "what still lasts is not told anew tomorrow"


@pytest.mark.req("S74")
def test_a_warning_that_stood_higher_never_expires_by_itself(firm: TinyFirm) -> None:
    firm.customer("C1")
    night(firm, 1, halt=1)
    night(firm, 2, quiet=1)
    night(firm, 200, quiet=1)
    assert warnings(firm) == [(1, "open", 1, False)]
    night(firm, 201)
    assert warnings(firm) == [(1, "cleared", 0, False)], (
        "nor does it close when all is well: it waits for its plan"
    )
