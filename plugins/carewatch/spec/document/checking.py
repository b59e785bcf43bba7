"""Validating a document by a model, with every problem at its place and in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from carewatch.spec.document.known import known_keys
from carewatch.spec.document.nodes import Mapping as MappingNode
from carewatch.spec.document.nodes import Scalar, Sequence
from carewatch.spec.document.reading import Document
from carewatch.spec.document.words import NO_VALUE, Words, words_for
from carewatch.spec.fullwidth import first_fullwidth, say, to_ascii
from carewatch.spec.problems import Loc, Place, Problem, SpecProblem, nearest
from carewatch.spec.saying import joined, said

M = TypeVar("M", bound=BaseModel)
Error = Mapping[str, Any]

_MOST_SHOWN = 60
_KEY_STEP = "[key]"


def validate(
    document: Document, model: type[M], *, context: dict[str, Any] | None = None
) -> tuple[M | None, list[Problem]]:
    """Return the model and no problem, or None and every problem, those found while reading included."""
    found = list(document.problems)
    if not document.is_readable:
        return None, found
    value: M | None = None
    try:
        value = model.model_validate(document.data, context=context)
    except ValidationError as error:
        found += _elsewhere(
            found, _problems(document, model, [dict(one) for one in error.errors(include_url=False)])
        )
    found += _elsewhere(found, document.blanks())
    return (None, sorted({*found})) if found else (value, [])


def _elsewhere(found: list[Problem], further: Iterable[Problem]) -> list[Problem]:
    """Return further problems in lines without one: what stands in a misread line has its cause reported already."""
    lines = {problem.place.line for problem in found}
    return [problem for problem in further if problem.place.line not in lines]


def _problems(document: Document, model: type[BaseModel], errors: list[Error]) -> Iterable[Problem]:
    meant: set[tuple[Loc, str | None]] = set()
    by_place: dict[Place, list[Error]] = {}
    for error in errors:
        loc: Loc = error["loc"]
        if error["type"] == "extra_forbidden":
            problem = _unknown_key(document, model, loc)
            meant.add((loc[:-1], problem.nearest))
            yield problem
        elif error["type"] != "missing":
            by_place.setdefault(_place(document, loc), []).append(error)
    for error in errors:
        if error["type"] == "missing" and (error["loc"][:-1], error["loc"][-1]) not in meant:
            yield _missing(document, error["loc"])
    for group in by_place.values():
        yield from _wrong_value(document, group)


def _unknown_key(document: Document, model: type[BaseModel], loc: Loc) -> Problem:
    key, known = str(loc[-1]), known_keys(model, loc[:-1])
    near = nearest(to_ascii(key), known)
    expected = None if near or not known else said("one of {known}", known=joined(", ", known))
    return Problem(document.place(loc, key=True), said("unknown key '{key}'", key=key), expected, near)


def _missing(document: Document, loc: Loc) -> Problem:
    step = loc[-1]
    what = (
        said("item {step} is missing", step=step + 1)
        if isinstance(step, int)
        else said("missing key '{step}'", step=step)
    )
    return Problem(document.place(loc), what)


def _wrong_value(document: Document, group: list[Error]) -> Iterable[Problem]:
    """Say what is wrong at one place; a value with several possible forms has several errors."""
    raised = [(error["loc"], cause) for error in group if isinstance(cause := _cause(error), SpecProblem)]
    if raised:
        for base, cause in raised:
            yield from _raised(document, base, cause)
        return
    loc: Loc = group[0]["loc"]
    wide = _fullwidth(document, loc, group[0])
    if wide is not None:
        yield wide
        return
    shown = _shown(document, loc, group[0]["input"])
    words = [_bare_discriminator(error) or words_for(error, shown) for error in group]
    yield _said(document, loc, group[0], _merged(words, shown))


def _said(document: Document, loc: Loc, error: Error, words: Words) -> Problem:
    near = words.meant or (nearest(str(error["input"]), words.choices) if words.choices else None)
    if error["type"] == "union_tag_invalid":
        tag = str(error["ctx"]["tag"])
        loc, near = _tag_loc(error), nearest(tag, words.choices)
        words = Words(said("'{tag}' is not a possible value", tag=tag), words.expected, words.choices)
    key = document.find(document.real(loc)).key
    if words.what == NO_VALUE and key is not None:
        words = Words(said("'{text}' has no value", text=key.text), words.expected, words.choices)
    return Problem(_place(document, loc), words.what, words.expected, near)


def _tag_loc(error: Error) -> Loc:
    return (*error["loc"], str(error["ctx"]["discriminator"]).strip("'"))


def _bare_discriminator(error: Error) -> Words | None:
    if error["type"] != "union_tag_not_found":
        return None
    return Words(said("missing key {discriminator}", discriminator=error["ctx"]["discriminator"]))


def _merged(words: list[Words], shown: str) -> Words:
    if len(words) == 1:
        return words[0]
    expected = dict.fromkeys(one.expected for one in words if one.expected)
    choices = tuple(choice for one in words for choice in one.choices)
    meant = next((one.meant for one in words if one.meant), None)
    return Words(
        said("{shown} does not fit here", shown=shown), joined(" or ", expected) or None, choices, meant
    )


def _raised(document: Document, base: Loc, cause: SpecProblem) -> Iterable[Problem]:
    at_key = bool(base) and base[-1] == _KEY_STEP
    for one in cause.every():
        loc = (*(base[:-1] if at_key else base), *one.loc)
        place = document.place(loc, key=at_key or one.at_key, offset=one.column_offset)
        yield Problem(place, one.what, one.expected, one.nearest)


def _cause(error: Error) -> object:
    return (error.get("ctx") or {}).get("error")


def _place(document: Document, loc: Loc) -> Place:
    """Return the place of a value, or of a key that is itself at fault.

    pydantic puts the names of union members into its paths; they exist in no file and are left out.
    """
    if loc and loc[-1] == _KEY_STEP:
        return document.place(loc[:-1], key=True)
    return document.place(document.real(loc))


def _fullwidth(document: Document, loc: Loc, error: Error) -> Problem | None:
    """Blame a full-width character when a text stands where something else is needed."""
    node = document.find(document.real(loc)).node
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or _cause(error) is not None:
        return None
    index = first_fullwidth(node.text)
    if index is None or str(error["type"]).startswith("string_too"):
        return None
    what, expected = say(node.text[index])
    place = document.place(document.real(loc), offset=index)
    return Problem(place, said("{what} in '{clip}'", what=what, clip=_clip(node.text)), expected)


def _shown(document: Document, loc: Loc, value: object) -> str:
    """Show a value as it stands in the file: text in quotes, numbers and true/false bare."""
    if loc and loc[-1] == _KEY_STEP:
        return said("'{text}'", text=loc[-2])
    node = document.find(document.real(loc)).node
    if isinstance(node, MappingNode):
        return said("a mapping")
    if isinstance(node, Sequence):
        return said("a list")
    if node is None:
        return said("{text}", text=_clip(repr(value)))
    if node.value is None:
        return said("nothing")
    text = _clip(node.text)
    return said("'{text}'" if isinstance(node.value, str) else "{text}", text=text)


def _clip(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
