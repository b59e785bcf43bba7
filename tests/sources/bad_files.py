"""Make files as bad as people and programs make them, and say how many rows a reader should find in each."""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Callable
from dataclasses import dataclass

HEADER = ("no", "customer", "at", "amount", "line")
BAD_TIMES = (
    "0001-01-01", "9999-12-31", "292277-01-01", "-4713-01-01", "0000-00-00", "2026-02-30", "1900-01-01", "昨天", "",
    "2026-05-01T25:00", "2026-05-01 09:00:60", "2026-05-01 09:00+15:00", "٢٠٢٦-٠٥-٠١", "２０２６-05-01", "infinity",
    "epoch", "now", "20260501120000", "2026-W18", "1e5", "99999999", "00000000", "2026-05-01 24:00", "-infinity",
)  # fmt: skip
BAD_AMOUNTS = (
    "1e400", "-1e400", "1e99", "1e-99", "1e15", "NaN", "nan", "Infinity", "-Infinity", "0x1F", "1_000", "１２３", "٣", "--5",
    "1,2,3", "9" * 60, "9" * 61, "-" + "9" * 1_000, "=1+1", "$5", "", " ", "1e", ".", "+", "−5", "1.7.2", "５", "²", "Ⅷ", "1e+5",
)  # fmt: skip
ODD_TEXTS = (
    "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1:A9)", "\t=1", "x" * 1_200_000, "长" * 40_000, "a\nb", "a\r\nb", "a\rb",
    'he said "no"', "\u202eabc", "\ufeffabc", "🦄", "\x07\x1b[31m", "nul\x00byte", "'; drop table x; --", "\\N", "{{ 1 }}", "%s",
    "\ud7ff\ue000", "\ufffe", "\u2028", "null", "NULL", ",,,", "$1", "''",
)  # fmt: skip
BAD_KEYS = ("", " \u3000", "k" * 401, "\\", "/", "=1", "\u0000")


@dataclass(frozen=True)
class BadFile:
    """A file, the number of rows a reader finds in it, and the keys that must become facts; `exact`: no others may."""

    name: str
    content: bytes
    rows: int
    good: frozenset[str]
    exact: bool = True


def bad_files(seed: int, count: int) -> list[BadFile]:
    """Return files of every kind in turn, filled at random."""
    chance = random.Random(seed)
    return [_KINDS[number % len(_KINDS)](f"f{number:03}", chance) for number in range(count)]


def _good_rows(name: str, count: int) -> list[list[str]]:
    return [[f"{name}-{row}", "C1", "2026-05-01 09:00", "10", "x"] for row in range(count)]


def _text(
    rows: list[list[str]], *, newline: str = "\n", delimiter: str = ",", header: tuple[str, ...] = HEADER
) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=newline, delimiter=delimiter)
    writer.writerows([header, *rows])
    return out.getvalue()


def _keys(rows: list[list[str]]) -> frozenset[str]:
    return frozenset(row[0] for row in rows)


def _cells(column: int, values: tuple[str, ...]) -> Callable[[str, random.Random], BadFile]:
    """Return the kind of file in which some cells of one column are odd."""

    def make(name: str, chance: random.Random) -> BadFile:
        rows = _good_rows(name, 9)
        odd = chance.sample(range(9), 5)
        for row in odd:
            rows[row][column] = chance.choice(values)
        good = [row for number, row in enumerate(rows) if number not in odd]
        newline = chance.choice(["\n", "\r\n", "\r"])
        return BadFile(
            f"{name}.csv",
            _text(rows, newline=newline).encode("utf-8", "surrogatepass"),
            9,
            _keys(good),
            exact=False,
        )

    return make


def _ragged(name: str, chance: random.Random) -> BadFile:
    rows = _good_rows(name, 8)
    cut, long = chance.sample(range(8), 2)
    lines = [rows[cut][: chance.randint(1, 4)], rows[long] + ["more"] * chance.randint(1, 9)]
    good = [row for number, row in enumerate(rows) if number not in (cut, long)]
    text = _text([*good[:3], *lines, *good[3:]])
    # Lines without anything are no rows.
    return BadFile(f"{name}.csv", (text + "\n\n,,,,\n").encode(), 8, _keys(good))


