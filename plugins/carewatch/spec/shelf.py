"""Answer the question: which files make up a configuration, and where in them does each thing stand?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from carewatch.paths import home
from carewatch.spec.document import Document, Place, Problem, SpecProblem, nearest, read_document, validate
from carewatch.spec.document.renaming import Pattern
from carewatch.spec.saying import said
from carewatch.spec.vocabulary import Vocabulary, vocabulary

M = TypeVar("M", bound=BaseModel)

SHARED: Final = ("calendar", "levels", "people", "notices", "playbooks")
"""What a pack may leave out: the shipped configuration's stands in."""


LIBRARY: Final = "metrics"
"""What a pack may leave out as well: it then takes the metrics that it names from the shipped library, and no others."""


NAMED: Final[Mapping[str, tuple[Pattern, ...]]] = {
    "metrics": (("metrics.*.metric", "value", "metric"), ("metrics.*.over", "value", "metric")),
    "health": (("dimensions.*.metrics", "keys", "metric"),),
    "tiers": (("metrics", "keys", "metric"), ("weights.*", "keys", "metric"), ("money", "value", "metric")),
    "rfm": (("*.metric", "value", "metric"),),
    "stages": (("silence", "value", "metric"),),
    "warnings": (
        ("rules.*.severity", "value", "severity"),
        ("rules.*.severity_by_tier.*", "value", "severity"),
        ("rules.*.dimension", "value", "dimension"),
        ("rules.*.examples.*.given", "keys", "name"),
    ),
    "levels": (("levels.*.*", "keys", "severity"), ("loose.*.*", "keys", "severity")),
    "playbooks": (("steps.*.role", "value", "role"), ("escalate_to", "value", "role")),
    "notices": (("tell.*.*", "value", "role"),),
    "people": (("people.*.roles.*", "value", "role"),),
}
"""Where in each kind of file a name stands that people may write by its label."""

FOLDERS: Final = ("health", "metrics", "playbooks", "tiers", "warnings")
"""Kinds that may be split into the files of a folder."""


def display(path: Path) -> str:
    """Return a path as a reader of messages would write it: from the present folder, or from the project's."""
    for base in (Path.cwd(), home()):
        if path.is_relative_to(base):
            return str(path.relative_to(base))
    return str(path)


