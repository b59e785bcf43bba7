"""Land a source: what its system shows now becomes rows of text in the schema `raw_<source>`, appended.

Each run works in a fresh folder and takes its memory (cursors, files already read) from the warehouse, where
it stands in the same package as the rows: a run that was killed leaves nothing to finish, and the next one
reads again what was not taken. Rows of a killed run may lie in the landing; their load is not in
`_dlt_loads`, so nothing reads them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from care_sources.connection import Connection, SourceError
from care_sources.database import read_tables
from care_sources.files import read_files
from care_sources.rest import read_endpoints
from carewatch.spec.firm import Firm
from carewatch.spec.privacy import without_values
from carewatch.spec.sources import DatabaseSource, FilesSource, RestSource, feeds
from carewatch.spec.stream_plan import Feed

READS = "_reads"
"""The table in the landing that says which feeds a load read, when, and under which mapping."""

_SETTINGS = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "RUNTIME__LOG_LEVEL": "ERROR",
    "PROVIDERS__ENABLE_AIRFLOW_SECRETS": "false",
    "SCHEMA__NAMING": "direct",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "true",
    "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_ID": "false",
    # Several files, loaded one after another: memory does not grow with the rows of a load.
    "DATA_WRITER__FILE_MAX_ITEMS": "500000",
    "LOAD__WORKERS": "1",
}
_ABANDONED_AFTER_SECONDS = 86_400


@dataclass(frozen=True)
class Landed:
    """What one landing brought: its load id, the rows of each feed, and what somebody should look at."""

    load_id: str
    rows: Mapping[str, int]
    warnings: tuple[str, ...]


def land(
    source_name: str,
    source: DatabaseSource | RestSource | FilesSource,
    *,
    firm: Firm,
    warehouse_dsn: str,
    secrets: Connection,
    pipelines_dir: Path,
    now: datetime,
) -> Landed:
    """Read a source and append what is new to `raw_<source>`; everything again when its mapping has changed.

    `now` (with offset) is kept as the moment up to which the source was read. Raises SourceError, one line
    per problem, when the source cannot be reached or lacks a table or column; then nothing is landed.
    """
    warnings: list[str] = []
    wanted = feeds(source_name, source, firm)
    with _settings(), _workspace(pipelines_dir / source_name) as folder, ExitStack() as cleanup:
        readers = _readers(
            source_name, source, wanted, secrets, firm=firm, now=now, warnings=warnings, cleanup=cleanup
        )
        load_id, rows = _run(source_name, wanted, readers, warehouse_dsn, folder, now)
    return Landed(load_id, rows, tuple(warnings))


def _readers(
    source_name: str,
    source: DatabaseSource | RestSource | FilesSource,
    wanted: list[Feed],
    secrets: Connection,
    *,
    firm: Firm,
    now: datetime,
    warnings: list[str],
    cleanup: ExitStack,
) -> Mapping[str, Callable[[dict[str, Any]], Iterator[Any]]]:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(source.reading(firm).zone)
    match source:
        case DatabaseSource():
            return read_tables(source_name, source, wanted, secrets, zone=zone, now=now, cleanup=cleanup)
        case RestSource():
            return read_endpoints(
                source_name, source, wanted, secrets, zone=zone, now=now, warnings=warnings, cleanup=cleanup
            )
        case FilesSource():
            return read_files(source_name, source, wanted, secrets, warnings=warnings)


def _run(
    source_name: str,
    wanted: list[Feed],
    readers: Mapping[str, Callable[[dict[str, Any]], Iterator[Any]]],
    warehouse_dsn: str,
    folder: str,
    now: datetime,
) -> tuple[str, dict[str, int]]:
    import dlt

    pipeline = dlt.pipeline(
        f"care_{source_name}",
        pipelines_dir=folder,
        destination=dlt.destinations.postgres(_with_password(warehouse_dsn)),
        dataset_name=f"raw_{source_name}",
    )
    resources = [
        *(dlt.resource(_remembering(feed, readers[feed.name]), name=feed.name) for feed in wanted),
        dlt.resource(_reads(wanted, now), name=READS),
    ]
    for resource in resources:
        resource.apply_hints(write_disposition="append")
        resource.max_table_nesting = 0
    try:
        info = pipeline.run(resources, loader_file_format="parquet")
    except Exception as error:
        raise _cause(error) from None
    counts = cast(Any, pipeline.last_trace).last_normalize_info.row_counts
    return info.loads_ids[0], {feed.name: counts.get(feed.name, 0) for feed in wanted}


def _with_password(dsn: str) -> str:
    """Return the URI with an empty password when it has none: libpq then looks where it always does."""
    parts = urlsplit(dsn)
    if parts.password is not None:
        return dsn
    user, host = quote(unquote(parts.username or ""), safe=""), parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:@{host}"))


def _remembering(
    feed: Feed, reader: Callable[[dict[str, Any]], Iterator[Any]]
) -> Callable[[], Iterator[Any]]:
    """Return a resource whose memory is stored with its rows, and forgotten when its mapping changes."""

    def rows() -> Iterator[Any]:
        import dlt

        state = dlt.current.resource_state()
        if state.get("digest") != feed.digest:
            state.clear()
            state["digest"] = feed.digest
        yield from reader(state)

    return rows


def _reads(wanted: list[Feed], now: datetime) -> Any:
    import pyarrow as pa

    moment = now.astimezone(UTC).isoformat()
    return [
        pa.table(
            {
                "feed": [feed.name for feed in wanted],
                "read_at": [moment] * len(wanted),
                "digest": [feed.digest for feed in wanted],
            }
        )
    ]


def _cause(error: BaseException) -> BaseException:
    """Return the SourceError that a pipeline step wrapped, or the error itself; one about a value without the value."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, SourceError):
        code = getattr(found, "sqlstate", None) or getattr(found, "pgcode", None) or ""
        if code[:2] in ("22", "23"):
            return SourceError([f"the warehouse refused a landed value: {without_values(str(found))}"])
        found = found.__cause__ or found.__context__
    return found or error


@contextmanager
def _settings() -> Iterator[None]:
    """Set what the loader reads from the environment, whatever the user's own settings say."""
    before = {name: os.environ.get(name) for name in _SETTINGS}
    os.environ.update(_SETTINGS)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _workspace(folder: Path) -> Iterator[str]:
    """Give a run a folder of its own, and clear up after runs that were killed long ago."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        if left.stat().st_mtime < time.time() - _ABANDONED_AFTER_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as own:
        yield own
