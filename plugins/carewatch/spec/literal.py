"""Answer the question: is this query of a person safe to run, and which facts does it read?

Where words fail, a metric is one SELECT that returns `customer_no` and `value` over relations named `fact_<name>`.
These are already cut: a literal metric cannot see the future, and it gets the night's time as `:day` and `:cut`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from carewatch.spec.document import SpecProblem, nearest
from carewatch.spec.facts import FACTS
from carewatch.spec.harmless import AGGREGATES, SCALAR_FUNCTIONS, refuse_harm, start_of, unreadable
from carewatch.spec.saying import joined, said

TIMES = ("day", "cut")
"""The night's time as a query may name it: `:day` is the firm-local date, `:cut` the instant it begins."""

_FORBIDDEN = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock, exp.TableSample, exp.Parameter)
_COMMON = frozenset({"customer_no", "event_at", "event_day", "source_key"})
_RELATIONS = tuple(f"fact_{name}" for name in FACTS)
_LOC = ("sql",)


@lru_cache(256)
def _statements(sql: str) -> list[exp.Expr | None]:
    """Return what the text parses to; read only, since the same query is looked at time and again."""
    return sqlglot.parse(sql, dialect="postgres")


def parse_literal(sql: str) -> exp.Query:
    """Return the one SELECT that the text is; raise SpecProblem when it is anything else."""
    try:
        statements = _statements(sql)
    except (ParseError, TokenError) as error:
        what = said("the query cannot be read")
        raise unreadable(error, sql, before=0, what=what, expected="one SELECT", loc=_LOC) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise SpecProblem("a literal metric is exactly one SELECT", loc=_LOC)
    return statements[0]


def literal_facts(sql: str) -> list[str]:
    """Return the facts that the query reads; raise SpecProblem when it does anything but read facts."""
    tree = parse_literal(sql)
    for node in tree.walk():
        try:
            _check_node(node)
        except SpecProblem as problem:
            raise problem.shifted(start_of(node)) from None
    facts = sorted({relation.removeprefix("fact_") for relation in _relations(tree)})
    if not facts:
        raise SpecProblem("the query reads no fact", expected="from a fact such as fact_order", loc=_LOC)
    _check_columns(tree, facts)
    if not {"customer_no", "value"} <= {column.alias_or_name for column in tree.selects}:
        raise SpecProblem("the query must return customer_no and value", expected="... as value", loc=_LOC)
    return facts


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, _FORBIDDEN):
        raise SpecProblem(
            said("a literal metric may not contain {key}", key=node.key),
            expected="one SELECT over facts",
            loc=_LOC,
        )
    refuse_harm(node, (*SCALAR_FUNCTIONS, *AGGREGATES), loc=_LOC)
    if isinstance(node, exp.Placeholder) and node.name not in TIMES:
        raise SpecProblem(said("unknown value ':{name}'", name=node.name), expected=":day or :cut", loc=_LOC)


def _relations(tree: exp.Query) -> Iterator[str]:
    """Yield the facts that are read; a name of WITH is known only after it, so that none can stand for a real table."""
    withs = list(tree.find_all(exp.With))
    if len(withs) > 1 or (withs and (withs[0].parent is not tree or withs[0].recursive)):
        raise SpecProblem("WITH stands once, at the start, and is not recursive", loc=_LOC)
    named: set[str] = set()
    seen: set[int] = set()
    for cte in withs[0].expressions if withs else ():
        yield from _facts_among(cte, named, seen)
        if cte.alias in _RELATIONS:
            raise SpecProblem(
                said("'{alias}' is the name of a fact", alias=cte.alias),
                expected="another name after WITH",
                loc=_LOC,
            )
        named.add(cte.alias)
    yield from _facts_among(tree, named, seen)


def _facts_among(part: exp.Expr, named: set[str], seen: set[int]) -> Iterator[str]:
    for table in part.find_all(exp.Table):
        if id(table) in seen:
            continue
        seen.add(id(table))
        if not table.db and table.name in named:
            continue
        if table.db or table.name not in _RELATIONS:
            raise SpecProblem(
                said("unknown relation '{table}'", table=table.sql()), expected="a fact such as fact_order",
                nearest=nearest(table.name, (*_RELATIONS, *named)), loc=_LOC, column_offset=start_of(table),
            )  # fmt: skip
        yield table.name


def _check_columns(tree: exp.Query, facts: list[str]) -> None:
    """Refuse a name that no fact of the query has and that the query does not give itself."""
    known = set(_COMMON) | {column.name for fact in facts for column in FACTS[fact].columns}
    known |= {alias.alias for alias in tree.find_all(exp.Alias)}
    known |= {column.name for alias in tree.find_all(exp.TableAlias) for column in alias.columns}
    for column in tree.find_all(exp.Column):
        if isinstance(column.this, exp.Star) or column.name.lower() in known:
            continue
        raise SpecProblem(
            said("unknown column '{column}'", column=column.sql()),
            expected=said("a column of {known}", known=joined(", ", (f"fact_{fact}" for fact in facts))),
            nearest=nearest(column.name, known), loc=_LOC, column_offset=start_of(column),
        )  # fmt: skip
