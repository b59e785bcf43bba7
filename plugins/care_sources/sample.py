"""Answer the question: what do the first rows of a table, a file or an endpoint look like?"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from fnmatch import fnmatch
from itertools import islice
from typing import Any, TextIO

from care_sources.connection import Connection, SourceError
from care_sources.csv_file import csv_rows
from care_sources.encoding import inspect, open_text
from care_sources.excel_file import excel_rows, sheet_beginnings
from care_sources.files import format_of
from care_sources.folder import File, list_files
from care_sources.paging import first_page, next_page
from care_sources.parquet_file import parquet_columns, parquet_tables
from care_sources.refusal import Refused
from care_sources.rows import Row, as_text, field_of
from care_sources.service import Service
from carewatch.spec.problems import nearest
from carewatch.spec.sources import Paging, RestSource

LOOKED_AT = 500
_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Sample:
    """What was looked at: its name, headings and first rows, and how it has to be read."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[Mapping[str, str | None], ...]
    source: Mapping[str, Any] = field(default_factory=dict)
    stream: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def sample_file(where: str, file: File, sheet: str | None) -> Sample:
    """Return the beginning of a file; raise SourceError when it cannot be read."""
    try:
        kind = format_of(file.name, None)
        if kind == "parquet":
            return _parquet(file)
        return _excel(file, sheet) if kind == "excel" else _csv(file)
    except Refused as refused:
        raise SourceError([f"{where}: {file.name}: {refused}"]) from None


def choose_file(where: str, connection: Connection, pattern: str | None) -> File:
    """Return the first file of a folder that matches; raise SourceError when there is a choice to make."""
    found = list_files(where, connection)
    chosen = [file for name, file in found.items() if fnmatch(name, pattern or "*")]
    if pattern is None and len(chosen) > 1:
        names = ", ".join(list(found)[:20])
        raise SourceError([f"{where}: which file? Say --file with one of {names}"])
    if not chosen:
        near = nearest(pattern or "*", found)
        raise SourceError(
            [f"{where}: no file matches '{pattern or '*'}'" + (f"; there is {near}" if near else "")]
        )
    return chosen[-1]


def sample_table(where: str, uri: str, table: str | None, schema: str | None) -> Sample:
    """Return the beginning of a table; without a name raise SourceError with the tables there are."""
    import sqlalchemy as sa
    from adbc_driver_manager import Error as DriverError

    from care_sources.dialects import open_database

    database = open_database(where, uri)
    try:
        inspector = sa.inspect(database.engine)
        there = sorted({*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)})
        if table is None or table not in there:
            near = nearest(table or "", there)
            told = f"there is no table {table}" if table else "which table? Say --table"
            raise SourceError(
                [
                    f"{where}: {told}; it has {', '.join(there) or 'none'}"
                    + (f"; did you mean {near}?" if near else "")
                ]
            )
        found = sa.Table(table, sa.MetaData(schema=schema), autoload_with=database.engine)
        select = sa.select(*(database.text(column) for column in found.c)).limit(LOOKED_AT)
        names = tuple(column.name for column in found.c)
        rows = [
            row for batch in database.read(select, names) for row in batch.select(list(names)).to_pylist()
        ]
    except (sa.exc.SQLAlchemyError, DriverError) as error:
        told = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise SourceError([f"{where}: the database does not answer: {told}"]) from None
    finally:
        database.engine.dispose()
    return Sample(table, names, tuple(rows), {"schema": schema} if schema else {}, {"from": table})


def sample_endpoint(where: str, connection: Connection, endpoint: str) -> Sample:
    """Return the beginning of what an endpoint answers, and how it pages as far as the answer tells."""
    source = RestSource.model_construct(requests_per_second=None, attempts=2, timeout_seconds=30)
    with ExitStack() as cleanup:
        service = Service(source, connection)
        cleanup.callback(service.close)
        answer = service.get(endpoint, {}, where=f"{where}: {endpoint}")
        items_at, items = _items(answer.body)
        if items is None:
            shown = (
                ", ".join(map(str, answer.body))
                if isinstance(answer.body, Mapping)
                else type(answer.body).__name__
            )
            raise SourceError([f"{where}: {endpoint}: the answer holds no list of items; it has {shown}"])
        said, notes = _paging(answer.body, answer.link)
        paging = Paging.model_validate(said)
        asked = first_page(paging, endpoint, {})
        following = next_page(paging, asked, answer, len(items))
        if paging.by in ("link", "header") and following is not None and len(items) < LOOKED_AT:
            more = service.get(following.address, following.parameters, where=f"{where}: {endpoint}, page 2")
            items = [*items, *(_items(more.body)[1] or [])]
    objects = [item for item in items if isinstance(item, Mapping)][:LOOKED_AT]
    names = tuple(dict.fromkeys(name for item in objects for name in _fields(item)))
    rows = tuple({name: as_text(field_of(item, name)) for name in names} for item in objects)
    total = next(
        (
            name
            for name in ("total", "count", "total_count")
            if isinstance(answer.body, Mapping) and isinstance(answer.body.get(name), int)
        ),
        None,
    )
    about = {"items": items_at, **({"total": total} if total else {}), "paging": said}
    return Sample(endpoint.rstrip("/").rpartition("/")[2], names, rows, about, {"from": endpoint}, notes)


