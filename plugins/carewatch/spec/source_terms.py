"""Write the SQL of one expression's parts, each with its kind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from carewatch.spec.facts import Kind
from carewatch.spec.problems import SpecProblem, nearest
from carewatch.spec.source_kinds import (
    AGGREGATE,
    ARITHMETIC,
    CHOICE,
    COMPARISON,
    LIKE,
    OF_NUMBER,
    OF_TEXT,
    ORDERED,
    PARTS,
    PATTERN,
    Types,
    column_name,
    common_kind,
    results_of,
)
from carewatch.spec.source_reading import PLACE, Reading, Reads, base, in_words, literal


@dataclass(frozen=True)
class Term:
    """A piece of SQL and the kind of its value."""

    sql: str
    kind: Kind


_OPERANDS: Final = {"this", "expression", "expressions"}
_CLOCKS: Final = (exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp)

FUNCTIONS: Final = (
    "abs", "avg", "bool_and", "bool_or", "ceil", "coalesce", "concat", "count", "first", "floor", "greatest",
    "last", "least", "left", "length", "lower", "ltrim", "max", "min", "nullif", "replace", "right", "round",
    "rtrim", "seconds_between", "split_part", "starts_with", "substring", "sum", "trim", "upper",
)  # fmt: skip
"""What an expression may call, besides operators, case, in, between, like and is null."""


@dataclass
class Writer:
    """Writes terms and remembers the columns they read."""

    types: Types
    reading: Reading
    reads: Reads
    used: set[tuple[str, Kind]] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)
    aggregated: bool = False
    _inside: bool = False

    def term(self, node: exp.Expr, want: Kind | None) -> Term:
        """Return the node as SQL; `want` is the kind its place would like, a hint only. Raise SpecProblem."""
        parts = {name for name, value in node.args.items() if value} - _OPERANDS
        if parts - PARTS.get(type(node), frozenset()):
            raise self._refused(node)
        match node:
            case exp.Paren():
                inner = self.term(node.this, want)
                return Term(f"({inner.sql})", inner.kind)
            case exp.Column():
                return self._column(node, want)
            case exp.Literal():
                return Term(literal(node.name), Kind.TEXT) if node.is_string else Term(node.name, Kind.NUMBER)
            case exp.Boolean():
                return Term("true" if node.this else "false", Kind.FLAG)
            case exp.Null():
                return Term("null", want or Kind.TEXT)
            case exp.And() | exp.Or():
                word = "and" if isinstance(node, exp.And) else "or"
                return Term(
                    f"({self._as(node.left, Kind.FLAG)} {word} {self._as(node.right, Kind.FLAG)})", Kind.FLAG
                )
            case exp.Not():
                return Term(f"(not {self._as(node.this, Kind.FLAG)})", Kind.FLAG)
            case exp.Case():
                return self._case(node, want)
        return self._operator(node) or self._function(node, want)

    def _as(self, node: exp.Expr, kind: Kind) -> str:
        found = self.term(node, kind)
        return self.reading.convert(found.sql, found.kind, kind)

    def _column(self, node: exp.Column, want: Kind | None) -> Term:
        name = column_name(node)
        if name.startswith("_") and name not in PLACE:
            raise SpecProblem(
                f"'{name}' belongs to the loader", expected="of its columns only " + " and ".join(PLACE)
            )
        kind = base(self.types.get(name) or want or Kind.TEXT)
        self.used.add((name, kind))
        if not self._inside:
            self.loose.add(name)
        return Term(self.reads.alias(name, kind), kind)

    def _operator(self, node: exp.Expr) -> Term | None:
        kind = type(node)
        if kind in ARITHMETIC:
            left, right = self._number(node.this), self._number(node.expression)
            right = f"nullif({right}, 0)" if kind in (exp.Div, exp.Mod) else right
            return Term(f"({left} {ARITHMETIC[kind]} {right})", Kind.NUMBER)
        if kind is exp.Neg:
            return Term(f"(- {self._number(node.this)})", Kind.NUMBER)
        if kind in COMPARISON:
            left, right = self._alike([node.this, node.expression], ordered=isinstance(node, ORDERED))
            return Term(f"({left} {COMPARISON[kind]} {right})", Kind.FLAG)
        if kind is exp.Between:
            value, low, high = self._alike([node.this, node.args["low"], node.args["high"]], ordered=True)
            return Term(f"({value} between {low} and {high})", Kind.FLAG)
        if kind is exp.In and node.expressions and not node.args.get("query"):
            value, *options = self._alike([node.this, *node.expressions])
            return Term(f"({value} in ({', '.join(options)}))", Kind.FLAG)
        if kind in LIKE:
            word = f"not {LIKE[kind]}" if node.args.get("negate") else LIKE[kind]
            return Term(f"({self._as(node.this, Kind.TEXT)} {word} {_like(node.expression)})", Kind.FLAG)
        if kind in PATTERN:
            return Term(
                f"({self._as(node.this, Kind.TEXT)} {PATTERN[kind]} {_pattern(node.expression)})", Kind.FLAG
            )
        if kind is exp.Is:
            return self._is(node)
        if kind is exp.DPipe:
            return Term(
                f"({self._as(node.this, Kind.TEXT)} || {self._as(node.expression, Kind.TEXT)})", Kind.TEXT
            )
        return None

    def _number(self, node: exp.Expr) -> str:
        """Return an operand of arithmetic; times have a function of their own."""
        found = self.term(node, Kind.NUMBER)
        if found.kind in (Kind.DAY, Kind.INSTANT):
            raise SpecProblem(
                f"{in_words(found.kind)} stands in arithmetic", expected="seconds_between(earlier, later)"
            )
        return self.reading.convert(found.sql, found.kind, Kind.NUMBER)

    def _is(self, node: exp.Expr) -> Term:
        word = "is not" if node.args.get("negate") else "is"
        if isinstance(node.expression, exp.Null):
            return Term(f"({self.term(node.this, None).sql} {word} null)", Kind.FLAG)
        if isinstance(node.expression, exp.Boolean):
            return Term(
                f"({self._as(node.this, Kind.FLAG)} {word} {'true' if node.expression.this else 'false'})",
                Kind.FLAG,
            )
        raise SpecProblem(
            f"'{node.sql(dialect='postgres')}' is not understood", expected="is null, is true or is false"
        )

    def _alike(self, nodes: list[exp.Expr], want: Kind | None = None, *, ordered: bool = False) -> list[str]:
        """Return terms of one kind: of those that tell their kind, else the wanted one, else text."""
        kind = common_kind(nodes, want, self.types)
        if (
            ordered
            and kind is Kind.TEXT
            and all(isinstance(node, exp.Column | exp.Literal) for node in nodes)
        ):
            names = [node.sql(dialect="postgres") for node in nodes if isinstance(node, exp.Column)]
            example = f"types: {{{names[0]}: instant}}" if names else "numbers"
            raise SpecProblem(
                "texts are compared by size", expected=f"the kind of the columns, such as {example}"
            )
        return [self._as(node, kind) for node in nodes]

    def _case(self, node: exp.Case, want: Kind | None) -> Term:
        branches = node.args["ifs"]
        results = results_of(node)
        kind = common_kind(results, want, self.types)
        if node.this is not None:
            value, *conditions = self._alike([node.this, *(one.this for one in branches)])
            conditions = [f"{value} = {one}" for one in conditions]
        else:
            conditions = [self._as(one.this, Kind.FLAG) for one in branches]
        parts = [
            f"when {condition} then {self._as(result, kind)}"
            for condition, result in zip(conditions, results, strict=False)
        ]
        otherwise = f" else {self._as(results[-1], kind)}" if len(results) > len(branches) else ""
        return Term(f"case {' '.join(parts)}{otherwise} end", kind)

    def _function(self, node: exp.Expr, want: Kind | None) -> Term:
        kind = type(node)
        if kind in CHOICE:
            arguments = [node.this, *node.expressions]
            common = common_kind(arguments, want, self.types)
            return Term(f"{CHOICE[kind]}({', '.join(self._as(one, common) for one in arguments)})", common)
        if kind is exp.Nullif:
            common = common_kind([node.this, node.expression], None, self.types)
            return Term(f"nullif({self._as(node.this, common)}, {self._as(node.expression, common)})", common)
        if kind in OF_NUMBER:
            return Term(f"{OF_NUMBER[kind]}({self._number(node.this)})", Kind.NUMBER)
        if kind is exp.Round:
            return Term(
                f"round({self._number(node.this)}, {self._whole(node.args.get('decimals'), 0)})", Kind.NUMBER
            )
        if kind is exp.Length:
            return Term(f"length({self._as(node.this, Kind.TEXT)})", Kind.NUMBER)
        if kind is exp.StartsWith:
            text, start = self._as(node.this, Kind.TEXT), self._as(node.expression, Kind.TEXT)
            return Term(f"starts_with({text}, {start})", Kind.FLAG)
        if (
            isinstance(node, exp.Anonymous)
            and node.name.lower() == "seconds_between"
            and len(node.expressions) == 2
        ):
            begin, end = (self._as(one, Kind.INSTANT) for one in node.expressions)
            return Term(f"floor(extract(epoch from ({end}) - ({begin})))", Kind.NUMBER)
        return self._text_function(node) or self._aggregate(node, want)

    def _text_function(self, node: exp.Expr) -> Term | None:
        kind = type(node)
        if kind in OF_TEXT:
            return Term(f"{OF_TEXT[kind]}({self._as(node.this, Kind.TEXT)})", Kind.TEXT)
        if kind is exp.Trim and node.args.get("expression") is None:
            name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position")), "btrim")
            return Term(f"{name}({self._as(node.this, Kind.TEXT)})", Kind.TEXT)
        if kind is exp.Replace:
            parts = [node.this, node.expression, node.args.get("replacement")]
            return Term(
                f"replace({', '.join(self._as(one, Kind.TEXT) for one in parts if one is not None)})",
                Kind.TEXT,
            )
        if kind is exp.Concat:
            return Term(
                f"concat({', '.join(self._as(one, Kind.TEXT) for one in node.expressions)})", Kind.TEXT
            )
        if kind in (exp.Left, exp.Right):
            size = self._whole(node.expression, None)
            return Term(f"{kind.__name__.lower()}({self._as(node.this, Kind.TEXT)}, {size})", Kind.TEXT)
        if kind is exp.Substring:
            start, length = self._whole(node.args.get("start"), 1), node.args.get("length")
            tail = f", {self._whole(length, None)}" if length is not None else ""
            return Term(f"substr({self._as(node.this, Kind.TEXT)}, {start}{tail})", Kind.TEXT)
        if kind is exp.SplitPart:
            at = self._whole(node.args.get("part_index"), None)
            if at == 0:
                raise SpecProblem("split_part counts from 1")
            mark = self._as(node.args["delimiter"], Kind.TEXT)
            return Term(f"split_part({self._as(node.this, Kind.TEXT)}, {mark}, {at})", Kind.TEXT)
        return None

    @staticmethod
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

    def _aggregate(self, node: exp.Expr, want: Kind | None) -> Term:
        kind = type(node)
        if kind not in AGGREGATE and kind not in (exp.Count, exp.First, exp.Last):
            raise self._refused(node)
        if self._inside:
            raise SpecProblem("an aggregate stands inside another")
        self._inside, self.aggregated = True, True
        try:
            if kind is exp.Count:
                return self._count(node)
            if kind in (exp.Sum, exp.Avg):
                return Term(f"{AGGREGATE[kind]}({self._number(node.this)})", Kind.NUMBER)
            if kind in (exp.LogicalOr, exp.LogicalAnd):
                return Term(f"{AGGREGATE[kind]}({self._as(node.this, Kind.FLAG)})", Kind.FLAG)
            inner = self.term(node.this, want)
            if kind in AGGREGATE:
                return Term(f"{AGGREGATE[kind]}({inner.sql})", inner.kind)
            order = "row_no" if kind is exp.First else "row_no desc"
            picked = f"array_agg({inner.sql} order by {order}) filter (where ({inner.sql}) is not null)"
            return Term(f"({picked})[1]", inner.kind)
        finally:
            self._inside = False

    def _count(self, node: exp.Expr) -> Term:
        if isinstance(node.this, exp.Star):
            return Term("count(*)", Kind.NUMBER)
        distinct = isinstance(node.this, exp.Distinct)
        inner = node.this.expressions[0] if distinct else node.this
        return Term(f"count({'distinct ' if distinct else ''}{self.term(inner, None).sql})", Kind.NUMBER)

    @staticmethod
    def _refused(node: exp.Expr) -> SpecProblem:
        if isinstance(node, _CLOCKS):
            return SpecProblem("the present time is asked for; a fact has its own time")
        if isinstance(node, exp.Cast):
            name = node.this.sql(dialect="postgres")
            return SpecProblem(
                "a cast is not needed", expected=f"the column alone, or types: {{{name}: number}}"
            )
        name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
        if isinstance(node, exp.Func) and not name:
            name = node.sql_name().lower()
        if name and name not in FUNCTIONS:
            return SpecProblem(
                f"function '{name}' is not allowed",
                expected="one of " + ", ".join(FUNCTIONS),
                nearest=nearest(name, FUNCTIONS),
            )
        return SpecProblem(f"'{node.sql(dialect='postgres')}' is not allowed")


def _like(node: exp.Expr) -> str:
    """Return a pattern of `like` that is written out and cannot make the load fail."""
    if isinstance(node, exp.Literal) and node.is_string and not node.name.endswith("\\"):
        return literal(node.name)
    raise SpecProblem("a pattern is not written out", expected="one in quotes, such as 'C%'")


def _pattern(node: exp.Expr) -> str:
    """Return a pattern that is written out and can be read, so that no row can make the load fail."""
    if not (isinstance(node, exp.Literal) and node.is_string):
        raise SpecProblem("a pattern is not written out", expected="a regular expression in quotes")
    try:
        re.compile(node.name)
    except re.error as error:
        raise SpecProblem(f"'{node.name}' is no regular expression ({error})") from None
    if "(?" in node.name:
        raise SpecProblem(
            f"'{node.name}' has a group that begins with (?", expected="a plain regular expression"
        )
    return literal(node.name)
