"""Write the firm's finance exports: monthly CSV files of invoices and payments.

A file holds what the export of that month showed, so late rows and corrections stand in the file of the
month they appeared in; within one month the newest version of a record stands alone.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from .model import FINANCE_TABLES, Firm, Table, Version
from .span import FIRM_ZONE


def publish_finance(firm: Firm, folder: Path, upto: datetime) -> dict[str, int]:
    """Write every monthly file as the finance system shows it at `upto`; return the data lines per table.

    `invoices_2026-06.csv` is the month of `upto`, plain; finished months are `.csv.gz`. Dates and times are
    firm-local without an offset. Equal arguments write equal bytes; files that no longer belong are removed.
    A month without rows has no file, except the current one, which then has only its header. Raises
    ValueError for a naive moment.
    """
    if upto.tzinfo is None:
        raise ValueError(f"publish needs an aware moment, got {upto.isoformat()} without an offset")
    folder.mkdir(parents=True, exist_ok=True)
    current = _month(upto)
    files: dict[str, bytes] = {}
    lines: dict[str, int] = {}
    for name in FINANCE_TABLES:
        table = firm.tables[name]
        months: dict[str, list[Version]] = defaultdict(list)
        for version in table.shown(upto):
            months[_month(version.visible_at)].append(version)
        lines[name] = 0
        for month in sorted({*months, current}):
            rows = _rows_of_month(table, months[month])
            lines[name] += len(rows)
            text = _csv(table.columns, rows)
            if month == current:
                files[f"{name}_{month}.csv"] = text
            else:
                files[f"{name}_{month}.csv.gz"] = gzip.compress(text, mtime=0)
    _replace_files(folder, files)
    return lines


def _month(moment: datetime) -> str:
    return f"{moment.astimezone(FIRM_ZONE):%Y-%m}"


def _rows_of_month(table: Table, versions: list[Version]) -> list[tuple[Any, ...]]:
    rows = table.latest(versions)
    return rows + [row for row in rows if table.key_of(row) in table.doubled]


def _csv(columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_text(value) for value in row] for row in rows)
    return buffer.getvalue().encode("utf-8")


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(FIRM_ZONE):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return "" if value is None else str(value)


def _replace_files(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        if path.exists() and path.read_bytes() == content:
            continue
        fresh = folder / f".{name}.new"
        fresh.write_bytes(content)
        fresh.replace(path)
    for path in folder.iterdir():
        if path.name.startswith(tuple(f"{name}_" for name in FINANCE_TABLES)) and path.name not in files:
            path.unlink()
