"""Answer the question: what does this line say that landed rows must be like, and what happens when they are not?

A check is one plain sentence: `amount between 0 and 5000000`, `kind in [regular, spare]`, `rows within 50 % of usual`.
Chinese phrases are read as well: `客户 不为空`, `金额 介于 0 和 100`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from carewatch.spec.condition.tree import Op, number_text
from carewatch.spec.condition.values import Compared, parse_value
from carewatch.spec.elapsed import parse_elapsed
from carewatch.spec.fullwidth import first_fullwidth, say, to_ascii
from carewatch.spec.problems import SpecProblem, nearest, raise_all
from carewatch.spec.saying import joined, said

Limit = float | date
Severity = Literal["warn", "stop"]
SEVERITIES: Final[tuple[Severity, ...]] = ("warn", "stop")


@dataclass(frozen=True)
class NotEmpty:
    """The value is there."""

    column: str


@dataclass(frozen=True)
class Unique:
    """No two rows of a load have the same value, or the same values together."""

    columns: tuple[str, ...]


@dataclass(frozen=True)
class OneOf:
    """The value is one of a list."""

    column: str
    values: tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Between:
    """The value lies between two limits, both allowed; None: no limit on that side."""

    column: str
    low: Limit | None
    high: Limit | None


@dataclass(frozen=True)
class Matches:
    """A part of the value fits a regular expression."""

    column: str
    pattern: str


@dataclass(frozen=True)
class Known:
    """The value names a customer, or stands in a column of a fact that is known or has landed."""

    column: str
    fact: str | None = None
    of: str | None = None


@dataclass(frozen=True)
class UsualRows:
    """A load brings about as many rows as the feed's loads of such days do."""

    share: float


@dataclass(frozen=True)
class RowCount:
    """A load brings so many rows."""

    low: float | None
    high: float | None


@dataclass(frozen=True)
class Newest:
    """The newest time is not older than that when the source is read."""

    column: str
    within: timedelta


@dataclass(frozen=True)
class SumEquals:
    """The sum over a load's rows is that of a column of another stream of the source, give or take `within`."""

    column: str
    stream: str
    other: str
    within: float


OfRows = NotEmpty | Unique | OneOf | Between | Matches | Known
"""Checks that judge single rows: a row that fails one of severity stop waits in quarantine."""
OfLoads = UsualRows | RowCount | Newest | SumEquals
"""Checks that judge a load as a whole: severity stop stops the source."""
Test = OfRows | OfLoads


@dataclass(frozen=True)
class SourceCheck:
    """One check: what is asked, the words it was asked in, how bad a failure is, which percent must pass.

    `inside` leads from the list item to the sentence: it has a key of its own where the severity is written.
    """

    text: str
    test: Test
    severity: Severity = "warn"
    mostly: float | None = None
    inside: tuple[str, ...] = field(default=(), compare=False)

    @property
    def judges_rows(self) -> bool:
        return isinstance(self.test, OfRows)

    @property
    def holds_rows(self) -> bool:
        """Whether rows that fail wait in quarantine; those of unknown customers do so without a check."""
        of_customer = isinstance(self.test, Known) and self.test.fact is None
        return self.judges_rows and self.severity == "stop" and not of_customer

    @property
    def can_stop(self) -> bool:
        """Whether a failure stops the source: of checks of rows only when a share of them is asked for."""
        return self.severity == "stop" and (not self.judges_rows or self.mostly is not None)

    def data(self) -> dict[str, Any]:
        """Return the check as YAML data."""
        share = {} if self.mostly is None else {"mostly": f"{number_text(self.mostly)} %"}
        return {"check": self.text, "severity": self.severity, **share}


_NAME = r'(?:"[^"]+"|[^\W\d][\w.]*)'
_NUMBER = r"[-+]?[0-9][0-9_]*(?:\.[0-9]+)?"
_LIMIT = rf"(?:[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}|{_NUMBER})"
_BETWEEN = rf"(?:between|介于)\s+(?P<low>{_LIMIT})\s+(?:and|和|与)\s+(?P<high>{_LIMIT})"
_SIDE = rf"(?P<side>at\s+least|at\s+most|不小于|不大于)\s+(?P<limit>{_LIMIT})"

