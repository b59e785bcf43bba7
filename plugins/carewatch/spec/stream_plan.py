"""Answer the question: what exactly has to be read and computed for one stream?"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from carewatch.spec.facts import Fact, Kind
from carewatch.spec.problems import Loc, SpecProblem, nearest, raise_all
from carewatch.spec.saying import said
from carewatch.spec.source_expression import Compiled, compile_condition, compile_expression
from carewatch.spec.source_reading import Reading, Reads, identifier

if TYPE_CHECKING:
    from carewatch.spec.streams import Stream

_LONGEST_NAME = 63


@dataclass(frozen=True)
class Feed:
    """One thing to read from a source, for one or more streams.

    Its landed table is called `name`; `streams` are those that read it, `snapshot` says that one of them
    ends what is missing. `columns` are what to read; `whole` means that one changed or removed file makes all
    files be read; `digest` changes with everything that decides what the rows become.
    """

    name: str
    stream: Stream
    columns: tuple[str, ...]
    whole: bool
    digest: str
    streams: tuple[str, ...]
    snapshot: bool


@dataclass(frozen=True)
class StreamPlan:
    """A stream with its expressions compiled over the landed columns."""

    source: str
    name: str
    stream: Stream
    reading: Reading
    reads: Reads
    key: tuple[Compiled, ...]
    customer: Compiled | None
    event_at: Compiled
    changed_at: Compiled | None
    where: Compiled | None
    withdrawn: Compiled | None
    columns: Mapping[str, Compiled]

    @property
    def origin(self) -> str:
        return f"{self.source}.{self.name}"

    @property
    def fact(self) -> Fact:
        return self.stream.definition

    @property
    def landed_columns(self) -> tuple[str, ...]:
        """The columns this stream needs landed, its cursor included."""
        cursor = getattr(self.stream, "cursor", None)
        return tuple(dict.fromkeys([*self.reads.columns, *([cursor] if cursor else [])]))

    @property
    def reads_from(self) -> str:
        """What streams have in common that can share one reading."""
        options = {
            name: getattr(self.stream, name, None)
            for name in ("from_", "cursor", "since", "reread", "parameters", "format", "sheet")
        }
        return json.dumps(options, default=str, sort_keys=True)


def plan_stream(source: str, name: str, stream: Stream, reading: Reading) -> StreamPlan:
    """Compile a stream; raise SpecProblem with everything that is wrong, its `loc` below the stream."""
    reads, problems = Reads(), list[SpecProblem]()

    def attempt(compile_it: Callable[[], Compiled]) -> Compiled | None:
        try:
            return compile_it()
        except SpecProblem as problem:
            problems.append(problem)
            return None

    def value(text: str | None, want: Kind, *loc: str | int) -> Compiled | None:
        if text is None:
            return None
        return attempt(
            lambda: compile_expression(
                text, want=want, types=stream.types, reading=reading, reads=reads, loc=loc
            )
        )

    def condition(text: str | None, loc: str) -> Compiled | None:
        if text is None:
            return None
        return attempt(
            lambda: compile_condition(text, types=stream.types, reading=reading, reads=reads, loc=(loc,))
        )

    where, withdrawn = condition(stream.where, "where"), condition(stream.withdrawn_when, "withdrawn_when")
    single = isinstance(stream.key, str)
    key = [
        value(text, Kind.TEXT, *(("key",) if single else ("key", at))) for at, text in enumerate(stream.keys)
    ]
    customer = value(stream.customer, Kind.TEXT, "customer")
    event_at = value(stream.event_at, Kind.INSTANT, "event_at")
    changed_at = value(stream.changed_at, Kind.INSTANT, "changed_at")
    columns = {
        column.name: value(stream.columns[column.name], column.kind, "columns", column.name)
        for column in stream.definition.columns
        if column.name in stream.columns
    }
    problems += _name_problems(stream, reads)
    raise_all(problems)
    plan = StreamPlan(
        source,
        name,
        stream,
        reading,
        reads,
        tuple(part for part in key if part),
        customer,
        cast(Compiled, event_at),
        changed_at,
        where,
        withdrawn,
        {column: compiled for column, compiled in columns.items() if compiled},
    )
    raise_all(_aggregate_problems(plan))
    return plan


def _name_problems(stream: Stream, reads: Reads) -> list[SpecProblem]:
    found = [
        SpecProblem(
            said("the column name '{name}' is too long", name=name),
            expected=said("at most {longest_name} bytes", longest_name=_LONGEST_NAME),
        )
        for name in reads.columns
        if len(identifier(name).encode()) - 2 > _LONGEST_NAME
    ]
    unused = [name for name in stream.types if name not in reads.columns]
    strange = [(at, name) for at, name in enumerate(stream.personal) if name not in reads.columns]
    return [
        *found,
        *(
            SpecProblem(said("no expression reads '{name}'", name=name), loc=("types", name), at_key=True)
            for name in unused
        ),
        *(
            SpecProblem(
                said("no expression reads '{name}'", name=name),
                nearest=nearest(name, reads.columns),
                loc=("personal", at),
            )
            for at, name in strange
        ),
    ]


def _aggregate_problems(plan: StreamPlan) -> list[SpecProblem]:
    in_key = {name for part in plan.key for name, _ in part.reads}
    found = [
        SpecProblem(said("'{text}' has an aggregate; a key tells rows apart", text=part.text), loc=("key",))
        for part in plan.key
        if part.aggregated
    ]
    if plan.stream.combine is None:
        return found + [
            SpecProblem(
                said("'{text}' has an aggregate", text=one.text),
                expected="combine: per_file or per_load beside it",
                loc=loc,
            )
            for loc, one in _located(plan)
            if one.aggregated
        ]
    for loc, one in _located(plan):
        stray = one.loose if one.aggregated else one.loose - in_key
        if stray and (one.aggregated or loc[0] == "columns"):
            name = sorted(stray)[0]
            found.append(
                SpecProblem(
                    said(
                        "'{name}' in '{text}' may differ among the rows that are combined",
                        name=name,
                        text=one.text,
                    ),
                    expected=said("an aggregate such as last({name}), max({name}) or sum({name})", name=name),
                    loc=loc,
                )
            )
    return found


def _located(plan: StreamPlan) -> list[tuple[Loc, Compiled]]:
    single = [
        (("customer",), plan.customer),
        (("event_at",), plan.event_at),
        (("changed_at",), plan.changed_at),
    ]
    return [
        *((loc, one) for loc, one in single if one is not None),
        *((("columns", name), one) for name, one in plan.columns.items()),
    ]
