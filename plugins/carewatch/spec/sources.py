"""Answer the question: which systems do we load from, how, when, and what do their rows become?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator

from carewatch.spec.document import (
    Problem,
    SpecError,
    SpecProblem,
    Strict,
    Text,
    nearest,
    raise_all,
    read_document,
    unknown,
    validate,
)
from carewatch.spec.elapsed import ElapsedField
from carewatch.spec.facts import Kind
from carewatch.spec.firm import Firm
from carewatch.spec.problems import Loc
from carewatch.spec.saying import joined, said
from carewatch.spec.source_check import CheckField, Newest, RowCount, SourceCheck, SumEquals, UsualRows
from carewatch.spec.source_check_plan import named_values
from carewatch.spec.source_identity import map_problems, masters, priority_problems
from carewatch.spec.source_reading import DateOrder, DecimalSign, Reading
from carewatch.spec.stream_plan import Feed, StreamPlan, plan_stream
from carewatch.spec.streams import DatabaseStream, FilesStream, RestStream, Stream

_OWN_KEYS = ("master", "derived", "mapped")
_AS_IN = "as in "
_FIRST = {"customer": 0, "same_customer": 1, "fx_rate": 2}
_NAME = r"^[a-z][a-z0-9_]{0,39}$"

Name = Annotated[str, Field(pattern=_NAME)]
TYPED = "typed"
"""The source of what people type into sheets (`spec.typed`); it stands in no file."""


class BaseSource(Strict):
    """What every source says.

    `customers`: `master` (it has a stream of customers), `derived` (customers are the distinct keys of its
    facts), `mapped` (it has keys of its own, which an id map, `fact: same_customer`, ties to another source's) or
    `as in <source>` (it uses that source's customer keys). `delay` is how long after it happened a row is
    usually known; a first load of history believes its rows from that time on. `fresh_within` is how old the
    last reading (of files: the last new file) may be before the source counts as late; `silent_after` also
    counts it as late when no row came for that long.
    """

    label: Text
    owner: str = Field(min_length=1, description="who answers for the feed")
    connection: str = Field(min_length=1)
    customers: str
    time_zone: str | None = None
    dates: DateOrder = "ymd"
    decimal: DecimalSign = "point"
    every: ElapsedField
    delay: ElapsedField = timedelta(0)
    fresh_within: ElapsedField
    silent_after: ElapsedField | None = None
    keep_landed: ElapsedField = Field(
        default=timedelta(days=30), description="how long landed rows are kept after they were conformed"
    )
    checks: list[CheckField] = Field(
        default_factory=list, description="what every stream's load must be like: its rows, its newest time"
    )

    def checks_of(self, stream: str) -> tuple[SourceCheck, ...]:
        """The checks of a stream, those of the whole source first."""
        return (*self.checks, *self.all_streams()[stream].checks)

    @property
    def has_checks(self) -> bool:
        """Whether anything landed from here is checked."""
        return any(self.checks_of(name) for name in self.all_streams())

    @property
    def key_space(self) -> str | None:
        """The source whose customer keys this one uses; None for its own."""
        return None if self.customers in _OWN_KEYS else self.customers.removeprefix(_AS_IN)

    @field_validator("time_zone")
    @classmethod
    def _zone_exists(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise SpecProblem(
                said("unknown time zone '{value}'", value=value),
                expected="a name such as Asia/Shanghai",
                nearest=nearest(value, available_timezones()),
            )
        return value

    @field_validator("customers")
    @classmethod
    def _says_whose(cls, value: str) -> str:
        if value in _OWN_KEYS or (value.startswith(_AS_IN) and value.removeprefix(_AS_IN).strip()):
            return value
        raise SpecProblem(
            said("'{value}' does not say whose customer keys these are", value=value),
            expected="master, derived, mapped or 'as in <source>'",
            nearest=nearest(value, _OWN_KEYS),
        )

    def all_streams(self) -> Mapping[str, Stream]:
        """The streams by name, those on which others rely first: customers, what they are known as, rates."""
        # Each kind of source declares its own kind of stream.
        streams: Mapping[str, Stream] = getattr(self, "streams")  # noqa: B009
        return dict(sorted(streams.items(), key=lambda item: _FIRST.get(item[1].fact, len(_FIRST))))

    def reading(self, firm: Firm) -> Reading:
        """How this source writes numbers and times."""
        return Reading(self.time_zone or firm.time_zone, self.dates, self.decimal)

    @model_validator(mode="after")
    def _streams_make_sense(self) -> BaseSource:
        raise_all([*_customer_problems(self), *_check_problems(self)])
        return self


def _check_problems(source: BaseSource) -> list[SpecProblem]:
    found = []
    for position, check in enumerate(source.checks):
        fits_all = isinstance(check.test, UsualRows | RowCount) or (
            isinstance(check.test, Newest) and check.test.column == "event_at"
        )
        if not fits_all:
            found.append(
                SpecProblem(
                    said("'{text}' is a check of one stream", text=check.text),
                    expected="it under the stream; of a whole source, checks of rows or of newest event_at",
                    loc=("checks", position, *check.inside),
                )
            )
    streams = source.all_streams()
    for name, stream in streams.items():
        for position, check in enumerate(stream.checks):
            if isinstance(check.test, SumEquals):
                loc: Loc = ("streams", name, "checks", position, *check.inside)
                found += _sum_problems(check.test, check.text, streams, loc)
    return found


def _sum_problems(test: SumEquals, text: str, streams: Mapping[str, Stream], loc: Loc) -> list[SpecProblem]:
    if test.stream not in streams:
        return [unknown("stream", test.stream, streams, loc=loc, column_offset=text.find(f"{test.stream}."))]
    values = named_values(plan_stream("source", test.stream, streams[test.stream], Reading()))
    offset = text.find(f".{test.other}") + 1
    if test.other not in values:
        return [unknown("value", test.other, values, loc=loc, column_offset=offset)]
    if values[test.other].kind is not Kind.NUMBER:
        return [
            SpecProblem(
                said("'{stream}.{other}' is no number", stream=test.stream, other=test.other),
                loc=loc,
                column_offset=offset,
            )
        ]
    return []


def _customer_problems(source: BaseSource) -> list[SpecProblem]:
    makers = [name for name, stream in source.all_streams().items() if stream.fact == "customer"]
    if source.customers == "master" and len(makers) != 1:
        found = " and ".join(makers) or "none"
        return [
            SpecProblem(
                said("a master has one stream with 'fact: customer', found {found}", found=found),
                loc=("customers",),
            )
        ]
    if source.customers in ("derived", "mapped") and makers:
        return [
            SpecProblem(
                said(
                    "customers are {customers}, but stream '{makers}' gives them",
                    customers=source.customers,
                    makers=makers[0],
                ),
                expected="customers: master",
                loc=("customers",),
            )
        ]
    return []


class DatabaseSource(BaseSource):
    """A database read through SQLAlchemy; `connection` is an Airflow connection."""

    kind: Literal["database"]
    schema_: str | None = Field(default=None, alias="schema")
    streams: dict[Name, DatabaseStream] = Field(min_length=1)


class Paging(Strict):
    """How an endpoint splits its items into pages.

    `link`: the answer's field `field` is the next page's address. `cursor`: that field is a token, sent back
    as
    `parameter`. `page` counts pages from `first` and `offset` counts items, in `parameter`, until a page is
    empty. `size` items a page are asked for as `size_parameter`. `header`: the HTTP header Link. `none`: one answer holds everything.
    """

    by: Literal["link", "cursor", "page", "offset", "header", "none"] = "link"
    field: str = "next"
    parameter: str | None = None
    first: int = Field(default=1, ge=0, description="number of the first page")
    size_parameter: str | None = None
    size: int = Field(default=100, gt=0)

    @model_validator(mode="after")
    def _names_its_parameter(self) -> Paging:
        if self.by in ("cursor", "page", "offset") and self.parameter is None:
            raise SpecProblem(said("paging by {by} needs 'parameter'", by=self.by), loc=("by",))
        if self.by == "offset" and self.size_parameter is None:
            raise SpecProblem("paging by offset needs 'size_parameter'", loc=("by",))
        return self


class RestSource(BaseSource):
    """A JSON service; `connection` is an Airflow connection with host and, as its password, a bearer token.

    Busy, failing and broken answers are asked for again, up to `attempts` times with growing pauses or as long
    as the service asks to wait; an answer may take `timeout_seconds`.

    `items` is the answer's field with the list, `total` the field with the number of items of all pages: when
    fewer came, the load fails instead of losing them.
    """

    kind: Literal["rest"]
    items: str = "items"
    total: str | None = None
    paging: Paging = Paging()
    requests_per_second: float | None = Field(default=None, gt=0)
    attempts: int = Field(default=5, ge=1, le=20)
    timeout_seconds: float = Field(default=60, gt=0)
    streams: dict[Name, RestStream] = Field(min_length=1)


class FilesSource(BaseSource):
    """CSV files (plain or gzip), Excel workbooks (.xlsx) and Parquet files, with headings.

    `connection` is a folder (absolute, relative to the project, or an address such as s3://bucket/folder), or
    an Airflow connection with a `path` in its extra. `encoding: auto` reads UTF-8 (with or without BOM) and
    GB18030.
    """

    kind: Literal["files"]
    encoding: str = "auto"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    streams: dict[Name, FilesStream] = Field(min_length=1)

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, value: str) -> str:
        import codecs

        try:
            return value if value == "auto" else codecs.lookup(value).name
        except LookupError:
            raise SpecProblem(
                said("unknown encoding '{value}'", value=value),
                expected="auto, utf-8, gb18030, latin-1 or another one Python knows",
                nearest=nearest(value, ("auto", "utf-8", "gb18030", "latin-1")),
            ) from None


Source = Annotated[DatabaseSource | RestSource | FilesSource, Field(discriminator="kind")]


class SourcesFile(Strict):
    """`sources.yaml`.

    `priority` says who is right when two systems say different things about one customer: for each field the first
    source of the list that has a value. `otherwise` holds for fields that are not named; sources that a list leaves
    out come after it, in the order of this file.
    """

    version: Literal[1]
    sources: dict[Name, Source] = Field(min_length=1)
    priority: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="whose value of a customer's field wins; field (or 'otherwise'): [source, source ...]",
    )

    @model_validator(mode="after")
    def _key_spaces_exist(self) -> SourcesFile:
        owners = [name for name, source in self.sources.items() if source.key_space is None]
        problems = [
            SpecProblem(
                said("'{key_space}' has no customer keys of its own", key_space=source.key_space),
                expected=said("as in {known}", known=joined(" or ", owners or ["…"])),
                nearest=nearest(source.key_space, owners),
                loc=("sources", name, "customers"),
            )
            for name, source in self.sources.items()
            if source.key_space is not None and source.key_space not in owners
        ]
        if TYPED in self.sources:
            what = said("'{typed}' is the source of what people type (care import)", typed=TYPED)
            problems.append(SpecProblem(what, expected="another name", loc=("sources", TYPED), at_key=True))
        raise_all(
            [*problems, *priority_problems(self.priority, masters(self.sources)), *map_problems(self.sources)]
        )
        return self


@dataclass(frozen=True)
class Sources:
    """The firm, its sources by name, and whose value of a customer's field wins."""

    firm: Firm
    sources: Mapping[str, DatabaseSource | RestSource | FilesSource]
    priority: Mapping[str, Sequence[str]] = field(default_factory=dict)


def load_sources(config_dir: Path | str) -> Sources:
    """Read `firm.yaml` and `sources.yaml` of a configuration folder; raise SpecError with all problems."""
    problems: list[Problem] = []
    folder = Path(config_dir)
    firm, found = validate(read_document(folder / "firm.yaml"), Firm)
    problems += found
    file, found = validate(read_document(folder / "sources.yaml"), SourcesFile)
    problems += found
    if firm is None or file is None or problems:
        raise SpecError(problems)
    return Sources(firm, file.sources, file.priority)


def plans(source_name: str, source: BaseSource, firm: Firm) -> list[StreamPlan]:
    """Return the compiled streams, those that make customers first."""
    reading = source.reading(firm)
    return [plan_stream(source_name, name, stream, reading) for name, stream in source.all_streams().items()]


def feeds(source_name: str, source: BaseSource, firm: Firm) -> list[Feed]:
    """Return what has to be read: streams that read the same thing in the same way share one feed."""
    groups: dict[str, list[StreamPlan]] = {}
    for plan in plans(source_name, source, firm):
        groups.setdefault(plan.reads_from, []).append(plan)
    return [_feed(group, source) for group in groups.values()]


def _feed(group: list[StreamPlan], source: BaseSource) -> Feed:
    described = {
        "source": source.model_dump(
            mode="json",
            include={
                "kind",
                "customers",
                "time_zone",
                "dates",
                "decimal",
                "encoding",
                "delimiter",
                "items",
                "schema_",
            },
        ),
        # Defaults are left out, so that a new key that nobody uses makes nobody read everything again.
        "streams": {
            plan.name: plan.stream.model_dump(
                mode="json", by_alias=True, exclude_defaults=True, exclude={"checks", "ends_at_most"}
            )
            for plan in group
        },
    }
    text = json.dumps(described, sort_keys=True, ensure_ascii=False)
    columns = tuple(dict.fromkeys(column for plan in group for column in plan.landed_columns))
    snapshot = any(plan.stream.snapshot for plan in group)
    whole = snapshot or any(plan.stream.combine == "per_load" for plan in group)
    digest = hashlib.sha256(text.encode()).hexdigest()[:32]
    names = tuple(plan.name for plan in group)
    return Feed(group[0].name, group[0].stream, columns, whole, digest, names, snapshot)