def _csv(file: File) -> Sample:
    seen = inspect(file, "auto")
    if seen.fault is not None:
        raise Refused(seen.fault)
    with open_text(file, seen) as stream:
        delimiter = _delimiter(stream)
        header = tuple(one.strip() for one in next(csv.reader(stream, delimiter=delimiter), []))
    if not any(header):
        raise Refused("it is empty, not even a header line")
    columns = tuple(dict.fromkeys(filter(None, header)))
    rows = _dicts(csv_rows(file, seen, delimiter, columns), columns)
    about = {"delimiter": delimiter} if delimiter != "," else {}
    return Sample(
        _stem(file.name), columns, rows, about, {"from": _pattern(file.name)}, (f"read as {seen.encoding}",)
    )


def _delimiter(stream: TextIO) -> str:
    begin = stream.readline(1 << 16)
    stream.seek(0)
    return max(_DELIMITERS, key=begin.count)


def _excel(file: File, sheet: str | None) -> Sample:
    beginning = sheet_beginnings(file, sheet)
    header = max(beginning, key=lambda cells: len(set(filter(None, cells))), default=[])
    columns = tuple(dict.fromkeys(filter(None, header)))
    if not columns:
        raise Refused("its sheet is empty")
    about = {"from": _pattern(file.name), **({"sheet": sheet} if sheet else {})}
    return Sample(
        sheet or _stem(file.name), columns, _dicts(excel_rows(file, columns, sheet), columns), {}, about
    )


def _parquet(file: File) -> Sample:
    columns = parquet_columns(file)
    rows: list[Mapping[str, str | None]] = []
    for table in parquet_tables(file, columns):
        if not isinstance(table, Row):
            rows += table.select(list(columns)).slice(0, LOOKED_AT).to_pylist()
        if len(rows) >= LOOKED_AT:
            break
    return Sample(_stem(file.name), columns, tuple(rows[:LOOKED_AT]), {}, {"from": _pattern(file.name)})


def _dicts(rows: Iterator[Row], columns: Sequence[str]) -> tuple[Mapping[str, str | None], ...]:
    good = (row.values for row in rows if row.values is not None)
    return tuple(dict(zip(columns, values, strict=True)) for values in islice(good, LOOKED_AT))


def _stem(name: str) -> str:
    return name.rpartition("/")[2].partition(".")[0]


def _pattern(name: str) -> str:
    """Return a pattern for this file and those that come after it: a date or number in its name may be any."""
    import re

    folder, slash, last = name.rpartition("/")
    stem, dot, suffix = last.partition(".")
    return folder + slash + re.sub(r"[\d][\d_.-]*\d|\d", "*", stem) + dot + suffix


def _items(body: Any) -> tuple[str, list[Any] | None]:
    if isinstance(body, list):
        return "$", body
    if isinstance(body, Mapping):
        lists = {str(name): value for name, value in body.items() if isinstance(value, list)}
        if lists:
            name = max(lists, key=lambda one: len(lists[one]))
            return name, lists[name]
        for name, value in body.items():
            if isinstance(value, Mapping):
                inner, found = _items(value)
                if found is not None:
                    return f"{name}.{inner}", found
    return "", None


def _paging(body: Any, link: str | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    if link is not None:
        return {"by": "header"}, ()
    names = list(body) if isinstance(body, Mapping) else []
    followed = next((name for name in ("next", "next_url", "next_page_url") if name in names), None)
    if followed is not None:
        return {"by": "link", "field": followed}, ()
    token = next((name for name in ("next_cursor", "cursor", "after") if name in names), None)
    if token is not None:
        return {"by": "cursor", "field": token, "parameter": token}, (
            "is the token sent back under this parameter?",
        )
    return {"by": "none"}, (
        "nothing in the answer tells how it pages; without paging only the first page is read",
    )


def _fields(item: Mapping[str, Any]) -> list[str]:
    """Return the fields of an item, those of an object within by `a.b`."""
    names: list[str] = []
    for name, value in item.items():
        names += [f"{name}.{inner}" for inner in value] if isinstance(value, Mapping) else [str(name)]
    return names
