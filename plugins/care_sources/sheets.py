"""Read a workbook or CSV file that somebody typed: its sheets, row by row, every cell as text."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any

from care_sources.encoding import inspect, open_text
from care_sources.excel_file import check_archive, shown
from care_sources.folder import local_file
from care_sources.refusal import Refused

Cells = list[str | None]


class Unreadable(Exception):
    """The file cannot be read; the text says why."""


@dataclass(frozen=True)
class ReadSheet:
    """One sheet: its title, its headings, and its rows that are not empty with their lines from 1."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[int, Cells], ...]
    head_line: int = 1


def digest(path: Path) -> str:
    """Return the digest of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_sheets(path: Path) -> list[ReadSheet]:
    """Return the visible sheets of a workbook that hold anything, or the one of a CSV file; raise Unreadable."""
    kind = path.suffix.lower()
    if kind in (".xlsx", ".xlsm"):
        return [found for title, lines in _workbook(path) if (found := _sheet(title, lines)) is not None]
    if kind in (".csv", ".txt"):
        found = _sheet(path.stem, _csv(path))
        return [found] if found is not None else []
    raise Unreadable(f"'{path.suffix}' files are not read; save it as .xlsx or .csv")


def _sheet(title: str, lines: Iterator[tuple[int, Cells]]) -> ReadSheet | None:
    rows = [(line, cells) for line, cells in lines if any(cell and cell.strip() for cell in cells)]
    if not rows:
        return None
    head = tuple((cell or "").strip() for cell in rows[0][1])
    return ReadSheet(title, head, tuple(rows[1:]), rows[0][0])


def _workbook(path: Path) -> Iterator[tuple[str, Iterator[tuple[int, Cells]]]]:
    from openpyxl import load_workbook

    try:
        with path.open("rb") as stream:
            check_archive(stream)
        values, formulas = (load_workbook(path, data_only=data_only) for data_only in (True, False))
    except Refused as refused:
        raise Unreadable(str(refused)) from None
    except Exception as error:  # whatever a damaged workbook does to its reader
        raise Unreadable(f"it cannot be read as a workbook ({type(error).__name__})") from None
    for sheet in values.worksheets:
        if sheet.sheet_state == "visible":
            yield sheet.title, _lines(sheet, formulas[sheet.title])


def _lines(values: Any, formulas: Any) -> Iterator[tuple[int, Cells]]:
    for line, (cells, behind) in enumerate(
        zip(values.iter_rows(), formulas.iter_rows(), strict=True), start=1
    ):
        yield line, [_text(cell, formula) for cell, formula in zip(cells, behind, strict=True)]


def _text(cell: Any, formula: Any) -> str | None:
    """Return what a person sees; of a formula that was never computed the formula, of a duration its seconds."""
    if cell.value is None and formula.value is not None:
        return str(formula.value)
    if isinstance(cell.value, time):
        return str(cell.value.hour * 3600 + cell.value.minute * 60 + cell.value.second)
    return shown(cell)


def _csv(path: Path) -> Iterator[tuple[int, Cells]]:
    try:
        file = local_file(path)
        seen = inspect(file, "auto")
        if seen.fault is not None:
            raise Unreadable(seen.fault)
        with open_text(file, seen) as stream:
            begin = stream.readline()
            mark = max(",;\t", key=begin.count)
            stream.seek(0)
            reader = csv.reader(stream, delimiter=mark)
            end = 0
            for fields in reader:
                line, end = end + 1, reader.line_num
                if seen.suspect and (spoiled := seen.spoiled(fields)):
                    raise Unreadable(f"line {line} holds {spoiled}")
                yield line, [_without_guard(field) for field in fields]
    except (OSError, csv.Error) as error:
        raise Unreadable(str(error)) from None


def _without_guard(field: str) -> str:
    """Return a field without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return field[1:] if field[:1] == "'" and field[1:2] in "=+-@" and len(field) > 1 else field
