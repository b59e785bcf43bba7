"""Answer the question: is this piece of SQL, written by a person, one harmless expression over columns we know?"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from carewatch.spec.document import SpecProblem, unknown
from carewatch.spec.harmless import SCALAR_FUNCTIONS, refuse_harm, start_of, unreadable
from carewatch.spec.saying import said

_PARTS: tuple[type[exp.Expr], ...] = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg, exp.Not,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.In, exp.Between,
    exp.Like, exp.ILike, exp.SimilarTo, exp.Escape, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe,
    exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var, *SCALAR_FUNCTIONS,
)  # fmt: skip
_TRUTHS = (
    exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.Column, exp.Case, exp.If, exp.Coalesce,
    exp.StartsWith, exp.RegexpLike, exp.RegexpILike,
)  # fmt: skip

_SELECT = "select "


@lru_cache(1024)
def _statements(text: str) -> list[exp.Expr | None]:
    """Return what the text parses to; read only, since the same fragment is looked at time and again."""
    return sqlglot.parse(_SELECT + text, dialect="postgres")


def _parse(text: str, loc: tuple[str | int, ...]) -> exp.Expression:
    try:
        statements = _statements(text)
    except (ParseError, TokenError) as error:
        what, expected = (
            said("'{text}' is not an SQL expression", text=text),
            "one expression over the fact's columns",
        )
        raise unreadable(error, text, before=len(_SELECT), what=what, expected=expected, loc=loc) from None
    select = statements[0] if len(statements) == 1 else None
    clauses = (
        {name for name, value in select.args.items() if value} if isinstance(select, exp.Select) else set()
    )
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or clauses != {"expressions"}:
        raise SpecProblem(said("'{text}' must be one expression, not a query", text=text), loc=loc)
    expression: exp.Expression = select.expressions[0]
    return expression


def _check(text: str, columns: Collection[str], loc: tuple[str | int, ...]) -> exp.Expression:
    tree = _parse(text, loc)
    for node in tree.walk():
        try:
            _check_node(node, text, columns, loc)
        except SpecProblem as problem:
            raise problem.shifted(start_of(node) - len(_SELECT)) from None
    return tree


def _check_node(node: exp.Expr, text: str, columns: Collection[str], loc: tuple[str | int, ...]) -> None:
    refuse_harm(node, (*SCALAR_FUNCTIONS, exp.AggFunc), loc=loc)
    if not isinstance(node, _PARTS) and not isinstance(node, exp.Anonymous):
        raise SpecProblem(
            said("'{text}' may not contain {key}", text=text, key=node.key.replace("_", " ")), loc=loc
        )
    if isinstance(node, exp.Column) and node.table:
        raise SpecProblem(
            said("'{node}' names a table", node=node.sql()),
            expected=said("{name} alone", name=node.name),
            loc=loc,
        )
    if isinstance(node, exp.Column) and node.name not in columns:
        raise unknown("column", node.name, columns, loc=loc)


def check_expression(text: str, columns: Collection[str], *, loc: tuple[str | int, ...] = ()) -> None:
    """Accept one scalar expression over `columns`; raise SpecProblem naming what is wrong and the nearest column."""
    _check(text, columns, loc)


def check_condition(text: str, columns: Collection[str], *, loc: tuple[str | int, ...] = ()) -> None:
    """Accept one SQL condition over `columns`; raise SpecProblem, also when it is plainly not true or false."""
    tree = _check(text, columns, loc)
    if not isinstance(tree.unnest(), _TRUTHS):
        raise SpecProblem(
            said("'{text}' is a value, not a condition", text=text),
            expected="a comparison such as kind = 'regular'",
            loc=loc,
        )


def sole_column(text: str) -> str | None:
    """Return the column that a checked fragment is, or None when it is more than that."""
    tree = _parse(text, ()).unnest()
    return tree.name if isinstance(tree, exp.Column) else None


@lru_cache(1024)
def canonical(text: str, *, table: str) -> str:
    """Return a checked fragment in canonical PostgreSQL, its columns qualified by `table`, comments dropped."""

    def qualify(node: exp.Expression) -> exp.Expression:
        return exp.column(node.name, table=table) if isinstance(node, exp.Column) else node

    return _parse(text, ()).transform(qualify).sql(dialect="postgres", comments=False)


def columns_read(text: str) -> set[str]:
    """Return the columns that a checked fragment reads."""
    return {node.name for node in _parse(text, ()).find_all(exp.Column)}
