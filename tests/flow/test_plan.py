"""What is planned is what comes: whom an edited configuration would see differently, and the work it makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.firm import MONDAY, PLAYBOOKS, TinyFirm, changed, configure

from carewatch.flow.plan import Change, Load, Plan, plan, standing
from carewatch.flow.plan_text import plan_lines, plan_parts
from carewatch.store.nights import last_sealed

NEXT = MONDAY + timedelta(days=1)
STRICTER = {
    **changed("warnings/dials.yaml", ("severity: mild", "severity: moderate")),
    **changed("health.yaml", ("bands: {green: 70, yellow: 50}", "bands: {green: 90, yellow: 60}")),
}
WITH_BUDGETS = changed(
    "people.yaml",
    ("ann: {name: Ann,", "ann: {name: Ann, capacity: 1, budget: 1,"),
    ("bob: {name: Bob,", "bob: {name: Bob, team_budget: 2,"),
)


def live(firm: TinyFirm, night: date, dials: Mapping[str, Mapping[str, float]]) -> None:
    for name, values in dials.items():
        firm.dial(name, night, **({"quiet": 0, "strain": 0, "halt": 0, "mood": 95} | values))


DIALS = {
    "K1": {"quiet": 1},
    "K2": {"quiet": 1, "strain": 1},
    "K3": {"mood": 75},
    "K4": {},
    "K5": {"mood": 55},
}


def people(firm: TinyFirm) -> None:
    for at, name in enumerate(DIALS):
        firm.customer(name, owner="lin" if name == "K5" else "ann", tier="AB"[at % 2], sales=1000 * (at + 1))


@pytest.mark.req("D2")
def test_the_planned_levels_and_colours_are_those_of_the_next_night(firm: TinyFirm, tmp_path: Path) -> None:
    people(firm)
    live(firm, MONDAY, DIALS)
    firm.night(MONDAY)
    stored = firm.dump()
    night, stricter = last_sealed(firm.connection), configure(tmp_path / "stricter", STRICTER)
    found = plan(firm.connection, stricter)
    with firm.connection.transaction(force_rollback=True):
        old = standing(firm.connection, night, firm.configuration.judgement)
        new = standing(firm.connection, night, stricter.judgement)
    assert firm.dump() == stored, "a plan stores nothing"
    differs = (old.level != new.level) | (old.judged.scores.colour != new.judged.scores.colour)
    listed = {one.customer_id for one in found.changes if len({*one.level}) + len({*one.colour}) > 2}
    ids = dict(firm.rows("select customer_no, customer_id from care.customer"))
    assert listed == {ids[number] for number in new.customers[differs].tolist()} == {"K2", "K3", "K5"}

    # the same numbers on the next night, under the new configuration
    live(firm, NEXT, DIALS)
    firm.configuration = stricter
    firm.night(NEXT)
    levels = dict(firm.rows("select customer_no, level from care.warning"))
    colours = dict(firm.rows("select customer_no, colour from care.health_night where day = %s", NEXT))
    assert {number: levels.get(number, 0) for number in colours} == dict(
        zip(new.customers.tolist(), new.level.tolist(), strict=True)
    )
    assert colours == dict(zip(new.customers.tolist(), new.judged.scores.colour.tolist(), strict=True))


@pytest.mark.req("D2")
def test_where_a_level_settles_counts_the_holds(firm: TinyFirm, tmp_path: Path) -> None:
    people(firm)
    live(firm, MONDAY, DIALS)
    firm.night(MONDAY)
    found = plan(firm.connection, configure(tmp_path / "stricter", STRICTER))
    by_name = {one.customer_id: one for one in found.changes}
    # red from the next night on; it sets its floor when it has lasted two nights
    assert (by_name["K5"].colour, by_name["K5"].level[1], by_name["K5"].settled[1]) == (
        ("yellow", "red"),
        1,
        2,
    )


@pytest.mark.req("D2")
def test_tiers_and_owners_are_told_with_the_tasks_that_would_start(firm: TinyFirm, tmp_path: Path) -> None:
    people(firm)
    live(firm, MONDAY, DIALS)
    firm.night(MONDAY)
    found = plan(firm.connection, configure(tmp_path / "stricter", STRICTER))
    by_name: dict[str, Change] = {one.customer_id: one for one in found.changes}
    assert (by_name["K5"].owner, by_name["K5"].tier, by_name["K5"].value) == ("lin", "A", 5000.0)
    assert found.extra_tasks["lin"] == 3, "the three steps of level 2 for K5"
    assert found.crossings("colour")["A", "green", "yellow"] == 1
    said = "\n".join(plan_lines(found, "zh-CN", everybody=True))
    assert "等级 A：绿 -> 黄" in said and "lin：3" in said
    assert "tier A: green -> yellow" in "\n".join(plan_lines(found, "en"))


@pytest.mark.req("D2")
@pytest.mark.parametrize(
    ("count", "in_shell", "in_mail"), [(20, 20, 20), (21, 20, 21), (100, 20, 100), (103, 20, 100)]
)
def test_whoever_is_not_listed_is_counted(count: int, in_shell: int, in_mail: int) -> None:
    changes = tuple(
        Change(f"K{number:03}", "A", "ann", 5.0, ("green", "red"), (0, 1), (0, 2)) for number in range(count)
    )
    found = Plan(MONDAY, "old", "new", 500, changes, {}, None, ())
    table = next(part for part in plan_parts(found, "en") if "customer" in part.columns)
    mail = plan_lines(found, "en", shell=False)
    for said, named, hint in (
        (plan_lines(found, "en"), in_shell, "; --all lists them"),
        (mail, in_mail, ""),
        ([*(row[0] for row in table.rows), *table.lines], in_mail, ""),
    ):
        assert len([line for line in said if line.strip().startswith("K")]) == named
        left = [line.strip() for line in said if " more" in line]
        assert left == ([f"... and {count - named} more{hint}"] if count > named else [])
    assert (
        len(plan_lines(found, "en", everybody=True))
        == len(plan_lines(found, "en", customers=False)) + count + 3
    )


@pytest.mark.req("D2", "D9")
@pytest.mark.parametrize(("percent", "held"), [(19, 1), (20, None)])
def test_an_edit_that_would_hold_the_next_night_says_so(
    firm: TinyFirm, tmp_path: Path, percent: int, held: int | None
) -> None:
    people(firm)
    after = NEXT + timedelta(days=1)
    for night in (MONDAY, NEXT):
        live(firm, night, DIALS)
        firm.night(night)
        if night == MONDAY:
            at_any = configure(tmp_path / "any", STRICTER | changed("levels.yaml", ("than: 100", "than: 1")))
            assert plan(firm.connection, at_any).held is None, "a first night is never held"
    holding = changed("levels.yaml", ("hold_if_more_than: 100", f"hold_if_more_than: {percent}"))
    edited = configure(tmp_path / "edited", STRICTER | holding)
    found = plan(firm.connection, edited)
    assert found.held == held, "one of five customers rises"
    for language, said in (
        ("en", "would be HELD: 1 of 5 customers"),
        ("zh-CN", "下一晚将被暂扣：5 个客户中有 1 个"),
    ):
        assert (said in plan_lines(found, language)[1]) is (held is not None)
        assert any(said in line for line in plan_parts(found, language)[0].lines) is (held is not None)
    live(firm, after, DIALS)
    firm.configuration = edited
    firm.night(after)
    states = firm.rows("select state from care.night where day = %s", after)
    assert states == [("sealed",)] if held is None else [("held",)]


def test_the_same_configuration_changes_nobody(firm: TinyFirm) -> None:
    people(firm)
    live(firm, MONDAY, DIALS)
    firm.night(MONDAY)
    found = plan(firm.connection, firm.configuration)
    assert found.changes == () and found.extra_tasks == {}
    assert "nobody changes" in plan_lines(found, "en")[1]


@pytest.mark.req("S150", "S159", "D7")
def test_past_weeks_tell_the_load_of_each_person_against_hours_and_budget(
    firm: TinyFirm, tmp_path: Path
) -> None:
    people(firm)
    for weeks_ago in range(4, 0, -1):
        day = MONDAY - timedelta(weeks=weeks_ago)
        odd = {"K1": {"quiet": weeks_ago % 2}, "K2": {"quiet": weeks_ago % 2}, "K3": {"quiet": weeks_ago % 2}}
        live(firm, day, {**DIALS, "K5": {"quiet": weeks_ago % 2}, **odd})
    live(firm, MONDAY, {name: {} for name in DIALS})
    firm.night(MONDAY)
    found = plan(firm.connection, configure(tmp_path / "budgets", WITH_BUDGETS), weeks=4)
    loads = {(load.person, load.team): load for load in found.loads}
    ann, team = loads["ann", False], loads["bob", True]
    # three customers of hers become odd in two of the four weeks
    assert (ann.before, ann.after, ann.capacity) == (1.5, 1.5, 1)
    assert ann.hours == pytest.approx(1.5 * 0.5), "the one step of the callback takes half an hour"
    assert ann.budget is not None and ann.budget.worst == 3
    assert (ann.budget.given_up, ann.budget.within) == (1.0, 1.0), "of three in a week two are given up"
    # lin has one more in each of those weeks
    assert team.budget is not None and (team.after, team.budget.given_up) == (2.0, 1.0)
    said = plan_lines(found, "en")
    assert any("keeps the budget of 1" in line and "gives up 1.0 warnings a week" in line for line in said)
    assert any(line.startswith("  team of bob") for line in said)


@pytest.mark.req("S159")
def test_hours_are_those_of_the_steps_that_the_new_configuration_would_start(
    firm: TinyFirm, tmp_path: Path
) -> None:
    people(firm)
    for weeks_ago in range(2, 0, -1):
        live(firm, MONDAY - timedelta(weeks=weeks_ago), {"K1": {"quiet": weeks_ago % 2}, "K3": {"mood": 95}})
    live(firm, MONDAY, {name: {} for name in DIALS})
    firm.night(MONDAY)
    efforts = changed("warnings/dials.yaml", ("severity: mild", "severity: critical"))
    [book] = [text for text in PLAYBOOKS.values() if "level: 3" in text]
    longer = book.replace("    role: executive\n", "    role: executive\n    effort: 6\n")
    files = {**efforts, **PLAYBOOKS, "playbooks/level3.yaml": longer}
    found = plan(firm.connection, configure(tmp_path / "worse", files), weeks=2)
    hours = {load.person: load.hours for load in found.loads if not load.team}
    # one new warning in two weeks: the manager calls, the owner plans, service looks back, the executive goes there
    assert hours == {"ann": 0.25, "bob": 0.25, "sue": 0.25, "eve": 3.0}
    [ann] = [load for load in found.loads if load.person == "ann"]
    assert (ann.before, ann.after) == (0.5, 0.5)


@pytest.mark.req("S159")
@pytest.mark.parametrize(
    ("hours", "capacity", "of", "too_many"),
    [(8.0, 8.0, True, False), (8.1, 8.0, True, True), (99.0, None, False, False)],
)
def test_too_many_hours_are_said(hours: float, capacity: float | None, of: bool, too_many: bool) -> None:
    load = Load("ann", False, 1.0, 2.0, hours, capacity, None)
    weeks = (MONDAY - timedelta(weeks=2), MONDAY)
    found = Plan(MONDAY, "old", "new", 5, (), {}, weeks, (load,))
    for language, said, over in (("en", " of 8", "MORE THAN THERE IS"), ("zh-CN", "可用 8", "超出可用工时")):
        line = plan_lines(found, language)[-1]
        assert line.startswith("  ann") and f"{hours:.1f}" in line
        assert (said in line, over in line) == (of, too_many)


def test_the_command_prints_it_for_programs_too(
    firm: TinyFirm, shared_warehouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from carewatch.cli import main

    people(firm)
    live(firm, MONDAY, DIALS)
    firm.night(MONDAY)
    configure(tmp_path / "stricter", STRICTER)
    monkeypatch.setenv("CARE_DB", shared_warehouse)
    assert main(["plan", "--config", str(tmp_path / "stricter"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {one["customer_id"] for one in told["changes"]} == {"K2", "K3", "K5"}
    assert main(["plan", "--config", str(tmp_path / "stricter"), "--language", "zh-CN"]) == 0
    shown = capsys.readouterr()
    assert "下一晚的预警级别" in shown.out and "用两套配置判断 " in shown.err
