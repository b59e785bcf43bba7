"""Answer the question: how do headings, tables and lists look in a mail, and on a page that reads Markdown?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from carewatch.paths import include

_NUMBER: Final = re.compile(r"-?[\d,.]*")
_SIGNS: Final = re.compile(r"[\\`*_\[\]<|#~]")


@dataclass(frozen=True)
class Part:
    """A heading with a table, lines, or both below it."""

    heading: str
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    lines: Sequence[str] = ()

    @property
    def right(self) -> list[bool]:
        """Say of each column whether it holds numbers alone, which stand at its right."""
        return [all(_NUMBER.fullmatch(row[at]) for row in self.rows) for at in range(len(self.columns))]


def markdown(parts: Sequence[Part]) -> str:
    """Return parts as Markdown, which would run plain lines together."""
    return "\n\n".join(block for part in parts for block in _blocks(part))


def html(parts: Sequence[Part], *, title: str, language: str) -> str:
    """Return parts as a page for a mail: its styles stand at each element, since mail programs drop others."""
    return _template().render(parts=parts, title=title, language=language)


def _blocks(part: Part) -> Iterator[str]:
    yield f"**{_plain(part.heading)}**"
    if part.rows:
        head, *rows = [" | ".join(map(_plain, row)) for row in (part.columns, *part.rows)]
        rule = " | ".join(["---"] * len(part.columns))
        yield "\n".join(f"| {row} |" for row in (head, rule, *rows))
    if part.lines:
        yield "\n".join(f"- {_plain(line)}" for line in part.lines)


def _plain(text: str) -> str:
    """Return a text in which Markdown finds no sign of its own."""
    return _SIGNS.sub(r"\\\g<0>", text)


@cache
def _template() -> Template:
    loader = FileSystemLoader(include("templates", "mail"))
    environment = Environment(
        loader=loader, undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("page.html.j2")
