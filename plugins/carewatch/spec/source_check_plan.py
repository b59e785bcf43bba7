"""Answer the question: which values of a stream does a check name, and which rows fail it?

A check may name the fact's columns (as their expressions fill them), `customer`, `key`, `event_at`, `changed_at`, and the
source's own columns that the stream reads. All of them stand in the reading step of conform under the names given here,
so that a check means the same whether a row is judged alone or the whole load is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, Literal

from carewatch.spec.condition.tree import number_text
from carewatch.spec.facts import FACTS, Kind
from carewatch.spec.problems import Loc, SpecProblem, nearest, unknown
from carewatch.spec.saying import joined, said
from carewatch.spec.source_check import (
    Between,
    Known,
    Matches,
    Newest,
    NotEmpty,
    OneOf,
    RowCount,
    SourceCheck,
    SumEquals,
    Test,
    Unique,
    UsualRows,
)
from carewatch.spec.source_reading import PLACE, base, in_words, literal

if TYPE_CHECKING:
    from carewatch.spec.stream_plan import StreamPlan

_TIMES: Final = (Kind.DAY, Kind.INSTANT)


@dataclass(frozen=True)
class Named:
    """A value that a check may name: its column in the reading step, its kind, and the SQL of its day, if it has one."""

    sql: str
    kind: Kind
    day: str | None = None


def named_values(plan: StreamPlan) -> dict[str, Named]:
    """Return what checks of a stream may name; a fact's column hides a column of the source with the same name."""
    combined = plan.stream.combine is not None

    def named(sql: str, kind: Kind) -> Named:
        kind = base(kind)
        return Named(sql, kind, plan.reading.convert(sql, kind, Kind.DAY) if kind in _TIMES else None)

    found: dict[str, Named] = {}
    for (name, kind), alias in plan.reads.aliases.items():
        if name not in PLACE and (name not in found or kind is not Kind.TEXT):
            found[name] = named(alias, kind)
    found["key"] = Named("key", Kind.TEXT)
    if plan.customer is not None or plan.fact.name == "customer":
        found["customer"] = Named("customer_key", Kind.TEXT)
    for name, compiled in (
        ("customer", plan.customer),
        ("event_at", plan.event_at),
        ("changed_at", plan.changed_at),
    ):
        if compiled is None:
            continue
        if combined and compiled.aggregated:
            found.pop(name, None)
        elif name != "customer":
            found[name] = named(name, Kind.INSTANT)
    for column in plan.fact.columns:
        compiled = plan.columns.get(column.name)
        if compiled is not None and not (combined and compiled.aggregated):
            found[column.name] = named(f"f_{column.name}", column.kind)
    return found


def names_of(test: Test) -> tuple[str, ...]:
    """Return the values of the stream that a check names."""
    match test:
        case Unique(columns):
            return columns
        case UsualRows() | RowCount():
            return ()
        case _:
            return (test.column,)


def check_problems(checks: Sequence[SourceCheck], plan: StreamPlan) -> Iterator[SpecProblem]:
    """Yield what is wrong with a stream's checks, each at its line."""
    values = named_values(plan)
    seen: set[Test] = set()
    for position, check in enumerate(checks):
        loc: Loc = ("checks", position, *check.inside)
        unknown_names = [name for name in names_of(check.test) if name not in values]
        for name in unknown_names:
            yield unknown(
                "value", name, values, loc=loc, column_offset=max(check.text.find(name), 0),
                expected=None if nearest(name, values) else _expected(plan, values),
            )  # fmt: skip
        if check.test in seen:
            yield SpecProblem(said("'{text}' stands there twice", text=check.text), loc=loc)
        elif isinstance(check.test, Known) and any(
            isinstance(one, Known) and one.column == check.test.column for one in seen
        ):
            what = said("'{column}' is asked to be known twice", column=check.test.column)
            yield SpecProblem(what, expected="one check", loc=loc)
        seen.add(check.test)
        if not unknown_names:
            problem = _misfit(check.test, values)
            if problem is not None:
                what, expected, near = problem
                yield SpecProblem(
                    said("{what} in '{text}'", what=what, text=check.text),
                    expected=expected,
                    nearest=near,
                    loc=loc,
                )


def _expected(plan: StreamPlan, values: Mapping[str, Named]) -> str:
    known = joined(", ", sorted(values))
    if plan.stream.combine:
        return said("one of {known}; of combined rows, only what has no aggregate", known=known)
    return said("one of {known}", known=known)


def _misfit(test: Test, values: Mapping[str, Named]) -> tuple[str, str | None, str | None] | None:
    """Say how a check does not fit the kind of its value: what, expected, nearest."""
    kinds = [values[name].kind for name in names_of(test)]
    kind = kinds[0] if kinds else None
    is_kind = in_words(kind or Kind.TEXT)
    match test:
        case Between(column, low, high):
            dated = isinstance(low, date) or isinstance(high, date)
            if dated and kind not in _TIMES:
                return said("'{column}' is {kind}, not a date", column=column, kind=is_kind), "numbers", None
            if not dated and kind is not Kind.NUMBER:
                wanted = "dates such as 2026-01-31" if kind in _TIMES else "a number"
                return _no_number(column, is_kind), wanted, None
        case OneOf(column, options):
            if kind is Kind.NUMBER and not all(isinstance(one, float) for one in options):
                return _is(column, is_kind), "numbers in the list", None
            if kind not in (Kind.NUMBER, Kind.TEXT):
                return _is(column, is_kind), "a text or a number", None
        case Matches(column) if kind is not Kind.TEXT:
            return _is(column, is_kind), "a text", None
        case Newest(column) if kind not in _TIMES:
            return said("'{column}' is {kind}, not a time", column=column, kind=is_kind), None, None
        case SumEquals(column) if kind is not Kind.NUMBER:
            return _no_number(column, is_kind), None, None
        case Known(column, None, None) if column != "customer":
            return (
                said("'{column}' is not the customer", column=column),
                "customer is known, or a fact's column",
                f"{column} is known in FACT.COLUMN",
            )
        case Known(column, fact, of):
            return _misfit_of_known(column, kind, fact, of)
    return None


