"""Answer the question: how do many rows of fixed width go to and from PostgreSQL as arrays?

COPY BINARY of rows without NULLs has one width, so numpy reads and writes it whole, without a Python object per row.
Numbers that are missing are NaN; the width of each array column is known beforehand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from carewatch.store.database import Connection

Type = Literal["day", "integer", "small", "flag", "float", "floats", "smalls"]

_EPOCH = date(2000, 1, 1)
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_SCALAR: Mapping[str, tuple[str, int]] = {
    "day": (">i4", 4),
    "integer": (">i4", 4),
    "small": (">i2", 2),
    "flag": ("?", 1),
    "float": (">f8", 8),
}
_ELEMENT: Mapping[str, tuple[str, int, int]] = {"floats": (">f8", 8, 701), "smalls": (">i2", 2, 21)}


@dataclass(frozen=True)
class Field:
    """One column of fixed width; `length` is the number of elements of an array column."""

    name: str
    type: Type
    length: int = 0


def _layout(fields: Sequence[Field]) -> np.dtype[np.void]:
    parts: list[Any] = [("fields", ">i2")]
    for field in fields:
        parts.append((f"{field.name}#size", ">i4"))
        if field.type in _SCALAR:
            parts.append((field.name, _SCALAR[field.type][0]))
        elif field.length == 0:
            # An empty PostgreSQL array has no dimension: flags, element type and nothing else.
            parts += [(f"{field.name}#head", ">i4", (3,))]
        else:
            element = _ELEMENT[field.type][0]
            parts += [
                (f"{field.name}#head", ">i4", (5,)),
                (field.name, [("size", ">i4"), ("value", element)], (field.length,)),
            ]
    return np.dtype(parts)


def _frame(field: Field) -> tuple[int, tuple[int, ...]]:
    """Return what stands before a column's value in every row: its width, and the head of an array."""
    if field.type in _SCALAR:
        return _SCALAR[field.type][1], ()
    _, width, oid = _ELEMENT[field.type]
    if field.length == 0:
        return 12, (0, 0, oid)
    return 20 + field.length * (4 + width), (1, 0, oid, field.length, 1)


def encode(fields: Sequence[Field], columns: Mapping[str, object], rows: int) -> bytes:
    """Return the rows as a COPY BINARY stream; a column is an array of `rows` (x length) values or one value for all."""
    table = np.zeros(rows, dtype=_layout(fields))
    table["fields"] = len(fields)
    for field in fields:
        value = columns[field.name]
        size, head = _frame(field)
        table[f"{field.name}#size"] = size
        if not head:
            table[field.name] = (value - _EPOCH).days if isinstance(value, date) else value
            continue
        table[f"{field.name}#head"] = head
        if field.length:
            table[field.name]["size"] = _ELEMENT[field.type][1]
            table[field.name]["value"] = value
    return _SIGNATURE + table.tobytes() + _END


def decode(fields: Sequence[Field], stream: bytes) -> dict[str, NDArray[Any]]:
    """Return the columns of a COPY BINARY stream; raise ValueError when a row is not of the fixed width.

    A `day` comes back as days since 2000-01-01.
    """
    layout = _layout(fields)
    body = len(stream) - len(_SIGNATURE) - len(_END)
    if body % layout.itemsize:
        raise _not_of_one_width()
    table = np.frombuffer(stream, dtype=layout, offset=len(_SIGNATURE), count=body // layout.itemsize)
    if not (table["fields"] == len(fields)).all():
        raise _not_of_one_width()
    result: dict[str, NDArray[Any]] = {}
    for field in fields:
        size, head = _frame(field)
        if not (table[f"{field.name}#size"] == size).all():
            raise _not_of_one_width()
        if head and not (table[f"{field.name}#head"] == np.array(head)).all():
            raise _not_of_one_width()
        kind = np.dtype(_SCALAR[field.type][0] if not head else _ELEMENT[field.type][0]).newbyteorder("=")
        if head and not field.length:
            result[field.name] = np.empty((len(table), 0), dtype=kind)
        else:
            result[field.name] = (table[field.name]["value"] if head else table[field.name]).astype(kind)
    return result


def _not_of_one_width() -> ValueError:
    return ValueError("the stream's rows are not of one width: a NULL, or another configuration's arrays")


def write(
    connection: Connection, table: str, fields: Sequence[Field], columns: Mapping[str, object], rows: int
) -> None:
    """Append rows to `schema.table` by COPY."""
    names = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields)
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(
        sql.Identifier(*table.split(".")), names
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encode(fields, columns, rows))


def read(connection: Connection, query: str, fields: Sequence[Field]) -> dict[str, NDArray[Any]]:
    """Return the columns of a query (our own text: COPY takes no parameters) by COPY."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"copy ({query}) to stdout (format binary)".encode()) as copy,
    ):
        return decode(fields, b"".join(bytes(block) for block in copy))
