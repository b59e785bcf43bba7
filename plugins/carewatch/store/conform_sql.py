"""Write the SQL that turns one stream's landed rows into facts: the columns and the templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from carewatch.paths import include
from carewatch.spec.facts import SQL_TYPE, Kind
from carewatch.spec.firm import Firm
from carewatch.spec.source_expression import Compiled
from carewatch.spec.source_reading import PLACE, base, identifier, literal
from carewatch.spec.stream_plan import StreamPlan
from carewatch.store.conform_checks import (
    DUPLICATE_KEY,
    ERASED,
    HELD,
    UNKNOWN_CUSTOMER,
    UNREAD,
    Value,
    last_checks,
    number_of,
    numbered,
    raw_aliases,
    row_checks,
)


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
    checks = numbered([*row_checks(plan, row_values), *last_checks(plan, group_values)])
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
        "dated": plan.changed_at is not None,
        "has_withdrawals": plan.withdrawn is not None,
        "key": _key(plan),
        "row_values": row_values,
        "row_checks": [check.row() for check in checks if check.place != "last"],
        "group_values": group_values,
        "torn": _torn(plan),
        "carried": [value.name for value in row_values] + list(plan.reads.aliases.values()),
        "last_checks": [check.row() for check in checks if check.place == "last"],
        "checks": [check.row() for check in checks],
        "unknown_customer": number_of(checks, UNKNOWN_CUSTOMER),
        "unknown_reason": literal(UNKNOWN_CUSTOMER),
        "duplicate_reason": literal(DUPLICATE_KEY),
        "held": number_of(checks, HELD),
        "unread": number_of(checks, UNREAD),
        "duplicate": number_of(checks, DUPLICATE_KEY),
        "erased": literal(ERASED),
        "by_row": any(value.name == "customer_key" for value in row_values),
        "names_parent": "parent" in plan.columns,
        "needs_parent": "parent" in plan.columns and _is_required(plan, "parent"),
        "changed_at": "coalesce(changed_at, event_at, '-infinity')"
        if plan.changed_at
        else "null::timestamptz",
        "finals": _finals(plan, firm),
        "converts": "amount" in plan.columns and plan.fact.column("amount_original") is not None,
        "is_rate": plan.fact.name == "fx_rate",
        "firm_currency": literal(firm.currency),
        "firm_zone": literal(firm.time_zone),
        "table": plan.fact.table,
        "origin": literal(plan.origin),
    }


def _is_required(plan: StreamPlan, name: str) -> bool:
    column = plan.fact.column(name)
    return column is not None and column.required


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


def owner(plan: StreamPlan) -> list[str] | None:
    """Return the SQL that says whose a landed row is, over the columns as they are read; None when it is nobody's.

    An aggregate over the rows of a key says it of all of them: any value that it reads may then be the customer's key.
    """
    if plan.customer is None:
        return [_key(plan)] if plan.fact.name == "customer" else None
    if not plan.customer.aggregated:
        return [f"care.read_text({plan.customer.sql})"]
    return [f"care.read_text({raw_aliases(plan)[name]})" for name, _ in plan.customer.reads]


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


def _in_firm_currency(plan: StreamPlan, currency: str, firm: Firm) -> str:
    """Return the amount in the firm's currency; the rates are asked only about amounts in another one."""
    if "currency" not in plan.columns:
        return "f_amount"
    own = literal(firm.currency)
    converted = f"care.in_firm_currency(f_amount, {currency}, event_day, {own})"
    return f"case when coalesce({currency}, {own}) = {own} then f_amount else {converted} end"


def _finals(plan: StreamPlan, firm: Firm) -> list[dict[str, str | bool]]:
    """Return the columns to store: our name while computing, the fact's name, the SQL, whether it is part of the digest."""
    finals: list[dict[str, str | bool]] = []
    currency = "upper(f_currency)" if "currency" in plan.columns else "null::text"
    for column in plan.fact.columns:
        value = f"f_{column.name}"
        if column.name == "amount_original" and "amount" in plan.columns:
            sql = "trim_scale(f_amount)"
        elif column.name not in plan.columns:
            continue
        elif column.name == "amount" and plan.fact.column("amount_original"):
            sql = f"trim_scale({_in_firm_currency(plan, currency, firm)})"
        elif column.name == "currency":
            sql = currency
        elif column.kind in (Kind.NUMBER, Kind.AMOUNT):
            sql = f"trim_scale({value})"
        else:
            sql = f"({value})::{SQL_TYPE[column.kind]}"
        # What we make of an amount is no part of what the source said: a new rate is no correction of the row.
        hashed = column.name != "amount" or plan.fact.column("amount_original") is None
        finals.append(
            {"name": f"o_{column.name}", "target": identifier(column.name), "sql": sql, "hashed": hashed}
        )
    return finals
