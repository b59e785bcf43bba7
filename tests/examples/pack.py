"""Run an example pack on tables that a test makes, cuts short and scrambles."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from carewatch.cli import main
from carewatch.commands.loading import load_files
from carewatch.flow.backtest import replay_day
from carewatch.spec.loading import load
from carewatch.spec.sources import load_sources
from carewatch.store.database import connect
from carewatch.store.outcomes import customer_ids

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
SHARED = ROOT.parent / "shared" / "data"
FATES = ("new", "changed", "unchanged", "repeated", "filtered", "quarantined")

Table = list[dict[str, str]]
Tables = Mapping[str, Table]


def read(path: Path) -> Table:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(head: str, *lines: str) -> Table:
    """Return rows written as comma-separated lines."""
    return [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]


def write(folder: Path, tables: Tables) -> Path:
    """Write each table as <name>.csv.gz."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        with gzip.open(folder / f"{name}.csv.gz", "wt", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return folder


@dataclass(frozen=True)
class Dated:
    """How a table would have looked on an earlier day.

    `born` is the column of the day on which a row came; `later` has the columns of days that were filled in afterwards,
    each with what was filled in at the same time; `final` are columns that hold the last state and have no day.
    `moment` reads the columns of days.
    """

    born: str
    later: Mapping[str, Sequence[str]]
    final: Sequence[str] = ()
    moment: Callable[[str], Any] = str

    def on(self, rows: Table, day: Any) -> Table:
        """Return the rows without what is dated on or after a day, the final states moved to other rows."""
        kept = [dict(row) for row in rows if row[self.born] == "" or self.moment(row[self.born]) < day]
        for row in kept:
            for column, filled in self.later.items():
                if row[column] != "" and self.moment(row[column]) >= day:
                    row.update(dict.fromkeys((column, *filled), ""))
        for column in self.final:
            values = [row[column] for row in kept]
            for row, value in zip(kept, values[1:] + values[:1], strict=True):
                row[column] = value
        assert len(kept) < len(rows) or kept != rows, "nothing was dated later: the test would show nothing"
        return kept


def script(pack: str, name: str) -> ModuleType:
    """Import a script of a pack."""
    spec = importlib.util.spec_from_file_location(f"{pack}_{name}", EXAMPLES / pack / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _fill(dsn: str, pack: str, folder: Path) -> None:
    with connect(dsn, autocommit=True) as connection:
        load_files(
            connection, load_sources(EXAMPLES / pack), dsn=dsn, folder=folder, now=datetime.now(UTC), progress=lambda _: None
        )  # fmt: skip


def numbers_at(dsn: str, pack: str, day: date) -> dict[str, dict[str, str]]:
    """Return every number of every customer at 00:00 of a day, to the last bit."""
    judgement = load(EXAMPLES / pack).judgement
    with connect(dsn, autocommit=True) as connection:
        replayed, ids = replay_day(connection, judgement, day), customer_ids(connection)
    columns = {name: replayed.judged.columns[name] for name in (*judgement.metrics, "score")}
    return {
        ids[customer]: {name: float(values[at]).hex() for name, values in columns.items()}
        | {"level": str(replayed.level[at]), "tier": str(replayed.judged.tier[at])}
        for at, customer in enumerate(replayed.customers.tolist())
    }


def no_later_line_moves_a_number(
    new_warehouse: Callable[[], str], pack: str, whole: Path, cuts: Mapping[date, Path]
) -> list[int]:
    """Check that each day sees the same of all rows as of those dated before it; return how many customers it knows."""
    everything = new_warehouse()
    _fill(everything, pack, whole)
    known = []
    for day, cut in cuts.items():
        before = new_warehouse()
        _fill(before, pack, cut)
        numbers = numbers_at(everything, pack, day)
        assert numbers == numbers_at(before, pack, day)
        known.append(len(numbers))
    return known


@dataclass(frozen=True)
class Tried:
    """What `care try` told, and the level and risk of each customer by as-of day."""

    told: dict[str, Any]
    level: dict[tuple[str, str], int]
    risk: dict[tuple[str, str], float]

    def loaded(self, origin: str) -> dict[str, int]:
        """Return a stream's counts, which must add up to what landed."""
        counts: dict[str, int] = self.told["loaded"][origin]
        assert sum(counts[fate] for fate in FATES) == counts["landed"]
        return {fate: counts[fate] for fate in FATES if counts[fate]}


def try_pack(
    capsys: pytest.CaptureFixture[str],
    pack: str,
    folder: Path,
    file: Path,
    first: str,
    last: str,
    every: str = "month",
) -> Tried:
    """Run `care try` on a folder."""
    command = [
        "try",
        str(EXAMPLES / pack),
        "--data",
        str(folder),
        "--from",
        first,
        "--to",
        last,
        "--every",
        every,
    ]
    assert main([*command, "--json", "--predictions", str(file)]) == 0
    told = json.loads(capsys.readouterr().out)
    with file.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    where = [(row["as_of"], row["customer_id"]) for row in rows]
    levels = dict(zip(where, (int(row["level"]) for row in rows), strict=True))
    risks = {at: float(row["score"]) for at, row in zip(where, rows, strict=True) if row["score"]}
    return Tried(told, levels, risks)


def needs(folder: str) -> pytest.MarkDecorator:
    """Return the mark of a test that reads real data, which are not part of this project."""
    return pytest.mark.skipif(not (SHARED / folder).is_dir(), reason=f"{folder} is not beside this checkout")
