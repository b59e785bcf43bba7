"""Industry packs: each is a whole configuration whose numbers hold on both sides, and `care init` writes one."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.config.files import ROOT

from carewatch.cli import main
from carewatch.commands.init_command import industries
from carewatch.measure.health import Colour, points, score_all
from carewatch.spec.condition import TRUE, evaluate
from carewatch.spec.configuration import Configuration
from carewatch.spec.document import SpecError
from carewatch.spec.duration import Unit, Window
from carewatch.spec.lint.number_of_metrics import FEWEST, MOST
from carewatch.spec.loading import load, read
from carewatch.spec.sources import load_sources

PACKS = ("consulting", "dealers", "equipment", "retail_chain", "saas", "trade", "training")


@cache
def pack(name: str) -> Configuration:
    return load(ROOT / "config" / "industries" / name)


def test_every_industry_has_a_pack_that_its_readme_names() -> None:
    assert tuple(industries()) == PACKS
    page = (ROOT / "config" / "industries" / "README.md").read_text(encoding="utf-8")
    for name in PACKS:
        assert f"| [{name}]({name}) |" in page


@pytest.mark.req("S46")
@pytest.mark.parametrize("name", PACKS)
def test_every_rule_of_a_pack_has_examples_on_both_sides(name: str) -> None:
    rules = pack(name).judgement.rules
    assert len(rules) >= 8
    for rule_name, rule in rules.items():
        if rule.on == "night":
            assert {example.fires for example in rule.examples} >= {True, False}, rule_name


@pytest.mark.req("S23")
@pytest.mark.parametrize("name", PACKS)
def test_every_model_of_a_pack_scores_eight_to_twelve_metrics_in_two_languages(name: str) -> None:
    judgement = pack(name).judgement
    for model in judgement.health_models:
        assert FEWEST <= len(set(model.metric_names())) == len(model.metric_names()) <= MOST
        labels = [model.label, *(one.label for one in model.dimensions.values())]
        assert all(len(set(label.texts())) == 2 for label in labels)
    assert read(ROOT / "config" / "industries" / name).notes() == []


@pytest.mark.req("S23")
def test_the_shipped_model_scores_eight_to_twelve_metrics() -> None:
    for model in load_shipped().judgement.health_models:
        assert 8 <= len(model.metric_names()) <= 12


@pytest.mark.req("S24")
def test_the_saas_model_has_ten_indicators_of_use_service_and_satisfaction() -> None:
    metrics = pack("saas").judgement.health.metric_names()
    assert len(metrics) == 10
    assert {"logins_30d", "tickets_90d", "satisfaction_180d"} <= set(metrics)


@pytest.mark.req("S46")
@pytest.mark.parametrize(
    ("name", "rule", "given", "fires"),
    [
        ("retail_chain", "no_purchase_for_30_days", {"days_since_order": 30}, True),
        ("retail_chain", "no_purchase_for_30_days", {"days_since_order": 29}, False),
        ("equipment", "no_purchase_for_180_days", {"days_since_order": 180}, True),
        ("equipment", "no_purchase_for_180_days", {"days_since_order": 179}, False),
        ("dealers", "a_without_contact_15_days", {"tier": "A", "days_since_interaction": 15}, True),
        ("dealers", "a_without_contact_15_days", {"tier": "A", "days_since_interaction": 14}, False),
        ("dealers", "b_without_order_30_days", {"tier": "B", "days_since_order": 30}, True),
        ("dealers", "b_without_order_30_days", {"tier": "B", "days_since_order": 29}, False),
        ("dealers", "c_without_contact_45_days", {"tier": "C", "days_since_interaction": 45}, True),
        ("dealers", "c_without_contact_45_days", {"tier": "C", "days_since_interaction": 44}, False),
        ("training", "course_ends_soon", {"course_days_left": 30}, True),
        ("training", "course_ends_soon", {"course_days_left": 31}, False),
        ("consulting", "no_next_project", {"project_gap_days": 60}, True),
        ("consulting", "no_next_project", {"project_gap_days": 59}, False),
    ],
)
def test_the_number_of_each_industry_on_both_sides(
    name: str, rule: str, given: dict[str, float | str], fires: bool
) -> None:
    columns = {
        key: np.array([value], dtype=object if isinstance(value, str) else np.float64)
        for key, value in given.items()
    }
    assert (evaluate(pack(name).judgement.rules[rule].when, columns)[0] == TRUE) == fires


@pytest.mark.req("S48")
def test_consulting_watches_the_gap_between_projects_and_changes_of_contacts() -> None:
    judgement = pack("consulting").judgement
    assert {"no_next_project", "main_contact_left", "decision_makers_out_of_reach"} <= set(judgement.rules)
    assert "project_gap_days" in judgement.health.metric_names()


@pytest.mark.req("S46")
@pytest.mark.parametrize(
    ("name", "rule", "days", "lost"),
    [
        ("retail_chain", "no_purchase_for_30_days", 30, 90),
        ("equipment", "no_purchase_for_180_days", 180, 365),
    ],
)
def test_silence_weighs_by_the_days_of_the_industry(name: str, rule: str, days: int, lost: int) -> None:
    """At its own number the rule alone warns and the silence earns less than yellow; at half of it, it earns green."""
    judgement = pack(name).judgement
    assert judgement.rules[rule].severity == "moderate" and not judgement.rules[rule].classes()
    assert judgement.stages.lost.within == Window(lost, Unit.DAY)
    scored = dict(judgement.health.scored())["days_since_order"]
    late, early = points(np.array([days, days / 2.0]), scored.points)
    assert late <= judgement.health.bands.yellow <= judgement.health.bands.green <= early


@pytest.mark.req("S165")
@pytest.mark.parametrize("name", ["consulting", "saas"])
def test_a_net_promoter_score_earns_points_over_its_whole_scale(name: str) -> None:
    """From -100 to 100: as many who advise against as for is middling, and more of either still counts."""
    knots = dict(pack(name).judgement.health.scored())["nps_365d"].points
    worth = points(np.array([-100.0, -50, -20, 0, 20, 50, 100]), knots)
    assert (np.diff(worth[1:-1]) > 0).all() and worth[0] == 0 and worth[-1] == 100
    assert 30 <= worth[3] <= 60


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_tells_its_best_customer_from_its_worst(name: str) -> None:
    """At the best knot of every metric the score is 100 or near, at the worst knots the customer is red."""
    judgement = pack(name).judgement
    [model] = judgement.health_models
    best, worst = (
        {
            metric: np.array([pick(scored.points, key=lambda knot: knot[1])[0]])
            for metric, scored in model.scored()
        }
        for pick in (max, min)
    )
    tier = np.array([len(judgement.tiers.names) - 1], np.int16)
    scores = [score_all((model,), columns, tier, judgement.tiers.names) for columns in (best, worst)]
    assert scores[0].score[0] == 100 and scores[0].colour[0] == Colour.GREEN
    assert scores[1].score[0] <= 15 and scores[1].colour[0] == Colour.RED


@pytest.mark.parametrize("name", PACKS)
def test_only_what_a_pack_names_is_computed(name: str) -> None:
    judgement = pack(name).judgement
    shipped = load_shipped().judgement.metrics
    assert set(judgement.metrics) < set(shipped)
    for metric, definition in judgement.metrics.items():
        assert judgement.metric_hash(metric) == load_shipped().judgement.metric_hash(metric)
        assert {part for _, part in definition.parts()} <= set(judgement.metrics)
    named = {*judgement.health.metric_names(), *judgement.tiers.metrics, judgement.tiers.money}
    named |= {one for rule in judgement.rules.values() for one in rule.names()}
    parts = {part for one in judgement.metrics.values() for _, part in one.parts()}
    reasons = {one for rule in judgement.rules.values() for one in rule.placeholders()}
    assert set(judgement.metrics) <= named | parts | reasons | judgement.stages.names()


@cache
def load_shipped() -> Configuration:
    return load(ROOT / "config")


@pytest.mark.req("S56")
@pytest.mark.parametrize("name", PACKS)
def test_init_writes_a_pack_that_passes_the_check(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--industry", name, "firm/care"]) == 0
    said = capsys.readouterr().out
    assert "next: point sources.yaml at what you have, then: care check firm/care" in said
    written = load(tmp_path / "firm" / "care")
    assert written.judgement.fingerprint == pack(name).judgement.fingerprint
    assert load_sources(tmp_path / "firm" / "care").sources
    for path in (tmp_path / "firm" / "care").rglob("*.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        schema = path.parent / first.split("$schema=")[1]
        assert (
            schema.resolve()
            == ROOT
            / "include"
            / "schemas"
            / f"{'warnings' if path.parent.name == 'warnings' else path.stem}.json"
        )


def test_init_writes_over_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["init", "--industry", "saas", str(tmp_path)]) == 2
    assert "is not empty: nothing was written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert main(["init", "--industry", "saas", str(tmp_path / "mine.txt")]) == 2
    with pytest.raises(SystemExit):
        main(["init", "--industry", "banking", str(tmp_path / "new")])
    assert "dealers" in capsys.readouterr().err and not (tmp_path / "new").exists()


def test_what_the_library_does_not_have_or_is_there_twice_is_said_at_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "firm"
    shutil.copytree(ROOT / "config" / "industries" / "dealers", folder)
    (folder / "warnings" / "more.yaml").write_text(
        "version: 1\nlibrary: [unhapy, pays_later]\n"
        "rules:\n  c_without_contact_45_days:\n"
        "    {label: x, severity: mild, counts_as: x, dimension: service, when: orders_365d < 1, because: x}\n",
        encoding="utf-8",
    )
    (folder / "warnings" / "usage.yaml").write_text("version: 1\nlibrary: [noted_need]\n", encoding="utf-8")
    health = (folder / "health.yaml").read_text(encoding="utf-8").replace("  interaction:", "  talks:")
    (folder / "health.yaml").write_text(health, encoding="utf-8")
    with pytest.raises(SpecError) as found:
        load(folder)
    said = [
        f"{Path(one.place.file).name}:{one.place.line}:{one.place.column}: {one.what}"
        for one in found.value.problems
    ]
    assert "more.yaml:2:11: the library has no rule 'unhapy'" in said
    assert (
        found.value.problems[said.index("more.yaml:2:11: the library has no rule 'unhapy'")].nearest
        == "unhappy"
    )
    assert any(one.endswith("'pays_later' is defined a second time") for one in said)
    assert any(one.endswith("'c_without_contact_45_days' is defined a second time") for one in said)
    assert "usage.yaml:2:11: 'noted_need' of the library: unknown dimension 'interaction'" in said


def test_metrics_of_ones_own_leave_the_library_where_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "firm"
    shutil.copytree(ROOT / "config" / "industries" / "retail_chain", folder)
    (folder / "metrics.yaml").write_text(
        "version: 1\nmetrics: {orders_90d: {label: Orders, kind: count, fact: order, window: 90 days, owner: us}}\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError, match="unknown metric 'days_since_order'"):
        load(folder)


def model_of(count: int, *more: str) -> str:
    """Return a health model of so many shipped metrics."""
    shipped = load_shipped().judgement.metrics
    names = sorted(name for name, metric in shipped.items() if metric.better == "higher")[:count]
    metrics = "".join(
        f"      {name}: {{weight: {1 / count!r}, points: {{0: 0, 1: 100}}}}\n" for name in names
    )
    head = "".join(f"{line}\n" for line in ("version: 1", "label: Ours", *more))
    return f"{head}dimensions:\n  all:\n    label: All\n    weight: 1\n    metrics:\n{metrics}"


def noted_models(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """Return what a check notes of how much the health models of a folder score."""
    for path in (folder / "warnings").iterdir():
        path.unlink()
    monkeypatch.chdir(folder.parent)
    assert main(["check", folder.name]) == 0
    return [line for line in capsys.readouterr().out.splitlines() if "the health model scores" in line]


@pytest.mark.req("S23")
@pytest.mark.parametrize(("count", "noted"), [(7, True), (8, False), (12, False), (13, True)])
def test_too_few_and_too_many_scored_metrics_are_noted_at_their_place(
    count: int,
    noted: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "firm"
    shutil.copytree(ROOT / "config" / "industries" / "retail_chain", folder)
    (folder / "health.yaml").write_text(model_of(count), encoding="utf-8")
    said = noted_models(folder, monkeypatch, capsys)
    what = f"note: firm/health.yaml:3:1: the health model scores {count} metrics; expected the 8 to 12 that say most"
    assert said == ([what] if noted else [])


@pytest.mark.req("S23")
@pytest.mark.parametrize(("count", "noted"), [(7, True), (8, False)])
def test_each_of_several_models_is_counted(
    count: int,
    noted: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "firm"
    shutil.copytree(ROOT / "config" / "industries" / "retail_chain", folder)
    (folder / "health.yaml").write_text(model_of(8), encoding="utf-8")
    (folder / "health").mkdir()
    own = model_of(count, "model: dealers", "when: tier is A", "order: 1")
    (folder / "health" / "dealers.yaml").write_text(own, encoding="utf-8")
    what = f"note: firm/health/dealers.yaml:6:1: the health model scores {count} metrics; expected the 8 to 12 that say most"
    assert noted_models(folder, monkeypatch, capsys) == ([what] if noted else [])
