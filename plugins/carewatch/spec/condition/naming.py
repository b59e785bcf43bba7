"""Checks of the names in a condition against what exists."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from carewatch.spec.condition.tree import Comparison, Condition, Op, Ref, comparisons
from carewatch.spec.condition.values import ORDERED
from carewatch.spec.problems import Loc, SpecProblem, nearest
from carewatch.spec.saying import said


def unknown_names(
    condition: Condition, known: Collection[str], labels: Collection[str] = ()
) -> list[SpecProblem]:
    """Return one problem per use of a name that is not known, with path and column; `labels` may be what was meant."""
    return [
        SpecProblem(
            said("unknown name '{name}'", name=name),
            expected="a metric or attribute that is defined",
            nearest=nearest(name, (*known, *labels)),
            loc=loc,
            column_offset=column,
        )
        for loc, name, column in _uses(condition)
        if name not in known
    ]


def _uses(condition: Condition) -> Iterator[tuple[Loc, str, int]]:
    for loc, comparison in comparisons(condition):
        yield loc, comparison.name, comparison.column
        if isinstance(comparison.value, Ref):
            yield loc, comparison.value.name, comparison.value.column


def mixed_kinds(condition: Condition, texts: Collection[str]) -> list[SpecProblem]:
    """Return one problem per comparison of a number with a text; `texts` are the names that hold text."""
    return [
        _mixed(comparison, texts).under(*loc)
        for loc, comparison in comparisons(condition)
        if comparison.value is not None and _is_mixed(comparison, texts)
    ]


def _is_mixed(comparison: Comparison, texts: Collection[str]) -> bool:
    left = comparison.name in texts
    return left != _is_text(comparison.value, texts) or (left and comparison.op in ORDERED)


def _is_text(value: object, texts: Collection[str]) -> bool:
    if isinstance(value, Ref):
        return value.name in texts
    return isinstance(value[0] if isinstance(value, tuple) else value, str)


def _mixed(comparison: Comparison, texts: Collection[str]) -> SpecProblem:
    if comparison.name not in texts:
        what, expected = (
            said("'{name}' is a number, not a text", name=comparison.name),
            "a number to compare it with",
        )
    elif comparison.op in ORDERED:
        what, expected = (
            said("'{name}' is a text and has no order", name=comparison.name),
            said("{is_} or {in_}", is_=Op.IS, in_=Op.IN),
        )
    else:
        what, expected = (
            said("'{name}' is a text, not a number", name=comparison.name),
            "a text; digits in quotes",
        )
    return SpecProblem(what, expected=expected, column_offset=comparison.column)
