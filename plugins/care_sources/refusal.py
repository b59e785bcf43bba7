"""What is wrong with a whole file, and how much of one may be read at most."""

from __future__ import annotations

from carewatch.spec.problems import nearest

LONGEST_VALUE = 131_072
LONGEST_LINE = 16 << 20
LARGEST_WORKBOOK = 2 << 30
LARGEST_ROW_GROUP = 4 << 30
MOST_SWOLLEN = 400
"""A file may unpack to so many times its size, once that is more than `SWOLLEN_FROM` bytes."""
SWOLLEN_FROM = 256 << 20


class Refused(Exception):
    """A file cannot be read at all; `beginning` is what it begins with."""

    def __init__(self, reason: str, beginning: str = "") -> None:
        super().__init__(reason)
        self.beginning = beginning


def swollen(unpacked: int, packed: int) -> str | None:
    """Return what is wrong with a file that unpacks to far more than it could honestly hold."""
    if unpacked > SWOLLEN_FROM and unpacked > packed * MOST_SWOLLEN:
        return f"it unpacks to more than {MOST_SWOLLEN} times its size; save it without compression if that is right"
    return None


def too_long(length: int) -> str:
    """Return the fault of a row with a value of so many characters."""
    return f"a value of {length:,} characters; at most {LONGEST_VALUE:,} are read"


def missing_columns(header: list[str], wanted: tuple[str, ...]) -> str | None:
    """Return what is wrong with a header that lacks columns, or has one twice."""
    told = []
    for name in wanted:
        if name not in header:
            near = nearest(name, header)
            told.append(f"no column '{name}'" + (f" (did the header mean '{near}'?)" if near else ""))
    if told:
        return ", ".join(told)
    doubled = [name for name in wanted if header.count(name) > 1]
    return f"column '{doubled[0]}' stands twice in the header" if doubled else None