def _is(column: str, kind: str) -> str:
    return said("'{column}' is {kind}", column=column, kind=kind)


def _no_number(column: str, kind: str) -> str:
    return said("'{column}' is {kind}, not a number", column=column, kind=kind)


def _misfit_of_known(
    column: str, kind: Kind | None, fact: str | None, of: str | None
) -> tuple[str, str | None, str | None] | None:
    if kind is not Kind.TEXT:
        return _is(column, in_words(kind or Kind.TEXT)), "a text", None
    if fact is None or of is None:
        return None
    if fact not in FACTS:
        return said("unknown fact '{fact}'", fact=fact), None, nearest(fact, FACTS)
    texts = [one.name for one in FACTS[fact].columns if one.kind is Kind.TEXT]
    if of not in texts:
        what = said("fact '{fact}' has no column of text '{of}'", fact=fact, of=of)
        return what, said("one of {known}", known=joined(", ", texts)), nearest(of, texts)
    return None


def failing(test: Test, values: Mapping[str, Named]) -> str:
    """Return the SQL condition of rows that fail a check of rows; an empty value fails only `is not empty`."""
    if isinstance(test, Unique):
        # Copies and versions of one row are no two rows: what becomes of them is decided by the key.
        columns = [values[name].sql for name in test.columns]
        window = f"over (partition by {', '.join(columns)})"
        return f"{' and '.join(f'{one} is not null' for one in columns)} and min(key) {window} <> max(key) {window}"
    value = values[names_of(test)[0]]
    match test:
        case NotEmpty():
            return f"{value.sql} is null"
        case OneOf(_, options):
            return f"{value.sql} not in ({', '.join(_written(one, value.kind) for one in options)})"
        case Between(_, low, high):
            judged = value.day if isinstance(low, date) or isinstance(high, date) else value.sql
            sides = (("<", low), (">", high))
            return " or ".join(
                f"{judged} {sign} {_edge(limit)}" for sign, limit in sides if limit is not None
            )
        case Matches(_, pattern):
            return f"{value.sql} !~ {literal(pattern)}"
        case _:
            return f"not {value.sql}_known"


def _written(option: str | float, kind: Kind) -> str:
    return (
        number_text(option) if kind is Kind.NUMBER and isinstance(option, float) else literal(in_text(option))
    )


def in_text(option: str | float) -> str:
    """Return a listed value as the text that a column of text holds."""
    return number_text(option) if isinstance(option, float) else option


def _edge(limit: float | date) -> str:
    return f"date {literal(limit.isoformat())}" if isinstance(limit, date) else f"{limit!r}::numeric"


@dataclass(frozen=True)
class Question:
    """One check of one load, ready to be asked of a table that has the named columns; the engine is not named.

    `mostly` is the share of the rows that have a value which must pass. `true` asks whether a column of yes and no is yes.
    """

    kind: Literal["present", "unique", "one_of", "between", "matches", "true", "rows", "newest", "sum"]
    columns: tuple[str, ...] = ()
    low: float | date | None = None
    high: float | date | None = None
    values: tuple[str, ...] | tuple[float, ...] = ()
    pattern: str = ""
    mostly: float = 1.0


@dataclass(frozen=True)
class Answer:
    """What came of a question: None when it could not be answered, with the `error`; how many rows it concerned."""

    passed: bool | None
    evaluated: int = 0
    unexpected: int = 0
    observed: object = None
    error: str = ""


def question_of_rows(check: SourceCheck, values: Mapping[str, Named]) -> Question:
    """Return the question of a check of rows."""
    test = check.test
    mostly = (100.0 if check.mostly is None else check.mostly) / 100
    columns = tuple(values[name].sql for name in names_of(test))
    match test:
        case NotEmpty():
            return Question("present", columns, mostly=mostly)
        case Unique():
            return Question("unique", columns, mostly=mostly)
        case OneOf(name, options):
            texts = values[name].kind is Kind.TEXT
            listed = tuple(in_text(one) for one in options) if texts else options
            return Question("one_of", columns, values=listed, mostly=mostly)
        case Between(name, low, high):
            by_day = isinstance(low, date) or isinstance(high, date)
            return Question(
                "between", (day_column(values[name]),) if by_day else columns, low, high, mostly=mostly
            )
        case Matches(_, pattern):
            return Question("matches", columns, pattern=pattern, mostly=mostly)
        case _:
            return Question("true", tuple(f"{column}_known" for column in columns), mostly=mostly)


def day_column(value: Named) -> str:
    """Return the name of the column that holds the day of a time."""
    return f"{value.sql}_day"
