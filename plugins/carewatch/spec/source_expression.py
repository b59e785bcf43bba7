"""Answer the question: what does this SQL expression over a source's columns mean, and is it harmless?

A column is read as its place asks: `quantity * price` reads numbers, `status = 'open'` reads text, and a
column that stands alone is read as the fact's column wants it. `types` in the stream decide where a place
does not tell. Only the nodes named here are let through; the SQL is written anew from them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from carewatch.spec.facts import Kind
from carewatch.spec.problems import Loc, SpecProblem
from carewatch.spec.saying import said
from carewatch.spec.source_functions import Term
from carewatch.spec.source_kinds import column_name
from carewatch.spec.source_reading import Reading, Reads, base, in_words
from carewatch.spec.source_terms import Writer


@dataclass(frozen=True)
class Compiled:
    """One expression as SQL over the reading step.

    `column` is the landed column when the expression is nothing else; `reads` are the columns and kinds it
    reads; `loose` are the columns outside aggregates; `aggregated` says whether it has any aggregate.
    """

    text: str
    sql: str
    kind: Kind
    column: str | None
    reads: frozenset[tuple[str, Kind]]
    loose: frozenset[str]
    aggregated: bool


def compile_expression(
    text: str, *, want: Kind | None, types: Mapping[str, Kind], reading: Reading, reads: Reads, loc: Loc = ()
) -> Compiled:
    """Compile one expression; `want` is the kind its place needs. Raise SpecProblem naming what is wrong."""
    tree = _parse(text, loc)
    writer = Writer(types=types, reading=reading, reads=reads)
    try:
        term = writer.term(tree, base(want) if want is not None else None)
        if want is not None and term.kind is not base(want) and term.kind is not Kind.TEXT:
            term = Term(reading.convert(term.sql, term.kind, want), base(want))
    except SpecProblem as problem:
        raise SpecProblem(
            said("{what} in '{text}'", what=problem.what, text=text),
            expected=problem.expected,
            nearest=problem.nearest,
            loc=loc,
        ) from None
    column = column_name(tree) if isinstance(tree, exp.Column) else None
    return Compiled(
        text, term.sql, term.kind, column, frozenset(writer.used), frozenset(writer.loose), writer.aggregated
    )


def compile_condition(
    text: str, *, types: Mapping[str, Kind], reading: Reading, reads: Reads, loc: Loc = ()
) -> Compiled:
    """Compile one condition; raise SpecProblem when it is not true or false, or has an aggregate."""
    compiled = compile_expression(text, want=None, types=types, reading=reading, reads=reads, loc=loc)
    if compiled.kind is not Kind.FLAG:
        raise SpecProblem(
            said("'{text}' is {in_words}, not a condition", text=text, in_words=in_words(compiled.kind)),
            expected="a comparison such as status <> 'draft'",
            loc=loc,
        )
    if compiled.aggregated:
        raise SpecProblem(said("'{text}' has an aggregate; a condition judges one row", text=text), loc=loc)
    return compiled


def _parse(text: str, loc: Loc) -> exp.Expr:
    expected = "one SQL expression over the source's columns"
    try:
        statements = sqlglot.parse(f"select {text}", dialect="postgres")
    except (ParseError, TokenError) as error:
        where = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
        offset = max(int(where.get("col") or 8) - 8, 0)
        raise SpecProblem(
            said("'{text}' is not an SQL expression", text=text),
            expected=expected,
            column_offset=offset,
            loc=loc,
        ) from None
    select = statements[0] if len(statements) == 1 else None
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or _clauses(select):
        raise SpecProblem(said("'{text}' is not one expression", text=text), expected=expected, loc=loc)
    tree: exp.Expr = select.expressions[0]
    if isinstance(tree, exp.Alias | exp.Star):
        raise SpecProblem(said("'{text}' is not one expression", text=text), expected=expected, loc=loc)
    return tree


def _clauses(select: exp.Select) -> Sequence[str]:
    return [name for name, value in select.args.items() if name not in ("expressions", "kind") and value]
