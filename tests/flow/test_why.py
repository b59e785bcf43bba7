"""The change of a score is split exactly, and a planted cause of one kind gets all of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.firm import FILES, MONDAY, TIER_RATES, TinyFirm, changed, configure, empty
from tests.flow.test_held_source import SOURCES

from carewatch.commands.why_command import why_lines
from carewatch.flow.explain import UnknownCustomer
from carewatch.flow.why import PARTS, why
from carewatch.spec.sources import load_sources

TUESDAY = MONDAY + timedelta(days=1)
OTHER_MODEL = changed("health.yaml", ("points: {0: 0, 100: 100}", "points: {0: 0, 50: 20, 100: 100}"))
BY_TIER = changed(
    "health.yaml", ("points: {0: 0, 100: 100}", "points: {0: 0, 100: 100}, by_tier: {A: {0: 0, 100: 50}}")
)
_FED = """
version: 1
label: Mood and use
dimensions:
  use: {label: Use, weight: 0.4, metrics: {mood: {weight: 1, points: POINTS}}}
  walk: {label: Walk, weight: 0.6, metrics: {quiet: {weight: 1, points: {0: 0, 100: 100}}}}
bands: {green: 70, yellow: 50}
grey_below: 30
"""
FED = {"health.yaml": _FED.replace("POINTS", "{0: 0, 100: 100}, by_tier: {A: {0: 0, 100: 50}}")}
FED_OTHERWISE = {"health.yaml": _FED.replace("POINTS", "{0: 0, 50: 20, 100: 100}")}


@pytest.fixture
def fed(make_firm: Callable[..., TinyFirm], tmp_path: Path) -> TinyFirm:
    """Return a firm whose score reads two sources: polls bring the mood, meter brings the rest."""
    firm = make_firm(FED)
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "firm.yaml").write_text(FILES["firm.yaml"], encoding="utf-8")
    (folder / "sources.yaml").write_text(SOURCES, encoding="utf-8")
    firm.sources = load_sources(folder).sources
    return firm


def night_after(firm: TinyFirm, day: date, *sources: str) -> None:
    """Run a night after these sources were read on its eve; by the next night that is too long ago."""
    for source in sources:
        firm.rows(
            "insert into care.load (origin, load_id, loaded_at, landed, new, changed, unchanged, repeated, filtered, "
            "quarantined, read_at) values (%s, %s, %s, 1, 1, 0, 0, 0, 0, 0, %s) returning 1",
            f"{source}.rows", str(day), *[firm.moment(day, -3)] * 2,
        )  # fmt: skip
    firm.night(day)


def parts(**points: str) -> dict[str, Decimal]:
    return {name: Decimal(points.get(name.replace(" ", "_"), "0.00")) for name in PARTS}


def two_nights(firm: TinyFirm, first: float, second: float) -> None:
    firm.customer("K", tier="C", sales=100)
    firm.dial("K", MONDAY, mood=first)
    firm.dial("K", TUESDAY, mood=second)


@pytest.mark.req("D4")
def test_what_the_customer_did_is_behaviour(firm: TinyFirm) -> None:
    two_nights(firm, 80, 62.5)
    firm.night(MONDAY)
    firm.night(TUESDAY)
    moved = why(firm.connection, "K", MONDAY, TUESDAY)
    assert (moved.before, moved.after) == (Decimal("80.00"), Decimal("62.50"))
    assert moved.parts == parts(behaviour="-17.50")
    said = why_lines(moved, "zh-CN")
    assert said[0] == "K 从 2026-06-01 到 2026-06-02：健康分 80.00 -> 62.50，变化 -17.50 分"
    assert "-17.50  客户行为" in said[-1]


@pytest.mark.req("D4")
def test_an_edited_model_is_configuration(firm: TinyFirm, tmp_path: Path) -> None:
    two_nights(firm, 80, 80)
    firm.night(MONDAY)
    firm.configuration = configure(tmp_path / "edited", OTHER_MODEL)
    firm.night(TUESDAY)
    moved = why(firm.connection, "K", MONDAY, TUESDAY)
    assert moved.parts == parts(configuration="-12.00"), "80 earn 68 points between 50: 20 and 100: 100"
    assert moved.judgement[0] != moved.judgement[1]
    assert any("configuration (" in line for line in why_lines(moved, "en"))


@pytest.mark.req("D4")
def test_another_tier_is_tier(make_firm: Callable[..., TinyFirm]) -> None:
    firm = make_firm(BY_TIER)
    july = MONDAY + timedelta(days=30)
    firm.customer("K", tier="C", sales=100)
    firm.dial("K", july - timedelta(days=1), mood=80)
    firm.dial("K", july, mood=80)
    firm.night(july - timedelta(days=1))
    since = firm.moment(MONDAY + timedelta(days=3))
    firm.facts.add("customer", "K", since, name="Firm K", owner="ann", profit_rate=TIER_RATES["A"])
    firm.night(july)
    moved = why(firm.connection, "K", july - timedelta(days=1), july)
    assert (moved.tier, moved.parts) == (("C", "A"), parts(tier="-40.00"))


@pytest.mark.req("D4")
def test_what_became_known_later_is_correction(firm: TinyFirm) -> None:
    two_nights(firm, 80, 80)
    firm.night(MONDAY)
    late = firm.moment(MONDAY, 9)
    # the survey of Sunday that a colleague entered on Monday; Tuesday's night sees a day of its own
    firm.facts.add("survey", "K", firm.moment(MONDAY - timedelta(days=1), 15), known_from=late, score=60)
    firm.night(TUESDAY)
    firm.connection.execute("update care.fact_survey set score = 80 where score = 80")
    moved = why(firm.connection, "K", MONDAY, TUESDAY)
    assert sum(moved.parts.values()) == moved.after - moved.before  # type: ignore[operator]
    assert moved.parts["correction"] == 0, (
        "the dial is the best answer of the day: 60 beside 80 changes nothing"
    )


@pytest.mark.req("D4")
def test_a_corrected_number_is_correction_and_not_behaviour(firm: TinyFirm) -> None:
    two_nights(firm, 80, 90)
    firm.night(MONDAY)
    firm.facts.add(
        "survey",
        "K",
        firm.moment(MONDAY - timedelta(days=1), 15),
        known_from=firm.moment(MONDAY, 9),
        score=90,
    )
    firm.night(TUESDAY)
    moved = why(firm.connection, "K", MONDAY, TUESDAY)
    assert moved.parts == parts(correction="10.00")


@pytest.mark.req("D4")
def test_a_history_that_was_loaded_since_is_correction(firm: TinyFirm) -> None:
    two_nights(firm, 80, 95)
    firm.night(MONDAY)
    firm.rows(
        "insert into care.load (origin, load_id, loaded_at, landed, new, changed, unchanged, repeated, filtered, quarantined, "
        "history) values ('polls.rows', 'first', %s, 1, 1, 0, 0, 0, 0, 0, true) returning 1", firm.moment(MONDAY, 12),
    )  # fmt: skip
    eve = firm.moment(MONDAY - timedelta(days=1), 15)
    firm.facts.add("survey", "K", eve, score=95, load_id="first", known_assumed=True)
    firm.night(TUESDAY)
    assert why(firm.connection, "K", MONDAY, TUESDAY).parts == parts(correction="15.00")


@pytest.mark.req("D4")
def test_a_source_that_went_missing_or_came_back_is_source_gap(fed: TinyFirm) -> None:
    fed.customer("K")
    for number in range(3):
        fed.dial("K", MONDAY + timedelta(days=number), mood=80, quiet=20)
    night_after(fed, MONDAY, "meter", "polls")
    night_after(fed, TUESDAY, "polls")
    wednesday = TUESDAY + timedelta(days=1)
    night_after(fed, wednesday, "meter", "polls")
    lost = why(fed.connection, "K", MONDAY, TUESDAY)
    assert (lost.before, lost.after) == (Decimal("44.00"), Decimal("80.00"))
    assert lost.parts == parts(source_gap="36.00") and lost.held == ((), ("customer", "usage_day"))
    assert any("source gap (held nothing -> customer, usage_day)" in line for line in why_lines(lost, "en"))
    assert why(fed.connection, "K", TUESDAY, wednesday).parts == parts(source_gap="-36.00")


def test_an_unknown_score_is_not_split(firm: TinyFirm) -> None:
    firm.customer("K")
    firm.dial("K", MONDAY, quiet=0)
    firm.dial("K", TUESDAY, mood=50)
    firm.night(MONDAY)
    firm.night(TUESDAY)
    moved = why(firm.connection, "K", MONDAY, TUESDAY)
    assert (moved.before, moved.after, moved.parts) == (None, Decimal("50.00"), {})
    assert "cannot be split" in why_lines(moved, "en")[-1]
    with pytest.raises(UnknownCustomer):
        why(firm.connection, "Nobody", MONDAY, TUESDAY)


numbers = st.floats(0, 100)
two_of = st.tuples(
    st.sampled_from((("polls",), ("meter", "polls"))), st.sampled_from((("polls",), ("meter", "polls")))
)


@pytest.mark.req("D4")
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    mood=st.tuples(numbers, numbers),
    quiet=st.tuples(numbers, numbers) | numbers.map(lambda one: (one, one)),
    late=st.none() | numbers,
    edited=st.booleans(),
    riser=st.booleans(),
    read=two_of,
)
# between the two nights the score is 0, which is known all the same
@example(
    mood=(0, 100), quiet=(50, 50), late=None, edited=False, riser=False, read=(("meter", "polls"), ("polls",))
)
def test_the_parts_always_sum_to_the_change_and_what_did_not_change_has_no_part(
    fed: TinyFirm, tmp_path_factory: pytest.TempPathFactory,
    mood: tuple[float, float], quiet: tuple[float, float], late: float | None, edited: bool, riser: bool,
    read: tuple[tuple[str, ...], tuple[str, ...]],
) -> None:  # fmt: skip
    empty(fed.connection)
    firm = TinyFirm(fed.connection, fed.configuration, fed.sources)
    july = MONDAY + timedelta(days=30)
    june = july - timedelta(days=1)
    firm.customer("K", tier="C", sales=100)
    for number, day in enumerate((june, july)):
        firm.dial("K", day, mood=mood[number], quiet=quiet[number])
    night_after(firm, june, *read[0])
    if late is not None:
        eve = firm.moment(june - timedelta(days=1), 15)
        firm.facts.add("survey", "K", eve, known_from=firm.moment(june, 9), score=late)
    if riser:
        since = firm.moment(MONDAY + timedelta(days=3))
        firm.facts.add("customer", "K", since, name="Firm K", owner="ann", profit_rate=TIER_RATES["A"])
    if edited:
        firm.configuration = configure(tmp_path_factory.mktemp("edited"), FED_OTHERWISE)
    night_after(firm, july, *read[1])
    moved = why(firm.connection, "K", june, july)
    assert moved.before is not None and moved.after is not None
    assert list(moved.parts) == list(PARTS)
    assert sum(moved.parts.values()) == moved.after - moved.before
    stored = firm.rows("select score from care.health_night order by day")
    assert [Decimal(f"{row[0]:.2f}") for row in stored] == [moved.before, moved.after]
    planted = {
        "tier": riser, "configuration": edited, "source gap": read[0] != read[1], "correction": late is not None,
        "behaviour": mood[0] != mood[1] or quiet[0] != quiet[1],
    }  # fmt: skip
    assert {part for part, points in moved.parts.items() if points} <= {
        part for part in PARTS if planted[part]
    }
