"""The level table against an oracle in plain Python that reads REQUIREMENTS as a person would."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.warn.book import book_of, rule

from carewatch.spec.document import read_document, validate
from carewatch.spec.loading import load
from carewatch.spec.rules import Levels, LevelsFile, Priority, Severity
from carewatch.warn.fold import Phase
from carewatch.warn.hits import HEALTH_RED, HEALTH_YELLOW
from carewatch.warn.level import NOTHING, levels, priorities, severities

CONFIG = Path(__file__).resolve().parents[2] / "config"
COUNTED = ("mild", "moderate", "severe", "critical")
INDICATORS = 16
LAYOUTS = {
    "one dimension": ["d0"] * INDICATORS,
    "two by turns": [f"d{number % 2}" for number in range(INDICATORS)],
    "one apart from the rest": ["d0"] + ["d1"] * (INDICATORS - 1),
    "each its own": [f"d{number}" for number in range(INDICATORS)],
}


@pytest.fixture(scope="module")
def table() -> Levels:
    """Return the shipped level table."""
    return load(CONFIG).judgement.levels


def level_by_the_book(severities: list[tuple[str, str]], health: str) -> int:
    """Return the level of (severity, dimension) pairs, one an indicator; the words of the requirements one by one."""
    mild, moderate, severe, critical = (
        [dimension for severity, dimension in severities if severity == wanted] for wanted in COUNTED
    )
    if critical or len(severe) >= 3:
        return 3
    if severe or len(moderate) >= 2 or (moderate and len(mild) >= 2):
        return 2
    if (len(mild) >= 3 and len(set(mild)) >= 2) or health == "red":
        return 2
    return 1 if mild or moderate or health == "yellow" else 0


def judged(
    table: Levels, dimensions: list[str], rows: list[list[str | None]], health: list[str]
) -> list[int]:
    """Return the levels of customers whose indicators have these severities (None: no signal)."""
    book = book_of(
        {
            f"r{number}": rule(counts_as=f"i{number}", dimension=dimension)
            for number, dimension in enumerate(dimensions)
        }
    )
    ranks = [[NOTHING if one is None else Severity(one).rank for one in row] + [NOTHING] * 2 for row in rows]
    severity = np.array(ranks, np.int8)
    phase = np.where(severity > NOTHING, Phase.OPEN, Phase.NONE).astype(np.int8)
    phase[:, book.number(HEALTH_YELLOW)] = [Phase.OPEN if one != "green" else Phase.NONE for one in health]
    phase[:, book.number(HEALTH_RED)] = [Phase.OPEN if one == "red" else Phase.NONE for one in health]
    return levels(table, book, phase, severity).tolist()


@pytest.mark.req("S76", "S77", "S78")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_count_of_every_severity_has_the_level_of_the_table(table: Levels, layout: str) -> None:
    dimensions = LAYOUTS[layout]
    rows: list[list[str | None]] = []
    health: list[str] = []
    for counts in product(range(5), repeat=4):
        named = [name for name, count in zip(COUNTED, counts, strict=True) for _ in range(count)]
        for order, colour in product((named, named[::-1]), ("green", "yellow", "red")):
            rows.append([*order, *[None] * (INDICATORS - len(order))])
            health.append(colour)
    expected = [
        level_by_the_book([(s, d) for s, d in zip(row, dimensions, strict=True) if s is not None], colour)
        for row, colour in zip(rows, health, strict=True)
    ]
    assert judged(table, dimensions, rows, health) == expected
    assert set(expected) == {0, 1, 2, 3}


def loosely(counts: tuple[int, ...], health: str) -> int:
    """Return the level of the loose table for counts of mild, moderate, severe and critical indicators."""
    mild, moderate, severe, critical = (sum(counts[at:]) for at in range(4))
    if critical or severe >= 3:
        return 3
    if (severe and moderate >= 2) or moderate >= 3 or health == "red":
        return 2
    return 1 if moderate or mild >= 3 else 0


@pytest.mark.req("S85")
def test_the_loose_table_is_never_stricter_and_lets_light_signals_pass(table: Levels) -> None:
    files, problems = validate(read_document(CONFIG / "levels.yaml"), LevelsFile)
    assert files is not None and not problems
    loose = files.table(loose=True)
    assert files.table() == table
    rows: list[list[str | None]] = []
    for counts in product(range(4), repeat=4):
        named = [name for name, count in zip(COUNTED, counts, strict=True) for _ in range(count)]
        rows.append([*named, *[None] * (INDICATORS - len(named))])
    for colour in ("green", "yellow", "red"):
        usual, eased = (
            judged(one, LAYOUTS["two by turns"], rows, [colour] * len(rows)) for one in (table, loose)
        )
        assert all(ours <= theirs for ours, theirs in zip(eased, usual, strict=True))
        assert eased == [loosely(counts, colour) for counts in product(range(4), repeat=4)]
    one_by_one = [[name, *[None] * (INDICATORS - 1)] for name in COUNTED]
    assert judged(loose, LAYOUTS["one dimension"], one_by_one, ["green"] * 4) == [0, 1, 1, 3]
    assert judged(loose, LAYOUTS["one dimension"], [[None] * INDICATORS] * 2, ["yellow", "red"]) == [0, 2]


@pytest.mark.req("S76")
def test_watching_alone_is_no_warning_and_lifts_none(table: Levels) -> None:
    dimensions = LAYOUTS["each its own"][:5]
    rows: list[list[str | None]] = [["watch"] * 5, ["watch"] * 4 + ["mild"], ["watch"] * 3 + ["mild"] * 2]
    assert judged(table, dimensions, rows, ["green"] * 3) == [0, 1, 1]


@pytest.mark.req("S76", "S77", "S78")
@pytest.mark.parametrize(
    ("story", "signals", "level"),
    [
        ("orders down 15 %", [("mild", "transaction")], 1),
        ("orders down 25 %, inquiries halved", [("moderate", "transaction"), ("moderate", "interaction")], 2),
        ("three months no order, likes the rival", [("severe", "transaction"), ("critical", "environment")], 3),
        ("three severe", [("severe", "transaction"), ("severe", "service"), ("severe", "finance")], 3),
        ("main contact of an A customer left", [("critical", "interaction")], 3),
        ("main contact of a C customer left", [("severe", "interaction")], 2),
    ],
)  # fmt: skip
def test_stories_of_the_requirements(
    table: Levels, story: str, signals: list[tuple[str, str]], level: int
) -> None:
    severities = [severity for severity, _ in signals]
    assert judged(table, [dimension for _, dimension in signals], [[*severities]], ["green"]) == [level]


@pytest.mark.req("S76", "S77", "S78")
@settings(max_examples=300)
@given(
    st.lists(st.integers(NOTHING, 4), min_size=6, max_size=6),
    st.integers(0, 5),
    st.integers(NOTHING, 4),
    st.sampled_from(["green", "yellow", "red"]),
    st.lists(st.sampled_from(["d0", "d1", "d2"]), min_size=6, max_size=6),
)
def test_adding_or_worsening_an_indicator_never_lowers_the_level(
    table: Levels, ranks: list[int], which: int, worse: int, health: str, dimensions: list[str]
) -> None:
    worsened = [*ranks]
    worsened[which] = max(ranks[which], worse)
    names = [None if rank == NOTHING else list(Severity)[rank].value for rank in ranks]
    worse_names = [None if rank == NOTHING else list(Severity)[rank].value for rank in worsened]
    redder = "red" if health == "yellow" else health
    before, after, with_health = judged(
        table, dimensions, [names, worse_names, worse_names], [health, health, redder]
    )
    assert before <= after <= with_health


@pytest.mark.req("S77")
def test_an_indicator_counts_once_at_its_worst(table: Levels) -> None:
    """Four rules that watch the order amount are one indicator."""
    names = ("a", "b", "c", "d")
    amount = {name: rule(counts_as="amount", severity="moderate") for name in names}
    book = book_of(amount | {"other": rule(counts_as="other", severity="mild")})
    everything = np.full((1, len(book.names)), Phase.OPEN, np.int8)
    everything[0, -2:] = Phase.NONE
    flat = severities(book, {"tier": np.array(["A"], object)})
    assert levels(table, book, everything, flat).tolist() == [1], "one moderate and one mild"
    flat[0, 2] = Severity.SEVERE.rank
    assert levels(table, book, everything, flat).tolist() == [2], "the worst of the four is severe"
    everything[0, 2] = Phase.PENDING
    assert levels(table, book, everything, flat).tolist() == [1], "what is pending does not count"


def test_severity_follows_the_tier() -> None:
    book = book_of({"left": rule(severity="severe", severity_by_tier={"A": "critical", "B": "watch"})})
    ranks = severities(book, {"tier": np.array(["A", "B", "C"], object)})
    assert ranks[:, 0].tolist() == [4, 0, 3]
    assert (ranks[:, 1:] == NOTHING).all(), "health counts no indicator"


@pytest.mark.req("S69")
def test_the_same_drop_has_another_severity_in_another_class() -> None:
    classes = {"segment": {"key": "severe"}, "tier": {"A": "moderate", "C": "watch"}}
    book = book_of({"drop": rule(severity="mild", severity_by=classes)})
    texts = {
        "tier": np.array(["A", "A", "B", "C", "C"], object),
        "segment": np.array([None, "key", "small", "small", "key"], object),
    }
    ranks = severities(book, texts)[:, 0]
    assert [list(Severity)[rank].value for rank in ranks] == [
        "moderate",
        "severe",
        "mild",
        "watch",
        "severe",
    ], "of several classes the worst, without any the rule's own"


@settings(max_examples=200)
@given(
    st.dictionaries(st.sampled_from(["A", "B"]), st.sampled_from(list(Severity))),
    st.dictionaries(st.sampled_from(["key", "small"]), st.sampled_from(list(Severity))),
    st.sampled_from(list(Severity)),
    st.sampled_from(["A", "B", "C"]),
    st.sampled_from(["key", "small", None]),
)
def test_a_further_class_never_lowers_what_another_gives(
    by_tier: dict[str, Severity],
    by_segment: dict[str, Severity],
    own: Severity,
    tier: str,
    segment: str | None,
) -> None:
    texts = {"tier": np.array([tier], object), "segment": np.array([segment], object)}

    def rank(**classes: dict[str, Severity]) -> int:
        return int(severities(book_of({"one": rule(severity=own, severity_by=classes)}), texts)[0, 0])

    both = rank(tier=by_tier, segment=by_segment)
    given = [by_tier.get(tier), by_segment.get(segment) if segment else None]
    assert both == max((one.rank for one in given if one is not None), default=own.rank)


@pytest.mark.req("S82")
def test_priority_is_the_higher_of_what_level_and_tier_give_and_the_rules_own(table: Levels) -> None:
    tiers = ("A", "B", "C")
    book = book_of({"plain": rule(), "pressing": rule(priority="high"), "calm": rule(priority="low")})

    def given(level: int, tier: str, *rules: str) -> str:
        phase = np.zeros((1, len(book.names)), np.int8)
        for name in rules:
            phase[0, book.number(name)] = Phase.OPEN
        one = np.array([level], np.int16)
        position = np.array([tiers.index(tier)], np.int16)
        return list(Priority)[priorities(table, book, phase, one, position, tiers)[0]].value

    assert [[given(level, tier) for tier in tiers] for level in (1, 2, 3)] == [
        ["medium", "low", "low"],
        ["high", "medium", "medium"],
        ["high", "high", "high"],
    ]
    assert given(1, "C", "plain", "pressing") == "high"
    assert given(2, "B", "calm") == "medium", "a rule never lowers it"
    assert given(0, "A", "pressing") == "low", "without a level nothing presses"
    pending = np.zeros((1, len(book.names)), np.int8)
    pending[0, book.number("pressing")] = Phase.PENDING
    assert priorities(table, book, pending, np.array([1]), np.array([2]), tiers).tolist() == [0]


@pytest.mark.req("S82")
def test_a_table_that_says_nothing_of_a_level_leaves_its_priorities_as_shipped(table: Levels) -> None:
    silent = table.model_copy(update={"priority": {}})
    for level in (1, 2, 3):
        for tier in ("A", "B", "C"):
            assert silent.priority_of(level, tier, "A") == table.priority_of(level, tier, "A")


@settings(max_examples=100)
@given(
    st.lists(st.sampled_from(list(Severity)), min_size=4, max_size=4),
    st.lists(st.lists(st.sampled_from(["r0", "r1", "r2", "r3"]), max_size=4), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_hiding_never_changes_a_level(
    table: Levels, graded: list[Severity], hides: list[list[str]], open_: list[bool]
) -> None:
    def level(*, hiding: bool) -> int:
        book = book_of(
            {
                f"r{number}": rule(
                    severity=severity, counts_as=f"i{number}", hides=hides[number] if hiding else []
                )
                for number, severity in enumerate(graded)
            }
        )
        phase = np.array([[Phase.OPEN if one else Phase.NONE for one in open_] + [Phase.NONE] * 2], np.int8)
        return int(levels(table, book, phase, severities(book, {"tier": np.array(["B"], object)}))[0])

    assert level(hiding=True) == level(hiding=False)