def _mixed_newlines(name: str, chance: random.Random) -> BadFile:
    rows = _good_rows(name, 8)
    lines = [",".join(row) + chance.choice(["\n", "\r\n", "\r"]) for row in rows]
    return BadFile(f"{name}.csv", (",".join(HEADER) + "\r\n" + "".join(lines)).encode(), 8, _keys(rows))


def _encoded(name: str, chance: random.Random) -> BadFile:
    rows = _good_rows(name, 5)
    rows[2][4] = "水泵"
    encoding = chance.choice(["utf-8", "utf-8-sig", "utf-16", "gb18030"])
    return BadFile(f"{name}.csv", _text(rows).encode(encoding), 5, _keys(rows))


def _foreign_bytes(name: str, chance: random.Random) -> BadFile:
    rows = _good_rows(name, 6)
    spoilt = chance.randrange(6)
    rows[spoilt][4] = "SPOILT"
    content = (
        _text(rows)
        .encode()
        .replace(b"SPOILT", chance.choice([b"\xff\xfe\xfd", b"\xe9t\xe9 \xff", b"\x80" * 9 + b"\xff"]))
    )
    return BadFile(f"{name}.csv", content, 6, _keys(rows) - {rows[spoilt][0]})


def _open_quote(name: str, chance: random.Random) -> BadFile:
    rows = _good_rows(name, 8)
    at, column = chance.randrange(8), chance.randrange(5)
    lines = [",".join(row) for row in rows]
    broken = list(rows[at])
    broken[column] = '"' + broken[column]
    lines[at] = ",".join(broken)
    return BadFile(
        f"{name}.csv", "\n".join([",".join(HEADER), *lines, ""]).encode(), at + 1, _keys(rows[:at])
    )


def _header(name: str, chance: random.Random) -> BadFile:
    rows = _good_rows(name, 3)
    header = chance.choice(
        [
            ("no", "customer", "at", "amount", "no"),
            ("nr", *HEADER[1:]),
            ("", "", "", "", ""),
            ("amount",) * 5,
            ("NO", *HEADER[1:]),
        ]
    )
    return BadFile(f"{name}.csv", _text(rows, header=header).encode(), 1, frozenset())


def _odd_but_readable_header(name: str, chance: random.Random) -> BadFile:
    rows = [[*row, "1", "2"] for row in _good_rows(name, 3)]
    return BadFile(
        f"{name}.csv", _text(rows, header=(*HEADER, "more", "more")).encode("utf-8-sig"), 3, _keys(rows)
    )


def _delimiter(name: str, chance: random.Random) -> BadFile:
    text = _text(_good_rows(name, 3), delimiter=chance.choice([";", "\t", "|"]))
    return BadFile(f"{name}.csv", text.encode(), 1, frozenset())


def _nothing(name: str, chance: random.Random) -> BadFile:
    header = ",".join(HEADER).encode()
    content, rows = chance.choice(
        [
            (b"", 1),
            (b"\xef\xbb\xbf", 1),
            (b"\n", 1),
            (header, 0),
            (header + b"\r\n\r\n", 0),
            (b"\x00" * 999, 1),
            (b"  \n", 1),
        ]
    )
    return BadFile(f"{name}.csv", content, rows, frozenset())


def _compressed(name: str, chance: random.Random) -> BadFile:
    rows = _good_rows(name, 40)
    whole = gzip.compress(_text(rows).encode())
    damaged = whole[:30] + bytes(byte ^ 0x55 for byte in whole[30:60]) + whole[60:]
    content = chance.choice([whole[: len(whole) // 2], whole[:-4], damaged, b"no gzip at all", b"", whole])
    good = content == whole
    return BadFile(f"{name}.csv.gz", content, 40 if good else 1, _keys(rows) if good else frozenset())


def _noise(name: str, chance: random.Random) -> BadFile:
    return BadFile(f"{name}.csv", b"\x01" + chance.randbytes(chance.randint(1, 5_000)), 1, frozenset())


_KINDS = (
    _cells(0, BAD_KEYS), _cells(1, ("", "c" * 401, " ")), _cells(2, BAD_TIMES), _cells(3, BAD_AMOUNTS), _cells(4, ODD_TEXTS),
    _cells(2, BAD_TIMES), _cells(3, BAD_AMOUNTS), _cells(4, ODD_TEXTS), _ragged, _mixed_newlines, _encoded, _foreign_bytes,
    _open_quote, _header, _odd_but_readable_header, _delimiter, _nothing, _compressed, _noise, _open_quote,
)  # fmt: skip
