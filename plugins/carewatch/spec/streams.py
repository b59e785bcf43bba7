"""Answer the question: what does one stream of a source say, and which fact does it become?"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from carewatch.spec.document import SpecProblem, Strict, nearest, raise_all
from carewatch.spec.elapsed import ElapsedField
from carewatch.spec.facts import FACTS, Fact, Kind
from carewatch.spec.saying import joined, said
from carewatch.spec.source_check import CheckField
from carewatch.spec.source_check_plan import check_problems
from carewatch.spec.source_reading import Reading
from carewatch.spec.stream_plan import plan_stream

Sql = Annotated[
    str, Field(min_length=1, description="a column, or an SQL expression over the source's columns")
]
Combine = Literal["per_file", "per_load"]

_FILLED_BY_LOADER = {"amount_original": "amount"}


class Stream(Strict):
    """What every kind of stream says.

    `key` tells rows apart for good; `event_at` is when it happened; with `changed_at` the newest version of a
    key wins in whatever order versions arrive, without it the later load wins, within one load the later
    file, and two different rows of one file are a fault. Rows that fail `where` are no business of this
    stream; a row that meets
    `withdrawn_when` ends the fact of its key. With `combine` all rows of a key (in one file, or in one load)
    become one fact and `columns` hold aggregates.

    With `snapshot` every reading shows all rows there are: a key that was believed and is not among the rows that pass
    `where` ends. A snapshot that lacks more than `ends_at_most` percent of them, or has lines nobody can read, ends none
    and waits in quarantine for a person.
    """

    from_: str = Field(alias="from", min_length=1, description="table, endpoint path or file pattern")
    fact: str
    key: Sql | Annotated[list[Sql], Field(min_length=1)]
    customer: Sql | None = None
    event_at: Sql
    changed_at: Sql | None = None
    where: Sql | None = None
    withdrawn_when: Sql | None = None
    types: dict[str, Kind] = Field(
        default_factory=dict, description="kind of a column where its use does not tell"
    )
    columns: dict[str, Sql] = Field(default_factory=dict, description="the fact's columns")
    personal: list[str] = Field(
        default_factory=list,
        description="columns of the source whose values are a person's beyond what the fact says, such as name",
    )
    bounds: dict[str, tuple[float, float]] = Field(
        default_factory=dict,
        description="smallest and largest believable value; a row outside waits in quarantine",
    )
    combine: Combine | None = None
    snapshot: bool = Field(
        default=False, description="each reading shows all rows; a key that is missing was deleted"
    )
    ends_at_most: float = Field(
        default=20, ge=0, le=100, description="percent of the keys that one snapshot may end unasked"
    )
    checks: list[CheckField] = Field(
        default_factory=list,
        description="what landed rows must be like; rows or source wait where they are not",
    )

    @property
    def keys(self) -> tuple[str, ...]:
        """The parts of the key."""
        return (self.key,) if isinstance(self.key, str) else tuple(self.key)

    @property
    def definition(self) -> Fact:
        """The fact that the rows become."""
        return FACTS[self.fact]

    @model_validator(mode="after")
    def _fits_its_fact(self) -> Stream:
        fact = FACTS.get(self.fact)
        if fact is None:
            raise SpecProblem(
                said("unknown fact '{fact}'", fact=self.fact),
                expected=said("one of {known}", known=joined(", ", FACTS)),
                nearest=nearest(self.fact, FACTS),
                loc=("fact",),
            )
        problems = [
            *_columns_problems(self, fact),
            *_bounds_problems(self, fact),
            *_shape_problems(self, fact),
        ]
        try:
            plan = plan_stream("source", "stream", self, Reading())
            problems += check_problems(self.checks, plan)
        except SpecProblem as problem:
            problems.append(problem)
        raise_all(problems)
        return self


def _columns_problems(stream: Stream, fact: Fact) -> list[SpecProblem]:
    known = [column.name for column in fact.columns if column.name not in _FILLED_BY_LOADER]
    found = []
    for name in stream.columns:
        if name in _FILLED_BY_LOADER:
            found.append(
                SpecProblem(
                    said("'{name}' is filled by the loader", name=name),
                    expected=said(
                        "{filled_by_loader}, as the source gives it", filled_by_loader=_FILLED_BY_LOADER[name]
                    ),
                    loc=("columns", name),
                    at_key=True,
                )
            )
        elif name not in known:
            found.append(
                SpecProblem(
                    said("fact '{name}' has no column '{name2}'", name=fact.name, name2=name),
                    expected=said("one of {known}", known=joined(", ", known)),
                    nearest=nearest(name, known),
                    loc=("columns", name),
                    at_key=True,
                )
            )
    meant = {problem.nearest for problem in found}
    for column in fact.columns:
        if column.required and column.name not in stream.columns and column.name not in meant:
            found.append(
                SpecProblem(
                    said(
                        "fact '{name}' needs the column '{name2}' ({means})",
                        name=fact.name,
                        name2=column.name,
                        means=column.means,
                    ),
                    loc=("columns",),
                    at_key=True,
                )
            )
    return found


def _bounds_problems(stream: Stream, fact: Fact) -> list[SpecProblem]:
    found = []
    for name, (low, high) in stream.bounds.items():
        column = fact.column(name)
        if column is None or name not in stream.columns:
            found.append(
                SpecProblem(
                    said("bounds of '{name}', which is not in columns", name=name),
                    nearest=nearest(name, stream.columns),
                    loc=("bounds", name),
                    at_key=True,
                )
            )
        elif column.kind not in (Kind.NUMBER, Kind.AMOUNT, Kind.INTEGER):
            found.append(
                SpecProblem(
                    said("'{name}' is no number and has no bounds", name=name),
                    loc=("bounds", name),
                    at_key=True,
                )
            )
        elif low > high:
            found.append(
                SpecProblem(
                    said("the smallest value {low:g} is above the largest {high:g}", low=low, high=high),
                    loc=("bounds", name),
                )
            )
    return found


def _shape_problems(stream: Stream, fact: Fact) -> list[SpecProblem]:
    found = []
    if fact.needs_customer and fact.name != "customer" and stream.customer is None:
        found.append(
            SpecProblem(
                said("fact '{name}' needs 'customer', the source's key of the customer", name=fact.name)
            )
        )
    if stream.combine == "per_file" and not isinstance(stream, FilesStream):
        found.append(SpecProblem("only files have files", expected="combine: per_load", loc=("combine",)))
    if stream.combine and getattr(stream, "cursor", None) is not None:
        found.append(
            SpecProblem(
                "'combine' needs all rows of a key in one load, and 'cursor' brings only the changed ones",
                expected="one of the two",
                loc=("cursor",),
                at_key=True,
            )
        )
    if stream.snapshot and getattr(stream, "cursor", None) is not None:
        found.append(
            SpecProblem(
                "a snapshot shows all rows, and 'cursor' brings only the changed ones: every other row would seem deleted",
                expected="one of the two",
                loc=("snapshot",),
                at_key=True,
            )
        )
    if "ends_at_most" in stream.model_fields_set and not stream.snapshot:
        found.append(
            SpecProblem(
                "'ends_at_most' is for streams that detect deleted rows",
                expected="snapshot: true beside it",
                loc=("ends_at_most",),
                at_key=True,
            )
        )
    if stream.combine and stream.withdrawn_when is not None:
        found.append(
            SpecProblem(
                "'withdrawn_when' judges single rows and cannot go with 'combine'", loc=("withdrawn_when",)
            )
        )
    return found


class DatabaseStream(Stream):
    """A table or view. With `cursor` only rows changed since the last load, less `reread`, are read."""

    cursor: str | None = Field(default=None, description="column that grows with every change")
    reread: ElapsedField = timedelta(days=7)


class RestStream(Stream):
    """An endpoint. With `cursor` only items changed since the last load, less `reread`, are asked for."""

    parameters: dict[str, str] = Field(default_factory=dict, description="query parameters of every request")
    cursor: str | None = Field(default=None, description="field that grows with every change")
    since: str = Field(
        default="updated_since", description="query parameter: items changed at or after a time"
    )
    reread: ElapsedField = timedelta(days=7)


class FilesStream(Stream):
    """Files of one pattern, in which `*` also stands for folders. New and changed files are read, each whole; of two
    names the later one holds the later rows. `format` is told by the suffix unless it is given; `sheet` is the sheet of a
    workbook, its first unless named.
    """

    format: Literal["csv", "excel", "parquet"] | None = None
    sheet: str | None = Field(default=None, min_length=1)
