"""Read a sheet of an Excel workbook (.xlsx), row by row, as the text that a person sees in it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice, repeat
from typing import Any, BinaryIO, NamedTuple

from care_sources.folder import File
from care_sources.refusal import LARGEST_WORKBOOK, LONGEST_VALUE, Refused, missing_columns, swollen, too_long
from care_sources.rows import Row, as_text
from carewatch.spec.problems import nearest

_OLD = b"\xd0\xcf\x11\xe0"
_HEADER_WITHIN = 20
_CHUNK, _OVERLAP = 1 << 20, 256
_FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})\"")

Cells = tuple[Any, ...]
"""Of one row, from the left: objects with `value` and `number_format`."""


class _Block(NamedTuple):
    """A merged area, its first and last rows and columns from 1."""

    left: int
    top: int
    right: int
    bottom: int


def excel_rows(file: File, columns: tuple[str, ...], sheet: str | None) -> Iterator[Row]:
    """Yield the rows below the header: the first of the first rows that has every column.

    A merged area has its value in each of its cells; empty rows are none; a formula gives the value stored with it. Raises
    Refused when the file is no workbook, or has no such sheet or header.
    """
    with file.open() as stream:
        check_archive(stream)
        values, scan = _sheet(stream, sheet)
        stored: Iterator[Any] = repeat(None)
        second = None
        if scan.formulas:
            second = file.open()
            stored, _ = _sheet(second, sheet, formulas=True)
        try:
            yield from _rows(file.name, columns, values, stored, scan.merged)
        finally:
            if second is not None:
                second.close()


def sheet_beginnings(file: File, sheet: str | None) -> list[list[str]]:
    """Return the first rows of a sheet that hold anything, as headings."""
    with file.open() as stream:
        check_archive(stream)
        rows, _ = _sheet(stream, sheet)
        texts = ([(as_text(cell.value) or "").strip() for cell in cells] for cells in rows)
        return list(islice((row for row in texts if any(row)), _HEADER_WITHIN))


class _Scan(NamedTuple):
    formulas: bool
    merged: list[_Block]


def check_archive(stream: BinaryIO) -> None:
    """Raise Refused when a stream is no workbook that can be read without harm."""
    begin = stream.read(4)
    stream.seek(0)
    if begin == _OLD:
        raise Refused("it is an old .xls workbook, or protected by a password; save it as .xlsx without one")
    try:
        entries = zipfile.ZipFile(stream).infolist()
    except zipfile.BadZipFile:
        raise Refused("it is no .xlsx workbook, or it is cut off") from None
    unpacked = sum(entry.file_size for entry in entries)
    fault = swollen(unpacked, sum(entry.compress_size for entry in entries))
    if fault is None and unpacked > LARGEST_WORKBOOK:
        fault = f"it unpacks to more than {LARGEST_WORKBOOK >> 20:,} MB; save it as CSV or Parquet"
    if fault is not None:
        raise Refused(fault)


def _sheet(stream: BinaryIO, name: str | None, *, formulas: bool = False) -> tuple[Iterator[Cells], _Scan]:
    """Return the rows of a sheet (its formulas instead of their values, if asked), and what else stands in it."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(stream, read_only=True, data_only=not formulas, keep_links=False)
        sheets = {sheet.title: sheet for sheet in book.worksheets}
        if not sheets:
            raise Refused("it has no sheet")
        found = sheets.get(name) if name is not None else book.worksheets[0]
        if found is None:
            near = nearest(name or "", sheets)
            raise Refused(
                f"no sheet '{name}'; it has {', '.join(sheets)}" + (f"; did you mean {near}?" if near else "")
            )
        with zipfile.ZipFile(stream).open(found._worksheet_path) as part:
            scan = _scan(part)
        # What a file says of its size may be wrong, and rows beyond it would be lost.
        found.reset_dimensions()
        return found.iter_rows(), scan
    except Refused:
        raise
    except Exception as error:  # whatever a damaged workbook does to its reader
        raise Refused(f"it cannot be read as a workbook ({type(error).__name__}: {error})") from None


def _scan(part: Any) -> _Scan:
    """Return whether there are formulas, and which cells are merged: the reader of rows tells neither."""
    from openpyxl.utils import range_boundaries

    formulas, merged, before = False, dict[bytes, None](), b""
    while chunk := part.read(_CHUNK):
        text = before + chunk
        formulas = formulas or _FORMULA.search(text) is not None
        merged.update(dict.fromkeys(_MERGED.findall(text)))
        before = text[-_OVERLAP:]
    blocks = [_Block(*range_boundaries(area.decode())) for area in merged]
    return _Scan(formulas, sorted(blocks, key=lambda block: block.top))


