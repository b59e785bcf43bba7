"""What a YAML parser complains about, in plain words, with a repaired text to look for further faults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from carewatch.spec.saying import said

_ITEM = r"^(?P<lead>[ \u3000]*(?:-\s+)*)"
_KEY = r"(?P<key>[\"'“”]?[\w.-]+[\"'“”]?)"
_TAB = re.compile(r"^ *\t[ \t]*")
_DASH = re.compile(r"^(?P<lead>[ \u3000]*)(?P<dash>[－–—•·]\s*|-(?=[^\s-]))")
_WIDE_COLON = re.compile(_ITEM + _KEY + r"\s*：\s*")
_TIGHT_COLON = re.compile(_ITEM + _KEY + r":(?!//)(?=[^\s:])")


@dataclass(frozen=True)
class Fault:
    """One syntax fault; line and column count from 0. `repaired` is the line as it was probably meant."""

    line: int
    column: int
    what: str
    expected: str | None
    repaired: str | None = None


def explain(error: Any, lines: list[str]) -> Fault:
    """Say what is wrong at the place where the parser stopped or just above it."""
    mark = error.problem_mark or error.context_mark
    for number in _suspects(error, lines):
        fault = line_fault(number, lines) or _dash_fault(number, lines[number])
        if fault is not None:
            return fault
    if (comma := _wide_comma(error, lines)) is not None:
        return comma
    words = _words(error, lines)
    where = error.context_mark if words.at_context and error.context_mark else mark
    line = min(where.line, max(len(lines) - 1, 0))
    return Fault(line, where.column if line == where.line else len(lines[line]), words.what, words.expected)


def line_fault(number: int, lines: list[str]) -> Fault | None:
    """Return the fault that a line shows by itself: a tab indent, a full-width or a tight colon."""
    line = lines[number]
    if tab := _TAB.match(line):
        repaired = _probable_indent(number, lines) + line[tab.end() :]
        return Fault(number, line.index("\t"), "a tab at the start of the line", "spaces", repaired)
    if wide := _WIDE_COLON.match(line):
        column = line.index("：")
        key = wide["key"].strip("\"'“”")
        repaired = f"{wide['lead']}{key}: {line[wide.end() :]}".replace("\u3000", " ")
        what, expected = said("full-width '：' after '{key}'", key=key), "the ASCII character ':' and a space"
        return Fault(number, column, what, expected, repaired)
    if tight := _TIGHT_COLON.match(line):
        repaired = f"{line[: tight.end()]} {line[tight.end() :]}"
        what = said("no space after ':' in '{line}'", line=line.strip())
        return Fault(number, tight.end(), what, said("'{key}: …'", key=tight["key"]), repaired)
    return None


def _probable_indent(number: int, lines: list[str]) -> str:
    above = next((line for line in reversed(lines[:number]) if line.strip()), "")
    indent = above[: len(above) - len(above.lstrip())]
    return indent + "  " if above.rstrip().endswith(":") else indent


def _dash_fault(number: int, line: str) -> Fault | None:
    dash = _DASH.match(line)
    if dash is None:
        return None
    repaired = f"{dash['lead']}- {line[dash.end() :]}".replace("\u3000", " ")
    if dash["dash"] == "-":
        what = said("no space after '-' in '{line}'", line=line.strip())
        return Fault(number, dash.end(), what, "'- …'", repaired)
    return Fault(
        number, dash.start("dash"), said("'{part}' before an item", part=dash["dash"][0]), "'- '", repaired
    )


def _wide_comma(error: Any, lines: list[str]) -> Fault | None:
    """Return the full-width comma that stands between the opening bracket and the place of the error."""
    opened, failed = error.context_mark, error.problem_mark
    if "expected ',' or" not in str(error.problem) or opened.line != failed.line:
        return None
    line = lines[failed.line]
    found = max(line.rfind(char, opened.column, failed.column) for char in "，、")
    if found < 0:
        return None
    repaired = f"{line[:found]}, {line[found + 1 :]}"
    what = said("full-width '{line}' between entries", line=line[found])
    return Fault(failed.line, found, what, "the ASCII character ','", repaired)


@dataclass(frozen=True)
class _Words:
    what: str
    expected: str | None
    at_context: bool = False


def _suspects(error: Any, lines: list[str]) -> Iterator[int]:
    """Yield the lines that may hold the true cause: the one that was open, the failing one, the one above."""
    marks = [mark.line for mark in (error.problem_mark, error.context_mark) if mark is not None]
    seen: set[int] = set()
    for number in [*reversed(marks[:2]), marks[0] - 1]:
        if 0 <= number < len(lines) and number not in seen:
            seen.add(number)
            yield number


_QUOTED = "the whole value in quotes"
_BESIDE = "the same indentation as the lines beside it"


def _words(error: Any, lines: list[str]) -> _Words:
    problem = str(error.problem or "")
    mark = error.problem_mark
    line = lines[mark.line] if mark is not None and mark.line < len(lines) else ""
    here = line[mark.column : mark.column + 1] if mark is not None else ""
    if here == "\t":
        return _Words("a tab before the value", "a space")
    if "mapping values are not allowed" in problem:
        return _second_colon(line, mark.column)
    if "expected ',' or" in problem:
        return _not_closed(error, here)
    if "expected <block end>" in problem:
        return _not_continued(problem, str(error.context or ""))
    for fragment, words in _TABLE.items():
        if fragment in problem:
            opening = _char_at(lines, error.context_mark) or here
            return _Words(
                said(words.what, here=here, opening=opening), words.expected, at_context=words.at_context
            )
    return _Words("this cannot be read as YAML", "'key: value' lines and '- item' lists")


_BEGINS = _Words("a value cannot begin with '{opening}'", _QUOTED, at_context=True)
_OPEN = _Words("the quote opened here is never closed", None, at_context=True)
_NO_COLON = _Words("this line has no ': '", "'key: value' or '- item'", at_context=True)
_TABLE = {
    "cannot start any token": _Words("a value cannot begin with '{here}'", _QUOTED),
    "could not find expected ':'": _NO_COLON,
    "sequence entries are not allowed": _Words("a '- ' item in the middle of a line", "it on its own line"),
    "unexpected end of stream": _OPEN,
    "unexpected document separator": _OPEN,
    "unknown escape character": _Words("'\\{here}' means nothing inside double quotes", "single quotes"),
    "expected alphabetic or numeric": _BEGINS,
    "expected chomping": _BEGINS,
    "a comment or a line break": _BEGINS,
    "expected the node content": _Words("'{here}' without its opening", _QUOTED),
    "expected '<document start>'": _Words("a line that begins with '%'", "no directive"),
}


def _second_colon(line: str, column: int) -> _Words:
    if re.search(r":\s", line[:column]):
        return _Words("a second ': ' in one line", _QUOTED)
    return _Words(
        "indented deeper than the line above, which has a value",
        "the same indentation as the lines beside it",
    )


def _not_closed(error: Any, here: str) -> _Words:
    kind, opening, closing = ("list", "[", "]") if "']'" in error.problem else ("mapping", "{", "}")
    open_ = said("the {kind} opened by '{opening}' is not closed", kind=said(kind), opening=opening)
    if error.context_mark.line != error.problem_mark.line:
        return _Words(open_, said("'{text}'", text=closing), at_context=True)
    if here in ("[", "{"):
        inside = said("'{here}' inside an item of a {kind}", here=here, kind=said(kind))
        return _Words(inside, "the item in quotes, or one '- ' line per item")
    if here == ":":
        return _Words("a second ':' in an entry", "',' between the entries, or the value in quotes")
    return _Words(open_, said("',' or '{closing}' here", closing=closing))


def _not_continued(problem: str, context: str) -> _Words:
    if "'<scalar>'" in problem or "'['" in problem or "'{'" in problem:
        return _Words("text after a closing quote or bracket", _QUOTED)
    if "block collection" in context and "'?'" in problem:
        return _Words("a 'key: value' line among list items", "a '- ' item, or other indentation")
    if "block mapping" in context and "'-'" in problem:
        return _Words("a '- ' item among 'key: value' lines", "a key, or other indentation")
    return _Words("indentation that fits no line above", _BESIDE)


def _char_at(lines: list[str], mark: Any) -> str:
    if mark is None or mark.line >= len(lines):
        return ""
    return str(lines[mark.line])[mark.column :][:1]
