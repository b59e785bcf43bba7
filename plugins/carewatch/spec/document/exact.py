"""Switching off pydantic's silent conversions, where YAML already knows the type."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any, cast

from pydantic_core import CoreSchema, core_schema

from carewatch.spec.problems import SpecProblem
from carewatch.spec.saying import said

_NEVER_CONVERTED = {"bool", "int", "float"}
_WRITTEN_AS_TEXT = {
    "date": ("date", "a date like 2025-12-31"),
    "time": ("time of day", "a time like '09:30', in quotes"),
    "datetime": ("moment", "a moment like 2025-12-31T09:30:00+08:00"),
}
_NOT_A_SCHEMA = {"metadata", "serialization", "default", "cls", "config", "keys_schema", "expected"}
_MAPS_OF_SCHEMAS = {"fields", "choices"}


def exact(schema: Any) -> Any:
    """Rebuild a schema so that 'yes' is not true, true is not 1, '5' is not 5 and 20251231 is not a date."""
    if isinstance(schema, list | tuple):
        return type(schema)(exact(part) for part in schema)
    if not isinstance(schema, dict):
        return schema
    rebuilt = {key: _exact_part(key, part) for key, part in schema.items()}
    kind = rebuilt.get("type")
    if kind in _NEVER_CONVERTED:
        return {**rebuilt, "strict": True}
    if isinstance(kind, str) and kind in _WRITTEN_AS_TEXT:
        return core_schema.no_info_before_validator_function(_TextOnly(kind), cast(CoreSchema, rebuilt))
    return rebuilt


def _exact_part(key: str, part: Any) -> Any:
    if key in _MAPS_OF_SCHEMAS and isinstance(part, dict):
        return {name: exact(inner) for name, inner in part.items()}
    return part if key in _NOT_A_SCHEMA else exact(part)


class _TextOnly:
    """A check that a date or time was written as text; a second wrapping does no harm."""

    def __init__(self, kind: str) -> None:
        self.name, self.expected = _WRITTEN_AS_TEXT[kind]

    def __call__(self, value: object) -> object:
        numeral = isinstance(value, str) and re.fullmatch(r"[-+]?[0-9.]+", value)
        if isinstance(value, str | date | time | datetime) and not numeral:
            return value
        shown = said("nothing") if value is None else said("'{text}'", text=value)
        raise SpecProblem(
            said("{shown} is not a {name}", shown=shown, name=said(self.name)), expected=self.expected
        )
