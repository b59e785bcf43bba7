"""A person says a customer's colour for a while: from the next night on, with a reason and an end, safe to replay."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from tests.firm import MONDAY, TinyFirm

from carewatch.cli import main
from carewatch.flow.backtest import replay_day
from carewatch.flow.explain import UnknownCustomer, explain
from carewatch.flow.overrides import end, override
from carewatch.flow.restate import restate
from carewatch.warn.acts import NotPossible


def day(number: int) -> date:
    return MONDAY + timedelta(days=number - 1)


def say(firm: TinyFirm, colour: str, at: datetime, *, until: date, name: str = "C1") -> None:
    firm.clock_at(at)
    why = "the plant burnt down"
    override(
        firm.connection, name, colour, until=until, why=why, by="bob", now=at, today=at.astimezone(firm.configuration.firm.zone).date(),
    )  # fmt: skip


def nights(firm: TinyFirm, first: int, last: int, mood: float = 90) -> None:
    for number in range(first, last + 1):
        for name in ("C1", "C2"):
            firm.dial(name, day(number), quiet=0, strain=0, halt=0, mood=mood)
        firm.night(day(number))


def colours(firm: TinyFirm, name: str = "C1", revision: int = 0) -> list[tuple[str, float, int]]:
    return firm.rows(
        "select care.colour_name(colour), score, override from care.health_night where customer_no = %s and revision = %s order by day",
        firm.facts.customer(name), revision,
    )  # fmt: skip


@pytest.fixture
def people(firm: TinyFirm) -> TinyFirm:
    """Two healthy customers and one night, by which the firm's people are known."""
    firm.customer("C1")
    firm.customer("C2")
    nights(firm, 1, 1)
    return firm


def test_it_stands_from_the_next_night_through_its_day_and_the_score_stays(people: TinyFirm) -> None:
    say(people, "red", people.moment(day(1), 12), until=day(4))
    nights(people, 2, 5)
    assert colours(people) == [("green", 90, 0), *[("red", 90, 1)] * 3, ("green", 90, 0)]
    assert {row[0] for row in colours(people, "C2")} == {"green"}
    assert people.rows("select day, overridden, risk from care.health where overridden order by day") == [
        (day(2), True, 10), (day(3), True, 10), (day(4), True, 10),
    ]  # fmt: skip


def test_it_acts_on_the_level_as_a_computed_colour_would(people: TinyFirm) -> None:
    say(people, "red", people.moment(day(1), 12), until=day(9))
    nights(people, 2, 3)
    opened = people.rows("select rule, opened_day from care.signal where state = 'open' order by 1")
    assert opened == [("health_red", day(3)), ("health_yellow", day(3))], "after the model's two nights"
    end(people.connection, "C1", by="ann", now=people.moment(day(3), 12))
    nights(people, 4, 5)
    assert people.rows("select rule from care.signal where state = 'open'") == []


def test_green_lifts_what_the_score_would_set(people: TinyFirm) -> None:
    nights(people, 2, 3, mood=10)
    assert people.rows("select count(*) from care.signal where state = 'open'") == [(4,)]
    say(people, "green", people.moment(day(3), 12), until=day(9))
    nights(people, 4, 5, mood=10)
    open_ = people.rows("select distinct customer_no from care.signal where state = 'open'")
    assert open_ == [(people.facts.customer("C2"),)]
    assert colours(people)[-1] == ("green", 10, 3)


def test_no_replay_sees_what_nobody_had_said_yet(people: TinyFirm) -> None:
    nights(people, 2, 2)
    say(people, "red", people.moment(day(2), 12), until=day(9))
    nights(people, 3, 3)
    # late answers restate the nights with what is known today: the word of day 2 stays unsaid on days 1 and 2
    for number in (0, 1, 2):
        noon = people.moment(day(number), 12)
        people.facts.add("survey", "C1", noon, score=95, known_from=people.moment(day(3), 4))
    people.clock_at(people.moment(day(3), 5))
    calendar = people.configuration.care.work
    assert [
        one.revision for one in restate(people.connection, day(1), None, sources={}, calendar=calendar)
    ] == [1] * 3
    assert colours(people, revision=1) == [("green", 95, 0), ("green", 95, 0), ("red", 95, 1)]
    for number, said in ((1, False), (2, False), (3, True)):
        explained = explain(people.connection, "C1", day(number))
        assert explained.equals_stored
        assert (explained.override is not None) == said
    replayed = replay_day(people.connection, people.configuration.judgement, day(3))
    assert not replayed.judged.scores.override.any(), "a backtest asks the configuration alone"


