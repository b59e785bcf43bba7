"""Answer the question: how do we talk to the warehouse?"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.types.json import set_json_dumps

from carewatch.spec.privacy import without_values

Connection = psycopg.Connection[tuple[Any, ...]]


class NoWarehouse(RuntimeError):
    """No warehouse is configured, or it does not answer."""


def _canonical_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


set_json_dumps(_canonical_json)


def libpq_uri(uri: str) -> str:
    """Return the URI in the form libpq reads: SQLAlchemy's and Airflow's driver prefixes are dropped."""
    scheme, rest = uri.split("://", 1)
    return uri if scheme == "postgresql" else f"postgresql://{rest}"


def configured_dsn(airflow_connection: Callable[[str], str] | None = None) -> str:
    """Return the warehouse's URI: `CARE_DB`, else `AIRFLOW_CONN_CARE_DB`, else Airflow's connection `care_db`.

    `airflow_connection` turns a connection id into a URI; it is asked only when neither variable is set.
    Raises NoWarehouse with what to do when nothing answers.
    """
    for variable in ("CARE_DB", "AIRFLOW_CONN_CARE_DB"):
        value = os.environ.get(variable)
        if value:
            return libpq_uri(value)
    if airflow_connection is not None:
        return libpq_uri(airflow_connection("care_db"))
    raise NoWarehouse(
        "no warehouse is configured; set CARE_DB=postgresql://user:password@host:5432/database, "
        "or the Airflow connection care_db, or run `care demo` for an embedded one"
    )


def connect(dsn: str, *, autocommit: bool = False) -> Connection:
    """Open a connection whose sessions run in UTC and never compile queries with JIT.

    Raises NoWarehouse naming host and database (never the password) when the server does not answer.
    """
    try:
        return psycopg.connect(
            dsn,
            autocommit=autocommit,
            options="-c timezone=UTC -c jit=off -c client_min_messages=warning",
            application_name="carewatch",
        )
    except psycopg.OperationalError as error:
        parts = urlsplit(dsn)
        first_line = str(error).strip().splitlines()[0]
        raise NoWarehouse(
            f"the warehouse {parts.hostname}:{parts.port}{parts.path} does not answer: {first_line}; "
            "start it (`care demo` starts the embedded one) or correct CARE_DB"
        ) from error


def refusal(error: psycopg.Error) -> str:
    """Return what PostgreSQL says, without the values that it quotes when it is about one."""
    said = error.diag.message_primary or str(error)
    return without_values(said) if isinstance(error, psycopg.DataError | psycopg.IntegrityError) else said


def clock(connection: Connection) -> datetime:
    """Return what the warehouse's clock says: the server's, unless a demo has pinned it."""
    row = connection.execute("select care.clock()").fetchone()
    assert row is not None
    moment: datetime = row[0]
    return moment
