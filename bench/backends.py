"""Watch how much private memory the backends of a PostgreSQL server hold at most (Linux; 0 elsewhere)."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

PAUSE_SECONDS = 0.05


class Watch:
    """Sample the anonymous memory of a server's processes while the block runs; `peak_mb` is their highest sum."""

    def __init__(self, server: int) -> None:
        self._server = server
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.peak_mb = 0.0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._done.wait(PAUSE_SECONDS):
            self.peak_mb = max(self.peak_mb, sum(map(_private_mb, _children(self._server))))


def _children(server: int) -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/{server}/task/{server}/children").read_text().split()]
    except OSError:
        return []


def _private_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # a backend that has just ended
        return 0.0
    return next(
        (int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("RssAnon")), 0.0
    )
