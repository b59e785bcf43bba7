"""Answer the question: which rows does an example of a metric give, and are they rows that there can be?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator

from carewatch.spec.document import SpecProblem, Strict, raise_all, unknown
from carewatch.spec.facts import FACTS, Column, Fact, Kind
from carewatch.spec.saying import said

ROW_KEYS: Final = ("day", "known", "customer")
"""What a row of an example says beside the fact's columns: when it happened, from when it was known, and whose it is
where it is not the customer's that the example is about."""

Value = str | float | bool | None
_FORMS: Final = {
    Kind.TEXT: (str, "a text"),
    Kind.INTEGER: (int, "a whole number"),
    Kind.NUMBER: (float, "a number"),
    Kind.AMOUNT: (float, "a number"),
    Kind.FLAG: (bool, "true or false"),
    Kind.DAY: (str, "a date like 2026-03-01"),
}


class MetricExample(Strict):
    """With these rows, the metric is this on that day."""

    night: date = Field(description="the day of the night 当天")
    given: dict[str, list[dict[str, Any]]] = Field(
        description="rows by fact 给定数据, each with its day and columns, such as {day: 2026-02-01, amount: 100}"
    )
    expect: Annotated[float, Field(allow_inf_nan=False)] | Literal["missing"] = Field(
        description="the value that must come out, or missing 期望值"
    )

    @field_validator("given")
    @classmethod
    def _are_rows(cls, value: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
        problems: list[SpecProblem] = []
        for fact, rows in value.items():
            if fact not in FACTS:
                problems.append(unknown("fact", fact, FACTS, loc=(fact,), at_key=True))
                continue
            for number, row in enumerate(rows):
                problems += [problem.under(fact, number) for problem in _wrong(FACTS[fact], row)]
        raise_all(problems)
        return value


def _wrong(fact: Fact, row: dict[str, Any]) -> Iterator[SpecProblem]:
    known = (*ROW_KEYS, *(column.name for column in fact.columns))
    for key, value in row.items():
        column = fact.column(key)
        if key not in known:
            yield unknown(said("column of {name}", name=fact.name), key, known, loc=(key,), at_key=True)
        elif column is not None:
            yield from (problem.under(key) for problem in _unfit(column, value))
        elif key != "customer" and not _is_day(value):
            what = said("'{value}' is not a date", value=value)
            yield SpecProblem(what, expected="a date like 2026-03-01", loc=(key,))
    for key in ("day", *(column.name for column in fact.columns if column.required)):
        if key not in row and (key != "day" or fact.name != "customer"):
            yield SpecProblem(
                said("a row of {name} without '{key}'", name=fact.name, key=key),
                expected=said("{key}: ...", key=key),
            )


def _unfit(column: Column, value: object) -> Iterator[SpecProblem]:
    form, expected = _FORMS[column.kind]
    fits = value is None or (
        isinstance(value, form | int if form is float else form)
        and (form is bool or not isinstance(value, bool))
        and (column.kind is not Kind.DAY or _is_day(value))
    )
    if not fits:
        yield SpecProblem(
            said("'{value}' in a column of kind {kind}", value=value, kind=said(column.kind.value)),
            expected=expected,
        )


def _is_day(value: object) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True
