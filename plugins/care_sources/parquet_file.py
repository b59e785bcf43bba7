"""Read a Parquet file as batches of text, without a Python object for a value wherever Arrow can do it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from care_sources.arrow_text import text_array
from care_sources.folder import File
from care_sources.refusal import LARGEST_ROW_GROUP, LONGEST_VALUE, Refused, missing_columns, swollen, too_long
from care_sources.rows import BATCH, Row

if TYPE_CHECKING:
    import pyarrow

_BUFFER = 1 << 20
_BATCH_BYTES = 32 << 20


def parquet_tables(file: File, columns: tuple[str, ...]) -> Iterator[pyarrow.Table | Row]:
    """Yield the columns as tables of text with `_file` and `_line`, the row's number in the file.

    `a.b` is the field `b` of the column `a`, unless a column has just that name. Raises Refused when the file is no
    Parquet file or lacks a column.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with file.open() as stream:
        try:
            opened = pq.ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            raise Refused(f"it is no Parquet file, or it is cut off ({_first_line(error)})") from None
        paths = {name: _path(opened.schema_arrow, name) for name in columns}
        fault = missing_columns(
            _names(opened.schema_arrow), tuple(n for n, path in paths.items() if path is None)
        )
        fault = fault or _too_large(opened.metadata)
        if fault is not None:
            raise Refused(fault, ",".join(opened.schema_arrow.names))
        done = 0
        roots = list(dict.fromkeys(path[0] for path in paths.values() if path))
        try:
            for batch in opened.iter_batches(batch_size=_batch_size(opened.metadata), columns=roots):
                values = {name: _value(batch, path) for name, path in paths.items() if path}
                yield _table(values, file.name, done, batch.num_rows)
                done += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            reason = f"unreadable from here to the end of the file: {_first_line(error)}"
            yield Row(None, file.name, done + 1, reason, "")


def parquet_columns(file: File) -> tuple[str, ...]:
    """Return the columns of a file, those inside a structure by `a.b`; raise Refused when it is none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with file.open() as stream:
        try:
            schema = pq.read_schema(stream)
        except (pa.ArrowException, OSError) as error:
            raise Refused(f"it is no Parquet file, or it is cut off ({_first_line(error)})") from None
    whole = [one.name for one in schema if not pa.types.is_struct(one.type)]
    return tuple(name for name in _names(schema) if name in whole or "." in name)


def _names(schema: pyarrow.Schema) -> list[str]:
    """Return the columns, and the fields inside them."""
    import pyarrow as pa

    inner = [f"{one.name}.{part.name}" for one in schema if pa.types.is_struct(one.type) for part in one.type]
    return [*schema.names, *inner]


def _path(schema: pyarrow.Schema, name: str) -> tuple[str, ...] | None:
    import pyarrow as pa

    if name in schema.names:
        return (name,)
    first, *rest = name.split(".")
    if first not in schema.names:
        return None
    kind = schema.field(first).type
    for part in rest:
        if not pa.types.is_struct(kind) or kind.get_field_index(part) < 0:
            return None
        kind = kind.field(part).type
    return (first, *rest)


def _value(batch: pyarrow.RecordBatch, path: tuple[str, ...]) -> pyarrow.Array:
    import pyarrow.compute as pc

    column = batch.column(path[0])
    return pc.struct_field(column, list(path[1:])) if path[1:] else column


def _too_large(metadata: Any) -> str | None:
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    for group in groups:
        packed = sum(group.column(number).total_compressed_size for number in range(group.num_columns))
        fault = swollen(group.total_byte_size, packed)
        if fault is None and group.total_byte_size > LARGEST_ROW_GROUP:
            fault = f"a row group of more than {LARGEST_ROW_GROUP >> 20:,} MB; write it with smaller ones"
        if fault is not None:
            return fault
    return None


def _batch_size(metadata: Any) -> int:
    """Return how many rows to read at once, so that rows with long values do not fill the memory."""
    if not metadata.num_rows:
        return BATCH
    size = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    return int(max(min(BATCH, _BATCH_BYTES * metadata.num_rows // max(size, 1)), 1))


def _table(values: dict[str, pyarrow.Array], name: str, done: int, count: int) -> pyarrow.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts, faults = {}, pa.nulls(count, pa.string())
    for column, given in values.items():
        text, damaged = text_array(given)
        length = pc.max(pc.utf8_length(text)).as_py() or 0
        if length > LONGEST_VALUE:
            lengths = pc.fill_null(pc.utf8_length(text), 0)
            told = pc.if_else(
                pc.greater(lengths, LONGEST_VALUE), f"column '{column}' holds {too_long(length)}", None
            )
            faults = pc.coalesce(faults, told.cast(pa.string()))
        if damaged is not None:
            told = pc.if_else(damaged, f"column '{column}' is not utf-8 text", None)
            faults = pc.coalesce(faults, told.cast(pa.string()))
        texts[column] = text
    if faults.null_count < count:
        bad = pc.is_valid(faults)
        texts = {
            column: pc.if_else(bad, pa.scalar(None, pa.string()), text) for column, text in texts.items()
        }
    beside = {
        "_file": pa.repeat(pa.scalar(name, pa.string()), count),
        "_line": pa.array(range(done + 1, done + count + 1), pa.int64()),
        "_fault": faults,
    }
    return pa.table({**texts, **beside})


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