@dataclass(eq=False)
class Shelf:
    """The documents of a configuration folder and what is wrong with them."""

    folder: Path
    problems: list[Problem] = field(default_factory=list)
    documents: dict[tuple[str, str], tuple[Document, str]] = field(default_factory=dict)
    borrowed: dict[tuple[str, str], Place] = field(default_factory=dict)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What people call the things that the folder's files define."""
        return vocabulary(
            metrics=self._below("metrics", "metrics"),
            dimensions=self._below("health", "dimensions"),
            classes={"rfm": self._below("rfm", "classes"), "stage": self._below("stages", "stages")},
            divisions=self._below("segments", "segments"),
            roles={role: label for roles in self._below("people", "roles") for role, label in roles.items()},
        )

    def read(self, path: Path, kind: str, model: type[M]) -> tuple[Document, M | None]:
        """Read a file, people's words in it replaced by the ids they mean; its problems are kept here."""
        document = self._document(path).renamed(NAMED.get(kind, ()), self.vocabulary.id_of)
        value, problems = validate(document, model, context={"vocabulary": self.vocabulary})
        self.problems += problems
        return document, value

    @cache  # noqa: B019 - a shelf lives as long as one reading of a folder
    def _document(self, path: Path) -> Document:
        return read_document(path, display=display(path))

    def _below(self, kind: str, key: str) -> Iterator[Mapping[str, Any]]:
        for path in files_of(self.folder, kind):
            data = self._document(path).data
            content = data.get(key) if isinstance(data, dict) else None
            if isinstance(content, dict):
                yield content

    def borrows(self, kind: str) -> bool:
        """Return whether the shipped files of a kind stand in for the folder's own."""
        return (
            kind in (*SHARED, LIBRARY)
            and self.folder != shipped_folder()
            and not any(path.is_relative_to(self.folder) for path in files_of(self.folder, kind))
        )

    def asked(self, path: Path) -> Iterator[tuple[str, Place]]:
        """Yield the names that a file asks of the library, each with its place."""
        document = self._document(path)
        names = document.data.get("library") if isinstance(document.data, dict) else None
        for at, name in enumerate(names if isinstance(names, list) else ()):
            if isinstance(name, str):
                yield name, document.place(("library", at))

    def missing(self, kind: str) -> None:
        """Say that a file that every configuration needs is not there."""
        path = display(self.folder / f"{kind}.yaml")
        self.problems.append(
            Problem(Place(path, 1, 1), "this file is missing", said("a file {kind}.yaml here", kind=kind))
        )

    def keep(self, kind: str, name: str, document: Document, below: str = "") -> bool:
        """Remember where a named thing stands; a second one of that name is a problem that shows both places."""
        if (kind, name) not in self.documents:
            self.documents[kind, name] = (document, below)
            return True
        loc = (below, name) if below else (_named_by(kind),)
        other, other_below = self.documents[kind, name]
        first = other.place((other_below, name) if other_below else (_named_by(kind),), key=bool(below))
        what = said("'{name}' is defined a second time (first at {first})", name=name, first=first)
        self.problems.append(Problem(document.place(loc, key=bool(below)), what, "one definition"))
        return False

    def note(self, kind: str, name: str, problem: SpecProblem) -> None:
        """Record a problem of a named thing (a rule, a metric, a playbook, or a whole file) at its place."""
        self.problems += self.placed(kind, name, problem)

    def placed(self, kind: str, name: str, problem: SpecProblem) -> Iterator[Problem]:
        """Yield a problem of a named thing, and all that came with it, at their places.

        Of a thing that was borrowed from the library this is where it is asked for.
        """
        if (kind, name) in self.borrowed:
            for one in problem.every():
                what = said("'{name}' of the library: {what}", name=name, what=one.what)
                yield Problem(self.borrowed[kind, name], what, one.expected, one.nearest)
            return
        document, below = self.documents[kind, name]
        for one in problem.every():
            loc = ((below, name) if below else ()) + one.loc
            place = document.place(loc, key=one.at_key, offset=one.column_offset)
            yield Problem(place, one.what, one.expected, one.nearest)


def _named_by(kind: str) -> str:
    return kind.removesuffix("s")


def shipped_folder() -> Path:
    """Return the configuration that is shipped: what stands in, and the library."""
    return home() / "config"


def files_of(folder: Path, kind: str) -> list[Path]:
    """Return the files of a kind: `kind.yaml`, then those in the folder `kind`; the shipped ones where they stand in."""
    shipped = shipped_folder()
    single = folder / f"{kind}.yaml"
    found = [*([single] if single.exists() else []), *sorted((folder / kind).glob("*.yaml"))]
    if found or kind not in (*SHARED, LIBRARY):
        return found
    if folder != shipped:
        return files_of(shipped, kind)
    return sorted((home() / "include" / kind).glob("*.yaml"))


def strays(folder: Path, kinds: Iterable[str]) -> Iterator[Problem]:
    """Yield YAML files that look like a part of the configuration but are read by nobody.

    A folder with a firm.yaml is a configuration of its own, whatever it is called: a draft, or a pack.
    """
    known = {*kinds}
    for path in sorted(folder.glob("[!.]*.y*ml")):
        if path.stem not in known or path.suffix != ".yaml":
            near = nearest(path.stem, known)
            yield _stray(path, f"{near}.yaml" if near else None)
    inside = (path for path in folder.iterdir() if path.is_dir() and not (path / "firm.yaml").exists())
    for inner in sorted(inside):
        near = nearest(inner.name, FOLDERS)
        for path in sorted(inner.glob("**/[!.]*.y*ml")) if near is not None else ():
            if inner.name != near or path.parent != inner or path.suffix != ".yaml":
                yield _stray(path, f"{near}/{path.stem}.yaml")


def _stray(path: Path, meant: str | None) -> Problem:
    return Problem(Place(display(path), 1, 1), "this file is read by nobody", None, meant)
