"""Two customers become one, or stop being one: warnings, tasks and memory follow, and past nights stay as they were."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from tests.facts_given import LONG_AGO
from tests.firm import MONDAY, TinyFirm

from carewatch.flow.explain import explain
from carewatch.store.rulings import NoRuling, merge, split, suggestions


def day(number: int) -> date:
    return MONDAY + timedelta(days=number)


def warned(firm: TinyFirm) -> list[tuple[object, ...]]:
    return firm.rows(
        "select c.customer_id, w.state, w.level, w.peak_level, w.closed_at is null from care.warning w "
        "join care.customer c using (customer_no) order by w.warning_no"
    )


def two_warned(firm: TinyFirm, one: dict[str, float], other: dict[str, float]) -> None:
    """Let two of five customers be warned by one night."""
    for name in ("C1", "C2", "C3", "C4", "C5"):
        firm.customer(name)
    firm.calm(day(0), "C3", "C4", "C5")
    calm = {"quiet": 0, "strain": 0, "halt": 0, "mood": 90}
    firm.dial("C1", day(0), **{**calm, **one})
    firm.dial("C2", day(0), **{**calm, **other})
    firm.night(day(0))


def merged(firm: TinyFirm, survivor: str = "C1", other: str = "C2", hour: float = 9) -> None:
    firm.clock_at(firm.moment(day(0), hour))
    merge(firm.connection, survivor, other, by="ann", why="the same firm")


@pytest.mark.parametrize(("one", "other", "level"), [
    ({"quiet": 1}, {"halt": 1}, 2), ({"halt": 1}, {"quiet": 1}, 2),
    ({"quiet": 1}, {"quiet": 1}, 1),
])  # fmt: skip
def test_the_survivor_keeps_the_worst_and_the_other_closes_as_merged(
    firm: TinyFirm, one: dict[str, float], other: dict[str, float], level: int
) -> None:
    two_warned(firm, one, other)
    assert [row[4] for row in warned(firm)] == [True, True]
    merged(firm)
    firm.tick(firm.moment(day(0), 10))
    assert sorted(warned(firm), key=str) == sorted(
        [("C1", "open", level, level, True), ("C2", "merged", 0, warned(firm)[1][3], False)], key=str
    )
    gone = firm.rows(
        "select t.state, c.closed_at is not null from care.care_task t join care.care_case c using (case_no) "
        "join care.warning w using (warning_no) where w.state = 'merged'"
    )
    assert gone and set(gone) == {("superseded", True)}
    assert firm.rows(
        "select count(*) from care.care_case c join care.case_playbook p using (case_no) join care.warning w using (warning_no) "
        "where w.closed_at is null and p.level = %s", level,
    )[0][0] >= 1, "the survivor's case has a playbook of its level"  # fmt: skip
    before = firm.dump("warning", "warning_event", "care_task", "signal")
    firm.tick(firm.moment(day(0), 10))
    assert firm.dump("warning", "warning_event", "care_task", "signal") == before


def test_a_survivor_without_warning_takes_over_the_others_with_its_case(firm: TinyFirm) -> None:
    two_warned(firm, {"quiet": 0}, {"halt": 1})
    tasks = firm.rows("select task_no, state from care.care_task order by 1")
    merged(firm)
    firm.tick(firm.moment(day(0), 9.5))
    assert warned(firm) == [("C1", "open", 2, 2, True)]
    assert firm.rows("select task_no, state from care.care_task order by 1") == tasks
    assert firm.rows("select distinct c.customer_id from care.signal join care.customer c using (customer_no) "
                     "where state <> 'closed'") == [("C1",)]  # fmt: skip
    firm.calm(day(1), "C3", "C4", "C5")
    firm.dial("C2", day(1), quiet=0, strain=0, halt=1, mood=90)
    firm.night(day(1))
    assert warned(firm) == [("C1", "open", 2, 2, True)], "the same signals go on: nothing rises or falls"


def test_a_night_judged_before_the_merge_leaves_no_second_warning(firm: TinyFirm) -> None:
    two_warned(firm, {"quiet": 1}, {"quiet": 1})
    firm.calm(day(1), "C3", "C4", "C5")
    for name in ("C1", "C2"):
        firm.dial(name, day(1), quiet=0, strain=0, halt=1, mood=90)
    at = firm.judged(day(1))
    firm.clock_at(at + timedelta(minutes=1))
    merge(firm.connection, "C1", "C2", by="ann", why="the same firm")
    firm.tick(at + timedelta(minutes=2))
    assert [row[0] for row in warned(firm) if row[4]] == ["C1"]
    assert (
        firm.rows(
            "select customer_no from care.warning where closed_at is null group by 1 having count(*) > 1"
        )
        == []
    )


def test_a_merge_after_a_night_does_not_change_that_nights_replay(firm: TinyFirm) -> None:
    two_warned(firm, {"quiet": 1}, {"strain": 1})
    stored = firm.dump("metric_night", "health_night")
    merged(firm)
    for name in ("C1", "C2"):
        assert explain(firm.connection, name, day(0)).equals_stored, "the night still knows two customers"
    firm.calm(day(1), "C1", "C3", "C4", "C5")
    firm.night(day(1))
    assert firm.rows("select count(*) from care.health_night where day = %s", day(1)) == [(4,)]
    assert [row for row in firm.dump("metric_night")["metric_night"] if f"({day(0)}" in row] == stored[
        "metric_night"
    ]
    split(firm.connection, "given:C2", by="bob", why="two branches")
    for name in ("C1", "C2"):
        assert explain(firm.connection, name, day(0)).equals_stored
    assert explain(firm.connection, "C1", day(1)).equals_stored, (
        "nor does a split change the night of the merged"
    )


def test_a_split_is_the_opposite_of_a_merge(firm: TinyFirm) -> None:
    for name in ("C1", "C2", "C3"):
        firm.customer(name)
    firm.night(day(0))
    merged(firm)
    merged(firm, "C1", "C3", hour=10)
    firm.clock_at(firm.moment(day(0), 11))
    assert split(firm.connection, "given:C2", by="bob", why="two branches") == "C2"
    assert firm.rows(
        "select p.customer_key, c.customer_id from care.identity i join care.party p using (party_no) "
        "join care.customer c using (customer_no) where i.known_to is null order by 1"
    ) == [("C1", "C1"), ("C2", "C2"), ("C3", "C1")]
    assert firm.rows("select by, what, subject, detail->>'why' from care.audit where by <> 'carewatch' order by audit_no") == [
        ("ann", "customers merged", "customer:C1", "the same firm"),
        ("ann", "customers merged", "customer:C1", "the same firm"),
        ("bob", "key split off", "customer:C1", "two branches"),
    ]  # fmt: skip
    assert merge(firm.connection, "C2", "C1", by="ann", why="no, one") is None
    assert firm.rows(
        "select distinct c.customer_id from care.identity i join care.customer c using (customer_no) where i.known_to is null"
    ) == [("C2",)], "the one named first survives, and the last ruling counts"


@pytest.mark.parametrize(("one", "other", "said"), [
    ("C1", "C1", "one customer already"), ("C1", "C9", "unknown customer 'C9'"), ("C3", "C2", "C2 went into C1 already"),
])  # fmt: skip
def test_a_merge_that_cannot_be_is_refused(firm: TinyFirm, one: str, other: str, said: str) -> None:
    for name in ("C1", "C2", "C3"):
        firm.customer(name)
    firm.night(day(0))
    merged(firm)
    with pytest.raises(NoRuling, match=said):
        merge(firm.connection, one, other, by="ann", why="x")


@pytest.mark.parametrize(
    ("key", "said"), [("given:C3", "the only key of C3"), ("sales:C1", "expected source:key")]
)
def test_a_split_that_cannot_be_is_refused(firm: TinyFirm, key: str, said: str) -> None:
    for name in ("C1", "C2", "C3"):
        firm.customer(name)
    with pytest.raises(NoRuling, match=said):
        split(firm.connection, key, by="ann", why="x")


def test_names_that_fold_to_the_same_are_suggested_until_somebody_says_no(firm: TinyFirm) -> None:
    for name, said, code in (
        ("C1", "某某科技有限公司", None), ("C2", "某某科技股份有限公司", None), ("C3", "Other Ltd", None),
        ("C4", "Ｏｔｈｅｒ", None), ("C5", "Twin", "91110000802100433B"), ("C6", "Twin", "91330100799655058B"),
    ):  # fmt: skip
        firm.facts.belongs(name, name)
        firm.facts.add("customer", name, LONG_AGO, name=said, credit_code=code)
    found = [one.customers for one in suggestions(firm.connection)]
    assert found == [["C1", "C2"], ["C3", "C4"]], "two codes are two companies, whatever their names"
    firm.clock_at(firm.moment(day(0), 9))
    merge(firm.connection, "C1", "C2", by="ann", why="x")
    assert [one.customers for one in suggestions(firm.connection)] == [["C3", "C4"]]
    split(firm.connection, "given:C2", by="ann", why="x")
    assert [one.customers for one in suggestions(firm.connection)] == [["C3", "C4"]], (
        "who was parted is not suggested again"
    )
