"""Answer the question: which SQL of a person is harmless: it reads what it is given and says the same tomorrow?

Lists say what is allowed, never what is forbidden: a database always has one more function that reads the clock, a file
or another table. What sums or averages stays integer or numeric, because sums of floats depend on the plan.
"""

from __future__ import annotations

import re

from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from carewatch.spec.document import SpecProblem, nearest
from carewatch.spec.fullwidth import first_fullwidth, say
from carewatch.spec.saying import said

Loc = tuple[str | int, ...]

SCALAR_FUNCTIONS: tuple[type[exp.Expr], ...] = (
    exp.And, exp.Or, exp.Case, exp.If, exp.Cast, exp.Coalesce, exp.Nullif, exp.Least, exp.Greatest,
    exp.Abs, exp.Sign, exp.Round, exp.Floor, exp.Ceil, exp.Trunc,
    exp.Lower, exp.Upper, exp.Trim, exp.Length, exp.Substring, exp.Replace, exp.Left, exp.Right, exp.Concat, exp.ConcatWs,
    exp.SplitPart, exp.StartsWith, exp.StrPosition, exp.RegexpLike, exp.RegexpILike, exp.Extract, exp.TimestampTrunc,
)  # fmt: skip
AGGREGATES: tuple[type[exp.Expr], ...] = (
    exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.LogicalAnd, exp.LogicalOr, exp.PercentileDisc,
    exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop, exp.Exists,
    exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue,
)  # fmt: skip
_BY_NAME = frozenset({"make_date"})
_SYNTAX = (
    exp.And, exp.Or, exp.Case, exp.If, exp.Cast, exp.Exists, exp.TimestampTrunc, exp.StrPosition, exp.RegexpILike,
)  # fmt: skip

_DATE_TYPES = frozenset({exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPTZ})
_TYPES = _DATE_TYPES | {
    exp.DataType.Type.BOOLEAN, exp.DataType.Type.SMALLINT, exp.DataType.Type.INT, exp.DataType.Type.BIGINT, exp.DataType.Type.DECIMAL,
    exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR, exp.DataType.Type.INTERVAL,
}  # fmt: skip
_TEXT_MAKERS = (
    exp.DPipe, exp.Concat, exp.ConcatWs, exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Replace,
    exp.Left, exp.Right, exp.SplitPart,
)  # fmt: skip
_OTHER_QUOTES = (exp.ByteString, exp.BitString, exp.HexString, exp.UnicodeString, exp.National, exp.RawString)
_CLOCKS = (
    exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp, exp.CurrentDatetime, exp.Localtime, exp.Localtimestamp,
)  # fmt: skip
_CLOCK_WORDS = frozenset({"now", "today", "tomorrow", "yesterday"})
_TIME_WORDS = _CLOCK_WORDS | {"allballs", "utc", "gmt", "z", "zulu", "am", "pm", "t"}


def refuse_harm(node: exp.Expr, functions: tuple[type[exp.Expr], ...], *, loc: Loc) -> None:
    """Raise SpecProblem when this node of a parsed text could do or read anything but the rows it is given."""
    if isinstance(node, _CLOCKS):
        raise SpecProblem("this asks for the present time; time is given by the night", loc=loc)
    if isinstance(node, exp.Func) and not isinstance(node, functions):
        _refuse_function(node, functions, loc)
    if isinstance(node, exp.Dot | exp.Operator):
        raise SpecProblem(
            said("'{node}' is qualified", node=node.sql("postgres")), expected="a plain name", loc=loc
        )
    if isinstance(node, _OTHER_QUOTES):
        raise SpecProblem(
            said("{node} is not a plain text", node=node.sql("postgres")), expected="'text'", loc=loc
        )
    if isinstance(node, exp.Literal) and node.is_string and _reads_the_clock(node.name):
        raise SpecProblem(
            said("'{name}' is the present time; time is given by the night", name=node.name), loc=loc
        )
    if isinstance(node, exp.Identifier) and not node.name.isidentifier():
        raise SpecProblem(
            said("'{name}' is not a plain name", name=node.name), expected="letters, digits and _", loc=loc
        )
    if isinstance(node, exp.Cast):
        _check_cast(node, loc)


def start_of(node: exp.Expr) -> int:
    """Return how many characters of the parsed text stand before this part of it; 0 where that is not known."""
    return min((part.meta["start"] for part in node.walk() if "start" in part.meta), default=0)


def unreadable(
    error: SqlglotError, text: str, *, before: int, what: str, expected: str, loc: Loc
) -> SpecProblem:
    """Return why a text is no SQL, at its place; `before` counts characters that were parsed in front of the text."""
    wide = first_fullwidth(text)
    if wide is not None:
        found, replacement = say(text[wide])
        return SpecProblem(found, expected=replacement, loc=loc, column_offset=wide)
    details = error.errors[0] if isinstance(error, ParseError) and error.errors else {}
    at, line = details.get("highlight") or "", int(details.get("line") or 1)
    column = int(details.get("col") or 0) - len(at) - (before if line == 1 else 0)
    offset = sum(len(one) + 1 for one in text.split("\n")[: line - 1]) + max(column, 0)
    return SpecProblem(
        said("{what} at '{at}'", what=what, at=at) if at else what,
        expected=expected,
        loc=loc,
        column_offset=offset,
    )


def _refuse_function(node: exp.Func, functions: tuple[type[exp.Expr], ...], loc: Loc) -> None:
    named = isinstance(node, exp.Anonymous)
    name = (node.name if named else node.sql("postgres").split("(")[0]).lower()
    if named and name in _BY_NAME:
        return
    spelt = {
        kind.sql_names()[0].lower()
        for kind in functions
        if issubclass(kind, exp.Func) and not issubclass(kind, _SYNTAX)
    }
    choices = spelt | _BY_NAME | {"date_trunc", "position"}
    raise SpecProblem(
        said("function '{name}' is not allowed", name=name), nearest=nearest(name, choices), loc=loc
    )


def _reads_the_clock(text: str) -> bool:
    words = set(re.findall(r"[a-z]+", text.lower()))
    return bool(words & _CLOCK_WORDS) and words <= _TIME_WORDS


def _check_cast(node: exp.Cast, loc: Loc) -> None:
    kind = node.to.this if isinstance(node.to, exp.DataType) else None
    if kind not in _TYPES:
        raise SpecProblem(
            said("type '{lower}' is not allowed", lower=node.to.sql('postgres').lower()),
            expected="numeric, bigint, text, boolean, date, timestamptz or interval", loc=loc,
        )  # fmt: skip
    if kind in _DATE_TYPES and node.this.find(*_TEXT_MAKERS) is not None:
        raise SpecProblem(
            "a date may not be put together from texts",
            expected="a date column, make_date(...) or '2025-12-31'",
            loc=loc,
        )
