"""Answer the question: which rows of a fact count, in words?

What people write as SQL over a fact's columns is read as a condition, which has its words already. A row that does not
say something is judged by what `coalesce` stands in for it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import sqlglot
from sqlglot import exp

from carewatch.spec.condition import All, Any_, Comparison, Condition, NoneOf
from carewatch.spec.condition.tree import Op
from carewatch.spec.condition.words import describe
from carewatch.spec.fact_names import FLAG_WORDS, Language, column_label, word_label
from carewatch.spec.facts import FACTS, Kind
from carewatch.spec.plain.words import Words
from carewatch.spec.source_words import WORDS

_OPS: Final[dict[type[exp.Expr], Op]] = {
    exp.EQ: Op.IS, exp.NEQ: Op.IS_NOT, exp.LT: Op.LT, exp.LTE: Op.LE, exp.GT: Op.GT, exp.GTE: Op.GE,
}  # fmt: skip
_TRUTH: Final[dict[Op, Callable[[Any, Any], bool]]] = {
    Op.IS: operator.eq, Op.IS_NOT: operator.ne, Op.LT: operator.lt, Op.LE: operator.le, Op.GT: operator.gt,
    Op.GE: operator.ge, Op.IN: lambda one, listed: one in listed,
}  # fmt: skip
_YES, _NO = FLAG_WORDS["en"]
_NOT: Final = {Op.IS_MISSING: Op.IS_NOT_MISSING, Op.IN: Op.NOT_IN}


def rows_that_count(fact: str, where: str, words: Words) -> str:
    """Return the sentence about which rows of a fact count."""
    try:
        said = describe(
            read_where(where),
            language=words.language,
            label=lambda column: column_label(fact, column, words.language),
            shown=lambda column, value: _shown(fact, column, value, words.language),
        )
    except (ValueError, KeyError):
        return words.say("Not all of them count: which ones is written in SQL.")
    return words.say("Only those count for which: {where}.", where=said)


def read_where(where: str) -> Condition:
    """Return an SQL condition over columns as a condition of ours; raise ValueError where ours cannot say it."""
    return _read(sqlglot.parse_one(where, read="postgres"))


def _read(node: exp.Expr) -> Condition:
    node = node.unnest()
    if isinstance(node, exp.And):
        return All(tuple(_read(one) for one in node.flatten()))
    if isinstance(node, exp.Or):
        return Any_(tuple(_read(one) for one in node.flatten()))
    if isinstance(node, exp.Not):
        return _not(node.this.unnest())
    if isinstance(node, exp.Column | exp.Coalesce):
        return _compared(node, Op.IS, _YES)
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        op = Op.IS_NOT_MISSING if node.args.get("negate") else Op.IS_MISSING
        return Comparison(_column(node.this), op, None)
    if isinstance(node, exp.In):
        return _compared(node.this, Op.IN, tuple(_literal(one) for one in node.expressions))
    if type(node) in _OPS:
        return _compared(node.this, _OPS[type(node)], _literal(node.expression))
    raise ValueError(node.sql())


def _not(node: exp.Expr) -> Condition:
    if isinstance(node, exp.Column | exp.Coalesce):
        return _compared(node, Op.IS, _NO)
    inner = _read(node)
    if isinstance(inner, Comparison) and inner.op in _NOT:
        return replace(inner, op=_NOT[inner.op])
    return NoneOf((inner,))


def _compared(node: exp.Expr, op: Op, value: Any) -> Condition:
    """Return a comparison; what stands in for a missing value says whether a row without one counts."""
    if not isinstance(node, exp.Coalesce):
        return Comparison(_column(node), op, value)
    [instead] = node.expressions
    told = Comparison(_column(node.this), op, value)
    if not _TRUTH[op](_literal(instead), value):
        return told
    return Any_((told, Comparison(told.name, Op.IS_MISSING, None)))


def _column(node: exp.Expr) -> str:
    if not isinstance(node, exp.Column):
        raise ValueError(node.sql())
    return node.name


def _literal(node: exp.Expr) -> float | str:
    if isinstance(node, exp.Boolean):
        return _YES if node.this else _NO
    if not isinstance(node, exp.Literal):
        raise ValueError(node.sql())
    return node.this if node.is_string else float(node.this)


def _shown(fact: str, column: str, value: float | str, language: Language) -> str:
    own = FACTS[fact].column(column)
    if not isinstance(value, str):
        return f"{value:g}"
    if own is not None and own.kind is Kind.FLAG:
        return FLAG_WORDS[language][value == _NO]
    return word_label(value, language) if value in WORDS.get((fact, column), ()) else value.replace("_", " ")
