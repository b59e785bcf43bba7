"""Turn rows of any system into Arrow tables of text, each row with its number, file, line and fault."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from itertools import islice
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


def tables(rows: Iterable[Row], columns: Sequence[str]) -> Iterator[pyarrow.Table]:
    """Yield the rows as tables of text, with `_row`, `_file`, `_line`, `_fault` and `_raw` beside them.

    `_row` counts the rows of one feed in one load from 0, in the order in which the source gave them.
    """
    done, remaining = 0, iter(rows)
    while batch := list(islice(remaining, BATCH)):
        yield _table(batch, columns, done)
        done += len(batch)


def _table(batch: Sequence[Row], columns: Sequence[str], first: int) -> pyarrow.Table:
    import pyarrow as pa

    text, whole = pa.string(), pa.int64()
    empty = (None,) * len(columns)
    by_column = zip(*(row.values if row.values is not None else empty for row in batch), strict=True)
    arrays = {name: pa.array(values, text) for name, values in zip(columns, by_column, strict=True)}
    arrays["_row"] = pa.array(range(first, first + len(batch)), whole)
    arrays["_file"] = pa.array([row.file for row in batch], text)
    arrays["_line"] = pa.array([row.line for row in batch], whole)
    arrays["_fault"] = pa.array([row.fault for row in batch], text)
    arrays["_raw"] = pa.array([row.raw and row.raw[:LONGEST_RAW] for row in batch], text)
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
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, sort_keys=True).replace("\\u0000", "\ufffd")
    return str(value)


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
