"""How an Airflow connection becomes the way to a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

_PLAIN = ("", "fs", "file", "generic")
"""Types of connection that hold a folder and nothing to sign in with; their extra goes to the file system as it is."""

if TYPE_CHECKING:
    from care_sources.connection import Connection


def way_to(source: Any) -> Connection:
    """Return the way to a source: its Airflow connection, or for files also a plain folder or address.

    A file source's connection holds its folder as `path` in the extra; a folder that is not absolute lies in this
    installation, wherever the worker runs, and one such as s3://bucket/folder is signed in to by the connection itself
    (in sources.yaml: s3://connection@bucket/folder). A service's connection holds the address, and a bearer token as its password;
    with a login it is basic authentication; `headers` and `query` in the extra go along with every request.
    """
    from care_sources.connection import Connection

    name = source.connection
    if source.kind == "files" and ("/" in name or name.startswith(".")):
        return _to_folder(name)
    try:
        found = BaseHook.get_connection(name)
    except AirflowNotFoundException:
        raise AirflowFailException(
            f"Airflow has no connection '{name}': make it, or correct sources.yaml"
        ) from None
    extra = dict(found.extra_dejson)
    if source.kind == "files":
        path = extra.pop("path", None)
        if not path:
            raise AirflowFailException(
                f"the connection '{name}' has no 'path' in its extra: the folder of the files"
            )
        if found.conn_type in _PLAIN:
            return Connection(uri=_folder(str(path)), options=extra)
        return _to_folder(str(path), name)
    if source.kind == "database":
        if found.conn_type == "sqlite":
            return Connection(uri=f"sqlite:///{quote(_folder(found.host or ''))}")
        return Connection(uri=found.get_uri())
    host = found.host or ""
    address = host if "://" in host else f"{found.schema or 'https'}://{host}"
    if found.port and "://" not in host:
        address = f"{address}:{found.port}"
    beside = {"headers": extra.get("headers", {}), "query": extra.get("query", {})}
    if found.login:
        return Connection(uri=address, login=found.login, password=found.password, **beside)
    return Connection(uri=address, token=found.password, **beside)


def _to_folder(path: str, conn_id: str | None = None) -> Connection:
    """Return the way to a folder here, or in an object store through Airflow's own connection to it."""
    from care_sources.connection import Connection

    if "://" not in path or path.startswith("file://"):
        return Connection(uri=_folder(path))
    from airflow.sdk import ObjectStoragePath

    found = ObjectStoragePath(path, conn_id=conn_id) if conn_id else ObjectStoragePath(path)
    try:
        return Connection(uri=f"{found.protocol}://{found.path.lstrip('/')}", filesystem=found.fs)
    except (ImportError, ValueError) as error:
        raise AirflowFailException(
            f"'{found.protocol}' cannot be read: {error}; install the provider of that store (for s3: "
            "apache-airflow-providers-amazon[s3fs])"
        ) from None


def _folder(name: str) -> str:
    from carewatch.paths import home

    return name if "://" in name else str(home() / name)
