"""Answer the question: is this query of a person safe to run, and which facts does it read?

Where words fail, a metric is one SELECT that returns `customer_no` and `value` over relations named `fact_<name>`.
These are already cut: a literal metric cannot see the future, and it gets the night's time as `:day` and `:cut`.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from carewatch.spec.document import SpecProblem, nearest
from carewatch.spec.facts import FACTS

_FORBIDDEN = (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock, exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp)
_FORBIDDEN_FUNCTIONS = frozenset({"now", "clock_timestamp", "statement_timestamp", "timeofday", "random", "set_config"})


def _tree(sql: str) -> exp.Query:
    try:
        statements = sqlglot.parse(sql, dialect="postgres")
    except (ParseError, TokenError) as error:
        first_line = str(error).splitlines()[0]
        raise SpecProblem(f"the query cannot be read: {first_line}", expected="one SELECT", loc=("sql",)) from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise SpecProblem("a literal metric is exactly one SELECT", loc=("sql",))
    return statements[0]


def literal_facts(sql: str) -> list[str]:
    """Return the facts that the query reads; raise SpecProblem when it does anything but read facts."""
    tree = _tree(sql)
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    choices = [f"fact_{name}" for name in FACTS]
    found: set[str] = set()
    for node in tree.walk():
        if isinstance(node, _FORBIDDEN):
            raise SpecProblem(f"a literal metric may not contain {node.key}", expected="one SELECT over facts", loc=("sql",))
        if isinstance(node, exp.Anonymous) and (node.name.lower() in _FORBIDDEN_FUNCTIONS or node.name.lower().startswith("pg_")):
            raise SpecProblem(f"function '{node.name}' is not allowed in a metric", expected=":day or :cut for time", loc=("sql",))
        if isinstance(node, exp.Placeholder) and node.name not in ("day", "cut"):
            raise SpecProblem(f"unknown value ':{node.name}'", expected=":day or :cut", loc=("sql",))
        if isinstance(node, exp.Table) and node.name not in own:
            if node.db or node.name not in choices:
                raise SpecProblem(
                    f"unknown relation '{node.sql()}'", expected="a fact such as fact_order",
                    nearest=nearest(node.name, choices), loc=("sql",),
                )  # fmt: skip
            found.add(node.name.removeprefix("fact_"))
    selected = {column.alias_or_name for column in tree.selects}
    if not {"customer_no", "value"} <= selected:
        raise SpecProblem("the query must return customer_no and value", expected="... as value", loc=("sql",))
    return sorted(found)


def literal_query(sql: str, *, day: str, cut: str) -> str:
    """Return the query with `:day` and `:cut` replaced by the night's literals, comments dropped."""
    literals = {"day": day, "cut": cut}

    def replace(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder):
            return sqlglot.parse_one(literals[node.name], dialect="postgres")
        return node

    return _tree(sql).transform(replace).sql(dialect="postgres", comments=False)