def _rows(
    name: str, columns: tuple[str, ...], values: Iterator[Cells], stored: Iterator[Any], merged: list[_Block]
) -> Iterator[Row]:
    from openpyxl.cell.read_only import EMPTY_CELL

    number, positions, seen = 0, None, list[list[str]]()
    waiting, active = list(merged), list[tuple[_Block, Any]]()
    pairs = zip(values, stored, strict=False)
    while True:
        try:
            cells, formulas = next(pairs)
        except StopIteration:
            break
        except Exception as error:  # whatever a damaged sheet does to its reader
            reason = f"unreadable from here to the end of the sheet: {type(error).__name__}: {error}"
            yield Row(None, name, number + 1, reason, "")
            return
        number += 1
        empty = all(cell.value is None or cell.value == "" for cell in cells)
        while waiting and waiting[0].top <= number:
            block = waiting.pop(0)
            active.append((block, cells[block.left - 1] if len(cells) >= block.left else EMPTY_CELL))
        active = [one for one in active if one[0].bottom >= number]
        if positions is None:
            if empty:
                continue
            heading = [(as_text(cell.value) or "").strip() for cell in cells]
            seen.append(heading)
            if missing_columns(heading, columns) is None:
                positions = [heading.index(column) for column in columns]
            elif len(seen) == _HEADER_WITHIN:
                break
        elif not empty:
            yield _row(name, number, _filled(cells, active), formulas, positions)
    if positions is None:
        best = max(seen, key=lambda heading: sum(column in heading for column in columns), default=[])
        raise Refused(missing_columns(best, columns) or "its sheet is empty", ",".join(best))


def _filled(cells: Cells, active: list[tuple[_Block, Any]]) -> Cells:
    from openpyxl.cell.read_only import EMPTY_CELL

    if not active:
        return cells
    filled = list(cells)
    for block, value in active:
        filled += [EMPTY_CELL] * (block.right - len(filled))
        filled[block.left - 1 : block.right] = [value] * (block.right - block.left + 1)
    return tuple(filled)


def _row(name: str, number: int, cells: Cells, formulas: Any, positions: list[int]) -> Row:
    from openpyxl.cell.cell import ERROR_CODES
    from openpyxl.cell.read_only import EMPTY_CELL
    from openpyxl.utils import get_column_letter

    values: list[str | None] = []
    for position in positions:
        cell = cells[position] if position < len(cells) else EMPTY_CELL
        value, place = cell.value, f"{get_column_letter(position + 1)}{number}"
        if (
            value is None
            and formulas is not None
            and position < len(formulas)
            and formulas[position].value is not None
        ):
            fault = f"cell {place} is a formula without a stored value; open the file in Excel and save it"
            return Row(None, name, number, fault, "")
        if isinstance(value, str) and value in ERROR_CODES:
            return Row(None, name, number, f"cell {place} holds the error {value}", "")
        text = shown(cell)
        if text is not None and len(text) > LONGEST_VALUE:
            return Row(None, name, number, f"cell {place} holds {too_long(len(text))}", "")
        values.append(text)
    return Row(values, name, number)


def shown(cell: Any) -> str | None:
    """Return what a person sees in a cell; a percentage with its sign."""
    value = cell.value
    if isinstance(value, float | int) and "%" in cell.number_format and not isinstance(value, bool):
        return f"{cell_text(value * 100)}%"
    return cell_text(value)


def cell_text(value: Any) -> str | None:
    """Return a cell's value as text: fifteen digits as Excel shows them, a day without its midnight, seconds of a span."""
    if isinstance(value, float):
        return as_text(float(f"{value:.15g}"))
    if isinstance(value, datetime):
        moment = _to_milliseconds(value)
        return moment.date().isoformat() if moment.time() == datetime.min.time() else moment.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return as_text(value.total_seconds())
    return as_text(value)


def _to_milliseconds(value: datetime) -> datetime:
    """Return the moment rounded: days as floating numbers miss it by some microseconds."""
    missed = timedelta(microseconds=(value.microsecond + 500) % 1000 - 500)
    return value - missed
