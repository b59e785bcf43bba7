"""Answer the question: what keeps a landed row from becoming a fact, in which order, and how is it said?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from carewatch.spec.facts import Column, Kind
from carewatch.spec.source_expression import Compiled
from carewatch.spec.source_reading import literal, unread
from carewatch.spec.source_words import WORDS
from carewatch.spec.stream_plan import StreamPlan

UNKNOWN_CUSTOMER: Final = "unknown customer"
DUPLICATE_KEY: Final = "duplicate key"
SUSPICIOUS_SNAPSHOT: Final = "suspicious snapshot"
ERASED: Final = "erased"
"""The fault of a landed row whose customer is erased: no values are left of it, and nobody misses it."""
UNREAD: Final = "fault is not null"
HELD: Final = "held is not null"
"""The condition that a check holds the row back; its reason is the check's own."""

_EARLIEST = "timestamptz '1900-01-02'"
_LARGEST_WHOLE = "9e18"
_ABSURD = "1e15"
_LONGEST_KEY = 400

Place = Literal["first", "key", "value", "last"]


@dataclass(frozen=True)
class Check:
    """One thing that keeps a row from becoming a fact; `when` and `value` are SQL; without a reason, `value` is it."""

    when: str
    reason: str | None
    field: str | None = None
    value: str | None = None
    place: Place = "value"
    number: int = 0

    def row(self) -> dict[str, object]:
        return {
            "when": self.when,
            "number": self.number,
            "place": self.place,
            "value": self.value,
            "reason": "null" if self.reason is None else literal(self.reason),
            "field": "null" if self.field is None else literal(self.field),
        }


@dataclass(frozen=True)
class Value:
    """A named value: SQL, and for a text that is to be another kind the name of the text and the SQL that reads it."""

    name: str
    sql: str
    shown: str
    kind: Kind
    said: str | None = None
    read: str | None = None


def raw_aliases(plan: StreamPlan) -> dict[str, str]:
    """Return a name for each landed column that a stream reads, so that none can meet a name of ours."""
    names = dict.fromkeys(name for name, _ in plan.reads.aliases)
    return {name: f"r{position}" for position, name in enumerate(names)}


def row_checks(plan: StreamPlan, values: list[Value]) -> Iterator[Check]:
    yield Check(UNREAD, None, value="fault", place="first")
    conditions = [one for one in (plan.where, plan.withdrawn) if one is not None]
    early = {read for one in conditions for read in one.reads}
    raw = raw_aliases(plan)
    for (name, kind), alias in plan.reads.aliases.items():
        if kind is Kind.TEXT:
            continue
        text = f"care.read_text({raw[name]})"
        place: Place = "first" if (name, kind) in early else "value"
        yield Check(f"{alias} is null and {text} is not null", unread(kind), name, raw[name], place)
    yield Check("key is null", "no key", "key", place="key")
    yield Check(HELD, None, value="held")
    yield from _said_checks(values, "value")


def _said_checks(values: list[Value], place: Place) -> Iterator[Check]:
    for value in values:
        if value.said is not None:
            missing = f"{value.name} is null and {value.said} is not null"
            yield Check(missing, unread(value.kind), value.shown, value.said, place)


def last_checks(plan: StreamPlan, group_values: list[Value]) -> Iterator[Check]:
    if plan.stream.combine is not None:
        yield Check("spoiled", "another row of this key is faulty", place="last")
        yield Check("torn", "rows of one key name different customers", "customer", place="last")
        yield from _said_checks(group_values, "last")
    if plan.fact.needs_customer:
        yield Check("customer_key is null", "no customer", "customer", place="last")
    yield Check(f"length(key) > {_LONGEST_KEY}", "a key this long is none", "key", "left(key, 100)", "last")
    yield Check(
        f"length(customer_key) > {_LONGEST_KEY}",
        "a key this long is none",
        "customer",
        "left(customer_key, 100)",
        "last",
    )
    yield Check("event_at is null", "no event time", "event_at", place="last")
    # The clock is asked once a statement: asked in every row it would cost more than reading the row.
    future = f"event_at > (select care.clock()) + interval '1 day' or event_at < {_EARLIEST}"
    yield Check(future, "event time in the future or before 1900", "event_at", "event_at::text", "last")
    for name, compiled in plan.columns.items():
        column = plan.fact.column(name)
        if column is not None:
            yield from _column_checks(plan, column, compiled)
    yield Check("false", UNKNOWN_CUSTOMER, "customer", place="last")
    yield Check("false", DUPLICATE_KEY, "key", place="last")


def _column_checks(plan: StreamPlan, column: Column, compiled: Compiled) -> Iterator[Check]:
    value = f"f_{column.name}"
    if column.required:
        yield Check(f"{value} is null", "a needed value is missing", column.name, place="last")
    if column.kind is Kind.INTEGER:
        odd = f"{value} <> trunc({value}) or abs({value}) > {_LARGEST_WHOLE}"
        yield Check(odd, "not a whole number", column.name, f"{value}::text", "last")
    if column.name in plan.stream.bounds:
        low, high = plan.stream.bounds[column.name]
        outside = f"{value} not between {low!r} and {high!r}"
        yield Check(outside, "absurd value: outside its bounds", column.name, f"{value}::text", "last")
    elif column.kind in (Kind.NUMBER, Kind.AMOUNT):
        yield Check(
            f"abs({value}) >= {_ABSURD}", "absurd value: beyond 10^15", column.name, f"{value}::text", "last"
        )
    if (plan.fact.name, column.name) == ("fx_rate", "rate"):
        yield Check(f"{value} <= 0", "a rate is above zero", column.name, f"{value}::text", "last")
    words = WORDS.get((plan.fact.name, column.name))
    if words:
        unknown = f"{value} not in ({', '.join(literal(word) for word in words)})"
        yield Check(unknown, "unknown word", column.name, value, "last")


def numbered(checks: list[Check]) -> list[Check]:
    return [replace(check, number=position) for position, check in enumerate(checks, start=1)]


def number_of(checks: list[Check], said: str) -> int:
    """Return the number of the check with this reason, or of the one that asks this."""
    return next(check.number for check in checks if said in (check.reason, check.when))