def test_it_ended_counts_from_the_next_night_and_the_newest_word_stands(people: TinyFirm) -> None:
    say(people, "red", people.moment(day(1), 12), until=day(9))
    nights(people, 2, 2)
    say(people, "yellow", people.moment(day(2), 12), until=day(9))
    nights(people, 3, 3)
    end(people.connection, "C1", by="ann", now=people.moment(day(3), 12))
    nights(people, 4, 4)
    assert [row[0] for row in colours(people)] == ["green", "red", "yellow", "green"]
    explained = explain(people.connection, "C1", day(2))
    assert explained.equals_stored and explained.override is not None
    assert explained.override == {
        "colour": "red", "until": str(day(9)), "by": "bob", "why": "the plant burnt down",
    }  # fmt: skip
    assert people.rows("select what, by, subject from care.audit where what like 'health%%' order by audit_no") == [
        ("health_overridden", "bob", "C1"), ("health_overridden", "bob", "C1"), ("health_override_ended", "ann", "C1"),
    ]  # fmt: skip


def test_what_cannot_be_said_is_refused(people: TinyFirm) -> None:
    at = people.moment(day(1), 12)
    for changes, said in (
        ({"why": "  "}, "needs a reason"),
        ({"until": day(1)}, "no later than today"),
        ({"by": "bod"}, "did you mean bob"),
    ):
        asked = {"until": day(3), "why": "x", "by": "bob", "now": at, "today": day(1)} | changes
        with pytest.raises(NotPossible, match=said):
            override(people.connection, "C1", "red", **asked)  # type: ignore[arg-type]
    with pytest.raises(UnknownCustomer, match="C1"):
        override(people.connection, "C11", "red", until=day(3), why="x", by="bob", now=at, today=day(1))
    with pytest.raises(NotPossible, match="nobody said a colour"):
        end(people.connection, "C1", by="bob", now=at)
    assert people.rows("select count(*) from care.health_override") == [(0,)]


def test_the_command_says_lists_explains_and_ends(
    people: TinyFirm,
    shared_warehouse: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CARE_DB", shared_warehouse)
    people.clock_at(people.moment(day(1), 12))
    reason = ["--why", "their plant burnt down", "--by", "bob"]
    assert main(["override", "C1", "red", "--until", str(day(5)), *reason]) == 0
    assert main(["override"]) == 0
    nights(people, 2, 2)
    assert main(["explain", "C1"]) == 0
    said = capsys.readouterr().out
    assert "C1 is red from the next night on, through 2026-06-05; the score stays" in said
    assert "C1: red through 2026-06-05, by bob: their plant burnt down" in said
    assert "so the colour is not the computed one: their plant burnt down" in said
    assert main(["override", "C1", "--end", "--by", "bob"]) == 0
    assert main(["override"]) == 0
    assert "nobody said a colour" in capsys.readouterr().out
    for wrong in (
        ["C1"],
        ["C1", "red", "--by", "bob"],
        ["C1", "--end"],
        ["C1", "red", "--end", "--by", "bob"],
    ):
        assert main(["override", *wrong]) == 2
        assert "say who and what: care override CUSTOMER" in capsys.readouterr().err


@pytest.mark.req("D14")
def test_the_command_speaks_chinese_mistakes_included(
    people: TinyFirm,
    shared_warehouse: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CARE_DB", shared_warehouse)
    people.clock_at(people.moment(day(1), 12))

    def told(code: int, *words: str) -> str:
        assert main(["override", *words, "--language", "zh-CN"]) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    assert told(0) == "没有人工指定的颜色：所有客户都用计算所得的颜色\n"
    why = ["--why", "工厂失火", "--until", str(day(5))]
    assert told(0, "C1", "red", *why, "--by", "bob") == "C1 从下一晚起为红色，至 2026-06-05 止；健康分不变\n"
    assert told(0) == "C1：红色，至 2026-06-05，由 bob 指定：工厂失火\n"
    assert (
        told(2, "C1", "red", *why, "--by", "bop") == "people.yaml 的在职人员中没有编号“bop”；是否想写 bob？\n"
    )
    assert told(2, "C11", "red", *why, "--by", "bob") == "未知的客户“C11”；是否想写 C1？\n"
    assert told(2, "C1").startswith("请写明谁、改成什么：care override 客户 green|yellow|red")
    assert told(0, "C1", "--end", "--by", "bob") == "C1：从下一晚起恢复使用计算所得的颜色\n"
