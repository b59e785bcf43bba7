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
_SCALAR: Mapping[str, tuple[str, int]] = {"day": (">i4", 4), "integer": (">i4", 4), "small": (">i2", 2), "flag": ("?", 1), "float": (">f8", 8)}  # fmt: skip
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


def encode(fields: Sequence[Field], columns: Mapping[str, object], rows: int) -> bytes:
    """Return the rows as a COPY BINARY stream; a column is an array of `rows` (x length) values or one value for all."""
    layout = _layout(fields)
    table = np.zeros(rows, dtype=layout)
    table["fields"] = len(fields)
    for field in fields:
        value = columns[field.name]
        if field.type in _SCALAR:
            table[f"{field.name}#size"] = _SCALAR[field.type][1]
            table[field.name] = (value - _EPOCH).days if isinstance(value, date) else value
            continue
        _, width, oid = _ELEMENT[field.type]
        if field.length == 0:
            table[f"{field.name}#size"] = 12
            table[f"{field.name}#head"] = (0, 0, oid)
            continue
        table[f"{field.name}#size"] = 20 + field.length * (4 + width)
        table[f"{field.name}#head"] = (1, 0, oid, field.length, 1)
        table[field.name]["size"] = width
        table[field.name]["value"] = value
    return _SIGNATURE + table.tobytes() + _END


def decode(fields: Sequence[Field], stream: bytes) -> dict[str, NDArray[Any]]:
    """Return the columns of a COPY BINARY stream; raise ValueError when a row is not of the fixed width."""
    layout = _layout(fields)
    body = len(stream) - len(_SIGNATURE) - len(_END)
    if body % layout.itemsize:
        raise ValueError("the stream's rows are not of one width: a NULL, or another configuration's arrays")
    table = np.frombuffer(stream, dtype=layout, offset=len(_SIGNATURE), count=body // layout.itemsize)
    if len(table) and not (table["fields"] == len(fields)).all():
        raise ValueError("the stream's rows are not of one width: a NULL, or another configuration's arrays")
    result: dict[str, NDArray[Any]] = {}
    for field in fields:
        if field.type in _SCALAR:
            result[field.name] = table[field.name].astype(np.dtype(_SCALAR[field.type][0]).newbyteorder("="))
        elif field.length == 0:
            result[field.name] = np.empty((len(table), 0))
        else:
            element = np.dtype(_ELEMENT[field.type][0]).newbyteorder("=")
            result[field.name] = table[field.name]["value"].astype(element)
    return result


def write(connection: Connection, table: str, fields: Sequence[Field], columns: Mapping[str, object], rows: int) -> None:
    """Append rows to `schema.table` by COPY."""
    names = sql.SQL(", ").join(sql.Identifier(field.name) for field in fields)
    statement = sql.SQL("copy {} ({}) from stdin (format binary)").format(sql.Identifier(*table.split(".")), names)
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(encode(fields, columns, rows))


def read(connection: Connection, query: str, fields: Sequence[Field]) -> dict[str, NDArray[Any]]:
    """Return the columns of a query (our own text: COPY takes no parameters) by COPY."""
    with connection.cursor() as cursor, cursor.copy(f"copy ({query}) to stdout (format binary)".encode()) as copy:
        return decode(fields, b"".join(bytes(block) for block in copy))
