"""`care schema`: the JSON Schema of every kind of YAML file, for editors, and the data contract of the facts."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from carewatch.commands.facts_guide import facts_guide
from carewatch.paths import home, include
from carewatch.spec.health import FurtherModel
from carewatch.spec.loading import KINDS
from carewatch.spec.shelf import display
from carewatch.spec.sources import SourcesFile

HELP = (
    "write what is generated from the code: include/schemas/*.json for editors, docs/facts.md for engineers"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is not fresh")


def schemas() -> dict[str, str]:
    """Return the text of every schema by kind."""
    models: dict[str, type[BaseModel]] = {**KINDS, "health_model": FurtherModel, "sources": SourcesFile}
    return {
        kind: json.dumps(
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                **_for_editors(model.model_json_schema()),
            },
            ensure_ascii=False,
            indent=2,
        )
        + "\n"
        for kind, model in models.items()
    }


def _for_editors(schema: Any) -> Any:
    """Drop titles that only repeat a key (an editor would show them first), and refuse names of another pattern."""
    if isinstance(schema, list):
        return [_for_editors(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: _for_editors(part) for key, part in schema.items() if key != "title" or isinstance(part, dict)
    }
    return {"additionalProperties": False, **kept} if "patternProperties" in kept else kept


def files() -> dict[Path, str]:
    """Return the text of every generated file."""
    written = {include("schemas", f"{kind}.json"): text for kind, text in schemas().items()}
    return {**written, home() / "docs" / "facts.md": facts_guide()}


def run(chosen: argparse.Namespace) -> int:
    stale = []
    for path, text in files().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(display(path))
        if not chosen.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    word = "stale" if chosen.check else "written"
    print(f"{word}: {', '.join(stale)}" if stale else "everything is fresh")
    return 1 if stale and chosen.check else 0
