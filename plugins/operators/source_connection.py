"""Answer the question: how do we reach a source? (from its Airflow connection, or its folder)"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowFailException


def sources_of(config_dir: str) -> Any:
    """Return the firm and its sources; a mistake in the configuration fails the task at once."""
    from carewatch.paths import config
    from carewatch.spec.document import SpecError
    from carewatch.spec.sources import load_sources

    try:
        return load_sources(Path(config_dir) if config_dir else config())
    except SpecError as error:
        raise AirflowFailException(f"the sources cannot be used:\n{error}") from None


def source_of(sources: Any, name: str) -> Any:
    """Return one source; a name that is not configured fails the task at once."""
    if name not in sources.sources:
        known = ", ".join(sources.sources)
        raise AirflowFailException(f"there is no source '{name}' in sources.yaml; there is {known}")
    return sources.sources[name]


def landing_folder() -> Path:
    """Return where landings keep what they are working on: `CARE_LANDING`, else .care/landing in the project."""
    from carewatch.paths import home

    configured = os.environ.get("CARE_LANDING")
    return Path(configured) if configured else home() / ".care" / "landing"


def connection_of(source: Any) -> Any:
    """Return the way to a source.

    A database: the connection's URI. A service: host (with or without http://), port and, as its password,
    the bearer token; with a login it is basic authentication; `headers` in the extra are sent along. Files:
    the source's `connection` when it has a slash or begins with a dot, else `path` in the connection's extra
    (and `options` of an object store).
    """
    from care_sources.connection import Connection
    from carewatch.paths import home

    name = source.connection
    if source.kind == "files" and ("/" in name or name.startswith(".")):
        return Connection(name if "://" in name else str(home() / name))
    stored = BaseHook.get_connection(name)
    extra = stored.extra_dejson
    if source.kind == "files":
        if not extra.get("path"):
            raise AirflowFailException(f"connection {name} has no 'path' in its extra")
        path = str(extra["path"])
        return Connection(path if "://" in path else str(home() / path), options=extra.get("options", {}))
    if source.kind == "rest":
        login = stored.login or None
        return Connection(
            _address(stored),
            login=login,
            password=stored.password if login else None,
            token=None if login else stored.password,
            headers=extra.get("headers", {}),
        )
    return Connection(_database_uri(stored, extra))


def _address(stored: Any) -> str:
    host = stored.host or ""
    address = host if "://" in host else f"{stored.schema or 'https'}://{host}"
    return f"{address}:{stored.port}" if stored.port else address


def _database_uri(stored: Any, extra: dict[str, Any]) -> str:
    """Return libpq's or SQLAlchemy's form; Airflow's own has an `__extra__` that neither of them knows."""
    if extra.get("sqlalchemy_uri"):
        return str(extra["sqlalchemy_uri"])
    login = quote(stored.login or "", safe="")
    password = f":{quote(stored.password, safe='')}" if stored.password else ""
    port = f":{stored.port}" if stored.port else ""
    options = urlencode({key: value for key, value in extra.items() if isinstance(value, str | int)})
    scheme = "postgresql" if stored.conn_type in ("postgres", "postgresql") else stored.conn_type
    host = f"{login}{password}{'@' if login else ''}{stored.host or ''}{port}"
    return f"{scheme}://{host}/{stored.schema or ''}" + (f"?{options}" if options else "")
