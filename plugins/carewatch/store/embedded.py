"""Start, share, stop and remove an embedded PostgreSQL server that belongs to a folder.

Nobody counts who uses the server, because those processes may be killed: it runs until it is stopped.
"""

from __future__ import annotations

import re
import secrets
import shutil
import socket
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from carewatch.store import binaries, postmaster, warehouse_folder
from carewatch.store.binaries import EmbeddedUnavailable, Footing
from carewatch.store.warehouse_folder import State

__all__ = [
    "EmbeddedUnavailable",
    "Status",
    "create_database",
    "destroy",
    "drop_database",
    "start",
    "status",
    "stop",
]

MAINTENANCE_DATABASE = "postgres"
START_SECONDS = 600  # a crash recovery may take minutes
STOP_SECONDS = 60
ATTEMPTS = 4
PORTS = range(15432, 25432)  # below the ports the system hands to outgoing connections
SHIPPED_SETTINGS = {"timezone": "UTC", "log_timezone": "UTC"}


@dataclass(frozen=True)
class Status:
    """Hold what is known of a folder's server; `pid` is None when it does not run."""

    running: bool
    pid: int | None
    port: int
    data: Path
    dsn: str = field(repr=False)


def start(folder: Path, *, settings: Mapping[str, str] | None = None) -> str:
    """Return the URI of the folder's server, made and started when needed and shared by all who call.

    `settings` are server settings by name; they hold from the next start on, until others are given. The port
    is kept unless another program took it. Raise EmbeddedUnavailable when no server can run here.
    """
    folder = folder.resolve()
    chosen = None if settings is None else _checked(settings)
    with warehouse_folder.locked(folder) as lock:
        state = warehouse_folder.read(folder)
        data = warehouse_folder.data(folder, state)
        server = postmaster.settled(data, seconds=START_SECONDS)
        if server is not None and state is not None and state.pid == server.pid:
            return state.dsn
        if chosen is None:
            chosen = state.settings if state else {}
        footing = binaries.stand(data.parent)
        for left in footing.home.glob("pgdata.new-*"):  # of a caller that was killed
            shutil.rmtree(left, ignore_errors=True)
        if not data.exists():
            _initialise(footing, data, lock=lock, sync=chosen.get("fsync") != "off")
        if server is None:
            server = _launch(footing, data, port=state.port if state else None, settings=chosen)
        password = (data / "care.password").read_text(encoding="ascii")
        state = State(str(folder), str(data), server.port, server.pid, password, chosen)
        create_database(_with_database(state.dsn, MAINTENANCE_DATABASE), warehouse_folder.DATABASE)
        warehouse_folder.write(folder, state)
        return state.dsn


def stop(folder: Path) -> bool:
    """Stop the folder's server, disconnecting its clients; return whether one was running."""
    folder = folder.resolve()
    if not folder.is_dir():
        return False
    with warehouse_folder.locked(folder):
        data = warehouse_folder.data(folder, warehouse_folder.read(folder))
        return postmaster.stop(data, seconds=STOP_SECONDS)


def status(folder: Path) -> Status | None:
    """Return what is known of the folder's server, or None when there never was one."""
    folder = folder.resolve()
    with warehouse_folder.explained(folder):
        state = warehouse_folder.read(folder)
        if state is None:
            return None
        data = warehouse_folder.data(folder, state)
        server = postmaster.find(data)
    running = server is not None and server.status == postmaster.READY
    return Status(running, server.pid if server else None, state.port, data, state.dsn)


def destroy(folder: Path) -> None:
    """Stop the folder's server and delete its data, log and state; the folder and the rest in it stay."""
    folder = folder.resolve()
    if not folder.is_dir():
        return
    with warehouse_folder.locked(folder):
        data = warehouse_folder.data(folder, warehouse_folder.read(folder))
        postmaster.stop(data, seconds=STOP_SECONDS)
        home = data.parent
        own = [data, *home.glob("pgdata.new-*"), *home.glob("postgres.log*")] if home == folder else [home]
        for path in own:
            shutil.rmtree(path, ignore_errors=not path.exists()) if not path.is_file() else path.unlink()
        warehouse_folder.state_file(folder).unlink(missing_ok=True)
        warehouse_folder.lock_file(folder).unlink()


def create_database(dsn: str, name: str, *, template: str | None = None) -> str:
    """Create a database on the server of `dsn` unless it exists and return its URI.

    With `template` it starts as a copy of that database, to which nobody may be connected meanwhile.
    """
    import psycopg
    from psycopg import sql

    command = sql.SQL("create database {}").format(sql.Identifier(name))
    if template is not None:
        command += sql.SQL(" template {}").format(sql.Identifier(template))
    with psycopg.connect(_beside(dsn, name), autocommit=True) as connection:
        if connection.execute("select from pg_database where datname = %s", [name]).fetchone() is None:
            # another process may make it between the two statements
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(command)
    return _with_database(dsn, name)


