"""Answer the question: what do the files in this folder say, and what is wrong with them (all of it at once)?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from carewatch.paths import home
from carewatch.spec.calendar import CalendarSpec, WorkCalendar
from carewatch.spec.checks import check_examples, check_names
from carewatch.spec.configuration import CareSpec, Configuration, JudgementSpec
from carewatch.spec.document import Document, Place, Problem, SpecError, SpecProblem, read_document, validate
from carewatch.spec.firm import Firm
from carewatch.spec.health import Health, Stages, Tiers
from carewatch.spec.metrics import Metric, MetricsFile
from carewatch.spec.people import Notices, People, Playbook
from carewatch.spec.rules import Levels, Rule, RulesFile

M = TypeVar("M", bound=BaseModel)
KINDS: dict[str, type[BaseModel]] = {
    "firm": Firm,
    "calendar": CalendarSpec,
    "metrics": MetricsFile,
    "health": Health,
    "tiers": Tiers,
    "stages": Stages,
    "warnings": RulesFile,
    "levels": Levels,
    "people": People,
    "notices": Notices,
    "playbooks": Playbook,
}
"""The kinds of YAML file and the model of each; a JSON Schema of every kind is in include/schemas."""

_SHARED = ("calendar", "levels", "people", "notices", "playbooks")
"""What a pack may leave out: the shipped configuration's stands in."""


@dataclass
class Shelf:
    """The documents of a configuration and what is wrong with them."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)
    documents: dict[tuple[str, str], tuple[Document, str]] = field(default_factory=dict)

    def display(self, path: Path) -> str:
        """Return the path as a reader of messages would write it."""
        for base in (Path.cwd(), home()):
            if path.is_relative_to(base):
                return str(path.relative_to(base))
        return str(path)

    def read(self, path: Path, model: type[M]) -> tuple[Document, M | None]:
        document = read_document(path, display=self.display(path))
        value, problems = validate(document, model)
        self.problems += problems
        return document, value

    def note(self, kind: str, name: str, problem: SpecProblem) -> None:
        """Record a problem of a named thing (a rule, a metric, a playbook, or a whole file) at its place."""
        document, below = self.documents[kind, name]
        for one in problem.every():
            loc = ((below, name) if below else ()) + one.loc
            place = document.place(loc, key=one.at_key, offset=one.column_offset)
            self.problems.append(Problem(place, one.what, one.expected, one.nearest))


def _files(folder: Path, kind: str) -> list[Path]:
    single = folder / f"{kind}.yaml"
    many = sorted((folder / kind).glob("*.yaml"))
    return [*([single] if single.exists() else []), *many]


def _paths(folder: Path, kind: str) -> list[Path]:
    shipped = home() / "config"
    found = _files(folder, kind)
    if kind == "playbooks" and not found and folder == shipped:
        return sorted((home() / "include" / "playbooks").glob("*.yaml"))
    if not found and kind in _SHARED and folder != shipped:
        return _paths(shipped, kind)
    return found


def _one(shelf: Shelf, kind: str, model: type[M]) -> M | None:
    paths = _paths(shelf.folder, kind)
    if not paths:
        place = Place(shelf.display(shelf.folder / f"{kind}.yaml"), 1, 1)
        shelf.problems.append(Problem(place, "the file is missing", f"a {kind}.yaml in the folder"))
        return None
    document, value = shelf.read(paths[0], model)
    shelf.documents[kind, kind] = (document, "")
    return value


T = TypeVar("T")


def _many(
    shelf: Shelf, kind: str, model: type[M], below: str, items: Callable[[M], Iterable[tuple[str, T]]]
) -> dict[str, T]:
    """Read all files of a kind into one dictionary; a name defined twice is a problem that shows both places."""
    result: dict[str, T] = {}
    for path in _paths(shelf.folder, kind):
        document, value = shelf.read(path, model)
        if value is None:
            continue
        for name, item in items(value):
            if name in result:
                other, other_below = shelf.documents[kind, name]
                first = other.place((other_below, name) if other_below else ())
                place = document.place((below, name) if below else (), key=bool(below))
                shelf.problems.append(
                    Problem(
                        place, f"'{name}' is defined a second time", f"one definition (the first: {first})"
                    )
                )
                continue
            result[name] = item
            shelf.documents[kind, name] = (document, below)
    return result


def load(folder: Path) -> Configuration:
    """Return the configuration in a folder; raise SpecError with every problem of every file, ordered by place.

    A pack may leave out calendar, levels, people, notices and playbooks: the shipped ones stand in.
    """
    folder = folder.resolve()
    shelf = Shelf(folder)
    if not folder.is_dir():
        raise SpecError(
            [Problem(Place(shelf.display(folder), 1, 1), "there is no such folder", "a configuration folder")]
        )
    firm = _one(shelf, "firm", Firm)
    calendar = _one(shelf, "calendar", CalendarSpec)
    health = _one(shelf, "health", Health)
    tiers = _one(shelf, "tiers", Tiers)
    stages = _one(shelf, "stages", Stages)
    levels = _one(shelf, "levels", Levels)
    people = _one(shelf, "people", People)
    notices = _one(shelf, "notices", Notices)
    metrics: dict[str, Metric] = _many(
        shelf, "metrics", MetricsFile, "metrics", lambda file: file.metrics.items()
    )
    rules: dict[str, Rule] = _many(shelf, "warnings", RulesFile, "rules", lambda file: file.rules.items())
    playbooks = _many(shelf, "playbooks", Playbook, "", lambda book: [(book.playbook, book)])
    if shelf.problems:
        raise SpecError(shelf.problems)
    assert firm and calendar and health and tiers and stages and levels and people and notices
    judgement = JudgementSpec(
        firm=firm, metrics=metrics, health=health, tiers=tiers, stages=stages, rules=rules, levels=levels,
        closed_days=WorkCalendar(calendar, firm.zone).closed_days(),
    )  # fmt: skip
    care = CareSpec(
        firm=firm,
        people=people,
        playbooks=playbooks,
        notices=notices,
        levels=levels,
        calendar=calendar.resolved(),
    )
    for kind, name, problem in (*check_names(judgement, care), *check_examples(judgement)):
        shelf.note(kind, name, problem)
    if shelf.problems:
        raise SpecError(shelf.problems)
    return Configuration(judgement, care)
