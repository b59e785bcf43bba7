"""Write the SQL that turns one stream's landed rows into facts: the checks in their order, the columns, the templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any, Final, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from carewatch.paths import include
from carewatch.spec.facts import SQL_TYPE, Column, Kind
from carewatch.spec.firm import Firm
from carewatch.spec.source_expression import Compiled
from carewatch.spec.source_reading import PLACE, base, identifier, in_words, literal
from carewatch.spec.source_words import WORDS
from carewatch.spec.stream_plan import StreamPlan

UNKNOWN_CUSTOMER: Final = "unknown customer"
DUPLICATE_KEY: Final = "duplicate key"

_EARLIEST = "timestamptz '1900-01-02'"
_LARGEST_WHOLE = "9e18"
_ABSURD = "1e15"
_LONGEST_KEY = 400

Place = Literal["first", "key", "value", "last"]


@dataclass(frozen=True)
class Check:
    """One thing that keeps a row from becoming a fact; `when` and `value` are SQL, a reason of None is the landing's."""

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


def render(template: str, context: Mapping[str, object]) -> str:
    """Fill one of the templates under include/sql/conform."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> Environment:
    loader = FileSystemLoader(include("sql", "conform"))
    return Environment(loader=loader, undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML


def stream_context(plan: StreamPlan, firm: Firm) -> dict[str, Any]:
    """Return what the templates need to know of a stream, the same for all its loads."""
    combined = plan.stream.combine is not None
    row_values = [_value(plan, *named) for named in _named(plan) if not (combined and named[1].aggregated)]
    group_values = [_grouped(plan, *named) for named in _named(plan)] if combined else []
    if plan.customer is None:
        own = _key(plan) if plan.fact.name == "customer" else "null::text"
        row_values.append(Value("customer_key", own, "customer", Kind.TEXT))
        group_values.append(Value("customer_key", "min(customer_key)", "customer", Kind.TEXT))
    checks = _numbered([*_row_checks(plan, row_values), *_last_checks(plan, group_values)])
    return {
        "combined": combined,
        "per_file": plan.stream.combine == "per_file",
        "raw_columns": [
            {"alias": alias, "literal": literal(name)}
            for name, alias in raw_aliases(plan).items()
            if name not in PLACE
        ],
        "reads": [
            {"alias": alias, "sql": _read(plan, name, kind)}
            for (name, kind), alias in plan.reads.aliases.items()
        ],
        "keep": plan.where.sql if plan.where else "true",
        "withdrawn": plan.withdrawn.sql if plan.withdrawn else "false",
        "key": _key(plan),
        "row_values": row_values,
        "row_checks": [check.row() for check in checks if check.place != "last"],
        "group_values": group_values,
        "torn": _torn(plan),
        "carried": [value.name for value in row_values] + list(plan.reads.aliases.values()),
        "last_checks": [check.row() for check in checks if check.place == "last"],
        "checks": [check.row() for check in checks],
        "unknown_customer": _number_of(checks, UNKNOWN_CUSTOMER),
        "unknown_reason": literal(UNKNOWN_CUSTOMER),
        "duplicate_reason": literal(DUPLICATE_KEY),
        "duplicate": _number_of(checks, DUPLICATE_KEY),
        "changed_at": "coalesce(changed_at, event_at, '-infinity')"
        if plan.changed_at
        else "null::timestamptz",
        "finals": _finals(plan, firm),
        "converts": "amount" in plan.columns and plan.fact.column("amount_original") is not None,
        "firm_zone": literal(firm.time_zone),
        "table": plan.fact.table,
        "origin": literal(plan.origin),
    }


def begins(plan: StreamPlan, *, history: bool) -> str:
    """Return from when on a version is believed in a first load of history, before the source's delay; else null.

    The first version of a customer is believed from the start of the relation: a master that keeps only its
    newest state would otherwise make everybody unknown until yesterday.
    """
    if not history:
        return "null::timestamptz"
    if plan.changed_at is None:
        return "event_at"
    if plan.fact.name == "customer":
        return "least(event_at, coalesce(changed_at, event_at))"
    return "coalesce(changed_at, event_at)"


def raw_aliases(plan: StreamPlan) -> dict[str, str]:
    """Return a name for each landed column that a stream reads, so that none can meet a name of ours."""
    names = dict.fromkeys(name for name, _ in plan.reads.aliases)
    return {name: f"r{position}" for position, name in enumerate(names)}


def delay(elapsed: timedelta) -> str:
    """Return a source's delay as an SQL interval."""
    return f"interval {literal(f'{elapsed.total_seconds():f} seconds')}"


