"""Answer the question: how does a source write numbers, times and yes or no, and which SQL reads them?

What is landed is text. `care.read_*` (in the warehouse) turns text into a value, or null when it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from carewatch.spec.facts import Kind
from carewatch.spec.problems import SpecProblem
from carewatch.spec.saying import said

PLACE: Final = ("_file", "_line")
"""Columns of the landing that an expression may read: where a row of a file stands."""

DateOrder = Literal["ymd", "dmy", "mdy"]
DecimalSign = Literal["point", "comma"]

BASE: Final = {Kind.INTEGER: Kind.NUMBER, Kind.AMOUNT: Kind.NUMBER}
"""Kinds that expressions treat as another: a whole number and an amount are numbers until they are stored."""

_NAMES: Final = {
    Kind.TEXT: "a text",
    Kind.NUMBER: "a number",
    Kind.FLAG: "yes or no",
    Kind.DAY: "a date",
    Kind.INSTANT: "a time",
}
_UNREAD: Final = {
    Kind.TEXT: "not a text",
    Kind.NUMBER: "not a number",
    Kind.FLAG: "not yes or no",
    Kind.DAY: "not a date",
    Kind.INSTANT: "not a time",
}


def base(kind: Kind) -> Kind:
    """Return the kind an expression computes with."""
    return BASE.get(kind, kind)


def in_words(kind: Kind) -> str:
    """Name a kind as messages do."""
    return said(_NAMES[base(kind)])


def unread(kind: Kind) -> str:
    """Say that a value could not be read as a kind, as the reason of a row that waits."""
    return _UNREAD[base(kind)]


def literal(text: str) -> str:
    """Return a text as an SQL literal (standard_conforming_strings, PostgreSQL's default)."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Return a name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Reading:
    """How one source writes: the zone of times without an offset, the order in dates, the decimal sign."""

    zone: str = "UTC"
    dates: DateOrder = "ymd"
    decimal: DecimalSign = "point"

    def read(self, text: str, kind: Kind) -> str:
        """Return SQL that reads the SQL text expression `text` as `kind`; null when it cannot be read."""
        comma = "true" if self.decimal == "comma" else "false"
        match base(kind):
            case Kind.TEXT:
                return f"care.read_text({text})"
            case Kind.NUMBER:
                return f"care.read_number({text}, {comma})"
            case Kind.FLAG:
                return f"care.read_flag({text})"
            case Kind.DAY:
                return f"care.read_day({text}, {literal(self.zone)}, {literal(self.dates)})"
            case _:
                return f"care.read_instant({text}, {literal(self.zone)}, {literal(self.dates)})"

    def convert(self, value: str, have: Kind, want: Kind) -> str:
        """Return SQL that turns a value of one kind into another; raise SpecProblem where none can."""
        have, want = base(have), base(want)
        if have is want:
            return value
        if have is Kind.TEXT:
            return self.read(value, want)
        if want is Kind.TEXT:
            return f"({value})::text"
        if (have, want) == (Kind.INSTANT, Kind.DAY):
            return f"(({value}) at time zone {literal(self.zone)})::date"
        if (have, want) == (Kind.DAY, Kind.INSTANT):
            return f"(({value})::timestamp at time zone {literal(self.zone)})"
        raise SpecProblem(
            said("{in_words} cannot serve as {in_words2}", in_words=in_words(have), in_words2=in_words(want))
        )


@dataclass
class Reads:
    """The landed columns that a stream reads, each by the kinds its expressions read it as."""

    aliases: dict[tuple[str, Kind], str] = field(default_factory=dict)

    def alias(self, column: str, kind: Kind) -> str:
        """Return the name under which the column, read as `kind`, stands in the reading step."""
        return self.aliases.setdefault((column, base(kind)), f"v{len(self.aliases)}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The source's columns, each once, in the order of their first use."""
        return tuple(dict.fromkeys(column for column, _ in self.aliases if column not in PLACE))
