"""The sales system: a real PostgreSQL database that shows exactly what was visible."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.demo_firm.conftest import SMALL

from care_demo.firm import simulate
from care_demo.model import COLUMNS, SALES_TABLES, Firm, Table, Version
from care_demo.sales_db import publish_sales

NIGHT = datetime(2026, 6, 29, 16, tzinfo=UTC)
NewDsn = Callable[[], str]


def content(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    with psycopg.connect(dsn) as connection:
        return {
            name: sorted(
                connection.execute(f"select {', '.join(COLUMNS[name])} from crm.{name}").fetchall(), key=repr
            )
            for name in SALES_TABLES
        }


def visible(firm: Firm, upto: datetime) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(map(_as_stored, firm.tables[name].state(upto)), key=repr) for name in SALES_TABLES}


def _as_stored(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.astimezone(UTC) if isinstance(value, datetime) else value for value in row)


def comparable(state: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[tuple[Any, ...]]]:
    """Bring numbers and instants of both sides to one form."""
    return {name: sorted((tuple(map(_plain, row)) for row in rows), key=repr) for name, rows in state.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float | int | Decimal) and not isinstance(value, bool):
        return float(value)
    return value


@pytest.mark.parametrize("days", [-300, -40, 0, 31])
def test_the_database_shows_what_was_visible_and_nothing_else(
    small_firm: Firm, new_dsn: NewDsn, days: int
) -> None:
    dsn, upto = new_dsn(), NIGHT + timedelta(days=days)
    written = publish_sales(small_firm, dsn, upto)
    shown = comparable(content(dsn))
    assert shown == comparable(visible(small_firm, upto))
    assert written == {name: len(rows) for name, rows in shown.items()}
    assert written["orders"] > 100


def test_day_by_day_ends_where_at_once_does(small_firm: Firm, new_dsn: NewDsn) -> None:
    step_by_step, at_once = new_dsn(), new_dsn()
    total = 0
    for day in range(25):
        written = publish_sales(small_firm, step_by_step, NIGHT + timedelta(days=day))
        if day:
            total += sum(written.values())
    publish_sales(small_firm, at_once, NIGHT + timedelta(days=24))
    assert content(step_by_step) == content(at_once)
    assert 0 < total < sum(map(len, content(at_once).values())) / 4  # only what was new


def test_publishing_again_writes_nothing_and_an_earlier_moment_goes_back(
    small_firm: Firm, new_dsn: NewDsn
) -> None:
    dsn = new_dsn()
    publish_sales(small_firm, dsn, NIGHT)
    before = content(dsn)
    assert set(publish_sales(small_firm, dsn, NIGHT).values()) == {0}
    publish_sales(small_firm, dsn, NIGHT + timedelta(days=20))
    assert content(dsn) != before
    publish_sales(small_firm, dsn, NIGHT)
    assert content(dsn) == before


def test_another_firm_replaces_the_first(small_firm: Firm, new_dsn: NewDsn) -> None:
    dsn, other = new_dsn(), simulate(**{**SMALL, "seed": 8})
    publish_sales(small_firm, dsn, NIGHT)
    publish_sales(other, dsn, NIGHT)
    assert comparable(content(dsn)) == comparable(visible(other, NIGHT))


def test_columns_have_proper_types(small_firm: Firm, new_dsn: NewDsn) -> None:
    dsn = new_dsn()
    publish_sales(small_firm, dsn, NIGHT)
    with psycopg.connect(dsn) as connection:
        found = connection.execute(
            "select table_name, column_name, data_type from information_schema.columns"
            " where table_schema = 'crm'"
        ).fetchall()
    types = {(table, column): kind for table, column, kind in found}
    assert {table for table, _ in types} == set(SALES_TABLES)
    assert {types[table, "updated_at"] for table in SALES_TABLES} == {"timestamp with time zone"}
    expected = {
        ("orders", "amount"): "numeric",
        ("orders", "ordered_at"): "timestamp with time zone",
        ("order_lines", "quantity"): "integer",
        ("customers", "customer_since"): "date",
        ("activities", "attended"): "boolean",
        ("customers", "name"): "text",
    }
    assert {place: types[place] for place in expected} == expected


def test_a_naive_moment_is_refused(small_firm: Firm) -> None:
    with pytest.raises(ValueError, match="aware moment, got 2026-06-30T00:00:00 without an offset"):
        publish_sales(small_firm, "postgresql://nowhere", datetime(2026, 6, 30))


moments = st.integers(0, 40).map(lambda hours: datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=hours))
histories = st.lists(st.tuples(moments, st.integers(0, 6), st.integers(0, 99)), max_size=40)


@settings(max_examples=200)
@given(history=histories, first=moments, second=moments)
def test_a_state_is_the_earlier_state_plus_what_came_since(
    history: list[tuple[datetime, int, int]], first: datetime, second: datetime
) -> None:
    early, late = sorted((first, second))
    ordered = sorted((Version(at, (key, value)) for at, key, value in history), key=lambda v: v.visible_at)
    table = Table("tickets", tuple(ordered))
    stepwise = dict(table.state(early)) | dict(table.state(late, after=early))
    assert stepwise == dict(table.state(late))
    assert all(at <= late for at, _ in table.shown(late))
