"""Answer the question: what do the files in this folder say, and what is wrong with them (all of it at once)?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from carewatch.spec.calendar import CalendarSpec, WorkCalendar
from carewatch.spec.checks import check_parts
from carewatch.spec.configuration import CareSpec, Configuration, JudgementSpec
from carewatch.spec.document import Document, Place, Problem, SpecError, nearest
from carewatch.spec.firm import Firm
from carewatch.spec.health import FurtherModel, Health
from carewatch.spec.launch import Launch
from carewatch.spec.lint import findings
from carewatch.spec.metrics import MetricsFile
from carewatch.spec.parts import Parts, named_metrics
from carewatch.spec.people import Notices, People, Playbook
from carewatch.spec.rfm import Rfm
from carewatch.spec.rules import LevelsFile, Rule, RulesFile
from carewatch.spec.saying import joined, said
from carewatch.spec.segments import SegmentsFile
from carewatch.spec.shelf import LIBRARY, Shelf, display, files_of, shipped_folder, strays
from carewatch.spec.stages import Stages
from carewatch.spec.tiers import Tiers

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
KINDS: dict[str, type[BaseModel]] = {
    "firm": Firm,
    "calendar": CalendarSpec,
    "metrics": MetricsFile,
    "health": Health,
    "tiers": Tiers,
    "rfm": Rfm,
    "segments": SegmentsFile,
    "stages": Stages,
    "warnings": RulesFile,
    "levels": LevelsFile,
    "launch": Launch,
    "people": People,
    "notices": Notices,
    "playbooks": Playbook,
}
"""The kinds of YAML file and the model of each; a JSON Schema of every kind is in include/schemas."""

_OWN = ("firm", "health", "tiers", "stages")
"""What every configuration brings itself."""
_ELSEWHERE = ("sources",)
"""Kinds that another loader reads."""


@dataclass(frozen=True)
class _Many(Generic[T]):
    """The things that the files of one kind define.

    `names` are all names, those of broken things included; None when a file is no YAML at all. `whole`: nothing broken.
    """

    items: dict[str, T]
    names: frozenset[str] | None
    whole: bool


def _one(shelf: Shelf, kind: str, model: type[M]) -> M | None:
    paths = [path for path in files_of(shelf.folder, kind) if path.stem == kind]
    if not paths:
        shelf.missing(kind)
        return None
    document, value = shelf.read(paths[0], kind, model)
    shelf.keep(kind, kind, document)
    return value


def _many(
    shelf: Shelf, kind: str, model: type[M], below: str, items: Callable[[M], Iterable[tuple[str, T]]]
) -> _Many[T]:
    found: dict[str, T] = {}
    written: set[str] = set()
    readable = whole = True
    for path in files_of(shelf.folder, kind):
        document, value = shelf.read(path, kind, model)
        readable = readable and document.is_readable
        whole = whole and value is not None
        written |= _written(document, below)
        for name, item in items(value) if value is not None else ():
            if shelf.keep(kind, name, document, below):
                found[name] = item
    return _Many(found, frozenset(written | set(found)) if readable else None, whole)


def _models(shelf: Shelf) -> tuple[dict[str, FurtherModel], bool]:
    """Return the sound ones of the further health models by name, and whether all are sound."""
    found: dict[str, FurtherModel] = {}
    whole = True
    for path in files_of(shelf.folder, "health"):
        if path.parent.name == "health" and path.parent != shelf.folder:
            document, model = shelf.read(path, "health", FurtherModel)
            whole = whole and model is not None
            if model is not None and shelf.keep("models", model.model, document):
                found[model.model] = model
    return found, whole


def _library_rules(shelf: Shelf, own: Mapping[str, Rule]) -> dict[str, Rule]:
    """Return the rules of the shipped library that the folder's files ask for."""
    asked = [
        (path, name, at) for path in files_of(shelf.folder, "warnings") for name, at in shelf.asked(path)
    ]
    if not asked:
        return {}
    library = Shelf(shipped_folder())
    shipped = _many(library, "warnings", RulesFile, "rules", lambda file: file.rules.items()).items
    found: dict[str, Rule] = {}
    for _, name, place in asked:
        if name not in shipped:
            what = said("the library has no rule '{name}'", name=name)
            expected = said("the name of a shipped rule")
            shelf.problems.append(Problem(place, what, expected, nearest(name, shipped)))
        elif name in own or name in found:
            shelf.problems.append(
                Problem(place, said("'{name}' is defined a second time", name=name), said("one definition"))
            )
        else:
            found[name] = shipped[name]
            shelf.borrowed["warnings", name] = place
    return found


def _schemes(shelf: Shelf) -> dict[str, Tiers]:
    """Return the further schemes of tiers, each from a file of its own; `tier` is that of tiers.yaml."""
    found = {}
    for path in sorted((shelf.folder / "tiers").glob("*.yaml")):
        document, scheme = shelf.read(path, "tiers", Tiers)
        if scheme is not None and shelf.keep("tiers", scheme.scheme, document):
            found[scheme.scheme] = scheme
    return found


def _written(document: Document, below: str) -> set[str]:
    """Return the names that a file defines, whether or not what they stand for is sound."""
    content = document.data.get(below) if isinstance(document.data, dict) else None
    return set(content) if isinstance(content, dict) else set()