_FORMS: Final = {
    "NAME is not empty": rf"(?P<name>{_NAME})\s+(?:is\s+not\s+empty|不为空|非空)",
    "NAME is unique": rf"(?P<names>{_NAME}(?:\s*,\s*{_NAME})*)\s+(?:(?:is|are)\s+unique|唯一)",
    "NAME in [a, b]": rf"(?P<name>{_NAME})\s+(?:is\s+)?(?:in|属于)\s*(?P<list>\[.*\])",
    "NAME between A and B": rf"(?P<name>{_NAME})\s+(?:is\s+)?{_BETWEEN}",
    "NAME at least A": rf"(?P<name>{_NAME})\s+(?:is\s+)?{_SIDE}",
    'NAME matches "pattern"': rf"(?P<name>{_NAME})\s+(?:matches|匹配)\s+(?P<quote>[\"'])(?P<pattern>.*)(?P=quote)",
    "NAME is known": rf"(?P<name>{_NAME})\s+(?:is\s+known|已知)(?:\s+in\s+(?P<fact>\w+)\.(?P<of>\w+))?",
    "rows within 50 % of usual": rf"(?:rows|行数)\s+(?:within|相差)\s+(?P<share>{_NUMBER})\s*%\s+(?:of\s+usual|以内)",
    "rows between A and B": rf"(?:rows|行数)\s+{_BETWEEN}",
    "rows at least A": rf"(?:rows|行数)\s+{_SIDE}",
    "newest NAME within 2 days": rf"(?:newest|最新)\s+(?P<name>{_NAME})\s+(?:within|不早于)\s+(?P<elapsed>.+)",
    "sum of NAME equals STREAM.NAME within 0.01": (
        rf"sum\s+of\s+(?P<name>{_NAME})\s+equals\s+(?P<stream>\w+)\.(?P<other>{_NAME})"
        rf"(?:\s+within\s+(?P<within>{_NUMBER}))?"
    ),
}
"""How a check may be written; `NAME at least` and `rows at least` stand for `at most` as well."""
_OF_ALL_ROWS: Final = ("rows", "行数", "newest", "最新", "sum")
_LONGEST_PATTERN: Final = 500


def parse_check(data: object) -> SourceCheck:
    """Return the check written as YAML data: a sentence, or one with its severity and the share that must pass.

    Raises one `SpecProblem` that carries every problem with its path and column.
    """
    if isinstance(data, SourceCheck):
        return data
    if isinstance(data, str):
        return SourceCheck(data.strip(), parse_test(data))
    if not isinstance(data, Mapping):
        shown = said("nothing") if data is None else said("{text}", text=data)
        raise SpecProblem(
            said("{shown} is not a check", shown=shown), expected="a line such as 'amount is not empty'"
        )
    problems: list[SpecProblem] = []
    known = ("check", "severity", "mostly")
    for key in data:
        if key not in known:
            problems.append(
                SpecProblem(
                    said("unknown key '{key}'", key=key), expected=said("one of {known}", known=joined(", ", known)),
                    nearest=nearest(str(key), known),
                    loc=(key,), at_key=True,
                )
            )  # fmt: skip
    test = _attempt(problems, "check", lambda: parse_test(data.get("check")))
    severity = _attempt(problems, "severity", lambda: _severity(data.get("severity", "warn")))
    mostly = _attempt(problems, "mostly", lambda: _percent(data.get("mostly")))
    if mostly is not None and test is not None and not isinstance(test, OfRows):
        problems.append(
            SpecProblem(
                "'mostly' is a share of rows, and this check judges a load as a whole", loc=("mostly",), at_key=True
            )
        )  # fmt: skip
    raise_all(problems)
    assert test is not None and severity is not None
    return SourceCheck(str(data["check"]).strip(), test, severity, mostly, ("check",))


def _attempt(problems: list[SpecProblem], key: str, read: Any) -> Any:
    try:
        return read()
    except SpecProblem as problem:
        problems.append(problem.under(key))
        return None


def _severity(data: object) -> Severity:
    for severity in SEVERITIES:
        if data == severity:
            return severity
    raise SpecProblem(
        said("unknown severity '{data}'", data=data),
        expected="warn or stop",
        nearest=nearest(str(data), SEVERITIES),
    )


def _percent(data: object) -> float | None:
    if data is None:
        return None
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*[%％]?\s*", str(data))
    share = float(match[1]) if match else -1.0
    if not 1 < share <= 100:
        near = f"{number_text(share * 100)} %" if 0 < share <= 1 else None
        raise SpecProblem(
            said("'{data}' is no share of the rows", data=data), expected="percent such as 99 %", nearest=near
        )
    return share


def parse_test(data: object) -> Test:
    """Return what one sentence asks; raise `SpecProblem` with the column."""
    if not isinstance(data, str) or not data.strip():
        shown = said("nothing") if data is None or data == "" else said("{text}", text=data)
        raise SpecProblem(
            said("{shown} is not a check", shown=shown), expected="a line such as 'amount is not empty'"
        )
    text = data.rstrip()
    start = len(text) - len(text.lstrip())
    for form, pattern in _FORMS.items():
        if form[0].isupper() and re.match(rf"(?:{'|'.join(_OF_ALL_ROWS)})\s", text[start:]):
            continue
        match = re.compile(pattern, re.IGNORECASE).fullmatch(text, start)
        if match is not None:
            return _read(form, match, text)
    raise _unread(text, start)


