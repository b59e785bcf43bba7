"""`care check`: is the configuration right?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from carewatch import paths
from carewatch.commands.console import json_argument, print_json
from carewatch.spec.document import Problem, SpecError
from carewatch.spec.loading import load
from carewatch.spec.sources import load_sources
from carewatch.tell.wording import BadTemplate, check_template

HELP = "check the configuration: every problem with file, line, column and the nearest match"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders", nargs="*", type=Path, metavar="FOLDER", help="configuration folders (default: config/)"
    )
    json_argument(parser)


def problems_in(folder: Path) -> list[Problem]:
    """Return every problem of a configuration folder, its sources included."""
    found: list[Problem] = []
    for read in (load, load_sources):
        try:
            read(folder)
        except SpecError as error:
            found += error.problems
    return sorted(set(found))


def bad_templates() -> list[str]:
    """Return what is wrong with the notice templates."""
    found = []
    for path in sorted(paths.include("templates", "notices").glob("*/*.j2")):
        try:
            check_template(path.read_text(encoding="utf-8"), str(path.relative_to(paths.home())))
        except BadTemplate as error:
            found.append(str(error))
    return found


def run(chosen: argparse.Namespace) -> int:
    folders = chosen.folders or [paths.config()]
    problems = [problem for folder in folders for problem in problems_in(folder)]
    templates = bad_templates()
    if chosen.json:
        print_json(
            [
                {
                    "file": p.place.file,
                    "line": p.place.line,
                    "column": p.place.column,
                    "what": p.what,
                    "expected": p.expected,
                    "nearest": p.nearest,
                }
                for p in problems
            ]
            + [{"what": text} for text in templates]
        )
        return 1 if problems or templates else 0
    for line in (*problems, *templates):
        print(line, file=sys.stderr)
    count = len(problems) + len(templates)
    if count:
        print(f"{count} problem{'s' if count > 1 else ''}", file=sys.stderr)
        return 1
    for folder in folders:
        configuration = load(folder)
        judgement, care = configuration.judgement, configuration.care
        print(
            f"{folder}: {len(judgement.metrics)} metrics, {len(judgement.rules)} rules, {len(care.playbooks)} playbooks, "
            f"{len(care.people.people)} people; judgement {judgement.fingerprint}, care {care.fingerprint}"
        )
    return 0