@dataclass(frozen=True)
class Reading:
    """A sound configuration, its parts, and where everything in it stands."""

    configuration: Configuration
    parts: Parts
    shelf: Shelf

    def notes(self) -> list[Problem]:
        """Return what is probably not meant although it can be used, ordered by place.

        Of what a pack borrows nothing is said: they are not the pack's to mend.
        """
        found = [
            one
            for one in findings(self.parts)
            if not one.stops
            and not self.shelf.borrows(one.kind)
            and (one.kind, one.name) not in self.shelf.borrowed
        ]
        return sorted(
            problem for one in found for problem in self.shelf.placed(one.kind, one.name, one.problem)
        )


def load(folder: Path) -> Configuration:
    """Return the configuration in a folder; raise SpecError with every problem of every file, ordered by place.

    A pack may leave out calendar, levels, people, notices and playbooks: the shipped ones stand in. One without metrics
    takes those that it names from the shipped library, and only they are computed.
    """
    return read(folder).configuration


def read(folder: Path) -> Reading:
    """Return the configuration in a folder with its parts and their places; raise SpecError like `load`."""
    folder = folder.resolve()
    if not folder.is_dir():
        place = Place(display(folder), 1, 1)
        raise SpecError([Problem(place, "there is no such folder", "a configuration folder")])
    if not any(files_of(folder, kind) for kind in _OWN):
        needed = joined(", ", (f"{kind}.yaml" for kind in _OWN))
        place = Place(display(folder), 1, 1)
        raise SpecError([Problem(place, "there is no configuration in this folder", needed)])
    shelf = Shelf(folder)
    firm, calendar = _one(shelf, "firm", Firm), _one(shelf, "calendar", CalendarSpec)
    metrics = _many(shelf, "metrics", MetricsFile, "metrics", lambda file: file.metrics.items())
    rules = _many(shelf, "warnings", RulesFile, "rules", lambda file: file.rules.items())
    borrowed = _library_rules(shelf, rules.items)
    books = _many(shelf, "playbooks", Playbook, "", lambda book: [(book.playbook, book)])
    models, models_whole = _models(shelf)
    segments = _many(shelf, "segments", SegmentsFile, "segments", lambda file: file.segments.items())
    parts = Parts(
        metrics=metrics.items,
        metric_names=metrics.names,
        rules=rules.items | borrowed,
        health=_one(shelf, "health", Health),
        tiers=_one(shelf, "tiers", Tiers),
        models=models,
        models_whole=models_whole,
        schemes=_schemes(shelf),
        rfm=_one(shelf, "rfm", Rfm) if files_of(folder, "rfm") else None,
        segments=segments.items,
        stages=_one(shelf, "stages", Stages),
        levels=_one(shelf, "levels", LevelsFile),
        launch=_one(shelf, "launch", Launch) if files_of(folder, "launch") else Launch(),
        people=_one(shelf, "people", People),
        notices=_one(shelf, "notices", Notices),
        playbooks=books.items if books.whole else None,
    )
    for kind, name, problem in check_parts(parts):
        shelf.note(kind, name, problem)
    # what is found by comparing parts is only worth saying when all of them are sound
    for found in findings(parts) if not shelf.problems else ():
        if found.stops:
            shelf.note(found.kind, found.name, found.problem)
    problems = [*shelf.problems, *strays(folder, (*KINDS, *_ELSEWHERE))]
    if problems or firm is None or calendar is None:
        raise SpecError(problems)
    if shelf.borrows(LIBRARY):
        used = named_metrics(parts)
        parts = replace(parts, metrics={name: one for name, one in parts.metrics.items() if name in used})
    return Reading(_assembled(firm, calendar, parts), parts, shelf)


def load_calendar(folder: Path) -> WorkCalendar:
    """Return the working calendar of a folder, the shipped one where it has none; raise SpecError."""
    shelf = Shelf(folder.resolve())
    firm, calendar = _one(shelf, "firm", Firm), _one(shelf, "calendar", CalendarSpec)
    if shelf.problems or firm is None or calendar is None:
        raise SpecError(shelf.problems)
    return WorkCalendar(calendar.resolved(), firm.zone)


def _assembled(firm: Firm, calendar: CalendarSpec, parts: Parts) -> Configuration:
    health, tiers, stages, levels = parts.health, parts.tiers, parts.stages, parts.levels
    people, notices, playbooks = parts.people, parts.notices, parts.playbooks
    launch = parts.launch
    assert launch is not None
    assert health and tiers and stages and levels and people and notices and playbooks is not None
    every_day = calendar.resolved()
    judgement = JudgementSpec(
        firm=firm,
        metrics=dict(parts.metrics),
        health=health,
        models=[*parts.models.values()],
        tiers=tiers,
        schemes=dict(parts.schemes),
        rfm=parts.rfm,
        segments=dict(parts.segments),
        stages=stages,
        rules=dict(parts.rules),
        levels=levels.table(loose=launch.profile == "loose"),
        closed_days=WorkCalendar(every_day, firm.zone).closed_days(),
    )
    care = CareSpec(
        firm=firm,
        people=people,
        playbooks=dict(playbooks),
        notices=notices,
        levels=levels.promised(tiers.names),
        calendar=every_day,
        launch=launch,
    )
    return Configuration(judgement, care)
