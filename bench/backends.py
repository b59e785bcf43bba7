"""Watch the processor time and the private memory of a PostgreSQL server's processes (Linux; nothing elsewhere)."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType

PAUSE_SECONDS = 0.05


class Watch:
    """Watch a server while the block runs: seconds of processor time spent, and the highest sum of private memory.

    The time holds on a busy machine, where the wall clock does not. It includes what the server does in the background.
    """

    def __init__(self, server: int) -> None:
        self._server = server
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.peak_mb = 0.0
        self.seconds = 0.0

    def __enter__(self) -> Watch:
        self.seconds = -_processor_seconds(self._server)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self.seconds += _processor_seconds(self._server)

    def _sample(self) -> None:
        while not self._done.wait(PAUSE_SECONDS):
            self.peak_mb = max(self.peak_mb, sum(map(_private_mb, _children(self._server))))


def _children(server: int) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()]
    except OSError:
        return []


def _processor_seconds(server: int) -> float:
    """Return the time of the server's processes; that of a backend which ended has gone to its parent."""
    ticks = 0
    for pid in (server, *_children(server)):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        own, children = fields[11:13], fields[13:15]
        ticks += sum(map(int, (*own, *children) if pid == server else own))
    return ticks / os.sysconf("SC_CLK_TCK")


def _private_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # a backend that has just ended
        return 0.0
    return next(
        (int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("RssAnon")), 0.0
    )
