"""What a condition is: comparisons joined by all, any and none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from carewatch.spec.problems import Loc


class Op(StrEnum):
    """How a named value is compared."""

    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IS = "is"
    IS_NOT = "is not"
    IN = "in"
    NOT_IN = "not in"
    IS_MISSING = "is missing"
    IS_NOT_MISSING = "is not missing"


@dataclass(frozen=True)
class Ref:
    """Another named value on the right side, written `{name}`; `column` counts from 0 in the text."""

    name: str
    column: int = field(default=0, compare=False)


Value = float | str | tuple[float, ...] | tuple[str, ...] | Ref | None


@dataclass(frozen=True)
class Comparison:
    """One line: `name OP value`. `value` is None for `is missing`; `column` counts from 0 in the text."""

    name: str
    op: Op
    value: Value
    column: int = field(default=0, compare=False)

    @property
    def text(self) -> str:
        """The comparison in its canonical wording; parsing it gives the same comparison."""
        return f"{self.name} {self.op}" + ("" if self.value is None else f" {_value_text(self.value)}")


@dataclass(frozen=True)
class All:
    """True when every item is."""

    items: tuple[Condition, ...]


@dataclass(frozen=True)
class Any_:
    """True when at least one item is."""

    items: tuple[Condition, ...]


@dataclass(frozen=True)
class NoneOf:
    """True when every item is false."""

    items: tuple[Condition, ...]


Condition = Comparison | All | Any_ | NoneOf
GROUPS: dict[str, type[All] | type[Any_] | type[NoneOf]] = {"all": All, "any": Any_, "none": NoneOf}
WORD_OF: dict[type[Any], str] = {group: word for word, group in GROUPS.items()}


def comparisons(condition: Condition) -> Iterator[tuple[Loc, Comparison]]:
    """Yield every comparison with its path in the YAML data, in the order written."""
    if isinstance(condition, Comparison):
        yield (), condition
        return
    word = WORD_OF[type(condition)]
    for index, item in enumerate(condition.items):
        for loc, comparison in comparisons(item):
            yield (word, index, *loc), comparison


def names(condition: Condition) -> frozenset[str]:
    """Return every name the condition reads, on either side."""
    read: set[str] = set()
    for _, comparison in comparisons(condition):
        read.add(comparison.name)
        if isinstance(comparison.value, Ref):
            read.add(comparison.value.name)
    return frozenset(read)


def to_data(condition: Condition) -> str | dict[str, Any]:
    """Return the canonical form: text and one-key mappings, for fingerprints and for parsing again."""
    if isinstance(condition, Comparison):
        return condition.text
    return {WORD_OF[type(condition)]: [to_data(item) for item in condition.items]}


def number_text(value: float) -> str:
    """Write a number without a needless fraction, exactly."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _value_text(value: float | str | tuple[float, ...] | tuple[str, ...] | Ref) -> str:
    if isinstance(value, Ref):
        return f"{{{value.name}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(_value_text(item) for item in value)}]"
    if isinstance(value, str):
        doubled = value.replace("'", "''")
        return f"'{doubled}'"
    return number_text(value)
