"""Answer the question: what is wrong with a whole configuration folder, its sources included?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from carewatch.spec.document import Problem, SpecError
from carewatch.spec.loading import Reading, read
from carewatch.spec.shelf import display
from carewatch.spec.sources import load_sources


@dataclass(frozen=True)
class Checked:
    """What a check found in a folder; `reading` is there when nothing stops the configuration."""

    folder: Path
    problems: tuple[Problem, ...]
    reading: Reading | None


def checked(folder: Path) -> Checked:
    """Return every problem of a configuration folder, its sources included, ordered by place."""
    found: set[Problem] = set()
    reading: Reading | None = None
    try:
        reading = read(folder)
    except SpecError as error:
        found |= {_shown(problem) for problem in error.problems}
    # a folder without any configuration has said so; its missing sources would say it again
    if (folder / "firm.yaml").exists():
        try:
            load_sources(folder)
        except SpecError as error:
            found |= {_shown(problem) for problem in error.problems}
    return Checked(folder, tuple(sorted(found)), None if found else reading)


def _shown(problem: Problem) -> Problem:
    """Return the problem with its file as a reader would write it, whoever found it."""
    file = display(Path(problem.place.file).resolve())
    return replace(problem, place=replace(problem.place, file=file))
