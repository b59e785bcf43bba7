"""Read a CSV file, plain or gzip, row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Final, TextIO

from care_sources.encoding import Inspected, open_text
from care_sources.folder import File
from care_sources.refusal import LONGEST_VALUE, Refused, missing_columns
from care_sources.rows import Row

_OPEN: Final = "a quotation mark is left open: from here to the end of the file it is all one value"


def csv_rows(file: File, seen: Inspected, delimiter: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """Yield the rows; a line with too many or too few fields, or with bytes of another encoding, has a fault."""
    with open_text(file, seen) as stream:
        lines = _Lines(stream)
        reader = csv.reader(lines, delimiter=delimiter)
        try:
            header = [column.strip() for column in next(reader, [])]
        except csv.Error as error:
            raise Refused(f"its header cannot be read: {error}") from None
        _check_header(header, columns, delimiter, seen)
        positions = [header.index(column) for column in columns]
        end = reader.line_num
        while True:
            begin = end + 1
            try:
                fields = next(reader, None)
            except csv.Error:
                # The reader goes on with the next line.
                end = reader.line_num
                yield Row(None, file.name, begin, _endless(begin, end), "")
                continue
            end = reader.line_num
            if fields is None:
                return
            fault = _OPEN if lines.ended else _row_fault(fields, len(header), seen)
            if fault is not None:
                yield Row(None, file.name, begin, fault, seen.shown(delimiter.join(fields)))
            elif any(fields):
                yield Row([fields[position] for position in positions], file.name, begin)


class _Lines:
    """A file's lines; `ended` says that one more was asked for after the last: inside a row only an open quote asks."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.ended = stream, False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        try:
            return next(self.stream)
        except StopIteration:
            self.ended = True
            raise


def _endless(begin: int, end: int) -> str:
    lines = f"lines {begin} to {end} hold" if end > begin else "it holds"
    return f"{lines} a value longer than {LONGEST_VALUE:,} characters (is a quotation mark left open?)"


def _row_fault(fields: list[str], width: int, seen: Inspected) -> str | None:
    """Return why a line cannot be a row; an empty line is no row and no fault."""
    if len(fields) != width:
        return f"{len(fields)} fields where the header has {width}" if fields else None
    return seen.spoiled(fields) if seen.suspect else None


def _check_header(header: list[str], columns: tuple[str, ...], delimiter: str, seen: Inspected) -> None:
    if not header:
        raise Refused("it is empty, not even a header line")
    fault = missing_columns(header, columns)
    if fault is not None:
        if len(header) == 1 and fault.startswith("no column"):
            fault += f"; the header is one column '{header[0][:80]}': is the delimiter right?"
        raise Refused(seen.shown(fault), seen.shown(delimiter.join(header)))
