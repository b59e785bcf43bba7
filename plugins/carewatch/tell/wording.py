"""Answer the question: in which words is it said?

Templates under `include/templates/notices/<language>/` belong to business people: they run in a sandbox, on plain data,
with a short list of filters, and their length in and out is capped. The first line is the subject.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined, nodes
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from carewatch.paths import include
from carewatch.warn.reasons import number_text

_LONGEST_TEMPLATE: Final = 20_000
_LONGEST_MESSAGE: Final = 100_000
_FILTERS: Final = frozenset(
    {"default", "join", "length", "lower", "number", "title", "upper", "moment", "first", "last"}
)
_FORBIDDEN: Final = (nodes.Mul, nodes.Pow, nodes.Mod, nodes.Call, nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends, nodes.Macro)  # fmt: skip


class BadTemplate(ValueError):
    """A notice template cannot be used; the message says which and why."""


@cache
def _environment(folder: Path, zone: ZoneInfo) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters = {name: made for name, made in environment.filters.items() if name in _FILTERS}
    environment.filters["number"] = lambda value: number_text(float(value))
    environment.filters["moment"] = lambda value: _moment(value, zone)
    environment.globals = {}
    return environment


def _moment(value: datetime | str, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def check_template(text: str, name: str) -> None:
    """Accept a template that only places values, loops and branches; raise BadTemplate.

    The sandbox alone does not stop `'a' * 10**9`: arithmetic that multiplies, calls and includes are refused.
    """
    if len(text) > _LONGEST_TEMPLATE:
        raise BadTemplate(f"{name}: longer than {_LONGEST_TEMPLATE} characters")
    environment = ImmutableSandboxedEnvironment()
    try:
        tree = environment.parse(text)
    except TemplateError as error:
        raise BadTemplate(f"{name}:{getattr(error, 'lineno', 1)}: {error}") from None
    for node in tree.find_all(_FORBIDDEN):
        raise BadTemplate(
            f"{name}:{node.lineno}: a notice template may not contain {type(node).__name__.lower()}"
        )
    for used in tree.find_all(nodes.Filter):
        if used.name not in _FILTERS:
            raise BadTemplate(
                f"{name}:{used.lineno}: unknown filter '{used.name}'; expected one of {', '.join(sorted(_FILTERS))}"
            )


def compose(kind: str, language: str, values: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """Return `subject` and `text` of a notice; raise BadTemplate."""
    name = f"{language}/{kind}.txt.j2"
    folder = include("templates", "notices")
    check_template((folder / name).read_text(encoding="utf-8"), name)
    try:
        pieces: list[str] = []
        length = 0
        for piece in _environment(folder, zone).get_template(name).generate(**values):
            length += len(piece)
            if length > _LONGEST_MESSAGE:
                raise BadTemplate(f"{name}: the message grew longer than {_LONGEST_MESSAGE} characters")
            pieces.append(piece)
    except TemplateError as error:
        raise BadTemplate(f"{name}: {error}") from None
    subject, _, text = "".join(pieces).strip().partition("\n")
    return {"subject": subject.strip(), "text": text.strip() + "\n"}
