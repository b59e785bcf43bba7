"""Rows of fixed width travel to PostgreSQL and back without losing a bit, and rows of another width are refused."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewatch.store.arrays import Field, decode, encode, read, write
from carewatch.store.database import Connection, connect

SPECIAL = (0.0, -0.0, 1.5, -1.5, 1e308, 5e-324, np.nan, np.inf, -np.inf, 0.1 + 0.2)
EVERY_TYPE = (
    Field("a_day", "day"),
    Field("an_integer", "integer"),
    Field("a_small", "small"),
    Field("a_flag", "flag"),
    Field("a_float", "float"),
    Field("some_floats", "floats", 3),
    Field("some_smalls", "smalls", 2),
    Field("no_floats", "floats", 0),
    Field("no_smalls", "smalls", 0),
)
TABLE = (
    "create temp table arrays_trip (a_day date, an_integer integer, a_small smallint, a_flag boolean, a_float float8, "
    "some_floats float8[], some_smalls smallint[], no_floats float8[], no_smalls smallint[])"
)
SELECT = f"select {', '.join(field.name for field in EVERY_TYPE)} from arrays_trip order by an_integer"


@pytest.fixture(scope="module")
def session(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as connection:
        yield connection


@pytest.fixture
def connection(session: Connection) -> Iterator[Connection]:
    with session.transaction(force_rollback=True):
        session.execute(TABLE)
        yield session


def same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    return left.shape == right.shape and left.tobytes() == np.ascontiguousarray(right).tobytes()


def special_rows() -> dict[str, object]:
    count = len(SPECIAL)
    return {
        "a_day": date(1999, 12, 31),
        "an_integer": np.arange(count, dtype=np.int32) - 3,
        "a_small": np.linspace(-32768, 32767, count).astype(np.int16),
        "a_flag": np.arange(count) % 3 == 0,
        "a_float": np.array(SPECIAL),
        "some_floats": np.array([np.roll(SPECIAL, shift)[:3] for shift in range(count)]),
        "some_smalls": np.array([[-7 - row, row] for row in range(count)], dtype=np.int16),
        "no_floats": np.empty((count, 0)),
        "no_smalls": np.empty((count, 0), dtype=np.int16),
    }


def test_every_type_comes_back_to_the_last_bit(connection: Connection) -> None:
    rows = special_rows()
    write(connection, "pg_temp.arrays_trip", EVERY_TYPE, rows, len(SPECIAL))
    back = read(connection, SELECT, EVERY_TYPE)
    for field in EVERY_TYPE[1:]:
        given_values = rows[field.name]
        assert isinstance(given_values, np.ndarray)
        assert same_bits(back[field.name], given_values), field.name
    assert back["a_day"].tolist() == [-1] * len(SPECIAL), "days since 2000-01-01"


def test_postgresql_reads_what_we_wrote_as_the_same_values(connection: Connection) -> None:
    write(connection, "pg_temp.arrays_trip", EVERY_TYPE, special_rows(), len(SPECIAL))
    rows = connection.execute(SELECT).fetchall()
    assert rows[0] == (date(1999, 12, 31), -3, -32768, True, 0.0, [0.0, -0.0, 1.5], [-7, 0], [], [])
    assert [struct.pack(">d", row[4]) for row in rows] == [struct.pack(">d", value) for value in SPECIAL]
    counted = connection.execute(
        "select count(*) filter (where a_float = 'NaN'), count(*) filter (where a_float = 'infinity'), "
        "count(*) filter (where a_float < '-1e300'), min(array_length(some_floats, 1)), max(cardinality(no_floats)) from arrays_trip"
    ).fetchone()
    assert counted == (1, 1, 1, 3, 0)


def test_one_value_stands_for_all_rows(connection: Connection) -> None:
    columns = {
        "a_day": date(2024, 2, 29), "an_integer": np.array([1, 2]), "a_small": 5, "a_flag": True, "a_float": np.nan,
        "some_floats": np.array([1.0, np.nan, -1.0]), "some_smalls": 0, "no_floats": None, "no_smalls": None,
    }  # fmt: skip
    write(connection, "pg_temp.arrays_trip", EVERY_TYPE, columns, 2)
    back = read(connection, SELECT, EVERY_TYPE)
    assert back["a_day"].tolist() == [(date(2024, 2, 29) - date(2000, 1, 1)).days] * 2
    assert back["a_small"].tolist() == [5, 5] and back["a_flag"].tolist() == [True, True]
    assert np.array_equal(back["some_floats"], [[1, np.nan, -1]] * 2, equal_nan=True)
    assert back["some_smalls"].tolist() == [[0, 0], [0, 0]]


def test_no_rows_are_no_rows(connection: Connection) -> None:
    empty = {field.name: np.empty((0, field.length) if field.length else 0) for field in EVERY_TYPE}
    write(connection, "pg_temp.arrays_trip", EVERY_TYPE, empty, 0)
    back = read(connection, SELECT, EVERY_TYPE)
    assert {name: len(values) for name, values in back.items()} == dict.fromkeys(empty, 0)
    assert back["some_floats"].shape == (0, 3) and back["no_smalls"].shape == (0, 0)


@given(
    st.lists(
        st.tuples(
            st.integers(-(2**31), 2**31 - 1), st.booleans(), st.integers(-(2**15), 2**15 - 1),
            st.lists(st.floats(width=64), min_size=4, max_size=4),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_decoding_undoes_encoding(rows: list[tuple[int, bool, int, list[float]]]) -> None:
    fields = (Field("n", "integer"), Field("f", "flag"), Field("s", "small"), Field("v", "floats", 4))
    columns = {
        "n": np.array([row[0] for row in rows], dtype=np.int32),
        "f": np.array([row[1] for row in rows], dtype=bool),
        "s": np.array([row[2] for row in rows], dtype=np.int16),
        "v": np.array([row[3] for row in rows], dtype=np.float64).reshape(len(rows), 4),
    }
    back = decode(fields, encode(fields, columns, len(rows)))
    assert all(same_bits(back[name], values) for name, values in columns.items())


OTHER_WIDTHS = {
    "a NULL number": ("select null::integer", Field("x", "integer")),
    "a NULL array": ("select null::float8[]", Field("x", "floats", 2)),
    "an array with a NULL": ("select array[1, null]::float8[]", Field("x", "floats", 2)),
    "a longer array": ("select array[1, 2, 3]::float8[]", Field("x", "floats", 2)),
    "a shorter array": ("select array[1]::float8[]", Field("x", "floats", 2)),
    "an empty array": ("select '{}'::float8[]", Field("x", "floats", 2)),
    "a full array where none was": ("select array[1]::float8[]", Field("x", "floats", 0)),
    "a longer array that fills whole rows": ("select array_fill(0::float8, array[20])", Field("x", "floats", 1)),
    "an array of another type": ("select array[1, 2]::bigint[]", Field("x", "floats", 2)),
    "an empty array of another type": ("select '{}'::bigint[]", Field("x", "floats", 0)),
    "an array that counts from 0": ("select '[0:1]={1,2}'::float8[]", Field("x", "floats", 2)),
    "a matrix": ("select array[[1, 2]]::float8[]", Field("x", "floats", 2)),
    "an integer of another width": ("select 1::bigint", Field("x", "integer")),
    "rows that differ": ("select 1 union all select null", Field("x", "integer")),
    "one column more": ("select 1, 2", Field("x", "integer")),
}  # fmt: skip


@pytest.mark.parametrize("case", OTHER_WIDTHS)
def test_rows_of_another_width_are_refused(connection: Connection, case: str) -> None:
    query, field = OTHER_WIDTHS[case]
    with pytest.raises(ValueError, match="not of one width"):
        read(connection, query, (field,))


def test_rows_of_another_width_leave_the_connection_usable(connection: Connection) -> None:
    with pytest.raises(ValueError, match="not of one width"):
        read(connection, "select null::integer", (Field("x", "integer"),))
    assert read(connection, "select 7", (Field("x", "integer"),))["x"].tolist() == [7]
