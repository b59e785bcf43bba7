"""pydantic's error kinds in plain words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carewatch.spec.saying import joined, said

NO_VALUE = "no value is written here"


@dataclass(frozen=True)
class Words:
    """What is wrong, what was expected, the values to choose from where there is a closed set, and the one meant."""

    what: str
    expected: str | None = None
    choices: tuple[str, ...] = ()
    meant: str | None = None


_FEW = 3
_TRUTH = {
    "yes": "true",
    "y": "true",
    "on": "true",
    "是": "true",
    "no": "false",
    "n": "false",
    "off": "false",
    "否": "false",
}
"""Words for true and false that are plain text in YAML 1.2."""


_KIND = {
    "int": ("a whole number", "a number like 3"),
    "float": ("a number", "a number like 2.5"),
    "finite": ("a number", "a number like 2.5"),
    "decimal": ("a number", "a number like 2.5"),
    "date": ("a date", "a date like 2025-12-31"),
    "time": ("a time of day", "a time like '09:30', in quotes"),
    "datetime": ("a moment", "a moment like 2025-12-31T09:30:00+08:00"),
    "list": ("a list", "a list of '- ' items"),
    "tuple": ("a list", "a list of '- ' items"),
    "set": ("a list", "a list of '- ' items"),
    "frozen": ("a list", "a list of '- ' items"),
    "iterable": ("a list", "a list of '- ' items"),
    "dict": ("a mapping", "'key: value' lines"),
    "mapping": ("a mapping", "'key: value' lines"),
    "model": ("a mapping", "'key: value' lines"),
    "dataclass": ("a mapping", "'key: value' lines"),
}
_BOUND = {
    "greater_than": ("too small", "more than {gt}"),
    "greater_than_equal": ("too small", "at least {ge}"),
    "less_than": ("too large", "less than {lt}"),
    "less_than_equal": ("too large", "at most {le}"),
    "multiple_of": ("not a multiple", "a multiple of {multiple_of}"),
    "string_too_short": ("too short", "at least {min_length} characters"),
    "string_too_long": ("too long", "at most {max_length} characters"),
    "string_pattern_mismatch": ("not written as it has to be", "the form {pattern}"),
}


def words_for(error: Mapping[str, Any], shown: str) -> Words:
    """Say a pydantic error about a value that is shown as `shown`."""
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind in ("value_error", "assertion_error"):
        return Words(re.sub(r"^(Value error|Assertion failed), ", "", str(error["msg"])))
    if kind in ("enum", "literal_error", "union_tag_invalid"):
        choices = _choices(str(context.get("expected_tags") or context["expected"]))
        what = NO_VALUE if shown == "nothing" else said("{shown} is not a possible value", shown=shown)
        few = len(choices) <= _FEW
        return Words(
            what,
            joined(" or ", choices) if few else said("one of {choices}", choices=joined(", ", choices)),
            choices,
        )
    if shown == "nothing" and kind not in ("too_short", "string_too_short"):
        return Words(NO_VALUE, _expected(kind))
    if kind in _BOUND:
        what, expected = _BOUND[kind]
        bounds = {name: _number(bound) for name, bound in context.items()}
        return Words(said("{shown} is {what}", shown=shown, what=said(what)), said(expected, **bounds))
    if kind in ("too_short", "too_long"):
        return _count(kind, context)
    if kind == "string_type":
        quoted = (
            said("it in quotes: '{text}'", text=shown) if re.fullmatch(r"[\w.+-]+", shown) else said("a text")
        )
        return Words(said("{shown} is not text", shown=shown), quoted)
    if kind.startswith("bool"):
        text = shown.startswith("'")
        meant = _TRUTH.get(shown.strip("'").lower())
        template = "{shown} is text here" if text else "{shown} is not true or false"
        return Words(said(template, shown=shown), said("true or false"), meant=meant)
    return _type_words(kind, str(error["msg"]), shown)


def _number(bound: object) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def _type_words(kind: str, message: str, shown: str) -> Words:
    known = _KIND.get(kind.split("_", maxsplit=1)[0])
    if known is not None:
        one = re.fullmatch(r"'?([\w.+-]+)'?", shown) if known[0] == "a list" else None
        return Words(
            said("{shown} is not {known}", shown=shown, known=said(known[0])),
            said(known[1]),
            meant=f"[{one[1]}]" if one else None,
        )
    expected = message.removeprefix("Input should be ")
    if expected != message:
        return Words(said("{shown} does not fit here", shown=shown), expected)
    return Words(message)


def _expected(kind: str) -> str | None:
    if kind.startswith("bool"):
        return said("true or false")
    if kind.startswith("string"):
        return said("a text")
    known = _KIND.get(kind.split("_", maxsplit=1)[0])
    return said(known[1]) if known else None


def _count(kind: str, context: Mapping[str, Any]) -> Words:
    found = context.get("actual_length")
    plenty = said("too few") if kind == "too_short" else said("too many")
    least, most = context.get("min_length"), context.get("max_length")
    bound = (
        said("at least {min_length}", min_length=least)
        if kind == "too_short"
        else said("at most {max_length}", max_length=most)
    )
    return Words(
        said("{plenty} entries ({found})", plenty=plenty, found=found if found is not None else said("more")),
        bound,
    )


def _choices(expected: str) -> tuple[str, ...]:
    """Split pydantic's "'a', 'b' or 'c'" (or unquoted numbers)."""
    quoted = re.findall(r"'((?:[^'\\]|\\.)*)'", expected)
    return tuple(quoted) if quoted else tuple(re.split(r", | or ", expected))
