"""Keep what a folder knows of its embedded server: the lock, the recorded state, and where its data are."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from carewatch.store import binaries
from carewatch.store.binaries import EmbeddedUnavailable

ROLE = "care"
DATABASE = "care"


@dataclass(frozen=True)
class State:
    """Hold what was true when the server was last started: `warehouse.json`, readable by its owner only."""

    folder: str
    data: str
    port: int
    pid: int
    password: str
    settings: dict[str, str]

    @property
    def dsn(self) -> str:
        """Return the URI of the warehouse."""
        return f"postgresql://{ROLE}:{self.password}@127.0.0.1:{self.port}/{DATABASE}"


def state_file(folder: Path) -> Path:
    """Return the path of the folder's recorded state."""
    return folder / "warehouse.json"


def lock_file(folder: Path) -> Path:
    """Return the path of the folder's lock."""
    return folder / "warehouse.lock"


def read(folder: Path) -> State | None:
    """Return the recorded state, or None when there is none; raise EmbeddedUnavailable when it is damaged."""
    path = state_file(folder)
    try:
        return State(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise EmbeddedUnavailable(f"{path} is damaged ({error}). Delete that file; the data stay.") from error


def write(folder: Path, state: State) -> None:
    """Record the state, replacing the former one as a whole."""
    handle, draft = tempfile.mkstemp(prefix="warehouse.json.", dir=folder)  # made with mode 0600
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(asdict(state), stream, indent=2)
    Path(draft).replace(state_file(folder))


def data(folder: Path, state: State | None) -> Path:
    """Return where the folder's data are: as recorded, also after a move; a copy of it has data of its own.

    Raise EmbeddedUnavailable when the caller is root and a normal user's server was made in the folder.
    """
    own = binaries.default_home(folder) / "pgdata"
    if state is None:
        return own
    recorded = Path(state.data)
    if recorded.parent.parent == binaries.SYSTEM_HOME:
        moved = not state_file(Path(state.folder)).exists()
        return recorded if moved or state.folder == str(folder) else own
    left = folder / "pgdata"
    if left != own and left.exists():
        raise EmbeddedUnavailable(f"{left} belongs to user {_owner(left)}: run as that user.")
    return own


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold the folder's lock and give its file handle.

    The system frees the lock when the process died and every program that inherited the handle ended.
    """
    path = lock_file(folder)
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if _still_at(path, handle):
                    yield handle
                    return
            finally:
                os.close(handle)


@contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turn a refusal by the file system into EmbeddedUnavailable that names the user to run as."""
    try:
        yield
    except PermissionError as error:
        refused = Path(error.filename or folder)
        owner = _owner(refused if os.access(refused, os.F_OK) else folder)
        raise EmbeddedUnavailable(
            f"{refused}: {error.strerror}. It belongs to user {owner}: run as that user."
        ) from error


def _still_at(path: Path, handle: int) -> bool:
    """Tell whether the locked file is still the one at the path: the holder before may have deleted it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, OSError):
        return "another user" if not os.access(path, os.F_OK) else str(path.stat().st_uid)
