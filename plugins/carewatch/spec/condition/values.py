"""The right side of a comparison: numbers, text, lists, other names."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from carewatch.spec.condition.tree import Op, Ref, Value, number_text
from carewatch.spec.fullwidth import first_fullwidth, say, to_ascii
from carewatch.spec.problems import SpecProblem
from carewatch.spec.saying import said
from carewatch.spec.units import MULTIPLES, converted, unit_of
from carewatch.spec.vocabulary import NO_WORDS, Vocabulary

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*|[^\W\d][\w.]*")
ORDERED = (Op.LT, Op.LE, Op.GT, Op.GE)

_DIGITS = r"(?P<number>[-+]?(?:[0-9]{1,3}(?:_[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
_NUMBER = re.compile(_DIGITS + rf"\s*(?P<multiple>[{''.join(MULTIPLES)}])?\s*(?P<unit>%|[^\W\d_]+)?")
_SHORTHAND = re.compile(_DIGITS + r"\s*(?P<unit>[kKmM])")
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_SECOND = re.compile(r"(?:^|(?<=\s))(?:and|or|且|或)\s|&&|\|\||[<>=＜＞＝]")
_SECOND_IN_TEXT = re.compile(r"\s(?:and|or|且|或|&&|\|\|)\s+[^\W\d][\w.]*\s+(?:is|in|not in|[<>=])")

_SHORT = {"k": 1e3, "m": 1e6}
_OPENING = "“‘”’【［｛（"
_MISSING = {"null", "none", "nan", "nil"}
_TRUTH = {"true": "1", "false": "0"}


@dataclass(frozen=True)
class Compared:
    """The name on the left side, and the words that people have for names and values."""

    name: str
    vocabulary: Vocabulary = NO_WORDS


def parse_value(text: str, at: int, op: Op, left: Compared) -> Value:
    """Read what stands behind the operator, from index `at` to the end of the text.

    A unit is turned into the one that the left side is counted in; where that is not known, time becomes days (2 weeks
    are 14) and all else keeps its number (30 % is 30). Raises `SpecProblem` with the column.
    """
    raw = text[at:].rstrip()
    if not raw:
        wanted = "a list like [a, b]" if op in (Op.IN, Op.NOT_IN) else "a value"
        raise SpecProblem(
            said("nothing stands after '{op}'", op=op), expected=wanted, column_offset=len(text.rstrip())
        )
    if raw[0] in _OPENING:
        raise _wide(raw, at, 0)
    if op in (Op.IN, Op.NOT_IN):
        return _list(raw, at, left)
    if raw[0] == "{":
        return _ref(raw, at, left)
    if raw[0] == "[":
        better = {Op.IS: "in", Op.IS_NOT: "not in"}.get(op)
        raise SpecProblem(
            said("a list after '{op}'", op=op), expected="one value", nearest=better, column_offset=at
        )
    if op in ORDERED:
        return _number(raw, at, op, left)
    if re.match(r"in\s*\[", raw):
        better = "in" if op is Op.IS else "not in"
        raise SpecProblem(said("'{op} in' is not a comparison", op=op), nearest=better, column_offset=at)
    return _single(raw, at, left)


def _ref(raw: str, at: int, left: Compared) -> Ref:
    name = raw[1:-1].strip()
    if raw[-1] == "}" and (called := _id_of(name, at, left)):
        return Ref(called, at)
    if raw[-1] != "}" or not NAME.fullmatch(name):
        raise SpecProblem(
            said("'{raw}' is not a name in braces", raw=raw), expected="{name}", column_offset=at
        )
    return Ref(name, at)


def _id_of(word: str, at: int, left: Compared) -> str | None:
    try:
        return left.vocabulary.id_of("name", word)
    except SpecProblem as problem:
        raise problem.shifted(at) from None


def _number(raw: str, at: int, op: Op, left: Compared) -> float:
    value = _as_number(raw, at, left)
    if value is not None:
        return value
    if raw[0] in "<>=":
        near = f"{op}{raw[0]}" if f"{op}{raw[0]}" in (Op.LE, Op.GE) else None
        what = said("'{op} {raw}' is not a comparison", op=op, raw=raw[0])
        raise SpecProblem(what, expected="one comparison", nearest=near, column_offset=at)
    if second := _SECOND.search(raw):
        raise _two_comparisons(at + second.start())
    wide = first_fullwidth(raw)
    if wide is not None:
        raise _wide(raw, at, wide)
    nearest = f"{{{raw}}}" if NAME.fullmatch(raw) or _id_of(raw, at, left) else _meant(raw)
    raise SpecProblem(
        said("'{raw}' is not a number", raw=raw), expected="a number", nearest=nearest, column_offset=at
    )


def _as_number(raw: str, at: int, left: Compared) -> float | None:
    match = _NUMBER.fullmatch(raw)
    unit = unit_of(match["unit"]) if match else None
    if match is None or (match["unit"] is not None and unit is None):
        return None
    number = float(match["number"].replace("_", "")) * MULTIPLES.get(match["multiple"], 1)
    if not math.isfinite(number):
        raise SpecProblem("a number too large to compare", expected="a smaller one", column_offset=at)
    try:
        return converted(number, unit, left.vocabulary.units.get(left.name), name=left.name)
    except SpecProblem as problem:
        raise problem.shifted(at) from None


def _meant(raw: str) -> str | None:
    """Read 100k and 1,000 as their writer meant them."""
    if _GROUPED.fullmatch(raw):
        return raw.replace(",", "")
    short = _SHORTHAND.fullmatch(raw)
    if short is None:
        return None
    return number_text(float(short["number"].replace("_", "")) * _SHORT[short["unit"].lower()])


def _single(raw: str, at: int, left: Compared) -> float | str:
    """Read a value after `is`: quoted text, a number, or bare text."""
    if raw[0] in "'\"":
        return left.vocabulary.value_of(left.name, _quoted(raw, at))
    number = _as_number(raw, at, left)
    if number is not None:
        return number
    if second := _SECOND_IN_TEXT.search(raw):
        raise _two_comparisons(at + second.start() + 1)
    if raw[0] in "<>=!":
        raise SpecProblem(said("'{raw}' after 'is'", raw=raw[0]), expected="one comparison", column_offset=at)
    wide = first_fullwidth(raw)
    if wide is not None and _NUMBER.fullmatch(to_ascii(raw)):
        raise _wide(raw, at, wide)
    return left.vocabulary.value_of(left.name, _bare(raw, at))


def _bare(raw: str, at: int) -> str:
    word = raw.lower()
    if word in _MISSING:
        raise SpecProblem(
            said("'{raw}' without quotes", raw=raw),
            expected=said("'{raw}' in quotes", raw=raw),
            nearest="is missing",
            column_offset=at,
        )
    if word in _TRUTH:
        raise SpecProblem(
            said("'{raw}' is neither a number nor a text here", raw=raw),
            expected="1 or 0, or the word in quotes",
            nearest=_TRUTH[word],
            column_offset=at,
        )
    return raw


def _quoted(raw: str, at: int) -> str:
    quote = raw[0]
    body = raw[1:-1].replace(quote * 2, "")
    if len(raw) < 2 or raw[-1] != quote or quote in body:
        raise SpecProblem(
            "no closing quote, or text behind it",
            expected=said("{quote}text{quote}", quote=quote),
            column_offset=at,
        )
    return raw[1:-1].replace(quote * 2, quote)


def _list(raw: str, at: int, left: Compared) -> tuple[float, ...] | tuple[str, ...]:
    if raw[0] != "[":
        raise SpecProblem("the list has no brackets", expected=said("[{raw}]", raw=raw), column_offset=at)
    if raw[-1] != "]":
        raise SpecProblem("the list has no end", expected="']' at the end", column_offset=at + len(raw))
    items = [_item(raw, at, start, end, left) for start, end in _parts(raw)]
    numbers = tuple(item for item in items if isinstance(item, float))
    texts = tuple(item for item in items if isinstance(item, str))
    if numbers and texts:
        raise SpecProblem(
            "numbers and texts in one list", expected="one kind; numbers as text in quotes", column_offset=at
        )
    return numbers or texts


def _item(raw: str, at: int, start: int, end: int, left: Compared) -> float | str:
    item = raw[start:end]
    if not item:
        raise SpecProblem("an empty place in the list", expected="a value", column_offset=at + start)
    if item[0] in "[{":
        raise SpecProblem(
            said("'{item}' inside a list", item=item[0]),
            expected="a number or a text",
            column_offset=at + start,
        )
    separator = re.search("[，、；]", item)
    if separator and item[0] not in "'\"":
        raise _wide(raw, at, start + separator.start())
    return _single(item, at + start, left)


def _parts(raw: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of every item between the brackets, without the blanks around it."""
    start, quote = 1, ""
    for index in range(1, len(raw)):
        char = raw[index]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and not raw[start:index].strip():
            quote = char
        elif char == "," or index == len(raw) - 1:
            part = raw[start:index]
            begin = start + len(part) - len(part.lstrip())
            yield begin, begin + len(part.strip())
            start = index + 1


def _wide(raw: str, at: int, index: int) -> SpecProblem:
    what, expected = say(raw[index])
    return SpecProblem(what, expected=expected, nearest=to_ascii(raw), column_offset=at + index)


def _two_comparisons(column: int) -> SpecProblem:
    return SpecProblem(
        "two comparisons in one line", expected="one per line under all: or any:", column_offset=column
    )
