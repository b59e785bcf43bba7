"""Answer the question: in which words is it said?

Templates under `include/templates/notices/<language>/` belong to business people: they run in a sandbox, on plain data,
with a short list of filters, and their length in and out is capped. The first line is the subject.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import FileSystemLoader, StrictUndefined, nodes
from jinja2.exceptions import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from carewatch.paths import include
from carewatch.warn.reasons import number_text

LONGEST_TEMPLATE: Final = 20_000
LONGEST_MESSAGE: Final = 100_000
DEEPEST_LOOP: Final = 3
_FILTERS: Final = frozenset(
    {"default", "join", "length", "lower", "money", "number", "title", "upper", "moment", "first", "last"}
)
_ALLOWED: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Slice,
    nodes.For, nodes.If, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Test,
    nodes.Filter, nodes.Keyword, nodes.List, nodes.Tuple,
)  # fmt: skip
"""Places values, branches, loops. Nothing that calls, computes or remembers: the sandbox alone does not stop 'a' * 10**9."""
_FAULTS: Final = (
    TemplateError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError, SyntaxError, RecursionError,
    MemoryError,
)  # fmt: skip
"""What a template can raise: Jinja's own, Python's when it compiles deep nesting, and a filter's on an odd value."""


class BadTemplate(ValueError):
    """A notice template cannot be used; the message says which and why."""


def _environment(zone: tzinfo) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters = {name: made for name, made in environment.filters.items() if name in _FILTERS}
    environment.filters["join"] = _join
    environment.filters["money"] = lambda value: f"{float(value):,.0f}"
    environment.filters["number"] = lambda value: number_text(float(value))
    environment.filters["moment"] = lambda value: _moment(value, zone)
    environment.globals = {}
    return environment


@cache
def _loading(folder: Path, zone: ZoneInfo) -> ImmutableSandboxedEnvironment:
    environment = _environment(zone)
    environment.loader = FileSystemLoader(folder)
    return environment


def _join(values: Iterable[object], separator: str = "") -> str:
    """Return the values as one text; joining a text with a text would let a short template grow without bound."""
    if isinstance(values, str) or not isinstance(separator, str):
        raise TypeError("join takes a list and a text between its items")
    texts = [str(value) for value in values]
    if sum(map(len, texts)) + len(separator) * len(texts) > LONGEST_MESSAGE:
        raise ValueError(f"the joined text is longer than {LONGEST_MESSAGE} characters")
    return separator.join(texts)


def _moment(value: datetime | str, zone: tzinfo) -> str:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def check_template(text: str, name: str) -> None:
    """Accept a template that only places values, loops and branches; raise BadTemplate."""
    if len(text) > LONGEST_TEMPLATE:
        raise BadTemplate(f"{name}: longer than {LONGEST_TEMPLATE} characters")
    environment = _environment(UTC)
    try:
        tree = environment.parse(text)
        problem = next(_problems(tree), None)
        if problem is None:
            environment.compile(text)
    except _FAULTS as error:
        said = str(error) or type(error).__name__
        raise BadTemplate(f"{name}:{getattr(error, 'lineno', None) or 1}: {said}") from None
    if problem is not None:
        raise BadTemplate(f"{name}:{problem}")


def _problems(tree: nodes.Template) -> Iterator[str]:
    for node in tree.find_all(nodes.Node):
        line = node.lineno or 1
        if isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            expected = ", ".join(sorted(_FILTERS))
            yield f"{line}: unknown filter '{node.name}'; expected one of {expected}"
        elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            yield f"{line}: '{node.attr}' is none of the values of a notice"
        elif not isinstance(node, _ALLOWED):
            word = type(node).__name__.lower()
            yield f"{line}: a notice template may not contain '{word}'; expected values, filters, if and for"
    if _loops_within(tree) > DEEPEST_LOOP:
        yield f"1: loops stand more than {DEEPEST_LOOP} deep in one another"


def _loops_within(node: nodes.Node) -> int:
    below = max((_loops_within(child) for child in node.iter_child_nodes()), default=0)
    return below + isinstance(node, nodes.For)


def compose(kind: str, language: str, values: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """Return `subject` and `text` of a notice; raise BadTemplate."""
    name = f"{language}/{kind}.txt.j2"
    folder = include("templates", "notices")
    check_template((folder / name).read_text(encoding="utf-8"), name)
    try:
        pieces: list[str] = []
        length = 0
        for piece in _loading(folder, zone).get_template(name).generate(**values):
            length += len(piece)
            if length > LONGEST_MESSAGE:
                raise BadTemplate(f"{name}: the message grew longer than {LONGEST_MESSAGE} characters")
            pieces.append(piece)
    except BadTemplate:
        raise
    except _FAULTS as error:
        raise BadTemplate(f"{name}: {error}") from None
    subject, _, text = "".join(pieces).strip().partition("\n")
    # A subject is one line whatever stands in a customer's name.
    return {"subject": " ".join(subject.split()), "text": text.strip() + "\n"}


def in_language(value: Any, language: str) -> Any:
    """Return values with every `{en: …, zh-CN: …}` replaced by its wording in the language."""
    if isinstance(value, dict):
        if value and set(value) <= {"en", "zh-CN"}:
            return value.get(language) or next(iter(value.values()))
        return {key: in_language(item, language) for key, item in value.items()}
    if isinstance(value, list):
        return [in_language(item, language) for item in value]
    return value
