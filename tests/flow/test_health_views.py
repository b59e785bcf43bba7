"""Health for people: risk beside the score, versions, words, movement, and groups of companies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from tests.firm import MONDAY, TinyFirm, changed, configure

from carewatch.measure.health import Colour


def day(number: int) -> date:
    return MONDAY + timedelta(days=number - 1)


def moods(firm: TinyFirm, number: int, **mood: float | None) -> None:
    for name, value in mood.items():
        if value is not None:
            firm.dial(name, day(number), quiet=0, strain=0, halt=0, mood=value)
    firm.night(day(number))


@pytest.mark.req("S57", "S59")
def test_risk_stands_beside_the_score_with_words_and_the_version(firm: TinyFirm) -> None:
    firm.customer("C1", tier="A")
    firm.customer("C2", tier="C", owner=None)
    moods(firm, 1, C1=42.5, C2=None)
    rows = firm.rows(
        "select customer_id, name, owner, tier, model, score, risk, colour, colour_zh, overridden, judgement, code_version "
        "from care.customer_health order by 1"
    )
    version = firm.configuration.judgement.fingerprint
    [(code,)] = firm.rows("select code_version from care.night")
    assert rows == [
        ("C1", "Firm C1", "ann", "A", "default", 42.5, 57.5, "red", "红", False, version, code),
        ("C2", "Firm C2", None, "C", "default", None, None, "grey", "灰", False, version, code),
    ]


@pytest.mark.req("S57")
def test_every_score_keeps_the_version_that_gave_it(firm: TinyFirm) -> None:
    firm.customer("C1")
    moods(firm, 1, C1=80)
    versions = [firm.configuration.judgement.fingerprint]
    firm.configuration = reconfigured(firm, ("100: 100}", "90: 100}"), ("green: 70", "green: 95"))
    moods(firm, 2, C1=81)
    versions.append(firm.configuration.judgement.fingerprint)
    assert versions[0] != versions[1]
    expected = [(day(1), 80, "green", versions[0]), (day(2), 90, "yellow", versions[1])]
    for view in ("care.health", "bi.health_history"):
        assert firm.rows(f"select day, score, colour, judgement from {view} order by 1") == expected
    canonical = (
        "select canonical -> 'health' -> 'bands' ->> 'green' from care.configuration where fingerprint = %s"
    )
    assert [float(firm.rows(canonical, one)[0][0]) for one in versions] == [70, 95], (
        "and it can be read again"
    )


def test_movement_is_against_the_night_so_many_days_before(firm: TinyFirm) -> None:
    firm.customer("C1")
    firm.customer("late")
    for number, mood in ((1, 90), (61, 80), (82, 70), (84, 60)):
        moods(firm, number, C1=mood, late=55 if number > 1 else None)
    assert movement(firm) == [None] * 3, "83 nights back is 90 days and more; 7 days back nobody was judged"
    for number, mood in ((91, 50),):
        moods(firm, number, C1=mood, late=55)
    # 7 days before is day 84; 30 days before is day 61; 90 days before is day 1
    assert movement(firm) == [-10, -30, -40]
    assert movement(firm, "late") == [0, 0, None]


def movement(firm: TinyFirm, name: str = "C1") -> list[object]:
    [row] = firm.rows(
        "select moved_7d, moved_30d, moved_90d from care.customer_health where customer_id = %s", name
    )
    return [None if one is None else float(one) for one in row]


@pytest.mark.parametrize(("number", "compares"), [(7, False), (8, True), (14, True), (15, False)])
def test_a_missing_night_is_stood_for_by_one_up_to_six_days_earlier(
    firm: TinyFirm, number: int, compares: bool
) -> None:
    firm.customer("C1")
    moods(firm, 1, C1=90)
    moods(firm, number, C1=80)
    assert movement(firm)[0] == (-10 if compares else None)


def test_scores_of_other_definitions_are_not_compared(firm: TinyFirm) -> None:
    firm.customer("C1")
    moods(firm, 1, C1=90)
    firm.configuration = reconfigured(firm, ("100: 100}", "90: 100}"))
    moods(firm, 8, C1=80)
    assert movement(firm)[0] is None
    assert firm.rows("select distinct compares_since from care.customer_health") == [(day(8),)]
    moods(firm, 15, C1=81)
    assert movement(firm)[0] == pytest.approx(1.11)


@pytest.mark.parametrize(
    "change",
    [("label: Use", "label: Usage"), ("green: 70", "green: 71"), ("hold_nights: 2", "hold_nights: 3")],
)
def test_what_is_made_of_a_score_does_not_change_what_it_is(firm: TinyFirm, change: tuple[str, str]) -> None:
    firm.customer("C1")
    moods(firm, 1, C1=90)
    firm.configuration = reconfigured(firm, change)
    moods(firm, 8, C1=80)
    assert movement(firm)[0] == -10
    assert firm.rows("select distinct compares_since from care.customer_health") == [(day(1),)]


def reconfigured(firm: TinyFirm, *change: tuple[str, str], files: dict[str, str] | None = None):  # type: ignore[no-untyped-def]
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        return configure(Path(folder), changed("health.yaml", *change) | (files or {}))


def test_a_definition_reads_its_metrics_models_and_the_tiers_it_goes_by(firm: TinyFirm) -> None:
    plain = firm.configuration.judgement.score_definition
    by_tier = ("{0: 0, 100: 100}}", "{0: 0, 100: 100}, by_tier: {A: {0: 0, 90: 100}}}")
    cuts = {"tiers.yaml": changed("tiers.yaml", ("A: 70", "A: 71"))["tiers.yaml"]}
    model = (
        "version: 1\nmodel: big\nlabel: Big\nwhen: sales > 5\norder: 1\n"
        "dimensions: {use: {label: Use, weight: 1, metrics: {mood: {weight: 1, points: {0: 0, 100: 100}}}}}"
    )
    metric = changed("metrics/dials.yaml", ("of: score", "of: score\n    where: score > 1"))
    same = reconfigured(firm, files=cuts).judgement.score_definition
    assert same == plain, "tiers that no points go by"
    others = [
        reconfigured(firm, by_tier).judgement.score_definition,
        reconfigured(firm, by_tier, files=cuts).judgement.score_definition,
        reconfigured(firm, files={"health/big.yaml": model}).judgement.score_definition,
        reconfigured(firm, files={"health/big.yaml": model.replace("> 5", "> 6")}).judgement.score_definition,
        reconfigured(firm, files=metric).judgement.score_definition,
    ]
    assert len({plain, *others}) == 6


@pytest.mark.parametrize(
    ("how", "score", "colour"),
    # worst: the subsidiary with 30. weighted by sales: (100 x 90 + 300 x 30 + 100 x 75) / 500 = 51; the one that sleeps is out
    [("worst", 30, Colour.RED), ("weighted", 51, Colour.YELLOW)],
)
def test_a_group_is_seen_through_its_members_and_nobodys_own_score_moves(
    make_firm: Callable[..., TinyFirm], how: str, score: float, colour: Colour
) -> None:
    firm = make_firm(changed("health.yaml", ("margin: 5", f"margin: 5\nroll_up: {how}")))
    sales = {"head": 100, "mid": 300, "leaf": 100, "asleep": 900, "alone": 100}
    for name, amount in sales.items():
        firm.customer(name, sales=amount)
    since = firm.moment(MONDAY - timedelta(days=100))
    for child, parent in (("mid", "head"), ("leaf", "mid"), ("asleep", "mid")):
        firm.facts.add("organisation_link", child, since, parent=parent, what="joined")
    firm.dial("asleep", day(1), quiet=99, strain=0, halt=0, mood=1)
    moods(firm, 1, head=90, mid=30, leaf=75, alone=10)
    rows = firm.rows(
        "select customer_id, members, score, colour, own_colour, worst_customer_id from care.group_health order by 1"
    )
    assert rows[0] == ("head", 3, score, colour.name.lower(), "green", "mid")
    assert rows[1][:2] == ("mid", 2) and rows[1][5] == "mid" and len(rows) == 2
    own = dict(firm.rows("select customer_id, score from care.health"))
    assert own == {"head": 90, "mid": 30, "leaf": 75, "asleep": 1, "alone": 10}


def test_without_the_option_there_are_no_groups_and_a_circle_is_none(
    make_firm: Callable[..., TinyFirm],
) -> None:
    firm = make_firm(changed("health.yaml", ("margin: 5", "margin: 5\nroll_up: worst")))
    since = firm.moment(MONDAY - timedelta(days=100))
    for name in ("a", "b", "c"):
        firm.customer(name)
    for child, parent in (("a", "b"), ("b", "a"), ("c", "a")):
        firm.facts.add("organisation_link", child, since, parent=parent, what="joined")
    moods(firm, 1, a=10, b=90, c=90)
    assert firm.rows("select customer_id, members, score from care.group_health") == [("a", 2, 10)]
    firm.configuration = reconfigured(firm)
    moods(firm, 2, a=10, b=90, c=90)
    assert firm.rows("select * from care.group_health") == []
