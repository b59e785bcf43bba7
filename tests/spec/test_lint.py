"""What the finders find, on both sides of each boundary: sound parts, one thing of them changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.warn.book import rule

from carewatch.spec.health import Health
from carewatch.spec.lint import (
    bands,
    clearing,
    counted_twice,
    level_lines,
    needless_lines,
    never_or_always,
    number_of_metrics,
    points,
    priorities,
    promises,
    rule_examples,
    thresholds,
    unused_metrics,
    weights,
    work,
)
from carewatch.spec.loading import read
from carewatch.spec.parts import Parts, named_metrics
from carewatch.spec.rules import LevelsFile, Rule

pytestmark = pytest.mark.req("D14")


@pytest.fixture(scope="module")
def sound() -> Parts:
    """Return the parts of the shipped configuration."""
    return read(Path(__file__).resolve().parents[2] / "config").parts


def places(finder: Any, parts: Parts) -> list[tuple[Any, ...]]:
    """Return where a finder finds something: the name of the thing, and the path below it."""
    return [(one.name, *one.problem.loc) for one in finder.find(parts)]


def with_rules(parts: Parts, **rules: Rule) -> Parts:
    return replace(parts, rules=rules)


def model(weight: Mapping[str, float], **changes: Any) -> Health:
    """Return a health model of one dimension: weights by metric, the points of each from 0 to 100 unless changed."""
    ends = changes.pop("points", {0: 0, 100: 100})
    metrics = {name: {"weight": share, "points": ends} for name, share in weight.items()}
    dimension = {"label": "Everything", "weight": 1, "metrics": metrics}
    usual = {
        "version": 1,
        "label": "Model",
        "dimensions": {"all": dimension},
        "bands": {"green": 70, "yellow": 50},
    }
    return Health.model_validate(usual | changes)


def with_model(parts: Parts, health: Health) -> Parts:
    return replace(parts, health=health, models={}, tiers=None)


@pytest.mark.parametrize(("count", "found"), [(7, True), (8, False), (12, False), (13, True)])
def test_a_model_has_eight_to_twelve_metrics(sound: Parts, count: int, found: bool) -> None:
    names = {f"m{number}": 1 / count for number in range(count)}
    assert bool(places(number_of_metrics, with_model(sound, model(names)))) is found


@pytest.mark.parametrize(
    ("most", "least", "found"),
    [(0.5, 0.01, []), (0.51, 0.01, ["most"]), (0.5, 0.009, ["least"])],
)
def test_no_metric_carries_more_than_half_or_less_than_a_hundredth(
    sound: Parts, most: float, least: float, found: list[str]
) -> None:
    health = model({"most": most, "least": least, "rest": 0.3, "other": 1 - most - least - 0.3})
    expected = [("health", "dimensions", "all", "metrics", name) for name in found]
    assert places(weights, with_model(sound, health)) == expected


@pytest.mark.parametrize(("share", "found"), [(0.8, False), (0.9, True)])
def test_what_a_metric_carries_is_its_part_of_the_dimensions_part(
    sound: Parts, share: float, found: bool
) -> None:
    dimensions = {
        name: {
            "label": name,
            "weight": weight,
            "metrics": {
                f"{name}{at}": {"weight": part, "points": {0: 0, 1: 100}}
                for at, part in enumerate((share, 1 - share))
            },
        }
        for name, weight in (("heavy", 0.6), ("light", 0.4))
    }
    parts = with_model(sound, model({"m": 1}, dimensions=dimensions))
    assert [loc[-1] for loc in places(weights, parts)] == (["heavy0"] if found else [])


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        ({0: 49.9, 100: 70}, []),
        ({0: 0, 100: 69.9}, ["green"]),
        ({0: 50, 100: 100}, ["yellow"]),
        ({0: 60, 100: 65}, ["green", "yellow"]),
    ],
)
def test_every_colour_can_be_had(sound: Parts, ends: Mapping[int, float], found: list[str]) -> None:
    parts = with_model(sound, model({"m": 1}, points=ends))
    assert places(bands, parts) == [("health", "bands", name) for name in found]
    assert [one.stops for one in bands.find(parts)] == [name == "green" for name in found]


def test_a_missing_number_may_be_what_makes_red(sound: Parts) -> None:
    scored = {"weight": 1, "points": {0: 60, 100: 100}, "missing": 0}
    dimension = {"label": "Everything", "weight": 1, "metrics": {"m": scored}}
    assert places(bands, with_model(sound, model({"m": 1}, dimensions={"all": dimension}))) == []


@pytest.mark.parametrize(
    ("metric", "ends", "found"),
    [
        ("orders_365d", {0: 0, 10: 100}, False),  # more is better
        ("orders_365d", {0: 100, 10: 0}, True),
        ("orders_365d", {0: 50, 5: 100, 10: 50}, False),
        ("orders_365d", {0: 50, 10: 50}, False),
        ("days_since_order", {0: 100, 10: 0}, False),  # less is better
        ("days_since_order", {0: 0, 10: 100}, True),
        ("days_since_order", {0: 50, 5: 100, 10: 50}, False),
    ],
)
def test_points_go_the_way_of_the_metric(
    sound: Parts, metric: str, ends: Mapping[int, float], found: bool
) -> None:
    assert sound.metrics[metric].better == ("higher" if metric == "orders_365d" else "lower")
    parts = with_model(sound, model({metric: 1}, points=ends))
    at = ("health", "dimensions", "all", "metrics", metric, "points")
    assert places(points, parts) == ([at] if found else [])


def test_points_of_a_tier_a_case_and_the_value_score_go_the_same_way(sound: Parts) -> None:
    falls = {0: 100, 10: 0}
    usual = {"weight": 1, "points": {0: 0, 10: 100}}
    by = [{"when": "orders_365d > 5", "points": falls}]
    scored = {**usual, "by_tier": {"A": falls}, "by": by}
    dimension = {"label": "Everything", "weight": 1, "metrics": {"orders_365d": scored}}
    at = ("health", "dimensions", "all", "metrics", "orders_365d")
    health = model({"m": 1}, dimensions={"all": dimension})
    assert places(points, with_model(sound, health)) == [(*at, "by_tier", "A"), (*at, "by", 0, "points")]
    assert sound.tiers is not None
    name = next(one for one in sound.tiers.metrics if sound.metrics[one].better == "higher")
    turned = sound.tiers.metrics[name].model_copy(update={"points": ((0.0, 100.0), (10.0, 0.0))})
    tiers = sound.tiers.model_copy(update={"metrics": {**sound.tiers.metrics, name: turned}})
    assert places(points, replace(sound, tiers=tiers)) == [("tiers", "metrics", name, "points")]


def with_levels(parts: Parts, **changes: Any) -> Parts:
    assert parts.levels is not None
    data = parts.levels.model_dump(mode="json", exclude_none=True)
    return replace(parts, levels=LevelsFile.model_validate({**data, **changes}))


USUAL = {"3": "high", "2": "medium", "1": "low"}


@pytest.mark.parametrize(
    ("level", "tier", "priority", "found"),
    [
        ("1", "C", "low", []),
        ("2", "A", "high", []),
        ("2", "A", "low", [("2", "A")]),  # than tier B
        ("2", "B", "high", [("2", "A")]),  # tier A is less urgent than that
        ("3", "C", "medium", []),
        ("3", "C", "low", [("3", "C")]),  # than level 2
    ],
)
def test_a_better_tier_or_a_worse_level_is_never_less_urgent(
    sound: Parts, level: str, tier: str, priority: str, found: list[tuple[str, str]]
) -> None:
    given = {one: dict.fromkeys("ABC", usual) for one, usual in USUAL.items()}
    given[level][tier] = priority
    expected = [("levels", "priority", *one) for one in found]
    assert places(priorities, with_levels(sound, priority=given)) == expected


@pytest.mark.parametrize(
    ("level", "tier", "hours", "found"),
    [
        ("3", "A", [4, 8, 16, 24], []),  # as long as tier B and as level 2
        ("3", "A", [5, 8, 16, 24], [(0, "tier"), (0, "level")]),
        ("3", "A", [4, 8, 16, 25], [(3, "tier"), (3, "level")]),
        ("3", "C", [4, 9, 16, 24], [(1, "level")]),
        ("2", "B", [4, 8, 17, 24], [(2, "tier"), (2, "level")]),
    ],
)
def test_a_better_tier_or_a_worse_level_never_waits_longer(
    sound: Parts, level: str, tier: str, hours: list[float], found: list[tuple[int, str]]
) -> None:
    promised = {one: {name: [4, 8, 16, 24] for name in "ABC"} for one in "123"}
    promised[level][tier] = hours
    came = [*promises.find(with_levels(sound, promises=promised))]
    assert [(one.problem.loc, one.problem.what.split()[0]) for one in came] == [
        (("promises", level, tier, at), against) for at, against in found
    ]


@pytest.mark.parametrize(
    ("lines", "needless"),
    [
        ([{"severe": 1}, {"moderate": 2}], []),
        ([{"severe": 1}, {"severe": 2}], [1]),
        ([{"moderate": 2}, {"moderate": 1, "mild": 1}], [0]),  # two moderate are one moderate and one more
        ([{"mild": 3, "dimensions": 2}, {"mild": 3, "dimensions": 3}], [1]),
        ([{"mild": 3, "dimensions": 2}, {"mild": 4}], []),
        ([{"mild": 2, "dimensions": 4}, {"mild": 3, "dimensions": 2}], [0]),  # four dimensions are four indicators
        ([{"health": "yellow"}, {"health": "red"}], [1]),
        ([{"health": "red"}, {"severe": 1}], []),
        ([{"severe": 1}, {"severe": 1}], [1]),
    ],
)  # fmt: skip
def test_a_line_that_another_covers_is_found(
    sound: Parts, lines: list[dict[str, Any]], needless: list[int]
) -> None:
    table = {"3": [{"critical": 9}], "2": lines, "1": [{"mild": 1}]}
    found = places(level_lines, with_levels(sound, levels=table, loose=None))
    covered = [loc[3] for loc in found if loc[:3] == ("levels", "levels", "2")]
    assert covered == needless


@pytest.mark.parametrize("table", ["levels", "loose"])
@pytest.mark.parametrize(
    ("worse", "milder", "found"),
    [
        ({"severe": 1}, {"severe": 2}, True),
        ({"severe": 2}, {"severe": 1}, False),
        ({"health": "yellow"}, {"health": "red"}, True),
        ({"severe": 1}, {"moderate": 1}, False),
    ],
)
def test_a_line_that_a_higher_level_covers_stops(
    sound: Parts, table: str, worse: dict[str, Any], milder: dict[str, Any], found: bool
) -> None:
    lines = {"3": [{"critical": 1}], "2": [worse], "1": [milder]}
    given = {table: lines} if table == "levels" else {"loose": lines}
    came = [one for one in level_lines.find(with_levels(sound, **given)) if one.problem.loc[0] == table]
    assert [(one.problem.loc, one.stops) for one in came] == ([((table, "1", 0), True)] if found else [])


def test_a_note_may_say_that_it_is_critical(sound: Parts) -> None:
    table = {"3": [{"critical": 1}], "2": [{"health": "red"}], "1": [{"health": "yellow"}]}
    for fact, found in (("note", False), ("contact_event", True)):
        one = rule(on="event", fact=fact, when="days_since_event is not missing")
        parts = with_levels(with_rules(sound, one=one), levels=table, loose=None)
        assert bool(places(level_lines, parts)) is found


@pytest.mark.parametrize(("over", "found"), [(0, False), (1, True)])
def test_a_line_asks_for_no_more_than_the_rules_have(sound: Parts, over: int, found: bool) -> None:
    names = [f"r{number}" for number in range(4)]
    grades = ("mild", "moderate", "severe", "mild")
    rules = {
        name: rule(counts_as=name, dimension=f"d{at % 2}", severity=grade)
        for at, (name, grade) in enumerate(zip(names, grades, strict=True))
    }
    rules["r3"] = rule(counts_as="r3", dimension="d1", severity="mild", severity_by_tier={"A": "critical"})
    for line in (
        {"critical": 1 + over}, {"severe": 2 + over}, {"moderate": 3 + over}, {"mild": 4 + over},
        {"mild": 1, "dimensions": 2 + over},
    ):  # fmt: skip
        table = {"3": [line], "2": [{"health": "red"}], "1": [{"health": "yellow"}]}
        parts = with_levels(with_rules(sound, **rules), levels=table, loose=None)
        assert places(level_lines, parts) == ([("levels", "levels", "3", 0)] if found else []), line


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ({"all": ["x > 3", "x < 3"]}, [("when", "all", 1)]),
        ({"all": ["x >= 3", "x <= 3"]}, []),
        ({"any": ["x > 3", "x <= 3"]}, [("when", "any", 0)]),
        ({"any": ["x > 3", "x < 3"]}, []),
        ("orders_30d < 0", [("when",)]),
        ("orders_30d <= 0", []),
        ("orders_30d >= 0", [("when",)]),
        ("orders_30d > 0", []),
        ("tier is D", [("when",)]),
        ({"any": ["x > 3", {"all": ["x > 2", "x < 1"]}]}, [("when", "any", 1, "all", 1)]),
    ],
)
def test_what_is_never_or_always_true_is_found_and_stops(
    sound: Parts, when: Any, found: list[tuple[Any, ...]]
) -> None:
    came = [*never_or_always.find(with_rules(sound, one=rule(when=when)))]
    assert [one.problem.loc for one in came] == found
    assert all(one.stops for one in came)


@pytest.mark.parametrize(("unless", "found"), [("x > 0", True), ("x > 1", False), ("y > 0", False)])
def test_an_excuse_that_always_holds_is_found(sound: Parts, unless: str, found: bool) -> None:
    parts = with_rules(sound, one=rule(when="x >= 1", unless=unless))
    assert places(never_or_always, parts) == ([("one", "unless")] if found else [])


@pytest.mark.parametrize(
    ("clears_if", "stops"),
    [("x < 1", None), ("x <= 1", False), ("x < 2", False), ("x > 0", True), ("x >= 1", True), ("y < 1", False)],
)  # fmt: skip
def test_what_ends_a_signal_is_never_true_with_it(sound: Parts, clears_if: str, stops: bool | None) -> None:
    came = [*clearing.find(with_rules(sound, one=rule(when="x >= 1", clears_if=clears_if)))]
    assert [one.stops for one in came] == ([] if stops is None else [stops])


@pytest.mark.parametrize(
    ("when", "found"),
    [
        ({"all": ["x > 4", "x >= 2"]}, [("when", "all", 1)]),
        ({"any": ["x > 4", "x >= 2"]}, [("when", "any", 0)]),
        ({"none": ["x > 4", "x >= 2"]}, [("when", "none", 0)]),
        ({"all": ["x > 4", "y > 2"]}, []),
        ({"all": ["x > 2", "x < 4"]}, []),
        ({"all": ["y > 1", {"any": ["x > 4", "x >= 2"]}]}, [("when", "all", 1, "any", 0)]),
    ],
)
def test_a_line_that_another_says_already_is_found(
    sound: Parts, when: Any, found: list[tuple[Any, ...]]
) -> None:
    parts = with_rules(sound, one=rule(when=when))
    assert [one.problem.loc for one in needless_lines.find(parts)] == found


@pytest.mark.parametrize(
    ("other", "counts_as", "found"),
    [
        ("overdue_days > 90", "late", False),
        ("overdue_days > 90", "dunning", True),
        ("overdue_days < 90", "dunning", False),  # a filter on the good side
        ({"all": ["overdue_days > 90", "orders_30d < 2"]}, "dunning", False),
        ({"all": ["overdue_days > 90", "orders_30d > 2"]}, "dunning", True),
    ],
)
def test_one_thing_that_is_wrong_counts_once(sound: Parts, other: Any, counts_as: str, found: bool) -> None:
    parts = with_rules(
        sound,
        one=rule(when="overdue_days > 60", counts_as="late"),
        other=rule(when=other, counts_as=counts_as),
    )
    assert places(counted_twice, parts) == ([("other", "counts_as")] if found else [])


def examples(*given: tuple[float, bool]) -> list[dict[str, Any]]:
    return [{"given": {"x": value}, "fires": fires} for value, fires in given]


@pytest.mark.parametrize(
    ("tried", "found"),
    [
        ([], [()]),
        ([(1, True)], [("examples",)]),
        ([(0, False)], [("examples",)]),
        ([(1, True), (0, False)], []),
    ],
)
def test_a_rule_is_tried_on_both_sides(
    sound: Parts, tried: list[tuple[float, bool]], found: list[tuple[str, ...]]
) -> None:
    parts = with_rules(sound, one=rule(examples=examples(*tried)))
    assert [one.problem.loc for one in rule_examples.find(parts)] == found


def test_every_line_of_a_rule_is_tried_on_both_sides(sound: Parts) -> None:
    given = [{"given": {"x": x, "y": 5}, "fires": x >= 1} for x in (0, 1)]
    parts = with_rules(sound, one=rule(when={"all": ["x >= 1", "y > 2"]}, examples=given))
    assert places(rule_examples, parts) == [("one", "when", "all", 1)]


@pytest.mark.parametrize(
    ("worse", "milder", "changes", "found"),
    [
        ("overdue_days > 60", "overdue_days > 30", {}, False),
        ("overdue_days > 30", "overdue_days > 60", {}, True),
        ("overdue_days > 30", "overdue_days > 30", {}, False),
        ("overdue_days >= 30", "overdue_days > 30", {}, True),
        ("overdue_days > 30", "overdue_days > 60", {"holds_for": 3}, False),  # it waits longer
        ("overdue_days > 30", "overdue_days > 60", {"severity": "mild"}, False),  # it is no worse
        (
            "overdue_days > 30",
            "overdue_days > 60",
            {"severity_by_tier": {"A": "watch"}},
            False,
        ),  # not for everybody
        ("overdue_days > 30", "overdue_days < 60", {}, False),
        ({"all": ["overdue_days > 30", "tier is A"]}, "overdue_days > 60", {}, False),
    ],
)
def test_of_two_rules_the_worse_begins_later(
    sound: Parts, worse: Any, milder: Any, changes: dict[str, Any], found: bool
) -> None:
    parts = with_rules(
        sound,
        worse=rule(when=worse, counts_as="late", **{"severity": "severe", **changes}),
        milder=rule(when=milder, counts_as="late"),
    )
    assert ("worse", "when") in places(thresholds, parts) if found else places(thresholds, parts) == []
    apart = {name: one.model_copy(update={"counts_as": name}) for name, one in parts.rules.items()}
    assert places(thresholds, with_rules(sound, **apart)) == [], (
        "rules of two indicators are nothing to compare"
    )


@pytest.mark.parametrize(
    ("band", "beyond", "expected"),
    [
        ({"all": ["overdue_days >= 10", "overdue_days < 20"]}, "overdue_days >= 20", None),
        ({"all": ["overdue_days >= 10", "overdue_days <= 19"]}, "overdue_days >= 20", None),  # whole days
        ({"all": ["overdue_days >= 10", "overdue_days < 20"]}, "overdue_days > 20", "overdue_days <= 20"),
        ({"all": ["overdue_days >= 10", "overdue_days < 20"]}, "overdue_days >= 30", "overdue_days < 30"),
        ({"all": ["overdue_days >= 10", "overdue_days < 20"]}, "overdue_days >= 15", None),
        ({"all": ["amount_change_90d > -20", "amount_change_90d <= -10"]}, "amount_change_90d <= -20", None),
        (
            {"all": ["amount_change_90d > -20", "amount_change_90d <= -10"]},
            "amount_change_90d <= -30",
            "amount_change_90d > -30",
        ),
        (
            {"all": ["amount_change_90d > -20", "amount_change_90d <= -10"]},
            "amount_change_90d <= -21",
            "amount_change_90d > -21",
        ),
        (
            {"all": ["amount_change_90d > -20", "amount_change_90d <= -10"]},
            "amount_change_90d < -20",
            "amount_change_90d >= -20",
        ),
    ],
)
def test_no_value_lies_between_two_rules_of_an_indicator(
    sound: Parts, band: Any, beyond: str, expected: str | None
) -> None:
    parts = with_rules(
        sound,
        band=rule(when=band, counts_as="one"),
        beyond=rule(when=beyond, counts_as="one", severity="severe"),
    )
    found = [*thresholds.find(parts)]
    assert [one.name for one in found] == ([] if expected is None else ["band"])
    assert [one.problem.expected.split("'")[1] for one in found if one.problem.expected] == (
        [] if expected is None else [expected]
    )


def test_a_third_rule_may_fill_what_lies_between_two(sound: Parts) -> None:
    bounds = (("overdue_days >= 10", "overdue_days < 20"), ("overdue_days >= 20", "overdue_days < 30"))
    first, second = ({"all": [*pair]} for pair in bounds)
    rules = {"first": rule(when=first), "second": rule(when=second), "third": rule(when="overdue_days >= 30")}
    assert places(thresholds, with_rules(sound, **rules)) == []
    del rules["second"]
    assert places(thresholds, with_rules(sound, **rules)) == [("first", "when", "all", 1)]


def unused(parts: Parts) -> set[str]:
    return {
        name
        for found in unused_metrics.find(parts)
        for name in str(found.problem.what).partition(": ")[2].split(", ")
    }


def test_a_metric_that_nothing_reads_is_found(sound: Parts) -> None:
    before = unused(sound)
    assert before.isdisjoint(sound.health.reads() if sound.health else ())
    for name in before:
        reads_it = rule(when=f"{name} > 1", because="one")
        assert unused(replace(sound, rules={**sound.rules, "one": reads_it})) == before - {name}
        shows_it = rule(when="score < 1", because="it is {" + name + "}")
        assert unused(replace(sound, rules={**sound.rules, "one": shows_it})) == before - {name}
    one_metric = model({"orders_365d": 1})
    for parts in (sound, replace(sound, rules={}), replace(sound, rules={}, health=one_metric, models={})):
        made_of = {part for metric in parts.metrics.values() for _, part in metric.parts()}
        assert unused(parts) == set(parts.metrics) - named_metrics(parts) - made_of


def with_capacity(parts: Parts, hours: float | None, **changes: Any) -> Parts:
    """Return the parts with this many hours a week for everybody; `changes` are those of one step of a playbook."""
    assert parts.people is not None and parts.playbooks is not None
    people = {name: one.model_copy(update={"capacity": hours}) for name, one in parts.people.people.items()}
    name, book = next(iter(parts.playbooks.items()))
    step, content = next(iter(book.steps.items()))
    tried = book.model_copy(update={"steps": {step: content.model_copy(update=changes)}})
    return replace(parts, people=parts.people.model_copy(update={"people": people}), playbooks={name: tried})


@pytest.mark.parametrize(
    ("hours", "effort", "found"), [(8, 8, False), (8, 8.5, True), (None, 99, False)]
)  # fmt: skip
def test_somebody_has_time_for_every_step(
    sound: Parts, hours: float | None, effort: float, found: bool
) -> None:
    assert bool(places(work, with_capacity(sound, hours, effort=effort, role="service"))) is found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"capacity": None}, False),  # of somebody it is not known
        ({"capacity": 9}, False),
        ({"capacity": 9, "active": False}, True),
        ({"capacity": 9, "roles": ["sales_manager"]}, True),
        ({"capacity": 1}, True),
    ],
)
def test_somebody_who_is_there_and_has_the_role_has_time(
    sound: Parts, changes: dict[str, Any], found: bool
) -> None:
    parts = with_capacity(sound, 8, effort=9, role="service")
    assert parts.people is not None
    name = next(one for one, person in parts.people.people.items() if "service" in person.roles)
    people = {**parts.people.people, name: parts.people.people[name].model_copy(update=changes)}
    tried = replace(parts, people=parts.people.model_copy(update={"people": people}))
    assert bool(places(work, tried)) is found


@pytest.mark.parametrize(
    ("due", "needed", "found"),
    [
        ("plan", "first_call", False),
        ("plan", "plan", False),
        ("first_call", "plan", True),
        (4, 4, False),
        (3, 4, True),
        (3, "plan", False),
    ],
)
def test_no_step_is_due_before_what_it_waits_for(sound: Parts, due: Any, needed: Any, found: bool) -> None:
    assert sound.playbooks is not None
    name, book = next((name, book) for name, book in sound.playbooks.items() if len(book.steps) > 1)
    first, second, *_ = book.steps
    steps = {
        first: book.steps[first].model_copy(update={"due": needed, "needs": []}),
        second: book.steps[second].model_copy(update={"due": due, "needs": [first]}),
    }
    parts = replace(sound, playbooks={name: book.model_copy(update={"steps": steps})})
    assert places(work, parts) == ([(name, "steps", second, "needs", 0)] if found else [])
