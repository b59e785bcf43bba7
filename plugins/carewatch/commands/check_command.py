"""`care check`: is the configuration right?"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from carewatch import paths
from carewatch.commands.console import json_argument, print_json
from carewatch.commands.notice_check import bad_templates
from carewatch.spec.checked import checked
from carewatch.spec.configuration import Configuration
from carewatch.spec.document import LANGUAGES, Problem
from carewatch.spec.loading import Reading
from carewatch.spec.notes import notes
from carewatch.spec.saying import in_language, said
from carewatch.spec.shelf import display

HELP = "check the configuration: every problem with file, line, column and the nearest match"
NIGHTS: Final = 28
"""How many nights a look at the history goes back."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="FOLDER", help="configuration folders (default: config/)"
    )
    parser.add_argument(
        "--history", type=int, nargs="?", const=NIGHTS, default=0, metavar="NIGHTS",
        help=f"also look which rules never fired, or fired for most customers, on the last {NIGHTS} (or so many) nights",
    )  # fmt: skip
    parser.add_argument("--strict", action="store_true", help="end with code 1 when there are notes, too")
    parser.add_argument("--language", choices=LANGUAGES, default="en", help="of the messages (default: en)")
    json_argument(parser)


def run(chosen: argparse.Namespace) -> int:
    every = [checked(folder) for folder in chosen.folders or [paths.config()]]
    problems = sorted({problem for one in every for problem in one.problems} | {*bad_templates()})
    sound = [] if problems else [(one.folder, one.reading) for one in every if one.reading is not None]
    known = sorted({note for _, reading in sound for note in (*notes(reading), *_history(chosen, reading))})
    if chosen.json:
        print_json(
            {
                "problems": _data(problems, chosen.language),
                "notes": _data(known, chosen.language),
                "configurations": [_summary(folder, reading.configuration) for folder, reading in sound],
            }
        )
    else:
        _print(problems, known, sound, chosen.language)
    return 1 if problems or (known and chosen.strict) else 0


def _history(chosen: argparse.Namespace, reading: Reading) -> list[Problem]:
    """Return what the nights in the warehouse say of the rules, when that is asked for."""
    if chosen.history <= 0:
        return []
    from carewatch.commands.console import warehouse
    from carewatch.flow.rule_history import rule_notes

    with warehouse() as connection:
        return rule_notes(connection, reading, chosen.history)


def _data(problems: Iterable[Problem], language: str) -> list[dict[str, Any]]:
    return [
        {
            "file": one.place.file,
            "line": one.place.line,
            "column": one.place.column,
            "what": in_language(one.what, language),
            "expected": in_language(one.expected, language) if one.expected is not None else None,
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


def _print(
    problems: list[Problem], known: list[Problem], sound: list[tuple[Path, Reading]], language: str
) -> None:
    for problem in problems:
        print(problem.in_(language), file=sys.stderr)
    if problems:
        count = said("1 problem") if len(problems) == 1 else said("{count} problems", count=len(problems))
        print(in_language(count, language), file=sys.stderr)
    for note in known:
        print(in_language(said("note: {note}", note=note.in_(language)), language))
    for folder, reading in sound:
        summary = said(
            "{folder}: {metrics} metrics, {rules} rules, {playbooks} playbooks, {people} people; "
            "judgement {judgement}, care {care}",
            **_summary(folder, reading.configuration),
        )
        print(in_language(summary, language))
