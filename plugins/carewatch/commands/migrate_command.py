"""`care migrate`: bring the warehouse's schema to this version."""

from __future__ import annotations

import argparse

from carewatch.commands.console import warehouse
from carewatch.store.migrations import migrate

HELP = "bring the warehouse's schema to this version (safe to repeat)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(chosen: argparse.Namespace) -> int:
    with warehouse() as connection:
        done = migrate(connection)
    for migration in done:
        print(f"applied {migration.number:04d}_{migration.name}")
    if not done:
        print("nothing to do: the warehouse is up to date")
    return 0