def drop_database(dsn: str, name: str) -> None:
    """Drop a database of the server of `dsn`, disconnecting its clients; a missing one is no error."""
    import psycopg
    from psycopg import sql

    command = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    with psycopg.connect(_beside(dsn, name), autocommit=True) as connection:
        connection.execute(command)


def _with_database(dsn: str, name: str) -> str:
    return urlunsplit(urlsplit(dsn)._replace(path="/" + quote(name, safe="")))


def _beside(dsn: str, name: str) -> str:
    """Return a URI of the same server for a command on database `name`, in which one cannot be meanwhile."""
    return _with_database(dsn, MAINTENANCE_DATABASE) if unquote(urlsplit(dsn).path) == f"/{name}" else dsn


def _checked(settings: Mapping[str, str]) -> dict[str, str]:
    wrong = [
        name
        for name, value in settings.items()
        if not re.fullmatch(r"[a-z_][a-z0-9_.]*", name) or not value.isprintable()
    ]
    if wrong:
        raise ValueError(f"not a server setting: {', '.join(wrong)}")
    return dict(settings)


def _initialise(footing: Footing, data: Path, *, lock: int, sync: bool) -> None:
    """Make a new data folder beside its place and move it there complete: half a folder is never used.

    initdb inherits the lock: when its caller is killed, the next waits for its end before clearing up.
    """
    draft = Path(tempfile.mkdtemp(prefix="pgdata.new-", dir=footing.home))
    fresh, secret = draft / "pgdata", draft / "password"
    secret.write_text(secrets.token_hex(24), encoding="ascii")
    secret.chmod(0o600)
    for path in (draft, secret):
        footing.give(path)
    access = [f"--username={warehouse_folder.ROLE}", f"--pwfile={secret}", "--auth=scram-sha-256"]
    text = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options = [*access, *text, *([] if sync else ["--no-sync"])]
    code, output = footing.run("initdb", options, data=fresh, keep_open=[lock])
    if code != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise EmbeddedUnavailable(f"initdb failed in {footing.home}:\n{output}")
    with (fresh / "postgresql.conf").open("a", encoding="utf-8") as stream:
        stream.write("include = 'care.conf'\n")
    secret.rename(fresh / "care.password")
    fresh.rename(data)
    draft.rmdir()


def _launch(
    footing: Footing, data: Path, *, port: int | None, settings: Mapping[str, str]
) -> postmaster.Postmaster:
    """Start the server and return it ready; try again when the port was taken or a killed server lingers."""
    log = footing.home / "postgres.log"
    for _ in range(ATTEMPTS):
        postmaster.bury(data)
        port = _free_port(data, kept=port)
        _configure(footing, data, port=port, settings=settings)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        options = ["-w", "-t", str(START_SECONDS), "-l", log.name]
        named = ["-o", f"-c cluster_name={postmaster.mark(data)}"]
        _, output = footing.run("pg_ctl", ["start", *options, *named], data=data)
        server = postmaster.settled(data, seconds=START_SECONDS)
        if server is not None:
            return server
    tail = log.read_text(encoding="utf-8", errors="replace") if log.exists() else output
    raise EmbeddedUnavailable(f"PostgreSQL did not start on {data}:\n" + "\n".join(tail.splitlines()[-15:]))


def _configure(footing: Footing, data: Path, *, port: int, settings: Mapping[str, str]) -> None:
    fixed = {"listen_addresses": "127.0.0.1", "port": str(port), "unix_socket_directories": ""}
    values = {**SHIPPED_SETTINGS, **settings, **fixed}
    quoted = {name: value.replace("\\", "\\\\").replace("'", "''") for name, value in values.items()}
    path = data / "care.conf"
    path.write_text("".join(f"{name} = '{value}'\n" for name, value in quoted.items()), encoding="utf-8")
    footing.give(path)


def _free_port(data: Path, *, kept: int | None) -> int:
    """Return the kept port when it is free, else the next free one; folders begin at different places."""
    first = kept if kept is not None else PORTS[data.stat().st_ino % len(PORTS)]
    for step in range(len(PORTS)):
        port = PORTS[(first - PORTS.start + step) % len(PORTS)]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise EmbeddedUnavailable(f"no port of 127.0.0.1 between {PORTS.start} and {PORTS.stop - 1} is free.")
