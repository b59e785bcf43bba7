"""What every worker needs, imported once before they are made."""

import adbc_driver_postgresql.dbapi  # noqa: F401
import dlt  # noqa: F401
import dlt.destinations.impl.postgres.postgres  # noqa: F401
import dlt.sources.filesystem  # noqa: F401
import dlt.sources.sql_database  # noqa: F401
import pyarrow.parquet  # noqa: F401
import tests.store.landed  # noqa: F401

import care_sources.landing  # noqa: F401
import carewatch.store.conform  # noqa: F401
