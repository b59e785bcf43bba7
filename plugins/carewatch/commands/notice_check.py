"""What is wrong with the notice templates that business people edit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from carewatch import paths
from carewatch.commands.notice_samples import SAMPLES
from carewatch.spec.document import LANGUAGES, Place, Problem, nearest
from carewatch.spec.saying import joined, said
from carewatch.spec.shelf import display
from carewatch.tell.wording import BadTemplate, check_template, compose

_PLACED = re.compile(r"(?P<file>[^:\n]+):((?P<line>[0-9]+):)? (?P<what>.*)", re.DOTALL)
_UNDEFINED = re.compile(r"(?:has no attribute )?'(?P<name>\w+)'(?: is undefined)?$")
_ZONE = ZoneInfo("UTC")


def bad_templates() -> Iterator[Problem]:
    """Yield a problem for each template that is missing, that may not run, or that asks for a value nobody gives."""
    for language in LANGUAGES:
        for kind in SAMPLES:
            path = paths.include("templates", "notices", language, f"{kind}.txt.j2")
            if not path.exists():
                yield Problem(
                    Place(display(path), 1, 1),
                    "this file is missing",
                    said("a file {name} here", name=path.name),
                )
                continue
            problem = _first_problem(path, kind, language)
            if problem is not None:
                yield problem


def _first_problem(path: Path, kind: str, language: str) -> Problem | None:
    text = path.read_text(encoding="utf-8")
    try:
        check_template(text, display(path))
        for sample in SAMPLES[kind]:
            compose(kind, language, sample, _ZONE)
    except BadTemplate as error:
        placed = _PLACED.fullmatch(str(error))
        assert placed is not None
        return _placed(path, text, kind, placed)
    return None


def _placed(path: Path, text: str, kind: str, placed: re.Match[str]) -> Problem:
    what = placed["what"]
    missing = _UNDEFINED.search(what)
    if missing is None:
        return Problem(Place(display(path), int(placed["line"] or 1), 1), what)
    name = missing["name"]
    found = re.search(rf"\b{name}\b", text)
    before = text[: found.start()] if found else ""
    place = Place(display(path), before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    known = sorted(_names(SAMPLES[kind][0]))
    return Problem(
        place,
        said("no notice of this kind has a value '{name}'", name=name),
        said("one of {known}", known=joined(", ", known)),
        nearest(name, known),
    )


def _names(values: object) -> set[str]:
    """Return every name by which a template can reach into the values."""
    if isinstance(values, dict):
        return set(values) | {name for value in values.values() for name in _names(value)}
    return {name for value in values for name in _names(value)} if isinstance(values, list) else set()
