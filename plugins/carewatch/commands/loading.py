"""Load a configuration's sources from a shell, without Airflow."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from carewatch.commands.console import Mistake, Progress
from carewatch.spec.sources import Sources
from carewatch.store.conform import conform
from carewatch.store.database import Connection
from carewatch.store.identity import sync_priority


def load_files(
    connection: Connection, sources: Sources, *, dsn: str, folder: Path | None, now: datetime, progress: Progress,
    must_bring: bool = True,
) -> dict[str, dict[str, int]]:  # fmt: skip
    """Land and conform every source of files from one folder, or each from its own; return the counts of each stream.

    Raises Mistake naming what cannot be read: no file, a missing column, and (`must_bring`) no row at all.
    """
    from care_sources.connection import Connection as Way
    from care_sources.connection import SourceError
    from care_sources.landing import land

    counts = {}
    sync_priority(connection, sources)
    with tempfile.TemporaryDirectory(prefix="carewatch-landing-") as pipelines:
        for name, source in sources.sources.items():
            place = folder or Path(source.connection)
            progress(f"read {name} from {place.name}")
            try:
                landed = land(
                    name, source, firm=sources.firm, warehouse_dsn=dsn, secrets=Way(uri=str(place)),
                    pipelines_dir=Path(pipelines), now=now,
                )  # fmt: skip
            except SourceError as error:
                raise Mistake(str(error)) from None
            if must_bring and not sum(landed.rows.values()):
                raise Mistake("\n".join(landed.warnings) or f"{name}: the files in {place} hold no row")
            progress(f"{sum(landed.rows.values()):,} rows landed; conform them")
            for result in conform(connection, name, source, sources.firm):
                counts[result.origin] = {
                    key: value for key, value in asdict(result).items() if isinstance(value, int)
                }
            for warning in landed.warnings:
                progress(warning)
    return counts
