"""Private database servers of the machine's own packages, each in a folder of its own, gone when the block ends."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pymysql
import pytest

PASSWORD = "p@ss:w/%rd"
POSTGRESQL_15 = Path("/usr/lib/postgresql/15/bin")
_PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/libexec"])
_PATIENCE_SECONDS = 60


def lacking(what: str) -> NoReturn:
    """Skip a test for want of a program; where everything was to be installed (CI=true) it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed here, and CI=true says that it must be", pytrace=False)
    pytest.skip(f"{what} is not installed here")


@contextmanager
def mariadb() -> Iterator[str]:
    """Run a MariaDB server; give the URI of its superuser, whose password has odd letters."""
    server = shutil.which("mariadbd", path=_PLACES)
    install = shutil.which("mariadb-install-db", path=_PLACES)
    if server is None or install is None:
        lacking("MariaDB (Debian: mariadb-server)")
    with _folder("mysql") as (folder, user):
        data, port = folder / "data", _free_port()
        _run(
            [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"],
            folder, user,
        )  # fmt: skip
        options = [
            f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 's'}",
            f"--pid-file={folder / 'pid'}", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
        ]  # fmt: skip
        with _server([server, "--no-defaults", *options], folder, user) as running:

            def login() -> Any:
                return pymysql.connect(unix_socket=str(folder / "s"), user="root")

            with _when_ready(login, running, folder) as admin, admin.cursor() as cursor:
                cursor.execute("create user 'reader'@'127.0.0.1' identified by %s", (PASSWORD,))
                cursor.execute("grant all on *.* to 'reader'@'127.0.0.1'")
            yield f"mysql://reader:p%40ss%3Aw%2F%25rd@127.0.0.1:{port}/"


@contextmanager
def postgresql_15() -> Iterator[str]:
    """Run the PostgreSQL 15 that Debian ships; give the URI of its superuser."""
    if not (POSTGRESQL_15 / "initdb").exists():
        lacking("PostgreSQL 15 (Debian: postgresql)")
    with _folder("postgres") as (folder, user):
        data, port = folder / "data", _free_port()
        secret = folder / "secret"
        secret.write_text("secret")
        secret.chmod(0o644)
        _run(
            [POSTGRESQL_15 / "initdb", "-D", data, "-U", "care", "--pwfile", secret, "-A", "scram-sha-256", "-E", "UTF8",
             "--locale=C", "--no-sync"], folder, user,
        )  # fmt: skip
        options = {
            "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off",
            "synchronous_commit": "off", "full_page_writes": "off",
        }  # fmt: skip
        set_options = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        with _server([POSTGRESQL_15 / "postgres", "-D", data, *set_options], folder, user) as running:
            uri = f"postgresql://care:secret@127.0.0.1:{port}/postgres"
            _when_ready(lambda: psycopg.connect(uri), running, folder).close()
            yield uri


@contextmanager
def _folder(owner: str) -> Iterator[tuple[Path, str | None]]:
    """Give a folder, and the user that a server has to run as there: for root the package's own."""
    folder = Path(tempfile.mkdtemp(prefix="carewatch-server-"))
    user = None
    try:
        if os.geteuid() == 0:
            try:
                entry = pwd.getpwnam(owner)
            except KeyError:
                lacking(f"the system user '{owner}'")
            os.chown(folder, entry.pw_uid, entry.pw_gid)
            user = owner
        yield folder, user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: Sequence[object], folder: Path, user: str | None) -> None:
    done = subprocess.run(
        list(map(str, command)),
        cwd=folder,
        user=user,
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def _server(command: Sequence[object], folder: Path, user: str | None) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            list(map(str, command)), cwd=folder, user=user, stdout=log, stderr=log, env=_environment()
        )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def _environment() -> dict[str, str]:
    return {"PATH": _PLACES, "LC_ALL": "C", "TZ": "UTC"}


def _when_ready(connect: Any, running: subprocess.Popen[bytes], folder: Path) -> Any:
    end = time.monotonic() + _PATIENCE_SECONDS
    while running.poll() is None and time.monotonic() < end:
        with suppress(pymysql.Error, psycopg.Error):
            return connect()
        time.sleep(0.05)
    raise AssertionError(f"the server did not start:\n{(folder / 'log').read_text(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
