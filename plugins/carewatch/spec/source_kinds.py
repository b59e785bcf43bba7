"""Answer the question: of which kind is a part of an expression, whatever its place?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlglot import exp

from carewatch.spec.facts import Kind
from carewatch.spec.source_reading import base

Types = Mapping[str, Kind]
"""The kinds of landed columns that a stream declares."""

Words = Mapping[type[Any], str]
"""PostgreSQL's word for a kind of node."""

ARITHMETIC: Final[Words] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%"}
COMPARISON: Final[Words] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=",
    exp.NullSafeEQ: "is not distinct from", exp.NullSafeNEQ: "is distinct from",
}  # fmt: skip
LIKE: Final[Words] = {exp.Like: "like", exp.ILike: "ilike"}
PATTERN: Final[Words] = {exp.RegexpLike: "~", exp.RegexpILike: "~*"}
OF_NUMBER: Final[Words] = {exp.Abs: "abs", exp.Floor: "floor", exp.Ceil: "ceil"}
OF_TEXT: Final[Words] = {exp.Lower: "lower", exp.Upper: "upper"}
CHOICE: Final[Words] = {exp.Coalesce: "coalesce", exp.Greatest: "greatest", exp.Least: "least"}
AGGREGATE: Final[Words] = {
    exp.Sum: "sum", exp.Avg: "avg", exp.Min: "min", exp.Max: "max",
    exp.LogicalOr: "bool_or", exp.LogicalAnd: "bool_and",
}  # fmt: skip
ORDERED: Final = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)

PARTS: Final[Mapping[type[Any], frozenset[str]]] = {
    exp.Column: frozenset({"table", "db", "catalog"}),
    exp.Literal: frozenset({"is_string"}),
    exp.Case: frozenset({"ifs", "default"}),
    exp.Is: frozenset({"negate"}),
    exp.Like: frozenset({"negate"}),
    exp.ILike: frozenset({"negate"}),
    exp.Between: frozenset({"low", "high"}),
    exp.Div: frozenset({"typed", "safe"}),
    exp.DPipe: frozenset({"safe"}),
    exp.Concat: frozenset({"safe", "coalesce"}),
    exp.Greatest: frozenset({"ignore_nulls"}),
    exp.Least: frozenset({"ignore_nulls"}),
    exp.Count: frozenset({"big_int"}),
    exp.Round: frozenset({"decimals"}),
    exp.Trim: frozenset({"position"}),
    exp.Replace: frozenset({"replacement"}),
    exp.Substring: frozenset({"start", "length"}),
    exp.SplitPart: frozenset({"delimiter", "part_index"}),
}
"""What a node may have beside its operands; anything else would be lost on the way and is refused."""

_NUMERIC: Final = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Abs, exp.Floor, exp.Ceil, exp.Round, exp.Length,
    exp.Sum, exp.Avg, exp.Count, exp.Anonymous,
)  # fmt: skip
_TEXTUAL: Final = (
    exp.Lower, exp.Upper, exp.Trim, exp.Replace, exp.Substring, exp.Left, exp.Right, exp.SplitPart,
    exp.Concat, exp.DPipe,
)  # fmt: skip
_TRUTH: Final = (
    exp.Predicate,
    exp.Connector,
    exp.Not,
    exp.Boolean,
    exp.StartsWith,
    exp.LogicalOr,
    exp.LogicalAnd,
)
_TRANSPARENT: Final = (exp.Paren, exp.Min, exp.Max, exp.First, exp.Last, exp.Nullif)


def column_name(node: exp.Column) -> str:
    """Return the landed column a name means: `customer.code` is the field `code` inside `customer`."""
    return ".".join(part.name for part in node.parts)


def kind_of(node: exp.Expr, types: Types) -> Kind | None:
    """Return the kind that a node has whatever its place, or None when its place decides."""
    if isinstance(node, _TRANSPARENT):
        return kind_of(node.this, types)
    if isinstance(node, exp.Column):
        kind = types.get(column_name(node))
        return base(kind) if kind else None
    if isinstance(node, exp.Literal):
        return None if node.is_string else Kind.NUMBER
    if isinstance(node, exp.Case):
        return _first_told([*results_of(node)], types)
    if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
        return _first_told([node.this, *node.expressions], types)
    if isinstance(node, _NUMERIC):
        return Kind.NUMBER
    if isinstance(node, _TEXTUAL):
        return Kind.TEXT
    return Kind.FLAG if isinstance(node, _TRUTH) else None


def common_kind(nodes: Sequence[exp.Expr], want: Kind | None, types: Types) -> Kind:
    """Return the kind in which values are compared or chosen among: theirs, the wanted one, or text."""
    return _first_told(nodes, types) or want or Kind.TEXT


def results_of(node: exp.Case) -> list[exp.Expr]:
    """Return what a case may come to."""
    default = node.args.get("default")
    return [*(branch.args["true"] for branch in node.args["ifs"]), *([] if default is None else [default])]


def _first_told(nodes: Sequence[exp.Expr], types: Types) -> Kind | None:
    return next((kind for node in nodes if (kind := kind_of(node, types)) is not None), None)
