"""Answer the question: what is an Arrow column as the text that conform reads, exactly?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from care_sources.rows import as_text

if TYPE_CHECKING:
    import pyarrow


def text_array(column: pyarrow.Array) -> tuple[pyarrow.Array, pyarrow.Array | None]:
    """Return a column's values as text, and which of them are damaged (None: none is).

    Times with a zone are written in UTC with a Z, so that they keep their moment; floats as the shortest text that means
    them, whole ones without a fraction, and what is no number is missing; bytes as hexadecimal; lists and structures as
    JSON.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _checked(column.cast(pa.string()))
    if pa.types.is_timestamp(kind):
        aware = kind.tz is not None
        texts = column.cast(pa.timestamp(kind.unit, "UTC") if aware else kind).cast(pa.string())
        # Zeros at the end of a fraction say nothing.
        return pc.replace_substring_regex(texts, r"\.?0+(Z?)$", r"\1") if kind.unit != "s" else texts, None
    if pa.types.is_floating(kind):
        return _floats(column), None
    if any(
        test(kind)
        for test in (pa.types.is_integer, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_date32)
    ):
        return column.cast(pa.string()), None
    if pa.types.is_date64(kind):
        return column.cast(pa.date32()).cast(pa.string()), None
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string()), None
    return pa.array([as_text(value) for value in column.to_pylist()], pa.string()), None


def _floats(column: pyarrow.Array) -> pyarrow.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")


def _checked(column: pyarrow.Array) -> tuple[pyarrow.Array, Any]:
    """Return texts that can be stored, and which of them are no UTF-8."""
    import pyarrow as pa
    import pyarrow.compute as pc

    damaged = None
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        given: list[bytes | None] = column.cast(pa.binary()).to_pylist()
        texts = [None if value is None else value.decode("utf-8", "replace") for value in given]
        flags = [
            text is not None and text.encode() != value for value, text in zip(given, texts, strict=True)
        ]
        column, damaged = pa.array(texts, pa.string()), pa.array(flags)
    return pc.replace_substring(column, "\x00", "\ufffd"), damaged
