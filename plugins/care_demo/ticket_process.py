"""Keep the ticket service running beside the demo: start it when it is not, find it again, stop it."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from .ticket_service import HOST, write_private

START_SECONDS = 15.0
_PACKAGE_PARENT = Path(__file__).resolve().parent.parent


class ServiceNotStartedError(RuntimeError):
    """Say in one line why the ticket service did not come up."""


class _Process(NamedTuple):
    pid: int
    port: int


def ensure_running(folder: Path) -> str:
    """Return the base URL of the folder's ticket service, starting it in the background when it is not up.

    Survives kills: the port is kept in `service.json` (mode 0600), so a restart has the same URL unless
    another program took the port meanwhile. Safe to call from several processes at once. Raises
    ServiceNotStartedError when it does not come up.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder):
        known = _known_process(folder)
        if known is None or not _answers(known):
            known = _start(folder, preferred_port=known.port if known else 0)
    return f"http://{HOST}:{known.port}"


def stop(folder: Path) -> bool:
    """Stop the folder's ticket service; return whether one was running. Never touches another process."""
    folder = folder.resolve()
    if not folder.exists():
        return False
    with _only_one(folder):
        known = _known_process(folder)
        if known is None or not _answers(known):
            return False
        os.kill(known.pid, signal.SIGTERM)
        _wait(lambda: not _answers(known), seconds=5.0)
        return True


def token_file(folder: Path) -> Path:
    """Return the file with the service's bearer token (mode 0600), making a new token when there is none."""
    path = folder / "token"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path


def _start(folder: Path, *, preferred_port: int) -> _Process:
    problem = ""
    for port in dict.fromkeys((preferred_port, 0)):
        run = subprocess.run(  # noqa: S603 - our own module, our own arguments
            [
                sys.executable, "-m", "care_demo.ticket_service", "--folder", str(folder), "--token-file",
                str(token_file(folder)), "--port", str(port), "--pid-file", str(_state_file(folder)),
                "--detach",
            ],
            env={**os.environ, "PYTHONPATH": _python_path()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )  # fmt: skip
        if run.returncode == 0 and _wait(lambda: _answering(folder) is not None, seconds=START_SECONDS):
            started = _answering(folder)
            if started is not None:
                return started
        problem = run.stderr.strip() or f"no answer within {START_SECONDS:.0f} seconds"
    raise ServiceNotStartedError(problem)


def _python_path() -> str:
    rest = os.environ.get("PYTHONPATH")
    return f"{_PACKAGE_PARENT}{os.pathsep}{rest}" if rest else str(_PACKAGE_PARENT)


def _answering(folder: Path) -> _Process | None:
    known = _known_process(folder)
    return known if known and _answers(known) else None


def _state_file(folder: Path) -> Path:
    return folder / "service.json"


def _known_process(folder: Path) -> _Process | None:
    try:
        state = json.loads(_state_file(folder).read_text(encoding="utf-8"))
        return _Process(int(state["pid"]), int(state["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _answers(process: _Process) -> bool:
    """Tell whether this very process serves tickets there; another program may hold the port or the id."""
    connection = http.client.HTTPConnection(HOST, process.port, timeout=5)
    try:
        connection.request("GET", "/health")
        health = json.loads(connection.getresponse().read())
        return bool(health["service"] == "tickets" and health["pid"] == process.pid)
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _wait(condition: Callable[[], bool], *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.03)
    return True


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / ".service.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
