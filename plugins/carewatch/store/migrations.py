"""Answer the question: is the warehouse's schema the one this code expects?

Migrations are numbered, forward only, each applied once in its own transaction under an advisory lock. A migration
that has been applied must never change: its digest is kept and compared.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from carewatch.paths import include
from carewatch.store.locks import Lock, hold


class MigrationError(RuntimeError):
    """The warehouse and the migrations on disk disagree."""


@dataclass(frozen=True)
class Migration:
    """One numbered SQL file."""

    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(folder: Path | None = None) -> list[Migration]:
    """Return the migrations on disk in order; raise MigrationError when a number is missing or taken twice."""
    found = []
    for path in sorted((folder or include("sql", "schema")).glob("*.sql")):
        match = re.fullmatch(r"(\d{4})_(\w+)\.sql", path.name)
        if match is None:
            raise MigrationError(f"{path.name}: expected a name such as 0007_what_it_adds.sql")
        found.append(Migration(int(match[1]), match[2], path.read_text(encoding="utf-8")))
    for position, migration in enumerate(found, start=1):
        if migration.number != position:
            raise MigrationError(f"migration {position:04d} is missing or doubled before {migration.name}")
    return found


def migrate(connection: psycopg.Connection[Any], folder: Path | None = None) -> list[Migration]:
    """Apply what is missing and return it; commit. Several processes may call this at once: one works, all wait.

    Raises MigrationError when an applied migration was edited afterwards, or the warehouse is ahead of this code.
    """
    wanted = migrations(folder)
    with connection.transaction():
        hold(connection, Lock.MIGRATION)
        connection.execute("create schema if not exists care")
        connection.execute(
            "create table if not exists care.migration (number integer primary key, name text not null, "
            "digest text not null, applied_at timestamptz not null default clock_timestamp())"
        )
        applied = dict(connection.execute("select number, digest from care.migration").fetchall())
        if len(applied) > len(wanted):
            raise MigrationError(
                "the warehouse was migrated by a newer version of carewatch; update this one"
            )
        for migration in wanted:
            if migration.number in applied and applied[migration.number] != migration.digest:
                raise MigrationError(
                    f"migration {migration.number:04d}_{migration.name} was changed after it was applied; "
                    "restore it and add a new one"
                )
        missing = [migration for migration in wanted if migration.number not in applied]
        for migration in missing:
            connection.execute(migration.sql.encode())
            connection.execute(
                "insert into care.migration (number, name, digest) values (%s, %s, %s)",
                (migration.number, migration.name, migration.digest),
            )
    return missing
