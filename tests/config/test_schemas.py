"""What is generated: fresh; the JSON Schemas are true to what is shipped and named in the first line of every file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.config.files import ROOT, kind_of, yaml_files

from carewatch.cli import main
from carewatch.commands.schema_command import schemas
from carewatch.spec.document import read_document
from carewatch.spec.facts import FACTS

FILES = yaml_files()
BROKEN = Path(__file__).parent / "broken"
CAUGHT_BY_EDITORS = {
    "01_unknown_key": "warnings/mine.yaml",
    "10_yes_for_true": "people.yaml",
    "13_points_above_100": "health.yaml",
    "43_reserved_names": "metrics/more.yaml",
    "45_window_without_unit": "metrics/mine.yaml",
    "47_currency_and_time_zone": "firm.yaml",
    "48_version": "stages.yaml",
    "49_level_table": "levels.yaml",
    "50_list_and_indentation": "warnings/mine.yaml",
    "55_deep_inside": "notices.yaml",
    "57_calendar": "calendar.yaml",
}


def schema(kind: str) -> Any:
    return json.loads((ROOT / "include" / "schemas" / f"{kind}.json").read_text(encoding="utf-8"))


def data(path: Path) -> Any:
    return read_document(path).data


def test_what_is_generated_is_fresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--check"]) == 0, capsys.readouterr().out


def test_what_is_stale_is_named_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CARE_HOME", str(tmp_path))
    assert main(["schema"]) == 0
    (tmp_path / "docs" / "facts.md").write_text("old", encoding="utf-8")
    capsys.readouterr()
    assert main(["schema", "--check"]) == 1
    assert (tmp_path / "docs" / "facts.md").read_text(encoding="utf-8") == "old"
    assert main(["schema"]) == 0
    assert main(["schema", "--check"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "stale: docs/facts.md",
        "written: docs/facts.md",
        "everything is fresh",
    ]


def test_the_data_contract_has_every_column_of_every_fact() -> None:
    page = (ROOT / "docs" / "facts.md").read_text(encoding="utf-8")
    for name, fact in FACTS.items():
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert [row.split("`")[1] for row in section.splitlines() if row.startswith("| `")] == [
            column.name for column in fact.columns
        ]


@pytest.mark.parametrize("kind", sorted(schemas()))
def test_each_schema_is_one(kind: str) -> None:
    Draft202012Validator.check_schema(schema(kind))
    assert schema(kind)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_shipped_fits_its_schema_and_names_it(path: Path) -> None:
    kind = kind_of(path)
    errors = [error.message for error in Draft202012Validator(schema(kind)).iter_errors(data(path))]
    assert errors == []
    first = path.read_text(encoding="utf-8").splitlines()[0]
    marker = "# yaml-language-server: $schema="
    assert first.startswith(marker)
    assert (
        path.parent / first.removeprefix(marker)
    ).resolve() == ROOT / "include" / "schemas" / f"{kind}.json"


@pytest.mark.parametrize(("case", "file"), CAUGHT_BY_EDITORS.items())
def test_an_editor_sees_common_mistakes(case: str, file: str) -> None:
    path = BROKEN / case / file
    assert not Draft202012Validator(schema(kind_of(path))).is_valid(data(path))


def test_every_key_that_people_write_is_explained() -> None:
    bare: list[str] = []
    for kind in set(schemas()) - {"sources"}:
        for name, content in _objects(kind, schema(kind)):
            bare += [
                f"{name}.{key}" for key, part in content["properties"].items() if not _explained(key, part)
            ]
    assert bare == []


def _objects(kind: str, whole: Any) -> list[tuple[str, Any]]:
    named = [(kind, whole), *((f"{kind}.{name}", part) for name, part in whole.get("$defs", {}).items())]
    return [(name, part) for name, part in named if "properties" in part]


def _explained(key: str, part: dict[str, Any]) -> bool:
    """Return whether an editor can say what a key is for; sections are explained by what they hold."""
    return key == "version" or "description" in part or "$ref" in json.dumps(part)
