"""Fingerprints: the same for what means the same, another for what judges otherwise, and executable again."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.config.files import FOLDERS_OF_CONFIGURATION, ROOT, kind_of

from carewatch.measure.health import score
from carewatch.spec.configuration import CareSpec, Configuration, JudgementSpec
from carewatch.spec.document import read_document, reading
from carewatch.spec.loading import load
from carewatch.spec.rule_checks import RESERVED
from carewatch.store import configurations
from carewatch.store.database import connect
from carewatch.store.migrations import migrate
from carewatch.warn.hits import HEALTH_RULES

ORDERED = {
    "dimensions",
    "metrics",
    "points",
    "cuts",
    "steps",
    "people",
    "channels",
    "stages",
    "classes",
    "segments",
}
"""Keys below which order has a meaning: sums add in it, tiers and tasks stand in it, the first of equals is asked."""
SETS = {("metrics", "metrics"), ("notices", "channels")}
"""Kind and key of mappings of such a name whose order has none."""


@pytest.fixture(scope="module", autouse=True)
def each_text_is_parsed_once() -> Iterator[None]:
    """Most files are the same in every test; documents are never changed once read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "parse_document", cache(reading.parse_document))
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a copy of the shipped configuration, playbooks included."""
    shutil.copytree(ROOT / "config", tmp_path / "config")
    shutil.copytree(ROOT / "include" / "playbooks", tmp_path / "config" / "playbooks")
    return tmp_path / "config"


@cache
def shipped() -> Configuration:
    return load(ROOT / "config")


def fingerprints(configuration: Configuration) -> tuple[str, str]:
    return configuration.judgement.fingerprint, configuration.care.fingerprint


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    """Change the data of a file; it is written as JSON, which is YAML too."""
    data = read_document(path).data
    change(data)
    write(path, data)


def write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8")


def shuffled(data: Any, order: random.Random, kind: str, *, keep: bool = False) -> Any:
    if isinstance(data, list):
        return [shuffled(item, order, kind) for item in data]
    if not isinstance(data, dict):
        return data
    keys = list(data)
    if not keep:
        order.shuffle(keys)
    return {
        key: shuffled(data[key], order, kind, keep=key in ORDERED and (kind, key) not in SETS) for key in keys
    }


def test_key_order_without_meaning_and_the_split_into_files_change_no_fingerprint(folder: Path) -> None:
    order = random.Random(7)
    for path in sorted(folder.rglob("*.yaml")):
        if path.name != "sources.yaml":
            write(path, shuffled(read_document(path).data, order, kind_of(path)))
    moved = read_document(folder / "warnings" / "transaction.yaml").data["rules"]
    (folder / "warnings" / "transaction.yaml").unlink()
    for number, (name, rule) in enumerate(moved.items()):
        write(folder / "warnings" / f"part{number}.yaml", {"version": 1, "rules": {name: rule}})
    assert fingerprints(load(folder)) == fingerprints(shipped())


def test_another_process_with_another_hash_seed_finds_the_same() -> None:
    code = (
        "from pathlib import Path\nfrom carewatch.spec.loading import load\n"
        f"found = load(Path({str(ROOT / 'config')!r}))\n"
        "print(found.judgement.fingerprint, found.care.fingerprint)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "plugins"), "PYTHONHASHSEED": "4711"}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert tuple(said.stdout.split()) == fingerprints(shipped())


def _first(mapping: dict[str, Any]) -> Any:
    return next(iter(mapping.values()))


def _swap(mapping: dict[str, Any]) -> None:
    """Put the first key behind the others."""
    first = next(iter(mapping))
    mapping[first] = mapping.pop(first)


def _respell(data: Any) -> None:
    """Write the conditions of a rule in other words of the same meaning."""
    rule = _first(data["rules"])
    rule["when"] = json.loads(json.dumps(rule["when"], ensure_ascii=False).replace(" >= ", "   >=  +"))


JUDGED = {
    "a window": ("metrics/transaction.yaml", lambda d: d["metrics"]["orders_90d"].update(window="91 days")),
    "a filter": ("metrics/transaction.yaml", lambda d: d["metrics"]["orders_90d"].pop("where")),
    "a query": ("metrics/finance.yaml", lambda d: d["metrics"]["overdue_days"].update(empty=1)),
    "points of the unknown": ("health.yaml", lambda d: _first(_first(d["dimensions"])["metrics"]).update(missing=50)),
    "points": ("health.yaml", lambda d: _first(_first(d["dimensions"])["metrics"])["points"].update({"999": 1})),
    "a band": ("health.yaml", lambda d: d["bands"].update(green=71)),
    "the order of sums": ("health.yaml", lambda d: _swap(d["dimensions"])),
    "the colour's hold": ("health.yaml", lambda d: d.update(hold_nights=3)),
    "a tier's cut": ("tiers.yaml", lambda d: d["cuts"].update(A=66)),
    "dormancy": ("stages.yaml", lambda d: d.update(dormant_when="days_since_order > 366")),
    "the loss": ("stages.yaml", lambda d: d["lost"].update(within="91 days")),
    "a rule's threshold": ("warnings/transaction.yaml", lambda d: _first(d["rules"]).update(when="orders_90d >= 3", examples=[])),
    "a rule's hold": ("warnings/transaction.yaml", lambda d: _first(d["rules"]).update(holds_for=4)),
    "a severity": ("warnings/transaction.yaml", lambda d: _first(d["rules"]).update(severity="critical")),
    "a level": ("levels.yaml", lambda d: d["levels"]["1"].pop()),
    "the rest": ("levels.yaml", lambda d: d.update(rest=31)),
}  # fmt: skip
CARED = {
    "a promise": ("levels.yaml", lambda d: d["promises"]["3"].update(C=[3, 8, 16, 24])),
    "a person": ("people.yaml", lambda d: _first(d["people"]).update(active=True, name="somebody else")),
    "who is asked first": ("people.yaml", lambda d: _swap(d["people"])),
    "who is told": ("notices.yaml", lambda d: d["tell"].update({"1": ["owner", "manager"]})),
    "quiet hours": ("notices.yaml", lambda d: d.update(quiet_hours=["21:00", "08:00"])),
    "a playbook's step": ("playbooks/level2.yaml", lambda d: _first(d["steps"]).update(remind_after=5)),
    "the order of steps": ("playbooks/level3.yaml", lambda d: _swap(d["steps"])),
    "opening hours": ("calendar.yaml", lambda d: d.update(hours={"mon-fri": ["09:00-12:00", "13:00-17:00"]})),
}
BOTH = {
    "the time zone": ("firm.yaml", lambda d: d.update(time_zone="Asia/Tokyo")),
    "a day without work": (
        "calendar.yaml",
        lambda d: d.update(closed=[{"day": f"{d['years'][0]}-03-06", "label": "Anniversary"}]),
    ),
}
NEITHER = {
    "an example": ("warnings/transaction.yaml", lambda d: _first(d["rules"]).pop("examples")),
    "a default spelt out": ("warnings/transaction.yaml", lambda d: _first(d["rules"]).update(clears_after=1)),
    "a condition's spaces": ("warnings/transaction.yaml", _respell),
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "file", "change"),
    [
        *(((True, False), *one) for one in JUDGED.values()),
        *(((False, True), *one) for one in CARED.values()),
        *(((True, True), *one) for one in BOTH.values()),
        *(((False, False), *one) for one in NEITHER.values()),
    ],
    ids=[*JUDGED, *CARED, *BOTH, *NEITHER],
)
def test_an_edit_changes_the_fingerprint_of_what_it_decides(
    changed: tuple[bool, bool], file: str, change: Callable[[Any], None], folder: Path
) -> None:
    edit(folder / file, change)
    edited = load(folder)
    pairs = zip(fingerprints(edited), fingerprints(shipped()), strict=True)
    assert tuple(now != before for now, before in pairs) == changed


def test_a_metric_is_another_one_when_what_it_is_made_of_changes_not_when_it_is_renamed(folder: Path) -> None:
    before = shipped().judgement

    def change(data: Any) -> None:
        data["metrics"]["inquiries_60d"]["window"] = "61 days"
        data["metrics"]["interactions_90d"].update(
            label="Contacts", unit="times", owner="sales", better="neither"
        )

    edit(folder / "metrics" / "interaction.yaml", change)
    after = load(folder).judgement
    other = {name for name in before.metrics if before.metric_hash(name) != after.metric_hash(name)}
    assert other == {"inquiries_60d", "inquiries_change_60d"}
    assert before.fingerprint != after.fingerprint


@pytest.mark.parametrize("where", FOLDERS_OF_CONFIGURATION, ids=lambda where: where.name)
def test_the_canonical_form_is_plain_json_and_executable(where: Path) -> None:
    loaded = load(where)
    for spec, kind in ((loaded.judgement, JudgementSpec), (loaded.care, CareSpec)):
        canonical = json.loads(json.dumps(spec.canonical(), ensure_ascii=False))
        again = kind.from_canonical(canonical)
        assert again.fingerprint == spec.fingerprint
        assert again.canonical() == spec.canonical()
        assert len(spec.fingerprint) == 12


def test_a_stored_configuration_comes_back_with_its_fingerprint(database: str) -> None:
    loaded = shipped()
    with connect(database, autocommit=True) as connection:
        migrate(connection)
        for spec in (loaded.judgement, loaded.care):
            assert configurations.keep(connection, spec) == spec.fingerprint
            assert configurations.keep(connection, spec) == spec.fingerprint
        judgement = configurations.judgement(connection, loaded.judgement.fingerprint)
        care = configurations.care(connection, loaded.care.fingerprint)
        with pytest.raises(configurations.UnknownFingerprint):
            configurations.care(connection, loaded.judgement.fingerprint)
    assert fingerprints(Configuration(judgement, care)) == fingerprints(loaded)
    assert list(judgement.metrics) == list(loaded.judgement.metrics)
    assert list(judgement.health.dimensions) == list(loaded.judgement.health.dimensions)


def test_promises_come_with_the_best_tier_first_however_they_are_written(folder: Path) -> None:
    edit(folder / "levels.yaml", lambda data: _swap(data["promises"]["3"]))
    assert [list(tiers) for tiers in load(folder).care.levels.promises.values()] == [["A", "B", "C"]] * 3


@pytest.mark.req("S56")
def test_an_edit_of_the_yaml_changes_the_score(folder: Path) -> None:
    """Two indicators of the firm's own choice and weight, in a dimension of its own; no code."""

    model = {
        "version": 1,
        "label": "Ours",
        "dimensions": {
            name: {"label": name, "weight": weight, "metrics": metrics}
            for name, weight, metrics in (
                ("transaction", 0.7, {"returns_90d": {"weight": 1, "points": {"0": 100, "10": 0}}}),
                ("service", 0.3, {"complaints_90d": {"weight": 1, "points": {"0": 100, "4": 0}}}),
            )
        },
    }
    (folder / "metrics" / "ours.yaml").write_text(
        "version: 1\nmetrics:\n  returns_90d: {label: Returns, kind: count, fact: order, "
        "where: \"kind = 'credit'\", window: 90 days}\n",
        encoding="utf-8",
    )
    for path in (folder / "warnings").iterdir():
        path.unlink()
    write(folder / "health.yaml", model)
    columns = {"returns_90d": np.array([3.0, 0.0]), "complaints_90d": np.array([1.0, 4.0])}
    tier = np.zeros(2, dtype=np.int16)

    def scores() -> list[float]:
        spec = load(folder).judgement
        return score(spec.health, columns, tier, spec.tiers.names).score.tolist()

    assert scores() == [0.7 * 70 + 0.3 * 75, 0.7 * 100 + 0.3 * 0]

    def other_weights(data: Any) -> None:
        data["dimensions"]["transaction"]["weight"] = 0.2
        data["dimensions"]["service"]["weight"] = 0.8

    edit(folder / "health.yaml", other_weights)
    assert scores() == [0.2 * 70 + 0.8 * 75, 0.2 * 100 + 0.8 * 0]


def test_the_names_of_the_health_rules_are_reserved() -> None:
    assert set(RESERVED) == set(HEALTH_RULES)
