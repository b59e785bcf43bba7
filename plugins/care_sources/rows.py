"""Turn rows of any system into Arrow tables of text, each row with its number, file, line and fault."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pyarrow

BATCH = 50_000
LONGEST_RAW = 2_000


class Row(NamedTuple):
    """One row of a source: values in the order of the columns, where it stands, why it cannot be read.

    A row with a fault has no values, but the beginning of its raw text.
    """

    values: Sequence[str | None] | None
    file: str | None = None
    line: int | None = None
    fault: str | None = None
    raw: str | None = None


def tables(rows: Iterable[Row | pyarrow.Table], columns: Sequence[str]) -> Iterator[pyarrow.Table]:
    """Yield the rows as tables of text, with `_row`, `_file`, `_line`, `_fault` and `_raw` beside them.

    Tables among the rows are passed on as they are, what they lack beside their columns added empty. `_row` counts the
    rows of one feed in one load from 0, in the order in which the source gave them.
    """
    done = 0
    for table in _batches(rows, columns):
        yield _completed(table, columns, done)
        done += table.num_rows


def _batches(rows: Iterable[Row | pyarrow.Table], columns: Sequence[str]) -> Iterator[pyarrow.Table]:
    batch: list[Row] = []
    for row in rows:
        if isinstance(row, Row):
            batch.append(row)
            if len(batch) < BATCH:
                continue
        if batch:
            yield _table(batch, columns)
            batch = []
        if not isinstance(row, Row):
            yield row
    if batch:
        yield _table(batch, columns)


def _table(batch: Sequence[Row], columns: Sequence[str]) -> pyarrow.Table:
    import pyarrow as pa

    empty = (None,) * len(columns)
    by_column = zip(*(row.values if row.values is not None else empty for row in batch), strict=True)
    arrays = {name: pa.array(values, pa.string()) for name, values in zip(columns, by_column, strict=True)}
    beside = zip(
        *((row.file, row.line, row.fault, row.raw and row.raw[:LONGEST_RAW]) for row in batch), strict=True
    )
    for (name, kind), values in zip(_beside().items(), beside, strict=True):
        arrays[name] = pa.array(values, kind)
    return pa.table(arrays)


def _beside() -> dict[str, pyarrow.DataType]:
    """Return the type of every column that stands beside a source's own."""
    import pyarrow as pa

    return {"_file": pa.string(), "_line": pa.int64(), "_fault": pa.string(), "_raw": pa.string()}


def _completed(table: pyarrow.Table, columns: Sequence[str], first: int) -> pyarrow.Table:
    """Return the table with all columns in one order, its rows numbered from `first`."""
    import pyarrow as pa

    count = table.num_rows
    arrays = {name: table.column(name) for name in columns}
    arrays["_row"] = pa.array(range(first, first + count), pa.int64())
    for name, kind in _beside().items():
        arrays[name] = table.column(name) if name in table.column_names else pa.nulls(count, kind)
    return pa.table(arrays)


def as_text(value: Any) -> str | None:
    """Return a value as the text that conform reads: ISO times, true and false, JSON for the rest."""
    if value is None or isinstance(value, str):
        return None if value is None else value.replace("\x00", "\ufffd")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_inner).replace(
            "\\u0000", "\ufffd"
        )
    return str(value)


def _inner(value: Any) -> Any:
    """Return a value inside a list or an object as JSON knows it."""
    return float(value) if isinstance(value, Decimal) else as_text(value)


def _float_text(value: float) -> str | None:
    """Return the shortest text that means the number, whole ones without a fraction; what is no number is missing."""
    if math.isnan(value):
        return None
    if math.isinf(value) or abs(value) >= 1e21:
        return str(value)
    return format(Decimal(repr(value)).normalize(), "f") if value else "0"


def field_of(item: Mapping[str, Any], name: str) -> Any:
    """Return a field of an item; `a.b` is `b` inside `a`, unless a field has just that name."""
    if name in item:
        return item[name]
    value: Any = item
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def rows_of_items(items: Iterable[Any], columns: Sequence[str]) -> Iterator[Row]:
    """Yield rows of mappings (of a database, of a service); anything else is a row with a fault."""
    for item in items:
        if isinstance(item, Mapping):
            yield Row([as_text(field_of(item, name)) for name in columns])
        else:
            yield Row(None, fault="not an object", raw=as_text(item) or "null")
