"""Tell whether a PostgreSQL server runs on a data folder; wait for it, stop it, clear up after a killed one.

A server is known by its process id in `postmaster.pid` together with a mark on its command line. The id alone
proves nothing: after a kill or a restart of the machine it may belong to somebody else, or to a process that
is dead but not yet collected by its parent.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

READY = "ready"
NO_SUCH_PROCESS = 2**31 - 2
PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class Postmaster:
    """Hold what a running server says of itself; `status` is starting, ready or stopping."""

    pid: int
    port: int
    status: str


def mark(data: Path) -> str:
    """Return the name a server on this data folder carries; it survives a move, a copy has another."""
    entry = data.stat()
    return f"carewatch-{entry.st_dev:x}-{entry.st_ino:x}"


def find(data: Path) -> Postmaster | None:
    """Return the server that runs on the data folder, or None."""
    lines = _pid_file_lines(data)
    if not lines or not lines[0].isdigit():
        return None
    pid = int(lines[0])
    if f"cluster_name={mark(data)}" not in _commands(pid).get(pid, ""):
        return None
    port = int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else 0
    return Postmaster(pid=pid, port=port, status=lines[7].strip() if len(lines) > 7 else "starting")


def settled(data: Path, *, seconds: float) -> Postmaster | None:
    """Wait until the server is ready, or gone, and return it; None as well when it is neither in time."""

    def ready_or_gone() -> bool:
        server = find(data)
        return server is None or server.status == READY

    return find(data) if _wait_for(ready_or_gone, seconds=seconds) else None


def stop(data: Path, *, seconds: float) -> bool:
    """Stop the server: disconnect clients and close cleanly, or at once when that takes too long.

    Return whether one was running.
    """
    server = find(data)
    if server is None:
        return False
    for request, patience in ((signal.SIGINT, seconds), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0)):
        _send(server.pid, request)
        if _wait_for(lambda: find(data) is None, seconds=patience):
            break
    return True


def bury(data: Path, *, seconds: float = 10.0) -> None:
    """Clear up after a killed server, so that the next can start.

    Orphaned backends still write to its shared memory: they are killed. Its process id may be in use again:
    it is replaced by one that cannot be. By the rest of the file the next server finds the shared memory.
    """
    lines = _pid_file_lines(data)
    if not lines or find(data) is not None:
        return
    title = f"postgres: {mark(data)}: "

    def no_orphans() -> bool:
        orphans = [pid for pid, command in _commands().items() if command.startswith(title)]
        for pid in orphans:
            _send(pid, signal.SIGKILL)
        return not orphans

    _wait_for(no_orphans, seconds=seconds)
    path = data / "postmaster.pid"
    with path.open("r+", encoding="utf-8") as stream:
        stream.write("\n".join([str(NO_SUCH_PROCESS), *lines[1:], ""]))
        stream.truncate()


def _pid_file_lines(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _commands(pid: int | None = None) -> dict[int, str]:
    """Return the command lines of one process, or of all, by process id; a dead one has none."""
    if sys.platform == "linux":
        return _commands_from_proc([str(pid)] if pid is not None else os.listdir("/proc"))
    which = ["-p", str(pid)] if pid is not None else ["-ax"]
    command = ["/bin/ps", "-ww", *which, "-o", "pid=,command="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed program
    rows = (line.split(None, 1) for line in listed.stdout.splitlines())
    return {int(row[0]): row[1] for row in rows if len(row) == 2}


def _commands_from_proc(names: list[str]) -> dict[int, str]:
    found = {}
    for name in names:
        if not name.isdigit():
            continue
        try:
            raw = Path("/proc", name, "cmdline").read_bytes()
        except OSError:
            continue
        found[int(name)] = raw.replace(b"\0", b" ").decode(errors="replace")
    return found


def _send(pid: int, request: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, request)


def _wait_for(condition: Callable[[], bool], *, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(PAUSE_SECONDS)
    return True
