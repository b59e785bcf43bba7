"""Three-valued evaluation over columns, and the same for one row with its reasons."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from carewatch.spec.condition.tree import All, Comparison, Condition, NoneOf, Op, Ref, comparisons

TRUE: Final = 1
FALSE: Final = 0
UNKNOWN: Final = -1

Column = NDArray[Any]
Truth = NDArray[np.int8]
Ranks = NDArray[np.uint8]
Cell = float | str | None

# ranks let all be a minimum and any a maximum: false < unknown < true
_RANK_UNKNOWN, _RANK_TRUE = 1, 2
_TRUTH_OF_RANK = np.array([FALSE, UNKNOWN, TRUE], dtype=np.int8)

_COMPARE: Final[dict[Op, Callable[[Any, Any], Any]]] = {
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.IS: operator.eq,
    Op.IS_NOT: operator.ne,
}


def evaluate(condition: Condition, columns: Mapping[str, Column]) -> Truth:
    """Return TRUE (1), FALSE (0) or UNKNOWN (-1) per row by Kleene's strong logic.

    Number columns are float64 with NaN for missing, text columns object arrays with None for missing, all of
    one length. A missing value makes its comparison unknown, except for `is missing` and `is not missing`.
    Raises KeyError for a name without column and TypeError where a number meets a text.
    """
    return _TRUTH_OF_RANK[_ranks(condition, lambda comparison: _compared(comparison, columns))]


def _ranks(condition: Condition, compared: Callable[[Comparison], Ranks]) -> Ranks:
    if isinstance(condition, Comparison):
        return compared(condition)
    below = (_ranks(item, compared) for item in condition.items)
    result = next(below)
    join = np.minimum if isinstance(condition, All) else np.maximum
    for ranks in below:
        result = join(result, ranks)
    return _RANK_TRUE - result if isinstance(condition, NoneOf) else result


def _compared(comparison: Comparison, columns: Mapping[str, Column]) -> Ranks:
    column = columns[comparison.name]
    missing = _missing(column)
    if comparison.op in (Op.IS_MISSING, Op.IS_NOT_MISSING):
        held = missing if comparison.op is Op.IS_MISSING else ~missing
        return held.astype(np.uint8) * np.uint8(_RANK_TRUE)
    value: Any = comparison.value
    if isinstance(value, Ref):
        value = columns[value.name]
        missing = missing | _missing(value)
    held = _held(comparison, column, value)
    return np.where(missing, np.uint8(_RANK_UNKNOWN), held.astype(np.uint8) * np.uint8(_RANK_TRUE))


def _held(comparison: Comparison, column: Column, value: Any) -> NDArray[np.bool_]:
    _same_kind(comparison, column, value)
    if comparison.op in (Op.IN, Op.NOT_IN):
        found = np.zeros(len(column), dtype=np.bool_)
        for item in value:
            found |= np.asarray(column == item, dtype=np.bool_)
        return found if comparison.op is Op.IN else ~found
    return np.asarray(_COMPARE[comparison.op](column, value), dtype=np.bool_)


def _missing(column: Column) -> NDArray[np.bool_]:
    if column.dtype.kind == "O":
        nothing: Any = None
        return np.asarray(column == nothing, dtype=np.bool_)
    return np.asarray(np.isnan(column), dtype=np.bool_)


def _same_kind(comparison: Comparison, column: Column, value: Any) -> None:
    sample = value[0] if isinstance(value, tuple) else value
    text = sample.dtype.kind == "O" if isinstance(sample, np.ndarray) else isinstance(sample, str)
    if text != (column.dtype.kind == "O"):
        kinds = ("a text", "a number") if text else ("a number", "a text")
        raise TypeError(f"'{comparison.text}' compares {kinds[1]} with {kinds[0]}")


@dataclass(frozen=True)
class Clause:
    """One comparison as it came out for one row; `other` is the actual right side when that is a name."""

    comparison: Comparison
    truth: int
    actual: Cell
    other: Cell = None

    @property
    def text(self) -> str:
        """The comparison in its canonical wording."""
        return self.comparison.text


def clauses(condition: Condition, row: Mapping[str, Cell]) -> list[Clause]:
    """Return every comparison with its own truth and the actual value, in the order written.

    Missing is None or NaN in the row and always None in a clause. Errors as in `evaluate`.
    """
    return [_clause(comparison, row) for _, comparison in comparisons(condition)]


def judge(condition: Condition, row: Mapping[str, Cell]) -> int:
    """Return the truth of the condition for one row."""
    ranks = _ranks(condition, lambda comparison: _compared(comparison, _columns_of(comparison, row)))
    return int(_TRUTH_OF_RANK[ranks[0]])


def _clause(comparison: Comparison, row: Mapping[str, Cell]) -> Clause:
    truth = int(evaluate(comparison, _columns_of(comparison, row))[0])
    other = _known(row[comparison.value.name]) if isinstance(comparison.value, Ref) else None
    return Clause(comparison, truth, _known(row[comparison.name]), other)


def _columns_of(comparison: Comparison, row: Mapping[str, Cell]) -> dict[str, Column]:
    """Make columns of one row; a missing cell takes the kind of what it is compared with."""
    left, value = _known(row[comparison.name]), comparison.value
    right: Any = _known(row[value.name]) if isinstance(value, Ref) else value
    sample = right[0] if isinstance(right, tuple) else right
    text = isinstance(left if left is not None else sample, str)
    columns = {comparison.name: _cell(left, text=text)}
    if isinstance(value, Ref):
        columns[value.name] = _cell(right, text=isinstance(right, str) if right is not None else text)
    return columns


def _cell(value: Cell, *, text: bool) -> Column:
    if text:
        return np.array([value], dtype=object)
    return np.array([math.nan if value is None else value], dtype=np.float64)


def _known(value: Cell) -> Cell:
    return None if isinstance(value, float) and math.isnan(value) else value
