"""Reading a YAML file so that everything in it can be pointed at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Sequence as Sequence_
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import DocumentStartEvent

from carewatch.spec.document.nodes import (
    Composer,
    Mapping,
    Mark,
    Node,
    Scalar,
    Sequence,
    TooDeep,
    mappings,
    mark_of,
    to_data,
)
from carewatch.spec.document.renaming import Find, Pattern, renamed
from carewatch.spec.document.syntax import explain
from carewatch.spec.document.traps import is_empty, report_traps
from carewatch.spec.problems import Loc, Place, Problem, SpecProblem
from carewatch.spec.saying import said

_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_MOST_REPAIRS = 50


@dataclass(frozen=True)
class Found:
    """What a path leads to; `exact` is False when only an ancestor exists."""

    node: Node | None
    key: Scalar | None
    exact: bool


class Document:
    """One YAML file as plain data, with the place of every part.

    Keys are always text, as written; dates stay text. `problems` holds what was found while reading; when the
    file could not be read at all, `data` is None.
    """

    def __init__(self, *, file: str, text: str, root: Node | None, problems: tuple[Problem, ...]) -> None:
        self.file = file
        self.problems = problems
        self._text = text
        self._root = root
        self.data: Any = None if root is None else to_data(root)

    def renamed(self, patterns: Sequence_[Pattern], find: Find) -> Document:
        """Return the document with people's words at the patterns' paths replaced by ids; places stay what they are."""
        if self._root is None or not patterns:
            return self
        found: list[Problem] = []

        def report(mark: Mark, problem: SpecProblem) -> None:
            found.append(Problem(self._at(mark), problem.what, problem.expected, problem.nearest))

        root = renamed(self._root, patterns, find, report)
        return Document(file=self.file, text=self._text, root=root, problems=(*self.problems, *found))

    @property
    def is_readable(self) -> bool:
        """Say whether there is anything to validate."""
        return self._root is not None

    def blanks(self) -> Iterator[Problem]:
        """Yield a problem for each key with nothing behind it: to leave a key out is to say so, to write it is a slip."""
        for mapping in mappings(self._root) if self._root is not None else ():
            for name, value in mapping.values.items():
                if _is_unwritten(value):
                    place = self._at(mapping.keys[name].start)
                    yield Problem(place, said("'{name}' has no value", name=name), "a value, or no such key")

    def find(self, loc: Loc) -> Found:
        """Follow a path down the file; steps that do not exist in the file are passed over."""
        node, key, exact = self._root, None, True
        for step in loc:
            below = _step(node, step)
            exact = below is not None
            if below is not None:
                key, node = below
        return Found(node, key, exact)

    def real(self, loc: Loc) -> Loc:
        """Return the path without trailing steps that the file does not have."""
        while loc and not self.find(loc).exact:
            loc = loc[:-1]
        return loc

    def place(self, loc: Loc, *, key: bool = False, offset: int = 0) -> Place:
        """Return where a path stands: its value, or its key; `offset` counts characters inside a text.

        For a path that does not exist, the key (or start) of the nearest existing ancestor.
        """
        found = self.find(loc)
        if found.node is None:
            return Place(self.file, 1, 1)
        if found.key is not None and (key or _is_unwritten(found.node) or not found.exact):
            return self._at(found.key.start)
        if offset and isinstance(found.node, Scalar):
            return self._inside(found.node, offset)
        return self._at(found.node.start)

    def _at(self, mark: Mark) -> Place:
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _inside(self, scalar: Scalar, offset: int) -> Place:
        """Align the value with its source, which may be quoted, escaped or folded over lines."""
        source = self._text[scalar.start.index : scalar.end.index]
        at = 1 if scalar.style in ("'", '"') else source.find("\n") + 1 if scalar.style else 0
        for char in scalar.text[:offset]:
            at = _after(source, at, char)
        while scalar.text[offset : offset + 1].strip() and source[at : at + 1].isspace():
            at += 1
        before = self._text[: scalar.start.index + at]
        lines = _LINE_BREAK.split(before)
        return Place(self.file, len(lines), len(lines[-1]) + 1)


def _is_unwritten(node: Node) -> bool:
    return isinstance(node, Scalar) and node.style is None and node.text == ""


def _step(node: Node | None, step: str | int) -> tuple[Scalar | None, Node] | None:
    if isinstance(node, Mapping) and str(step) in node.values:
        return node.keys[str(step)], node.values[str(step)]
    if isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
        return None, node.items[step]
    return None


def _after(source: str, at: int, char: str) -> int:
    """Return the source position behind `char`, searched from `at`."""
    if char.isspace():
        while at < len(source) and source[at].isspace():
            at += 1
        return at
    found = source.find(char, at)
    return at if found < 0 else found + 1


def read_document(path: Path, *, display: str | None = None) -> Document:
    """Read a UTF-8 YAML 1.2 file of one document; never raises for what a person wrote.

    `display` is the file name shown in places (default: the path as given). Anchors, aliases, tags,
    directives, duplicate keys and further documents are refused as problems.
    """
    file = display or str(path)
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return _unreadable(
            file, Place(file, 1, 1), "this file is missing", said("a file {name} here", name=path.name)
        )
    except OSError as error:
        return _unreadable(
            file, Place(file, 1, 1), said("the file cannot be read ({error})", error=error.strerror), None
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", errors="replace").removeprefix("\ufeff")
        lines = _LINE_BREAK.split(before)
        place = Place(file, len(lines), len(lines[-1]) + 1)
        return _unreadable(
            file, place, "this file is not UTF-8 text", "the file saved with the encoding UTF-8"
        )
    return parse_document(text, file=file)


def parse_document(text: str, *, file: str) -> Document:
    """Read YAML text as `read_document` reads a file."""
    problems: dict[tuple[Place, str], Problem] = {}

    def report(mark: Mark, what: str, expected: str | None) -> None:
        place = Place(file, mark.line + 1, mark.column + 1)
        problems.setdefault((place, what), Problem(place, what, expected))

    lines = _LINE_BREAK.split(text)
    root = _compose_repairing(lines, report)
    if root is not None and not is_empty(root):
        report_traps(root, lines, report)
    elif not problems:
        report(Mark(0, 0, 0), "the file is empty", "'key: value' lines")
    empty = is_empty(root)
    return Document(
        file=file,
        text="\n".join(lines),
        root=None if empty else root,
        problems=tuple(sorted(problems.values())),
    )


def _compose_repairing(lines: list[str], report: Any) -> Node | None:
    """Compose the text; repair a fault that has one likely meaning (in `lines`) to find the next one too."""
    for _ in range(_MOST_REPAIRS):
        try:
            return _compose("\n".join(lines), report)
        except TooDeep:
            return None
        except MarkedYAMLError as error:
            fault = explain(error, lines)
            report(Mark(fault.line, fault.column, 0), fault.what, fault.expected)
            if fault.repaired is None:
                return None
            lines[fault.line] = fault.repaired
        except (YAMLError, ValueError, OverflowError) as error:
            report(*_unprintable(error, "\n".join(lines)))
            return None
    return None


def _compose(text: str, report: Any) -> Node | None:
    events = iter(YAML(typ="safe", pure=True).parse(text))
    root = Composer(events, report).document()
    second = next((event for event in events if isinstance(event, DocumentStartEvent)), None)
    if second is not None:
        report(mark_of(second), "a second document begins here", "one document per file")
    return root


def _unprintable(error: Exception, text: str) -> tuple[Mark, str, str | None]:
    position = getattr(error, "position", None)
    if position is None:
        return Mark(0, 0, 0), "this file cannot be read as YAML", "'key: value' lines and '- item' lists"
    lines = _LINE_BREAK.split(text[:position])
    mark = Mark(len(lines) - 1, len(lines[-1]), position)
    return mark, said("a control character (code {code})", code=ord(text[position])), "the file without it"


def _unreadable(file: str, place: Place, what: str, expected: str | None) -> Document:
    return Document(file=file, text="", root=None, problems=(Problem(place, what, expected),))
