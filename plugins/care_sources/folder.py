"""Answer the question: which files lie in a source's folder, here or in an object store?"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from care_sources.connection import Connection, SourceError
from carewatch.paths import home

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_CHANGED = ("ETag", "etag", "md5", "LastModified", "last_modified", "updated", "mtime")
"""What file systems call the things that change with a file."""


@dataclass(frozen=True)
class File:
    """A file by its path below the folder; `stamp` changes when the file may have changed."""

    name: str
    size: int
    stamp: str
    path: str = field(repr=False)
    system: AbstractFileSystem = field(repr=False)

    def open(self) -> BinaryIO:
        """Open the file's bytes."""
        return cast(BinaryIO, self.system.open(self.path, "rb"))


def list_files(source_name: str, connection: Connection) -> dict[str, File]:
    """Return the files of the folder and below by relative path, in order; those that begin with a dot are left out.

    Raises SourceError when the folder is not there or the store does not answer.
    """
    from fsspec.core import url_to_fs

    shown = connection.uri
    try:
        if connection.filesystem is not None:
            system, root = connection.filesystem, connection.filesystem._strip_protocol(shown)
        elif "://" in shown:
            system, root = url_to_fs(shown, **connection.options)
        else:
            system, root = url_to_fs(str(_folder(shown).resolve()))
        # A listing that was remembered would hide the files that came since.
        system.invalidate_cache()
        there = system.isdir(root)
        found = system.find(root, detail=True) if there else {}
    except Exception as error:  # every kind of store fails in its own way
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise SourceError([f"{source_name}: {shown} cannot be listed: {told[0]}"]) from None
    if not there:
        raise SourceError([f"{source_name}: there is no folder {shown}"])
    files = (_file(system, root, path, about) for path, about in found.items())
    return {
        file.name: file
        for file in sorted(files, key=lambda file: file.name)
        if not file.name.rpartition("/")[2].startswith(".")
    }


def local_file(path: Path) -> File:
    """Return a file of this machine."""
    from fsspec.implementations.local import LocalFileSystem

    about = path.stat()
    return File(path.name, about.st_size, str(about.st_mtime), str(path), LocalFileSystem())


def _file(system: AbstractFileSystem, root: str, path: str, about: dict[str, Any]) -> File:
    stamp = " ".join(str(about[name]) for name in _CHANGED if about.get(name) is not None)
    return File(path.removeprefix(root).lstrip("/"), int(about.get("size") or 0), stamp, path, system)


def _folder(path: str) -> Path:
    """Return a folder as it was named; one that is not there may be meant relative to the project."""
    named = Path(path)
    return named if named.is_absolute() or named.is_dir() else home() / named