def _named(plan: StreamPlan) -> Iterator[tuple[str, Compiled, Kind, str]]:
    """Yield name, expression, kind and the name people know of every value but the key."""
    if plan.customer is not None:
        yield "customer_key", plan.customer, Kind.TEXT, "customer"
    yield "event_at", plan.event_at, Kind.INSTANT, "event_at"
    if plan.changed_at is not None:
        yield "changed_at", plan.changed_at, Kind.INSTANT, "changed_at"
    for name, compiled in plan.columns.items():
        column = plan.fact.column(name)
        yield f"f_{name}", compiled, column.kind if column else Kind.TEXT, name


def _value(plan: StreamPlan, name: str, compiled: Compiled, kind: Kind, shown: str) -> Value:
    if compiled.kind is base(kind):
        plain = compiled.column is not None or compiled.kind is not Kind.TEXT
        return Value(name, compiled.sql if plain else f"care.read_text({compiled.sql})", shown, kind)
    said = f"s_{name}"
    return Value(name, f"care.read_text({compiled.sql})", shown, kind, said, plan.reading.read(said, kind))


def _grouped(plan: StreamPlan, name: str, compiled: Compiled, kind: Kind, shown: str) -> Value:
    if compiled.aggregated:
        return _value(plan, name, compiled, kind, shown)
    picked = {"customer_key": f"min({name})", "event_at": f"min({name})", "changed_at": f"max({name})"}
    return Value(name, picked.get(name, f"(array_agg({name} order by row_no desc))[1]"), shown, kind)


def _torn(plan: StreamPlan) -> str:
    """Return the SQL that tells whether the rows of one key name different customers."""
    if plan.customer is None or plan.customer.aggregated:
        return "false"
    return "min(customer_key) is distinct from max(customer_key)"


def _key(plan: StreamPlan) -> str:
    parts = [f"care.read_text({part.sql})" for part in plan.key]
    if len(parts) == 1:
        return parts[0]
    return " || '/' || ".join(f"replace(replace({part}, '\\', '\\\\'), '/', '\\/')" for part in parts)


def _read(plan: StreamPlan, name: str, kind: Kind) -> str:
    return plan.reading.read(f"l.{raw_aliases(plan)[name]}", kind)


def _row_checks(plan: StreamPlan, values: list[Value]) -> Iterator[Check]:
    yield Check("fault is not null", None, value="fault", place="first")
    conditions = [one for one in (plan.where, plan.withdrawn) if one is not None]
    early = {read for one in conditions for read in one.reads}
    raw = raw_aliases(plan)
    for (name, kind), alias in plan.reads.aliases.items():
        if kind is Kind.TEXT:
            continue
        text = f"care.read_text({raw[name]})"
        place: Place = "first" if (name, kind) in early else "value"
        yield Check(
            f"{alias} is null and {text} is not null", f"not {in_words(kind)}", name, raw[name], place
        )
    yield Check("key is null", "no key", "key", place="key")
    yield from _said_checks(values, "value")


def _said_checks(values: list[Value], place: Place) -> Iterator[Check]:
    for value in values:
        if value.said is not None:
            unread = f"{value.name} is null and {value.said} is not null"
            yield Check(unread, f"not {in_words(value.kind)}", value.shown, value.said, place)


def _last_checks(plan: StreamPlan, group_values: list[Value]) -> Iterator[Check]:
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
    future = f"event_at > care.clock() + interval '1 day' or event_at < {_EARLIEST}"
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
    words = WORDS.get((plan.fact.name, column.name))
    if words:
        unknown = f"{value} not in ({', '.join(literal(word) for word in words)})"
        yield Check(unknown, "unknown word", column.name, value, "last")


def _numbered(checks: list[Check]) -> list[Check]:
    return [replace(check, number=position) for position, check in enumerate(checks, start=1)]


def _number_of(checks: list[Check], reason: str) -> int:
    return next(check.number for check in checks if check.reason == reason)


def _finals(plan: StreamPlan, firm: Firm) -> list[dict[str, str]]:
    """Return the columns to store: our name while computing, the fact's name, the SQL."""
    finals = []
    currency = "upper(f_currency)" if "currency" in plan.columns else "null::text"
    for column in plan.fact.columns:
        value = f"f_{column.name}"
        if column.name == "amount_original" and "amount" in plan.columns:
            sql = "trim_scale(f_amount)"
        elif column.name not in plan.columns:
            continue
        elif column.name == "amount" and plan.fact.column("amount_original"):
            sql = f"trim_scale(care.in_firm_currency(f_amount, {currency}, event_day, {literal(firm.currency)}))"
        elif column.name == "currency":
            sql = currency
        elif column.kind in (Kind.NUMBER, Kind.AMOUNT):
            sql = f"trim_scale({value})"
        else:
            sql = f"({value})::{SQL_TYPE[column.kind]}"
        finals.append({"name": f"o_{column.name}", "target": identifier(column.name), "sql": sql})
    return finals
