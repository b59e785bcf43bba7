"""YAML events composed to nodes that remember where every key and value stands."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from carewatch.spec.saying import said

Value = str | int | float | bool | None
DEEPEST = 40


@dataclass(frozen=True)
class Mark:
    """A position counted from 0: line, column, index into the whole text."""

    line: int
    column: int
    index: int


@dataclass(frozen=True)
class Scalar:
    """A single value; `style` is None when written without quotes."""

    value: Value
    text: str
    style: str | None
    start: Mark
    end: Mark


@dataclass(frozen=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    flow: bool
    start: Mark


@dataclass(frozen=True)
class Mapping:
    """Keys as written (always text) with their own position, and the node each leads to."""

    keys: dict[str, Scalar]
    values: dict[str, Node]
    start: Mark


Node = Scalar | Sequence | Mapping
Report = Callable[[Mark, str, str | None], None]

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+(_[0-9]+)*")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(_[0-9]+)*(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_MOST_DIGITS = 300


def plain_value(text: str) -> Value:
    """Read an unquoted scalar by YAML 1.2 (core schema, decimal numbers only; dates stay text)."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if len(text) > _MOST_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        number = float(text.replace("_", ""))
        return number if math.isfinite(number) else text
    return text


class TooDeep(Exception):
    """Collections nest deeper than anybody can read."""


@dataclass
class Composer:
    """Builds the node tree of the first document from parser events; refusals go to `report`.

    Raises `TooDeep` after having reported it.
    """

    events: Iterator[Any]
    report: Report
    depth: int = field(default=0)

    def document(self) -> Node | None:
        """Return the root node, or None when the stream holds no document."""
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if event.version or event.tags:
                    self.report(mark_of(event), "a '%' directive at the top of the file", "no directive")
                return self.node(next(self.events))
        return None

    def node(self, event: Any) -> Node:
        """Compose one node from its first event on."""
        mark = mark_of(event)
        if isinstance(event, AliasEvent):
            self.report(
                mark,
                said("'*{anchor}' repeats another place", anchor=event.anchor),
                "the value itself, written out",
            )
            return Scalar(None, "", None, mark, mark)
        self._refuse_decoration(event, mark)
        if isinstance(event, ScalarEvent):
            return _scalar(event, mark)
        self.depth += 1
        try:
            return self._collection(event, mark)
        finally:
            self.depth -= 1

    def _refuse_decoration(self, event: Any, mark: Mark) -> None:
        if event.anchor is not None:
            self.report(
                mark,
                said("'&{anchor}' names a value to be repeated", anchor=event.anchor),
                "no name; write values out",
            )
        tag = getattr(event, "tag", None)
        if tag is not None:
            short = str(tag).replace("tag:yaml.org,2002:", "!!")
            self.report(mark, said("'{short}' changes the type of a value", short=short), "the value alone")

    def _collection(self, event: Any, mark: Mark) -> Node:
        if self.depth == DEEPEST:
            self.report(
                mark, said("more than {deepest} levels inside each other", deepest=DEEPEST), "a flatter file"
            )
            raise TooDeep
        if isinstance(event, SequenceStartEvent):
            return Sequence(tuple(self._items()), bool(event.flow_style), mark)
        return self._mapping(mark)

    def _items(self) -> Iterator[Node]:
        while not isinstance(event := next(self.events), SequenceEndEvent):
            yield self.node(event)

    def _mapping(self, mark: Mark) -> Mapping:
        mapping = Mapping({}, {}, mark)
        while not isinstance(event := next(self.events), MappingEndEvent):
            key, value = self.node(event), self.node(next(self.events))
            if not isinstance(key, Scalar) or (key.style is None and key.text == ""):
                self.report(key.start, "a value without a key", "'key: value'")
            elif key.text in mapping.keys:
                first = mapping.keys[key.text].start.line + 1
                self.report(
                    key.start,
                    said("'{text}' is written twice (first in line {first})", text=key.text, first=first),
                    "it once",
                )
            else:
                mapping.keys[key.text] = key
                mapping.values[key.text] = value
        return mapping


def mark_of(event: Any) -> Mark:
    """Return where an event begins."""
    return _mark(event.start_mark)


def _mark(mark: Any) -> Mark:
    return Mark(mark.line, mark.column, mark.index)


def _scalar(event: Any, mark: Mark) -> Scalar:
    style = event.style or None
    value = plain_value(event.value) if style is None else event.value
    return Scalar(value, event.value, style, mark, _mark(event.end_mark))


def to_data(node: Node) -> Any:
    """Return a node as plain Python: dict with text keys, list, str, int, float, bool, None."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [to_data(item) for item in node.items]
    return {key: to_data(value) for key, value in node.values.items()}


def scalars(node: Node) -> Iterator[tuple[Scalar, bool]]:
    """Yield every scalar value (not key) with whether it is an item of a bracketed list."""
    if isinstance(node, Scalar):
        yield node, False
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from ((one, inside or (item is one and node.flow)) for one, inside in scalars(item))
    else:
        for value in node.values.values():
            yield from scalars(value)


def mappings(node: Node) -> Iterator[Mapping]:
    """Yield every mapping of the tree."""
    if isinstance(node, Mapping):
        yield node
    for child in node.items if isinstance(node, Sequence) else _values(node):
        yield from mappings(child)


def _values(node: Node) -> tuple[Node, ...]:
    return tuple(node.values.values()) if isinstance(node, Mapping) else ()
