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


def load_folder(
    connection: Connection, sources: Sources, *, dsn: str, folder: Path, now: datetime, progress: Progress
) -> dict[str, dict[str, int]]:
    """Land and conform every source from the files of one folder; return the counts of each stream.

    Raises Mistake naming what cannot be read: no file, no row, a missing column.
    """
    from care_sources.connection import Connection as Way
    from care_sources.connection import SourceError
    from care_sources.landing import land

    counts = {}
    sync_priority(connection, sources)
    with tempfile.TemporaryDirectory(prefix="carewatch-landing-") as pipelines:
        for name, source in sources.sources.items():
            progress(f"read {name} from {folder.name}")
            try:
                landed = land(
                    name, source, firm=sources.firm, warehouse_dsn=dsn, secrets=Way(uri=str(folder)),
                    pipelines_dir=Path(pipelines), now=now,
                )  # fmt: skip
            except SourceError as error:
                raise Mistake(str(error)) from None
            if not sum(landed.rows.values()):
                raise Mistake("\n".join(landed.warnings) or f"{name}: the files in {folder} hold no row")
            progress(f"{sum(landed.rows.values()):,} rows landed; conform them")
            for result in conform(connection, name, source, sources.firm):
                counts[result.origin] = {
                    key: value for key, value in asdict(result).items() if isinstance(value, int)
                }
            for warning in landed.warnings:
                progress(warning)
    return counts
