"""Answer the question: which values does a reason text show, and can it show them?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from carewatch.spec.fullwidth import say, to_ascii
from carewatch.spec.problems import SpecProblem, raise_all
from carewatch.spec.saying import said
from carewatch.spec.vocabulary import Vocabulary

_PART = re.compile(r"\{\{|\}\}|\{(?P<inside>[^{}｛｝]*)[}｝]|(?P<stray>[{}｛｝])")
_FORM = said("{{name}} or {{name:.1f}}")


@dataclass(frozen=True)
class Placeholder:
    """One `{name}` or `{name:format}`; `column` counts characters from 0 to the name."""

    name: str
    format: str
    column: int


def placeholders(text: str) -> tuple[Placeholder, ...]:
    """Return the placeholders of a text; raise SpecProblem carrying every one that cannot be filled in.

    `{{` and `}}` stand for braces that are meant as such. A format is one that Python has for numbers.
    """
    found: list[Placeholder] = []
    problems: list[SpecProblem] = []
    for part in _PART.finditer(text):
        if part[0] in ("{{", "}}"):
            continue
        wrong = list(_faults(part))
        problems += wrong
        if not wrong:
            name, _, layout = part["inside"].partition(":")
            found.append(Placeholder(name, layout, part.start() + 1))
    raise_all(problems)
    return tuple(found)


def by_ids(text: str, vocabulary: Vocabulary) -> str:
    """Return the text with labels in its placeholders replaced by the ids they mean."""

    def replaced(part: re.Match[str]) -> str:
        name, colon, layout = (part["inside"] or "").partition(":")
        known = vocabulary.id_of("name", name) if name else None
        return f"{{{known}{colon}{layout}}}" if known is not None else part[0]

    return _PART.sub(replaced, text)


def _faults(part: re.Match[str]) -> Iterator[SpecProblem]:
    stray, at = part["stray"] or part[0][-1], part.start()
    if stray in "｛｝":
        what, expected = say(stray)
        yield SpecProblem(what, expected=expected, column_offset=at if part["stray"] else part.end() - 1)
    elif part["stray"]:
        other = said("'}}' behind the name") if stray == "{" else said("'{{' before the name")
        yield SpecProblem(
            said("'{stray}' without its other half", stray=stray), expected=other, column_offset=at
        )
    else:
        yield from _inside_faults(part["inside"], at)


def _inside_faults(inside: str, at: int) -> Iterator[SpecProblem]:
    name, _, layout = inside.partition(":")
    meant = to_ascii(inside).replace(" ", "")
    if not name.isidentifier():
        near = f"{{{meant}}}" if meant != inside and meant.partition(":")[0].isidentifier() else None
        yield SpecProblem(
            said("'{{{inside}}}' does not name a value", inside=inside),
            expected=_FORM,
            nearest=near,
            column_offset=at,
        )
        return
    try:
        format(1.5, layout)
    except ValueError:
        yield SpecProblem(
            said("a number cannot be written as '{layout}'", layout=layout),
            expected=".0f for whole numbers, .1f for one decimal",
            column_offset=at + len(name) + 2,
        )
