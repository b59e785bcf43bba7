"""Answer the question: how does a person's own query get the night's time?"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from carewatch.spec.literal import parse_literal


def literal_query(sql: str, *, day: str, cut: str) -> str:
    """Return a checked query with `:day` and `:cut` replaced by the night's literals, comments dropped."""
    literals = {"day": day, "cut": cut}

    def replace(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder):
            return sqlglot.parse_one(literals[node.name], dialect="postgres")
        return node

    return parse_literal(sql).transform(replace).sql(dialect="postgres", comments=False)
