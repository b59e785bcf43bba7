"""What every configuration model shares: no unknown keys, no silent conversions, texts in two languages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from carewatch.spec.document.exact import exact
from carewatch.spec.fullwidth import to_ascii
from carewatch.spec.problems import SpecProblem, nearest, raise_all
from carewatch.spec.saying import joined, said

LANGUAGES: Final = ("en", "zh-CN")


class Strict(BaseModel):
    """A frozen model that refuses unknown keys and reads numbers, true/false and dates only as such."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return cast(CoreSchema, exact(handler(source)))


V = TypeVar("V")


def by_name(value: dict[str, V]) -> dict[str, V]:
    """Return a mapping whose order has no meaning in the order of its keys, so that it has one fingerprint."""
    return dict(sorted(value.items()))


def _name(value: str) -> str:
    if value.isidentifier():
        return value
    near = re.sub(r"\W+", "_", to_ascii(value)).strip("_")
    raise SpecProblem(
        said("'{value}' cannot be a name", value=value),
        expected="letters, digits and _, no digit first",
        nearest=near if near.isidentifier() else None,
    )


_NAME_FOR_EDITORS = {"type": "string", "pattern": r"^[^\s0-9.:,(){}\[\]-][^\s.:,(){}\[\]-]*$"}
Name = Annotated[str, AfterValidator(_name), WithJsonSchema(_NAME_FOR_EDITORS)]
"""A name that conditions and reason texts can use."""


@dataclass(frozen=True)
class Text:
    """A text for people: one for all languages (key ''), or one per language."""

    entries: tuple[tuple[str, str], ...]

    def in_(self, language: str) -> str:
        """Return the text in a language; without it the one for all, then English, then the first."""
        by_language = dict(self.entries)
        for key in (language, "", "en"):
            if key in by_language:
                return by_language[key]
        return self.entries[0][1]

    def texts(self) -> tuple[str, ...]:
        """Return every wording."""
        return tuple(text for _, text in self.entries)

    def to_data(self) -> str | dict[str, str]:
        """Return the text as it was written."""
        return self.entries[0][1] if self.entries[0][0] == "" else dict(self.entries)

    def __str__(self) -> str:
        return self.in_("en")

    @classmethod
    def of(cls, data: object) -> Text:
        """Build from a string or `{en: …, zh-CN: …}`; raises `SpecProblem`."""
        if isinstance(data, Text):
            return data
        if not isinstance(data, dict):
            return cls((("", _wording(data)),))
        problems: list[SpecProblem] = []
        entries: list[tuple[str, str]] = []
        for language, text in data.items():
            try:
                entries.append((_language(language, text), _wording(text)))
            except SpecProblem as problem:
                problems.append(problem.under(language))
        if not data:
            problems.append(SpecProblem("no text in any language", expected=_EXPECTED))
        raise_all(problems)
        return cls(tuple(sorted(entries)))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.of, serialization=core_schema.plain_serializer_function_ser_schema(cls.to_data)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        text = {"type": "string", "minLength": 1}
        by_language = {
            "type": "object",
            "properties": dict.fromkeys(LANGUAGES, text),
            "additionalProperties": False,
            "minProperties": 1,
        }
        return {"oneOf": [text, by_language]}


_EXPECTED = "a text, or one per language: {en: …, zh-CN: …}"


def _language(key: str, text: object) -> str:
    if key in LANGUAGES:
        return key
    # a comma ends a text without quotes: the rest of the sentence looks like a language that says nothing
    expected = "the text in quotes" if text is None else joined(" or ", LANGUAGES)
    near = "zh-CN" if key.lower() in ("cn", "chinese", "中文") else nearest(key, LANGUAGES)
    raise SpecProblem(said("unknown language '{key}'", key=key), expected=expected, nearest=near, at_key=True)


def _wording(data: object) -> str:
    if isinstance(data, str):
        if data.strip():
            return data
        raise SpecProblem("the text is empty", expected=_EXPECTED)
    if data is None:
        raise SpecProblem("no text is written here", expected=_EXPECTED)
    if isinstance(data, bool):
        data = str(data).lower()
    if isinstance(data, str | int | float):
        raise SpecProblem(
            said("{data} is not text", data=data), expected=said("it in quotes: '{data}'", data=data)
        )
    raise SpecProblem("a list is not text", expected=_EXPECTED)
