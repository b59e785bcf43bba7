"""Read CSV files of a folder: those that are new or changed, each whole, no row silently dropped."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from care_sources.connection import Connection, SourceError
from care_sources.encoding import Inspected, inspect, open_text
from care_sources.rows import Row, tables
from carewatch.paths import home
from carewatch.spec.problems import nearest
from carewatch.spec.sources import FilesSource
from carewatch.spec.stream_plan import Feed

if TYPE_CHECKING:
    import pyarrow

State = dict[str, Any]

_REFUSED = "file refused: "


def read_files(
    source_name: str, source: FilesSource, feeds: list[Feed], connection: Connection, *, warnings: list[str]
) -> Mapping[str, Any]:
    """Return for each feed a function of its state that yields its tables of text.

    Raises SourceError when the folder cannot be listed. A file that cannot be read at all becomes one row
    with a fault; so does a line with too many or too few fields or with bytes of another encoding.
    """
    found = _listed(source_name, connection)
    for feed in feeds:
        if not any(fnmatch(name, feed.stream.from_) for name in found):
            near = nearest(feed.stream.from_, found)
            warnings.append(
                f"{source_name}.{feed.name}: no file matches '{feed.stream.from_}'"
                + (f"; there is {near}" if near else "")
            )

    def reader(feed: Feed) -> Any:
        files = {name: item for name, item in found.items() if fnmatch(name, feed.stream.from_)}
        return lambda state: _read(source, feed, files, state, f"{source_name}.{feed.name}", warnings)

    return {feed.name: reader(feed) for feed in feeds}


def _listed(source_name: str, connection: Connection) -> dict[str, Any]:
    """Return the files of the folder and below by relative path, in order."""
    from dlt.sources.filesystem import filesystem

    folder = None if "://" in connection.uri else _folder(connection.uri)
    if folder is not None and not folder.is_dir():
        raise SourceError([f"{source_name}: there is no folder {connection.uri}"])
    address = folder.resolve().as_uri() if folder is not None else connection.uri
    try:
        items = list(
            filesystem(bucket_url=address, file_glob="**/*", kwargs=dict(connection.options) or None)
        )
    except (OSError, ImportError) as error:
        raise SourceError([f"{source_name}: {connection.uri} cannot be listed: {error}"]) from None
    names = {str(item["relative_path"]): item for item in items}
    return {name: names[name] for name in sorted(names) if not name.rpartition("/")[2].startswith(".")}


def _folder(path: str) -> Path:
    """Return a folder as it was named; one that is not there may be meant relative to the project."""
    named = Path(path)
    return named if named.is_absolute() or named.is_dir() else home() / named


def _read(
    source: FilesSource, feed: Feed, files: Mapping[str, Any], state: State, where: str, warnings: list[str]
) -> Iterator[pyarrow.Table]:
    known: dict[str, list[Any]] = state.get("files", {})
    stamps = {name: [item["size_in_bytes"], str(item["modification_date"])] for name, item in files.items()}
    touched = [name for name in files if known.get(name, [])[:2] != stamps[name]]
    inspected = {name: inspect(files[name], source.encoding) for name in touched}
    changed = [name for name in touched if known.get(name, [None] * 3)[2] != inspected[name].digest]

    gone = [name for name in known if name not in files]

    def rows() -> Iterator[Row]:
        whole, empty = feed.whole and bool(changed or gone), True
        for name in list(files) if whole else changed:
            seen = inspected.get(name) or inspect(files[name], source.encoding)
            told = False
            for row in _file_rows(source, feed, name, files[name], seen):
                if row.fault is not None and not told:
                    warnings.append(f"{where}: {name}:{row.line}: {row.fault}")
                    told = True
                yield row
                empty = False
        if whole and empty and feed.snapshot:
            fault = "the snapshot is empty: no file holds a row"
            warnings.append(f"{where}: {feed.stream.from_}:0: {fault}")
            yield Row(None, feed.stream.from_, 0, fault, "")

    yield from tables(rows(), feed.columns)
    for name in touched:
        known[name] = [*stamps[name], inspected[name].digest]
    state["files"] = {name: known[name] for name in files}


def _file_rows(source: FilesSource, feed: Feed, name: str, item: Any, seen: Inspected) -> Iterator[Row]:
    """Yield a file's rows; a file that cannot be read at all is one row with a fault at line 0."""
    if seen.fault is not None:
        yield Row(None, name, 0, _REFUSED + seen.fault, "")
        return
    with open_text(item, seen) as stream:
        reader = csv.reader(stream, delimiter=source.delimiter)
        header = [column.strip() for column in next(reader, [])]
        fault = _header_fault(header, feed.columns)
        if fault is not None:
            yield Row(None, name, 0, _REFUSED + fault, seen.shown(source.delimiter.join(header)))
            return
        positions = [header.index(column) for column in feed.columns]
        end = reader.line_num
        try:
            for fields in reader:
                begin, end = end + 1, reader.line_num
                fault = _row_fault(fields, len(header), seen)
                if fault is not None:
                    yield Row(None, name, begin, fault, seen.shown(source.delimiter.join(fields)))
                elif any(fields):
                    yield Row([fields[position] for position in positions], name, begin)
        except csv.Error as error:
            yield Row(None, name, end + 1, f"unreadable from here to the end of the file: {error}", "")


def _row_fault(fields: list[str], width: int, seen: Inspected) -> str | None:
    """Return why a line cannot be a row; an empty line is no row and no fault."""
    if len(fields) != width:
        return f"{len(fields)} fields where the header has {width}" if fields else None
    return seen.spoiled(fields) if seen.suspect else None


def _header_fault(header: list[str], wanted: tuple[str, ...]) -> str | None:
    missing = [name for name in wanted if name not in header]
    if not header:
        return "it is empty, not even a header line"
    if missing:
        told = []
        for name in missing:
            near = nearest(name, header)
            told.append(f"no column '{name}'" + (f" (did the header mean '{near}'?)" if near else ""))
        alone = (
            f"; the header is one column '{header[0][:80]}': is the delimiter right?"
            if len(header) == 1
            else ""
        )
        return ", ".join(told) + alone
    doubled = [name for name in wanted if header.count(name) > 1]
    return f"column '{doubled[0]}' stands twice in the header" if doubled else None
