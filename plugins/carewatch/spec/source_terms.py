"""Write the SQL of one expression's parts, each with its kind."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from carewatch.spec.facts import Kind
from carewatch.spec.problems import SpecProblem
from carewatch.spec.saying import joined, said
from carewatch.spec.source_functions import Term, function_term, refused
from carewatch.spec.source_kinds import (
    ARITHMETIC,
    COMPARISON,
    LIKE,
    ORDERED,
    PARTS,
    PATTERN,
    Types,
    column_name,
    common_kind,
    results_of,
)
from carewatch.spec.source_reading import PLACE, Reading, Reads, base, in_words, literal

_OPERANDS: Final = {"this", "expression", "expressions"}


@dataclass
class Writer:
    """Writes terms and remembers the columns they read."""

    types: Types
    reading: Reading
    reads: Reads
    used: set[tuple[str, Kind]] = field(default_factory=set)
    loose: set[str] = field(default_factory=set)
    aggregated: bool = False
    inside: bool = False

    def term(self, node: exp.Expr, want: Kind | None) -> Term:
        """Return the node as SQL; `want` is the kind its place would like, a hint only. Raise SpecProblem."""
        parts = {name for name, value in node.args.items() if value} - _OPERANDS
        if parts - PARTS.get(type(node), frozenset()):
            raise refused(node)
        match node:
            case exp.Paren():
                inner = self.term(node.this, want)
                return Term(f"({inner.sql})", inner.kind)
            case exp.Column():
                return self._column(node, want)
            case exp.Literal():
                return Term(literal(node.name), Kind.TEXT) if node.is_string else _number_written(node)
            case exp.Boolean():
                return Term("true" if node.this else "false", Kind.FLAG)
            case exp.Null():
                return Term("null", want or Kind.TEXT)
            case exp.And() | exp.Or():
                word = "and" if isinstance(node, exp.And) else "or"
                return Term(
                    f"({self.converted(node.left, Kind.FLAG)} {word} {self.converted(node.right, Kind.FLAG)})",
                    Kind.FLAG,
                )
            case exp.Not():
                return Term(f"(not {self.converted(node.this, Kind.FLAG)})", Kind.FLAG)
            case exp.Case():
                return self._case(node, want)
        return self._operator(node) or function_term(self, node, want)

    def converted(self, node: exp.Expr, kind: Kind) -> str:
        """Return the node as SQL of one kind."""
        found = self.term(node, kind)
        return self.reading.convert(found.sql, found.kind, kind)

    def _column(self, node: exp.Column, want: Kind | None) -> Term:
        name = column_name(node)
        if name.startswith("_") and name not in PLACE:
            raise SpecProblem(
                said("'{name}' belongs to the loader", name=name),
                expected=said("of its columns only {known}", known=joined(" and ", PLACE)),
            )
        kind = base(self.types.get(name) or want or Kind.TEXT)
        self.used.add((name, kind))
        if not self.inside:
            self.loose.add(name)
        return Term(self.reads.alias(name, kind), kind)

    def _operator(self, node: exp.Expr) -> Term | None:
        kind = type(node)
        if kind in ARITHMETIC:
            left, right = self.number(node.this), self.number(node.expression)
            right = f"nullif({right}, 0)" if kind in (exp.Div, exp.Mod) else right
            return Term(f"({left} {ARITHMETIC[kind]} {right})", Kind.NUMBER)
        if kind is exp.Neg:
            return Term(f"(- {self.number(node.this)})", Kind.NUMBER)
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
            return Term(
                f"({self.converted(node.this, Kind.TEXT)} {word} {_like(node.expression)})", Kind.FLAG
            )
        if kind in PATTERN:
            return Term(
                f"({self.converted(node.this, Kind.TEXT)} {PATTERN[kind]} {_pattern(node.expression)})",
                Kind.FLAG,
            )
        if kind is exp.Is:
            return self._is(node)
        if kind is exp.DPipe:
            return Term(
                f"({self.converted(node.this, Kind.TEXT)} || {self.converted(node.expression, Kind.TEXT)})",
                Kind.TEXT,
            )
        return None

    def number(self, node: exp.Expr) -> str:
        """Return an operand of arithmetic; times have a function of their own."""
        found = self.term(node, Kind.NUMBER)
        if found.kind in (Kind.DAY, Kind.INSTANT):
            raise SpecProblem(
                said("{in_words} stands in arithmetic", in_words=in_words(found.kind)),
                expected="seconds_between(earlier, later)",
            )
        return self.reading.convert(found.sql, found.kind, Kind.NUMBER)

    def _is(self, node: exp.Expr) -> Term:
        word = "is not" if node.args.get("negate") else "is"
        if isinstance(node.expression, exp.Null):
            return Term(f"({self.term(node.this, None).sql} {word} null)", Kind.FLAG)
        if isinstance(node.expression, exp.Boolean):
            return Term(
                f"({self.converted(node.this, Kind.FLAG)} {word} {'true' if node.expression.this else 'false'})",
                Kind.FLAG,
            )
        raise SpecProblem(
            said("'{node}' is not understood", node=node.sql(dialect="postgres")),
            expected="is null, is true or is false",
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
                "texts are compared by size",
                expected=said("the kind of the columns, such as {example}", example=example),
            )
        return [self.converted(node, kind) for node in nodes]

    def _case(self, node: exp.Case, want: Kind | None) -> Term:
        branches = node.args["ifs"]
        results = results_of(node)
        kind = common_kind(results, want, self.types)
        if node.this is not None:
            value, *conditions = self._alike([node.this, *(one.this for one in branches)])
            conditions = [f"{value} = {one}" for one in conditions]
        else:
            conditions = [self.converted(one.this, Kind.FLAG) for one in branches]
        parts = [
            f"when {condition} then {self.converted(result, kind)}"
            for condition, result in zip(conditions, results, strict=False)
        ]
        otherwise = f" else {self.converted(results[-1], kind)}" if len(results) > len(branches) else ""
        return Term(f"case {' '.join(parts)}{otherwise} end", kind)


def _number_written(node: exp.Literal) -> Term:
    if not re.fullmatch(r"\d{1,30}(\.\d{1,30})?", node.name):
        raise SpecProblem(
            said("'{name}' is no plain number", name=node.name), expected="digits, such as 12.5"
        )
    return Term(node.name, Kind.NUMBER)


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
        raise SpecProblem(
            said("'{name}' is no regular expression ({error})", name=node.name, error=error)
        ) from None
    if "(?" in node.name:
        raise SpecProblem(
            said("'{name}' has a group that begins with (?", name=node.name),
            expected="a plain regular expression",
        )
    return literal(node.name)
