"""Answer the question: how is a sentence that was composed in English said in the reader's language?

`said` composes an English sentence and remembers what it was made of; `in_language` says it again from the gettext
catalogue under include/locale. A sentence that no catalogue has stays English: better a foreign word than none. Plain
text inside a sentence is somebody's own word and stays as it was written; a word of ours inside one is said, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final

from carewatch.paths import include

CATALOGUES: Final = {"zh-CN": "zh_CN"}
"""The catalogue's folder for each language that needs one."""


class Said(str):
    """An English sentence that knows its template and the values in it."""

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Said:
        made = super().__new__(cls, template.format(**values))
        made.template, made.values = template, dict(values)
        return made

    def __getnewargs__(self) -> tuple[str, Mapping[str, object]]:  # type: ignore[override]
        return self.template, self.values


class Joined(str):
    """Words with a separator between them, which the reader's language may have its own for."""

    separator: str
    words: tuple[str, ...]

    def __new__(cls, separator: str, words: tuple[str, ...]) -> Joined:
        made = super().__new__(cls, separator.join(words))
        made.separator, made.words = separator, words
        return made

    def __getnewargs__(self) -> tuple[str, tuple[str, ...]]:  # type: ignore[override]
        return self.separator, self.words


def said(template: str, /, **values: object) -> str:
    """Return the sentence that a template and its values make: said("{name} is too long", name=...)."""
    return Said(template, values)


def joined(separator: str, words: Iterable[str]) -> str:
    """Return words joined by a separator such as ', ' or ' or '."""
    return Joined(separator, tuple(words))


def in_language(text: str, language: str) -> str:
    """Return a sentence in a language; one that was not composed by `said` is looked up as it stands."""
    known = _catalogue(language)
    return _again(text, known) if known else str(text)


def _again(text: str, known: Mapping[str, str]) -> str:
    if isinstance(text, Joined):
        separator = known.get(text.separator, text.separator)
        return separator.join(_inside(word, known) for word in text.words)
    if isinstance(text, Said):
        values = {name: _inside(value, known) for name, value in text.values.items()}
        return known.get(text.template, text.template).format(**values)
    return known.get(text, text)


def _inside(value: Any, known: Mapping[str, str]) -> Any:
    return _again(value, known) if isinstance(value, (Said, Joined)) else value


@cache
def _catalogue(language: str) -> Mapping[str, str]:
    folder = CATALOGUES.get(language)
    if folder is None:
        return {}
    from babel.messages.pofile import read_po

    with include("locale", folder, "LC_MESSAGES", "carewatch.po").open("rb") as file:
        messages = read_po(file)
    return {str(one.id): str(one.string) for one in messages if one.id and one.string and not one.fuzzy}