def _read(form: str, match: re.Match[str], text: str) -> Test:
    found = match.groupdict()
    name = _plain(found.get("name") or "")
    if form == "NAME is not empty":
        return NotEmpty(name)
    if form == "NAME is unique":
        return Unique(tuple(_plain(one) for one in re.findall(_NAME, found["names"])))
    if form == "NAME in [a, b]":
        values = parse_value(text, match.start("list"), Op.IN, Compared(name))
        assert isinstance(values, tuple)
        return OneOf(name, values)
    if form == 'NAME matches "pattern"':
        return Matches(name, _pattern(found["pattern"], match.start("pattern")))
    if form == "NAME is known":
        return Known(name, found["fact"], found["of"])
    if form == "rows within 50 % of usual":
        return UsualRows(_share(found["share"], match.start("share")))
    if form == "newest NAME within 2 days":
        try:
            return Newest(name, parse_elapsed(found["elapsed"]))
        except SpecProblem as problem:
            raise problem.shifted(match.start("elapsed")) from None
    if form.startswith("sum of"):
        return SumEquals(name, found["stream"], _plain(found["other"]), float(found["within"] or 0))
    low, high = _limits(match)
    if form.startswith("rows"):
        if isinstance(low, date) or isinstance(high, date):
            raise SpecProblem(
                "a date is no number of rows", expected="a number", column_offset=match.end() - 10
            )
        return RowCount(low, high)
    return Between(name, low, high)


def _limits(match: re.Match[str]) -> tuple[Limit | None, Limit | None]:
    found = match.groupdict()
    if "side" in found:
        limit = _limit(found["limit"], match.start("limit"))
        least = re.sub(r"\s+", " ", found["side"].lower()) in ("at least", "不小于")
        return (limit, None) if least else (None, limit)
    low, high = _limit(found["low"], match.start("low")), _limit(found["high"], match.start("high"))
    if isinstance(low, date) is not isinstance(high, date):
        raise SpecProblem(
            "a number and a date", expected="two of one kind", column_offset=match.start("high")
        )
    if low > high:  # type: ignore[operator]
        raise SpecProblem(
            said(
                "the smallest value {low} is above the largest {high}", low=found["low"], high=found["high"]
            ),
            column_offset=match.start("low"),
        )
    return low, high


def _limit(text: str, at: int) -> Limit:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise SpecProblem(said("there is no day {text}", text=text), column_offset=at) from None
    return float(text.replace("_", ""))


def _share(text: str, at: int) -> float:
    share = float(text) / 100
    if not 0 < share <= 1:
        raise SpecProblem(
            said("{text} % of usual", text=text), expected="more than 0 and at most 100 %", column_offset=at
        )
    return share


def _pattern(pattern: str, at: int) -> str:
    """Return a pattern that Python and PostgreSQL read alike, so that no row can make a load fail."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise SpecProblem(
            said("'{pattern}' is no regular expression ({error})", pattern=pattern, error=error),
            column_offset=at,
        ) from None
    if "(?" in pattern:
        raise SpecProblem(
            said("'{pattern}' has a group that begins with (?", pattern=pattern), expected="a plain regular expression", column_offset=at
        )  # fmt: skip
    if len(pattern) > _LONGEST_PATTERN:
        raise SpecProblem("the pattern is longer than 500 characters", column_offset=at)
    return pattern


def _plain(name: str) -> str:
    return name.strip('"')


def _unread(text: str, start: int) -> SpecProblem:
    wide = first_fullwidth(text)
    if wide is not None:
        what, expected = say(text[wide])
        return SpecProblem(what, expected=expected, nearest=to_ascii(text).strip(), column_offset=wide)
    name = re.compile(_NAME).match(text, start)
    if name is None:
        return SpecProblem(
            said("'{text}' is not a check", text=text.strip()),
            expected=joined(" or ", (said("a name"), *_OF_ALL_ROWS[::2])),
        )
    whole = name[0] in _OF_ALL_ROWS
    forms = [form for form in _FORMS if whole is not form[0].isupper()]
    words = {form.replace("NAME ", "", 1) if not whole else form: form for form in forms}
    near = nearest(text[start:] if whole else text[name.end() :].strip(), words)
    return SpecProblem(
        said("'{text}' is not a check", text=text.strip()),
        expected=None if near else said("one of: {forms}", forms=joined("; ", forms)),
        nearest=words[near].replace("NAME", name[0], 1) if near else None,
        column_offset=start if whole else min(name.end() + 1, len(text)),
    )


class _AsCheck:
    """Teaches pydantic to read a check from YAML data and to write it back."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            parse_check,
            serialization=core_schema.plain_serializer_function_ser_schema(SourceCheck.data),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        line = {
            "type": "string",
            "description": "what the rows must be like / 对数据的要求: " + " | ".join(_FORMS),
            "examples": ["amount is not empty", "kind in [regular, spare]", "rows within 50 % of usual"],
        }
        severity = {
            "enum": list(SEVERITIES),
            "default": "warn",
            "description": "warn: report only; stop: rows wait in quarantine, or the source stops / "
            "warn 仅提示；stop 问题行进入隔离区，整批问题则暂停该来源",
        }
        mostly = {
            "type": ["string", "number"],
            "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*[%％]?\s*$",
            "examples": ["99 %"],
            "description": "share of the rows that must pass / 至少多少比例的行必须满足",
        }
        mapping = {
            "type": "object",
            "properties": {"check": line, "severity": severity, "mostly": mostly},
            "required": ["check"],
            "additionalProperties": False,
        }
        return {"oneOf": [line, mapping]}


CheckField = Annotated[SourceCheck, _AsCheck]
"""A model field that holds a check; problems point at the line and the column within its text."""
