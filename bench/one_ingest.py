"""Do one thing with the orders in this process and print its seconds, processor time and peak memory as a line of JSON.

    python bench/one_ingest.py load DSN KIND WAY      land and conform what the source at WAY shows now
    python bench/one_ingest.py copy DSN FILE.csv      raw COPY into a table without an index
    python bench/one_ingest.py to_sql DSN FILE.parquet

Importing packages and reading the data frame of `to_sql` are not in the seconds.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest_orders import COLUMNS, NAMES, source

from carewatch.spec.firm import Firm
from carewatch.store.database import connect

_BLOCK = 1 << 20


def load(dsn: str, kind: str, way: str) -> dict[str, Any]:
    """Land and conform; return how many rows landed and what they came to."""
    import adbc_driver_postgresql.dbapi  # noqa: F401
    import dlt  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    from care_sources.connection import Connection
    from care_sources.landing import land
    from carewatch.store.conform import conform

    shop, firm = source(kind), Firm(version=1, name="Bench", time_zone="Asia/Shanghai", currency="CNY")
    began = _marks()
    with tempfile.TemporaryDirectory() as pipelines:
        landed = land(
            "shop", shop, firm=firm, warehouse_dsn=dsn, secrets=Connection(way), pipelines_dir=Path(pipelines),
            now=datetime.now(UTC),
        )  # fmt: skip
    between = time.perf_counter()
    with connect(dsn, autocommit=True) as connection:
        results = conform(connection, "shop", shop, firm)
    counts = {"landed": sum(landed.rows.values())}
    for name in ("new", "changed", "unchanged", "quarantined"):
        counts[name] = sum(getattr(result, name) for result in results)
    return {**_since(began), "land": between - began[0], "conform": time.perf_counter() - between, **counts}


def copy(dsn: str, path: str) -> dict[str, Any]:
    with connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"drop table if exists public.copied; create table public.copied ({COLUMNS})".encode())
        began = _marks()
        with (
            Path(path).open("rb") as stream,
            cursor.copy(b"copy public.copied from stdin (format csv, header)") as into,
        ):
            while block := stream.read(_BLOCK):
                into.write(block)
        return _since(began)


def to_sql(dsn: str, path: str) -> dict[str, Any]:
    import pandas as pd
    import sqlalchemy as sa

    frame = pd.read_parquet(path)[list(NAMES)]
    engine = sa.create_engine(dsn.replace("postgresql:", "postgresql+psycopg2:"))
    began = _marks()
    frame.to_sql("to_sql", engine, schema="public", if_exists="replace", index=False, chunksize=10_000)
    done = _since(began)
    engine.dispose()
    return done


def _marks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> dict[str, Any]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "seconds": time.perf_counter() - began[0],
        "own": time.process_time() - began[1],
        "memory_mb": round(peak, 1),
    }


if __name__ == "__main__":
    print(json.dumps({"load": load, "copy": copy, "to_sql": to_sql}[sys.argv[1]](*sys.argv[2:])))
