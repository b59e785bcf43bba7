"""Answer the question: in which encoding is this file, and is it whole?"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from care_sources.folder import File
from care_sources.refusal import LONGEST_LINE, swollen

_CHUNK = 1 << 20
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_GUESSES = ("utf-8", "gb18030")
_ENDLESS = f"a line longer than {LONGEST_LINE >> 20} MB; is it a text file with one row a line?"
_NO_TEXT = {
    b"PK\x03\x04": "it is a workbook or a zip archive, not CSV; name it .xlsx, or unpack it",
    b"PAR1": "it is a Parquet file, not CSV; name it .parquet, or say 'format: parquet'",
    b"\xd0\xcf\x11\xe0": "it is an old .xls workbook, not CSV; save it as .xlsx",
    b"\x1f\x8b": "it is compressed; name it .gz",
}


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


def inspect(file: File, declared: str) -> Inspected:
    """Read a file once: its digest, whether it is whole and sane, its encoding (`auto`: UTF-8 or GB18030)."""
    digest = hashlib.sha256()
    begin, nul, size, line, fault = b"", False, 0, 0, None
    decoders = {
        name: codecs.getincrementaldecoder(name)()
        for name in (_GUESSES if declared == "auto" else (declared,))
    }
    try:
        with _bytes(file) as stream:
            for chunk in _chunks(stream):
                digest.update(chunk)
                begin = begin or chunk[:4]
                nul = nul or b"\x00" in chunk
                size += len(chunk)
                last = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
                line = line + len(chunk) if last < 0 else len(chunk) - last
                fault = swollen(size, file.size) or (_ENDLESS if line > LONGEST_LINE else None)
                if fault is not None:
                    # What follows is not read: the digest is that of the beginning, with the file's size.
                    digest.update(str(file.size).encode())
                    break
                _drop_failed(decoders, chunk, final=False)
    except (OSError, EOFError, zlib.error) as error:
        fault = f"it is cut off or damaged ({error})"
    fault = fault or next((told for mark, told in _NO_TEXT.items() if begin.startswith(mark)), None)
    if fault is not None:
        return Inspected(digest.hexdigest(), declared, fault, False)
    _drop_failed(decoders, b"", final=True)
    marked = next((name for mark, name in _MARKS if begin.startswith(mark)), None)
    if declared == "auto" and marked is not None:
        return Inspected(digest.hexdigest(), marked, None, nul)
    encoding = next(iter(decoders), _GUESSES[0] if declared == "auto" else declared)
    if encoding == "utf-8":
        encoding = "utf-8-sig"
    return Inspected(digest.hexdigest(), encoding, None, nul or not decoders)


def digest_of(file: File) -> Inspected:
    """Read a file once for its digest alone: it is no text."""
    digest = hashlib.sha256()
    with file.open() as stream:
        for chunk in _chunks(stream):
            digest.update(chunk)
    return Inspected(digest.hexdigest(), "", None, False)


def open_text(file: File, seen: Inspected) -> TextIO:
    """Open a file's text; bytes of another encoding become what `Inspected.spoiled` finds."""
    return io.TextIOWrapper(_bytes(file), encoding=seen.encoding, errors="surrogateescape", newline="")


def _bytes(file: File) -> BinaryIO:
    raw = file.open()
    return gzip.open(raw) if file.name.lower().endswith(".gz") else raw  # type: ignore[return-value]


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk


def _drop_failed(decoders: dict[str, codecs.IncrementalDecoder], chunk: bytes, *, final: bool) -> None:
    for name, decoder in list(decoders.items()):
        try:
            decoder.decode(chunk, final)
        except UnicodeDecodeError:
            del decoders[name]
