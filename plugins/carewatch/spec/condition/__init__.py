"""The condition language: one comparison per line under all, any and none; true, false or unknown."""

from carewatch.spec.condition.evaluation import FALSE, TRUE, UNKNOWN, Clause, clauses, evaluate, judge
from carewatch.spec.condition.field import ConditionField
from carewatch.spec.condition.naming import mixed_kinds, unknown_names
from carewatch.spec.condition.parsing import parse
from carewatch.spec.condition.tree import (
    All,
    Any_,
    Comparison,
    Condition,
    NoneOf,
    Op,
    Ref,
    comparisons,
    names,
    to_data,
)
from carewatch.spec.condition.words import describe

__all__ = [
    "FALSE",
    "TRUE",
    "UNKNOWN",
    "All",
    "Any_",
    "Clause",
    "Comparison",
    "Condition",
    "ConditionField",
    "NoneOf",
    "Op",
    "Ref",
    "clauses",
    "comparisons",
    "describe",
    "evaluate",
    "judge",
    "mixed_kinds",
    "names",
    "parse",
    "to_data",
    "unknown_names",
]
