"""Landing Parquet files: every type as exact text, batch by batch, damaged values as faults of their rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.conftest import Loader, MakeLoader

from care_sources.arrow_text import text_array
from care_sources.connection import Connection
from care_sources.folder import list_files
from care_sources.parquet_file import parquet_tables

ORDERS = """
customers: derived
streams:
  orders:
    from: "*.parquet"
    fact: order
    key: no
    customer: customer
    event_at: at
    columns: {amount: amount, line: detail.line}
"""
AT = datetime(2026, 5, 1, 1, 0, tzinfo=UTC)


def write(path: Path, count: int = 3, **columns: Any) -> Path:
    given_columns = {
        "no": pa.array(range(count)),
        "customer": pa.array(["C1"] * count),
        "at": pa.array([AT] * count, pa.timestamp("us", "Asia/Shanghai")),
        "amount": pa.array([Decimal("10.50")] * count, pa.decimal128(12, 2)),
        "detail": pa.array([{"line": "水泵", "more": 1}] * count),
        **columns,
    }
    pq.write_table(pa.table(given_columns), path, row_group_size=max(count // 3, 1))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def loader(make_loader: MakeLoader, folder: Path) -> Loader:
    return make_loader(ORDERS, Connection(str(folder)))


def test_a_file_is_read_whole_with_places_and_only_when_it_changes(loader: Loader, folder: Path) -> None:
    write(folder / "a.parquet", amount=pa.array(["1", "ten", "3"]))
    assert loader.land().warnings == ()
    assert loader.conform()["src.orders"].new == 2
    assert dict(loader.land().rows) == {"orders": 0}
    assert loader.rows("select place, reason from quarantine.row") == [("a.parquet:2", "not a number")]
    assert loader.rows("select event_at::text, line, amount::text from care.fact_order order by source_key") == [
        ("2026-05-01 01:00:00+00", "水泵", "1"), ("2026-05-01 01:00:00+00", "水泵", "3"),
    ]  # fmt: skip
    write(folder / "a.parquet", amount=pa.array(["1", "2", "3"]))
    result = loader.load()["src.orders"]
    assert (result.new, result.unchanged) == (1, 2)


@pytest.mark.parametrize(
    ("array", "texts"),
    [
        (pa.array([1, None, -(2**63)]), ["1", None, "-9223372036854775808"]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([0.1, 10.0, -0.5, float("nan"), None]), ["0.1", "10", "-0.5", None, None]),
        (pa.array([0.1, 16777216.0], pa.float32()), ["0.1", "16777216"]),
        (pa.array([Decimal("-0.10"), Decimal("12345678901234567890.12")], pa.decimal128(30, 2)), ["-0.10", "12345678901234567890.12"]),
        (pa.array([Decimal(10) ** 40], pa.decimal256(60, 3)), ["1" + "0" * 40 + ".000"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([date(2026, 2, 28)]), ["2026-02-28"]),
        (pa.array([date(2026, 2, 28)], pa.date64()), ["2026-02-28"]),
        (pa.array([datetime(2026, 5, 1, 9, 0, 0, 100000), datetime(2026, 5, 1, 10)]), ["2026-05-01 09:00:00.1", "2026-05-01 10:00:00"]),
        (pa.array([AT], pa.timestamp("ms", "Asia/Shanghai")), ["2026-05-01 01:00:00Z"]),
        (pa.array([1777597200123456789], pa.timestamp("ns", "America/New_York")), ["2026-05-01 01:00:00.123456789Z"]),
        (pa.array([1777597200], pa.timestamp("s")), ["2026-05-01 01:00:00"]),
        (pa.array([time(9, 30)]), ["09:30:00"]),
        (pa.array(["x", "上海", "nul\x00"]), ["x", "上海", "nul\ufffd"]),
        (pa.array(["x", None, "x"]).dictionary_encode(), ["x", None, "x"]),
        (pa.array(["x"], pa.large_string()), ["x"]),
        (pa.array([b"\x00\xff"]), ["00ff"]),
        (pa.array([[1, 2]]), ["[1, 2]"]),
        (pa.array([{"b": "上", "a": Decimal("1.5")}]), ['{"a": 1.5, "b": "上"}']),
        (pa.nulls(2), [None, None]),
        (pa.array([timedelta(hours=1)]), ["1:00:00"]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)  # fmt: skip
def test_every_type_is_text_that_means_the_same(array: pa.Array, texts: list[str | None]) -> None:
    found, damaged = text_array(array)
    assert found.to_pylist() == texts and damaged is None


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))))
def test_a_float_is_read_back_to_the_last_bit(values: list[float | None]) -> None:
    texts = text_array(pa.array(values, pa.float64()))[0].to_pylist()
    assert [None if text is None else float(text) for text in texts] == values


@given(
    st.lists(st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))),
    st.sampled_from(["us", "ns"]),
    st.booleans(),
)
def test_a_moment_is_read_back_exactly(values: list[datetime], unit: str, aware: bool) -> None:
    array = pa.array(values, pa.timestamp("us")).cast(pa.timestamp(unit, "Asia/Shanghai" if aware else None))
    texts = text_array(array)[0].to_pylist()
    assert [datetime.fromisoformat(text) for text in texts] == [
        value.replace(tzinfo=UTC) if aware else value for value in values
    ]


def test_damaged_and_endless_values_are_faults_of_their_rows(loader: Loader, folder: Path) -> None:
    names = pa.array([b"C1", b"\xff\xfe", b"C3"], pa.binary()).view(pa.string())
    lines = pa.array([{"line": "x"}, {"line": "y"}, {"line": "z" * 200_000}])
    write(folder / "a.parquet", customer=names, detail=lines)
    assert loader.land().warnings == ("src.orders: a.parquet:2: column 'customer' is not utf-8 text",)
    assert loader.conform()["src.orders"].new == 1
    assert loader.rows("select place, reason from quarantine.row order by 1") == [
        ("a.parquet:2", "column 'customer' is not utf-8 text"),
        ("a.parquet:3", "column 'detail.line' holds a value of 200,000 characters; at most 131,072 are read"),
    ]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: path.write_bytes(b"no,customer\n1,C1\n"), "it is no Parquet file, or it is cut off"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "it is no Parquet file, or it is cut off"),
        (lambda path: write(path, detail=pa.array([{"lien": 1}] * 3)), "no column 'detail.line' (did the header mean 'detail.lien'?)"),
        (lambda path: write(path, customer=pa.array(["x" * (1 << 20)] * 3_000)[:3]), None),
    ],
    ids=["text", "cut off", "no column", "long"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(
    loader: Loader, folder: Path, spoil: Any, told: str | None
) -> None:
    spoil(write(folder / "a.parquet"))
    write(folder / "b.parquet")
    warnings = loader.land().warnings
    assert (told or "column 'customer' holds a value of 1,048,576 characters") in warnings[0]
    assert loader.conform()["src.orders"].new == 3


def test_damage_in_the_middle_costs_what_follows_and_says_so(loader: Loader, folder: Path) -> None:
    path = write(folder / "a.parquet", 3_000)
    group = pq.ParquetFile(path).metadata.row_group(2).column(1)
    content = bytearray(path.read_bytes())
    start = group.dictionary_page_offset or group.data_page_offset
    content[start : start + group.total_compressed_size] = bytes(group.total_compressed_size)
    path.write_bytes(content)
    result = loader.load()["src.orders"]
    assert result.landed == result.new + result.quarantined and result.quarantined == 1
    [(place, reason)] = loader.rows("select place, reason from quarantine.row")
    assert (
        reason.startswith("unreadable from here to the end of the file")
        and place == f"a.parquet:{result.new + 1}"
    )


def test_rows_with_long_values_come_in_small_batches(folder: Path) -> None:
    write(folder / "a.parquet", 3_000, line=pa.array([f"{n:0100000}" for n in range(3_000)]))
    [file] = list_files("src", Connection(str(folder))).values()
    sizes = [table.num_rows for table in parquet_tables(file, ("no", "line")) if isinstance(table, pa.Table)]
    assert sum(sizes) == 3_000 and max(sizes) <= 400


def test_a_suffix_may_be_wrong(make_loader: MakeLoader, folder: Path) -> None:
    write(folder / "a.parquet").rename(folder / "a.dat")
    text = ORDERS.replace('"*.parquet"', '"*.dat"')
    assert "it is a Parquet file, not CSV" in make_loader(text, Connection(str(folder))).land().warnings[0]
    declared = text.replace("    fact: order\n", "    fact: order\n    format: parquet\n")
    loader = make_loader(declared, Connection(str(folder)))
    assert loader.load()["src.orders"].new == 3
