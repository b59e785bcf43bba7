"""Answer the question: in which encoding is this file, and is it whole?"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, TextIO

_CHUNK = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_GUESSES = ("utf-8", "gb18030")


@dataclass(frozen=True)
class Inspected:
    """What a first pass over a file's bytes told: digest, encoding, what is wrong with all of it.

    `suspect` says that some rows may hold bytes of another encoding or NUL characters.
    """

    digest: str
    encoding: str
    fault: str | None
    suspect: bool

    def spoiled(self, row: Sequence[str]) -> str | None:
        """Return what is wrong with a row's characters, or None."""
        text = "".join(row)
        if "\x00" in text:
            return "a NUL character"
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            return f"not {self.encoding.removesuffix('-sig')} text"
        return None

    @staticmethod
    def shown(text: str) -> str:
        """Return a row's text as it can be stored."""
        return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def inspect(item: Any, declared: str) -> Inspected:
    """Read a file once: its digest, whether it is whole, and its encoding (`auto`: UTF-8 or GB18030)."""
    digest = hashlib.sha256()
    begin, nul = b"", False
    decoders = {
        name: codecs.getincrementaldecoder(name)()
        for name in (_GUESSES if declared == "auto" else (declared,))
    }
    try:
        with _bytes(item) as stream:
            for chunk in _chunks(stream):
                digest.update(chunk)
                begin = begin or chunk[:4]
                nul = nul or b"\x00" in chunk
                _drop_failed(decoders, chunk, final=False)
    except (OSError, EOFError, zlib.error) as error:
        return Inspected(digest.hexdigest(), declared, f"it is cut off or damaged ({error})", False)
    _drop_failed(decoders, b"", final=True)
    marked = next((name for mark, name in _MARKS if begin.startswith(mark)), None)
    if declared == "auto" and marked is not None:
        return Inspected(digest.hexdigest(), marked, None, nul)
    encoding = next(iter(decoders), _GUESSES[0] if declared == "auto" else declared)
    if encoding == "utf-8":
        encoding = "utf-8-sig"
    return Inspected(digest.hexdigest(), encoding, None, nul or not decoders)


def open_text(item: Any, seen: Inspected) -> TextIO:
    """Open a file's text; bytes of another encoding become what `Inspected.spoiled` finds."""
    return io.TextIOWrapper(_bytes(item), encoding=seen.encoding, errors="surrogateescape", newline="")


def _bytes(item: Any) -> BinaryIO:
    raw: BinaryIO = item.open(mode="rb", compression="disable")
    return gzip.open(raw) if item["file_name"].endswith(".gz") else raw  # type: ignore[return-value]


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _drop_failed(decoders: dict[str, codecs.IncrementalDecoder], chunk: bytes, *, final: bool) -> None:
    for name, decoder in list(decoders.items()):
        try:
            decoder.decode(chunk, final)
        except UnicodeDecodeError:
            del decoders[name]
