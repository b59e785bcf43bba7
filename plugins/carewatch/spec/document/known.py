"""Which keys a model knows at a path."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from carewatch.spec.problems import Loc


def known_keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """Return the keys allowed in the mapping at `loc`, in the order of the model."""
    at: list[Any] = [model]
    for step in loc:
        below = [deeper for annotation in at for deeper in _below(annotation, step)]
        at = below or _tagged(at, step)
    keys = dict.fromkeys(key for one in at if _is_model(one) for key in _fields(one))
    return list(keys)


def _below(annotation: Any, step: str | int) -> Iterable[Any]:
    """Yield what a value of this annotation holds at one step."""
    if _is_model(annotation):
        name = _fields(annotation).get(str(step))
        return _unwrapped(annotation.model_fields[name].annotation) if name else []
    arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    origin = get_origin(annotation)
    if not isinstance(origin, type) or not arguments:
        return []
    if issubclass(origin, typing.Mapping):
        return _unwrapped(arguments[-1])
    if issubclass(origin, tuple) and isinstance(step, int) and step < len(arguments):
        return _unwrapped(arguments[step])
    return _unwrapped(arguments[0]) if isinstance(step, int) else []


def _unwrapped(annotation: Any) -> list[Any]:
    """Return the possible forms of an annotation, without Annotated and Union around them."""
    if get_origin(annotation) is typing.Annotated:
        return _unwrapped(get_args(annotation)[0])
    if get_origin(annotation) in (typing.Union, types.UnionType):
        return [one for argument in get_args(annotation) for one in _unwrapped(argument)]
    return [annotation]


def _tagged(at: list[Any], tag: str | int) -> list[Any]:
    """Keep the union members that carry a tag; a step that is neither key nor tag changes nothing."""
    tagged = [one for one in at if _is_model(one) and (_carries(one, tag) or one.__name__ == tag)]
    return tagged or at


def _carries(model: type[BaseModel], tag: str | int) -> bool:
    return any(
        get_origin(field.annotation) is typing.Literal and tag in get_args(field.annotation)
        for field in model.model_fields.values()
    )


def _fields(model: type[BaseModel]) -> dict[str, str]:
    """Map the key written in YAML to the field's name."""
    return {field.alias or name: name for name, field in model.model_fields.items()}


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
