"""The warehouse's schema is the one that the code describes."""

from __future__ import annotations

from pathlib import Path

import pytest

from carewatch.spec.facts import COMMON, FACTS, SQL_TYPE
from carewatch.store.database import Connection, connect
from carewatch.store.migrations import MigrationError, migrate, migrations
from carewatch.store.personal import TABLES, WORDS, privacy_of_column

_SHORT = {"timestamp with time zone": "timestamptz"}
_COLUMNS = """
    select c.table_schema || '.' || coalesce(parent.relname, c.table_name), c.column_name
    from information_schema.columns c
    join pg_class t on t.oid = to_regclass(format('%%I.%%I', c.table_schema, c.table_name)) and t.relkind in ('r', 'p')
    left join pg_inherits h on h.inhrelid = t.oid
    left join pg_class parent on parent.oid = h.inhparent
    where c.table_schema in ('care', 'quarantine') and c.data_type = any(%s)
        and (c.data_type <> 'ARRAY' or c.udt_name in ('_text', '_varchar'))
    order by 1, 2
"""


def test_every_fact_has_the_table_that_the_registry_describes(module_warehouse: str) -> None:
    with connect(module_warehouse) as connection:
        rows = connection.execute(
            "select table_name, column_name, data_type from information_schema.columns "
            "where table_schema = 'care' and table_name like 'fact\\_%'"
        ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        tables.setdefault(table, {})[column] = _SHORT.get(kind, kind)
    assert set(tables) == {f"fact_{name}" for name in FACTS}
    for name, fact in FACTS.items():
        found = tables[f"fact_{name}"]
        described = {column.name: SQL_TYPE[column.kind] for column in fact.columns}
        assert {column: found.pop(column, None) for column in described} == described
        assert set(found) == set(COMMON)


def test_migrating_twice_changes_nothing(migrated: str) -> None:
    with connect(migrated, autocommit=True) as connection:
        assert migrate(connection) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for migration in migrations():
        (tmp_path / f"{migration.number:04d}_{migration.name}.sql").write_text(
            migration.sql, encoding="utf-8"
        )
    return tmp_path


def test_an_applied_migration_that_was_edited_is_refused(migrated: str, folder: Path) -> None:
    first = min(folder.iterdir())
    first.write_text(first.read_text(encoding="utf-8") + "\n-- a second thought", encoding="utf-8")
    with (
        connect(migrated, autocommit=True) as connection,
        pytest.raises(MigrationError, match="was changed after it was applied"),
    ):
        migrate(connection, folder)


def test_a_warehouse_ahead_of_the_code_is_refused(migrated: str, folder: Path) -> None:
    max(folder.iterdir()).unlink()
    with (
        connect(migrated, autocommit=True) as connection,
        pytest.raises(MigrationError, match="newer version"),
    ):
        migrate(connection, folder)


@pytest.mark.parametrize("name", ["0003_again.sql", "9999_far_ahead.sql", "nameless.sql"])
def test_a_number_taken_twice_or_left_out_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("select 1", encoding="utf-8")
    with pytest.raises(MigrationError):
        migrations(folder)


def test_a_migration_that_fails_leaves_nothing(migrated: str, folder: Path) -> None:
    number = len(migrations()) + 1
    (folder / f"{number:04d}_half.sql").write_text(
        "create table care.half (a int); select 1 / 0", encoding="utf-8"
    )
    with connect(migrated, autocommit=True) as connection:
        with pytest.raises(Exception, match="division by zero"):
            migrate(connection, folder)
        assert connection.execute("select to_regclass('care.half')").fetchone() == (None,)


def test_the_master_record_has_every_field_of_a_customer(module_warehouse: str) -> None:
    with connect(module_warehouse) as connection:
        rows = connection.execute(
            "select column_name, data_type from information_schema.columns "
            "where table_schema = 'care' and table_name = 'customer_master'"
        ).fetchall()
    found = {name: _SHORT.get(kind, kind) for name, kind in rows}
    described = {column.name: SQL_TYPE[column.kind] for column in FACTS["customer"].columns}
    assert found == {"customer_id": "text", "customer_no": "integer", **described}


def columns(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute(_COLUMNS, (list(WORDS),)).fetchall()


@pytest.mark.req("D19")
def test_every_column_that_can_hold_words_has_a_class(module_warehouse: str) -> None:
    with connect(module_warehouse) as connection:
        connection.execute("create table care.extra (remark text, at timestamptz, tags text[], n integer[])")
        found = columns(connection)
    unclassed = [one for one in found if privacy_of_column(*one) is None]
    assert unclassed == [("care.extra", "remark"), ("care.extra", "tags")], (
        "declare what the new columns hold in plugins/carewatch/store/personal.py"
    )
    assert ("care.warning", "plan") in found


@pytest.mark.req("D19")
def test_every_classed_column_is_there_once(module_warehouse: str) -> None:
    with connect(module_warehouse) as connection:
        found = {*columns(connection)}
    classed = [(table, column) for table, holds in TABLES.items() for column, _ in holds.classes()]
    assert len(classed) == len({*classed})
    assert {*classed} <= found
