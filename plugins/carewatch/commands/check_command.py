"""`care check`: is the configuration right?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from carewatch import paths
from carewatch.commands.console import json_argument, print_json
from carewatch.commands.notice_check import bad_templates
from carewatch.spec.configuration import Configuration
from carewatch.spec.document import Problem, SpecError
from carewatch.spec.loading import load
from carewatch.spec.notes import notes
from carewatch.spec.shelf import display
from carewatch.spec.sources import load_sources

HELP = "check the configuration: every problem with file, line, column and the nearest match"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="FOLDER", help="configuration folders (default: config/)"
    )
    json_argument(parser)


def problems_in(folder: Path) -> list[Problem]:
    """Return every problem of a configuration folder, its sources included, ordered by place."""
    found: set[Problem] = set()
    # a folder without any configuration has said so; its missing sources would say it again
    readers = (load, load_sources) if (folder / "firm.yaml").exists() else (load,)
    for read in readers:
        try:
            read(folder)
        except SpecError as error:
            found |= {_shown(problem) for problem in error.problems}
    return sorted(found)


def _shown(problem: Problem) -> Problem:
    """Return the problem with its file as a reader would write it, whoever found it."""
    file = display(Path(problem.place.file).resolve())
    return replace(problem, place=replace(problem.place, file=file))


def run(chosen: argparse.Namespace) -> int:
    folders = chosen.folders or [paths.config()]
    problems = sorted({problem for folder in folders for problem in problems_in(folder)} | {*bad_templates()})
    sound = [] if problems else [(folder, load(folder)) for folder in folders]
    known = [] if problems else sorted({note for folder in folders for note in notes(folder)})
    if chosen.json:
        print_json(
            {
                "problems": _data(problems),
                "notes": _data(known),
                "configurations": [_summary(folder, configuration) for folder, configuration in sound],
            }
        )
    else:
        _print(problems, known, sound)
    return 1 if problems else 0


def _data(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [
        {
            "file": one.place.file,
            "line": one.place.line,
            "column": one.place.column,
            "what": one.what,
            "expected": one.expected,
            "nearest": one.nearest,
        }
        for one in problems
    ]


def _summary(folder: Path, configuration: Configuration) -> dict[str, Any]:
    judgement, care = configuration.judgement, configuration.care
    return {
        "folder": display(folder.resolve()),
        "metrics": len(judgement.metrics),
        "rules": len(judgement.rules),
        "playbooks": len(care.playbooks),
        "people": len(care.people.people),
        "judgement": judgement.fingerprint,
        "care": care.fingerprint,
    }


def _print(problems: list[Problem], known: list[Problem], sound: list[tuple[Path, Configuration]]) -> None:
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        print(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", file=sys.stderr)
    for note in known:
        print(f"note: {note}")
    for folder, configuration in sound:
        said = _summary(folder, configuration)
        print(
            f"{said['folder']}: {said['metrics']} metrics, {said['rules']} rules, {said['playbooks']} playbooks, "
            f"{said['people']} people; judgement {said['judgement']}, care {said['care']}"
        )
