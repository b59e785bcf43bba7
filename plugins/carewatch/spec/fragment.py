"""Answer the question: is this piece of SQL, written by a person, one harmless expression over columns we know?"""

from __future__ import annotations

from collections.abc import Collection

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from carewatch.spec.document import SpecProblem, nearest

_FORBIDDEN = (
    exp.Query,
    exp.Window,
    exp.AggFunc,
    exp.Placeholder,
    exp.Parameter,
    exp.Command,
    exp.DDL,
    exp.DML,
)
_FUNCTIONS = frozenset(
    {"coalesce", "nullif", "lower", "upper", "trim", "abs", "least", "greatest", "length", "substring", "replace",
     "left", "right", "concat", "round", "floor", "ceil", "starts_with", "split_part", "regexp_like"}
)  # fmt: skip
_CLOCKS = (exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp)


def _parse(text: str, loc: tuple[str | int, ...]) -> exp.Expression:
    try:
        statements = sqlglot.parse(f"select {text}", dialect="postgres")
    except (ParseError, TokenError):
        raise SpecProblem(
            f"'{text}' is not an SQL expression", expected="one expression over the fact's columns", loc=loc
        ) from None
    select = statements[0] if len(statements) == 1 else None
    clauses = (
        {name for name, value in select.args.items() if value} if isinstance(select, exp.Select) else set()
    )
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or clauses != {"expressions"}:
        raise SpecProblem(f"'{text}' must be one expression, not a query", loc=loc)
    expression: exp.Expression = select.expressions[0]
    return expression


def _check(text: str, columns: Collection[str], loc: tuple[str | int, ...]) -> exp.Expression:
    tree = _parse(text, loc)
    for node in tree.walk():
        if isinstance(node, _CLOCKS):
            raise SpecProblem(f"'{text}' asks for the present time; time is given by the night", loc=loc)
        if isinstance(node, _FORBIDDEN):
            raise SpecProblem(f"'{text}' may not contain {node.key.replace('_', ' ')}", loc=loc)
        if isinstance(node, exp.Column) and (node.table or node.name not in columns):
            name = node.sql()
            raise SpecProblem(
                f"unknown column '{name}' in '{text}'", expected="one of " + ", ".join(sorted(columns)),
                nearest=nearest(node.name, columns), loc=loc,
            )  # fmt: skip
        if isinstance(node, exp.Anonymous) and node.name.lower() not in _FUNCTIONS:
            raise SpecProblem(
                f"function '{node.name}' is not allowed in '{text}'",
                nearest=nearest(node.name.lower(), _FUNCTIONS),
                loc=loc,
            )
    return tree


def check_expression(text: str, columns: Collection[str], *, loc: tuple[str | int, ...] = ()) -> None:
    """Accept one scalar expression over `columns`; raise SpecProblem naming what is wrong and the nearest column."""
    _check(text, columns, loc)


def check_condition(text: str, columns: Collection[str], *, loc: tuple[str | int, ...] = ()) -> None:
    """Accept one SQL condition over `columns`; raise SpecProblem, also when it is plainly not true or false."""
    tree = _check(text, columns, loc)
    if isinstance(tree, exp.Literal) or (
        isinstance(tree, exp.Binary) and not isinstance(tree, exp.Predicate | exp.Connector)
    ):
        raise SpecProblem(
            f"'{text}' is a value, not a condition", expected="a comparison such as kind = 'regular'", loc=loc
        )


def canonical(text: str, *, table: str) -> str:
    """Return a checked fragment in canonical PostgreSQL, its columns qualified by `table`, comments dropped."""

    def qualify(node: exp.Expression) -> exp.Expression:
        return exp.column(node.name, table=table) if isinstance(node, exp.Column) else node

    return _parse(text, ()).transform(qualify).sql(dialect="postgres", comments=False)
