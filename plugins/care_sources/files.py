"""Read files of a folder: those that are new or changed, each whole, no row silently dropped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, cast

from care_sources.connection import Connection
from care_sources.csv_file import csv_rows
from care_sources.encoding import Inspected, digest_of, inspect
from care_sources.excel_file import excel_rows
from care_sources.folder import File, list_files
from care_sources.parquet_file import parquet_tables
from care_sources.refusal import Refused
from care_sources.rows import Row, tables
from carewatch.spec.problems import nearest
from carewatch.spec.sources import FilesSource
from carewatch.spec.stream_plan import Feed
from carewatch.spec.streams import FilesStream

if TYPE_CHECKING:
    import pyarrow

State = dict[str, Any]

_REFUSED = "file refused: "
_SUFFIXES = {".xlsx": "excel", ".xlsm": "excel", ".parquet": "parquet", ".pq": "parquet"}
_OTHERS = {
    ".xls": "save it as .xlsx", ".xlsb": "save it as .xlsx", ".ods": "save it as .xlsx", ".numbers": "save it as .xlsx",
    ".zip": "unpack it", ".7z": "unpack it", ".rar": "unpack it", ".json": "a service's answers are read by 'kind: rest'",
    ".pdf": "export the table itself", ".doc": "export the table itself", ".docx": "export the table itself",
}  # fmt: skip


def read_files(
    source_name: str, source: FilesSource, feeds: list[Feed], connection: Connection, *, warnings: list[str]
) -> Mapping[str, Any]:
    """Return for each feed a function of its state that yields its tables of text.

    Raises SourceError when the folder cannot be listed. A file that cannot be read at all becomes one row
    with a fault; so does a line with too many or too few fields or with bytes of another encoding.
    """
    found = list_files(source_name, connection)
    for feed in feeds:
        if not any(fnmatch(name, feed.stream.from_) for name in found):
            near = nearest(feed.stream.from_, found)
            warnings.append(
                f"{source_name}.{feed.name}: no file matches '{feed.stream.from_}'"
                + (f"; there is {near}" if near else "")
            )

    def reader(feed: Feed) -> Any:
        files = {name: file for name, file in found.items() if fnmatch(name, feed.stream.from_)}
        return lambda state: _read(source, feed, files, state, f"{source_name}.{feed.name}", warnings)

    return {feed.name: reader(feed) for feed in feeds}


def format_of(name: str, declared: str | None) -> str:
    """Return how a file is written: as declared, else as its suffix tells, else CSV. Raise Refused for other kinds."""
    if declared is not None:
        return declared
    suffix = "." + name.lower().rpartition(".")[2]
    if suffix in _OTHERS:
        raise Refused(
            f"a {suffix} file is not read: {_OTHERS[suffix]} (CSV, gzip, .xlsx and Parquet are), or say 'format:' if its "
            "name is wrong"
        )
    return _SUFFIXES.get(suffix, "csv")


def _read(
    source: FilesSource, feed: Feed, files: Mapping[str, File], state: State, where: str, warnings: list[str]
) -> Iterator[pyarrow.Table]:
    known: dict[str, list[Any]] = state.get("files", {})
    stamps = {name: [file.size, file.stamp] for name, file in files.items()}
    touched = [name for name in files if known.get(name, [])[:2] != stamps[name]]
    inspected = {name: _inspected(source, feed, files[name]) for name in touched}
    changed = [name for name in touched if known.get(name, [None] * 3)[2] != inspected[name].digest]

    gone = [name for name in known if name not in files]

    def rows() -> Iterator[Row | pyarrow.Table]:
        whole, empty = feed.whole and bool(changed or gone), True
        for name in list(files) if whole else changed:
            seen = inspected.get(name) or _inspected(source, feed, files[name])
            told = False
            for row in _file_rows(source, feed, files[name], seen):
                fault = None if told else _first_fault(row)
                if fault is not None:
                    warnings.append(f"{where}: {name}:{fault}")
                    told = True
                yield row
                empty = empty and not (isinstance(row, Row) or row.num_rows)
        if whole and empty and feed.snapshot:
            fault = "the snapshot is empty: no file holds a row"
            warnings.append(f"{where}: {feed.stream.from_}:0: {fault}")
            yield Row(None, feed.stream.from_, 0, fault, "")

    yield from tables(rows(), feed.columns)
    for name in touched:
        known[name] = [*stamps[name], inspected[name].digest]
    state["files"] = {name: known[name] for name in files}


def _inspected(source: FilesSource, feed: Feed, file: File) -> Inspected:
    try:
        if format_of(file.name, cast(FilesStream, feed.stream).format) == "csv":
            return inspect(file, source.encoding)
    except Refused:
        pass
    return digest_of(file)


def _file_rows(source: FilesSource, feed: Feed, file: File, seen: Inspected) -> Iterator[Row | pyarrow.Table]:
    """Yield a file's rows; a file that cannot be read at all is one row with a fault at line 0."""
    stream = cast(FilesStream, feed.stream)
    try:
        match format_of(file.name, stream.format):
            case "excel":
                yield from excel_rows(file, feed.columns, stream.sheet)
            case "parquet":
                yield from parquet_tables(file, feed.columns)
            case _:
                if seen.fault is not None:
                    raise Refused(seen.fault)
                yield from csv_rows(file, seen, source.delimiter, feed.columns)
    except Refused as refused:
        yield Row(None, file.name, 0, f"{_REFUSED}{refused}", refused.beginning)


def _first_fault(row: Row | pyarrow.Table) -> str | None:
    """Return line and fault of a row, or of the first row of a table that has one."""
    if isinstance(row, Row):
        return None if row.fault is None else f"{row.line}: {row.fault}"
    faults = row.column("_fault")
    if faults.null_count == len(faults):
        return None
    line, fault = next(
        (line, fault) for line, fault in zip(row.column("_line"), faults, strict=True) if fault.is_valid
    )
    return f"{line}: {fault}"
