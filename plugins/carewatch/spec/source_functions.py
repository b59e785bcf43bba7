"""Write the SQL of the functions and aggregates an expression may call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlglot import exp

from carewatch.spec.facts import Kind
from carewatch.spec.problems import SpecProblem, nearest
from carewatch.spec.saying import joined, said
from carewatch.spec.scales import on_five
from carewatch.spec.source_kinds import AGGREGATE, CHOICE, OF_NUMBER, OF_TEXT, common_kind

if TYPE_CHECKING:
    from carewatch.spec.source_terms import Writer

_CLOCKS: Final = (exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp)

FUNCTIONS: Final = (
    "abs", "avg", "bool_and", "bool_or", "ceil", "coalesce", "concat", "count", "first", "floor", "greatest",
    "last", "least", "left", "length", "lower", "ltrim", "max", "min", "nullif", "on_five", "replace", "right", "round",
    "rtrim", "seconds_between", "split_part", "starts_with", "substring", "sum", "trim", "upper",
)  # fmt: skip
"""What an expression may call, besides operators, case, in, between, like and is null."""


@dataclass(frozen=True)
class Term:
    """A piece of SQL and the kind of its value."""

    sql: str
    kind: Kind


def function_term(writer: Writer, node: exp.Expr, want: Kind | None) -> Term:
    """Return a function or aggregate as SQL; raise SpecProblem when it is not allowed."""
    kind = type(node)
    if kind in CHOICE:
        arguments = [node.this, *node.expressions]
        common = common_kind(arguments, want, writer.types)
        return Term(
            f"{CHOICE[kind]}({', '.join(writer.converted(one, common) for one in arguments)})", common
        )
    if kind is exp.Nullif:
        common = common_kind([node.this, node.expression], None, writer.types)
        return Term(
            f"nullif({writer.converted(node.this, common)}, {writer.converted(node.expression, common)})",
            common,
        )
    if kind in OF_NUMBER:
        return Term(f"{OF_NUMBER[kind]}({writer.number(node.this)})", Kind.NUMBER)
    if kind is exp.Round:
        return Term(f"round({writer.number(node.this)}, {_whole(node.args.get('decimals'), 0)})", Kind.NUMBER)
    if kind is exp.Length:
        return Term(f"length({writer.converted(node.this, Kind.TEXT)})", Kind.NUMBER)
    if kind is exp.StartsWith:
        text, start = writer.converted(node.this, Kind.TEXT), writer.converted(node.expression, Kind.TEXT)
        return Term(f"starts_with({text}, {start})", Kind.FLAG)
    own = node.name.lower() if isinstance(node, exp.Anonymous) and len(node.expressions) == 2 else ""
    if own == "on_five":
        scale = writer.converted(node.expressions[1], Kind.TEXT)
        return Term(on_five(writer.number(node.expressions[0]), scale), Kind.NUMBER)
    if own == "seconds_between":
        begin, end = (writer.converted(one, Kind.INSTANT) for one in node.expressions)
        return Term(f"floor(extract(epoch from ({end}) - ({begin})))", Kind.NUMBER)
    return _text_function(writer, node) or _aggregate(writer, node, want)


def _text_function(writer: Writer, node: exp.Expr) -> Term | None:
    kind = type(node)
    if kind in OF_TEXT:
        return Term(f"{OF_TEXT[kind]}({writer.converted(node.this, Kind.TEXT)})", Kind.TEXT)
    if kind is exp.Trim and node.args.get("expression") is None:
        name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")), "btrim")
        return Term(f"{name}({writer.converted(node.this, Kind.TEXT)})", Kind.TEXT)
    if kind is exp.Replace:
        parts = [node.this, node.expression, node.args.get("replacement")]
        return Term(
            f"replace({', '.join(writer.converted(one, Kind.TEXT) for one in parts if one is not None)})",
            Kind.TEXT,
        )
    if kind is exp.Concat:
        return Term(
            f"concat({', '.join(writer.converted(one, Kind.TEXT) for one in node.expressions)})", Kind.TEXT
        )
    if kind in (exp.Left, exp.Right):
        size = _whole(node.expression, None)
        return Term(f"{kind.__name__.lower()}({writer.converted(node.this, Kind.TEXT)}, {size})", Kind.TEXT)
    if kind is exp.Substring:
        start, length = _whole(node.args.get("start"), 1), node.args.get("length")
        tail = f", {_whole(length, None)}" if length is not None else ""
        return Term(f"substr({writer.converted(node.this, Kind.TEXT)}, {start}{tail})", Kind.TEXT)
    if kind is exp.SplitPart:
        at = _whole(node.args.get("part_index"), None)
        if at == 0:
            raise SpecProblem("split_part counts from 1")
        mark = writer.converted(node.args["delimiter"], Kind.TEXT)
        return Term(f"split_part({writer.converted(node.this, Kind.TEXT)}, {mark}, {at})", Kind.TEXT)
    return None


def _whole(node: exp.Expr | None, default: int | None) -> int:
    """Return a position or length; a column there could make the database refuse the whole load."""
    if node is None and default is not None:
        return default
    if (
        isinstance(node, exp.Literal)
        and not node.is_string
        and node.name.isdigit()
        and int(node.name) <= 1000
    ):
        return int(node.name)
    raise SpecProblem("a position or length is not written out", expected="a whole number from 0 to 1000")


def _aggregate(writer: Writer, node: exp.Expr, want: Kind | None) -> Term:
    kind = type(node)
    if kind not in AGGREGATE and kind not in (exp.Count, exp.First, exp.Last):
        raise refused(node)
    if writer.inside:
        raise SpecProblem("an aggregate stands inside another")
    writer.inside, writer.aggregated = True, True
    try:
        if kind is exp.Count:
            return _count(writer, node)
        if kind in (exp.Sum, exp.Avg):
            return Term(f"{AGGREGATE[kind]}({writer.number(node.this)})", Kind.NUMBER)
        if kind in (exp.LogicalOr, exp.LogicalAnd):
            return Term(f"{AGGREGATE[kind]}({writer.converted(node.this, Kind.FLAG)})", Kind.FLAG)
        inner = writer.term(node.this, want)
        if kind in AGGREGATE:
            return Term(f"{AGGREGATE[kind]}({inner.sql})", inner.kind)
        order = "row_no" if kind is exp.First else "row_no desc"
        picked = f"array_agg({inner.sql} order by {order}) filter (where ({inner.sql}) is not null)"
        return Term(f"({picked})[1]", inner.kind)
    finally:
        writer.inside = False


def _count(writer: Writer, node: exp.Expr) -> Term:
    if isinstance(node.this, exp.Star):
        return Term("count(*)", Kind.NUMBER)
    distinct = isinstance(node.this, exp.Distinct)
    inner = node.this.expressions[0] if distinct else node.this
    return Term(f"count({'distinct ' if distinct else ''}{writer.term(inner, None).sql})", Kind.NUMBER)


def refused(node: exp.Expr) -> SpecProblem:
    """Return the problem of a part that is not allowed."""
    if isinstance(node, _CLOCKS):
        return SpecProblem("the present time is asked for; a fact has its own time")
    if isinstance(node, exp.Cast):
        name = node.this.sql(dialect="postgres")
        return SpecProblem(
            "a cast is not needed", expected=said("the column alone, or types: {{{name}: number}}", name=name)
        )
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    if isinstance(node, exp.Func) and not name:
        name = node.sql_name().lower()
    if name and name not in FUNCTIONS:
        return SpecProblem(
            said("function '{name}' is not allowed", name=name),
            expected=said("one of {known}", known=joined(", ", FUNCTIONS)),
            nearest=nearest(name, FUNCTIONS),
        )
    return SpecProblem(said("'{node}' is not allowed", node=node.sql(dialect="postgres")))
