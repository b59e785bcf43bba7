"""Conditions as fields of configuration models."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from carewatch.spec.condition.parsing import parse
from carewatch.spec.condition.tree import All, Any_, Comparison, Condition, NoneOf, to_data
from carewatch.spec.vocabulary import NO_WORDS

_SCHEMA_DEPTH = 4


class _AsCondition:
    """Teaches pydantic to read a condition from YAML data and to write its canonical form."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _read, serialization=core_schema.plain_serializer_function_ser_schema(to_data)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return _json_schema(_SCHEMA_DEPTH)


def _read(data: object, info: core_schema.ValidationInfo) -> Condition:
    if isinstance(data, Comparison | All | Any_ | NoneOf):
        return data
    return parse(data, (info.context or {}).get("vocabulary") or NO_WORDS)


def _json_schema(depth: int) -> dict[str, Any]:
    """Describe groups down to a depth; deeper ones are judged by the parser alone."""
    line = {"type": "string", "description": "name OP value, e.g. order_gap > 30 days"}
    if depth == 0:
        return {"type": ["string", "object"]}
    group = {
        "type": "object",
        "propertyNames": {"enum": ["all", "any", "none"]},
        "additionalProperties": {"type": "array", "minItems": 1, "items": _json_schema(depth - 1)},
        "minProperties": 1,
        "maxProperties": 1,
    }
    return {"oneOf": [line, group]}


ConditionField = Annotated[Condition, _AsCondition]
"""A model field that holds a condition; problems point at the list item and the column within its text."""
