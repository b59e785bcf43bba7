"""YAML data to a condition, with every problem at its line and column."""

from __future__ import annotations

import re

from carewatch.spec.condition.tree import GROUPS, Comparison, Condition, Op
from carewatch.spec.condition.values import NAME, Compared, parse_value
from carewatch.spec.fullwidth import ascii_for, say, to_ascii
from carewatch.spec.problems import SpecProblem, nearest, raise_all
from carewatch.spec.saying import joined, said
from carewatch.spec.vocabulary import NO_WORDS, Vocabulary

_WORDS: dict[str, Op] = {
    "不缺失": Op.IS_NOT_MISSING, "缺失": Op.IS_MISSING, "不属于": Op.NOT_IN, "属于": Op.IN, "不是": Op.IS_NOT, "是": Op.IS,
    "不小于": Op.GE, "不大于": Op.LE, "大于": Op.GT, "小于": Op.LT,
}  # fmt: skip
_OPERATOR = re.compile(
    r"is\s+not\s+missing\b|is\s+missing\b|is\s+not\b|is\b|not\s+in\b|in\b|<=|>=|<|>|" + "|".join(_WORDS)
)
_MEANT = {
    "=": "is", "==": "is", "===": "is", "equals": "is", "eq": "is", "为": "is", "等于": "is",
    "!=": "is not", "<>": "is not", "≠": "is not", "isn't": "is not", "不为": "is not", "不等于": "is not",
    "=>": ">=", "≥": ">=", "=<": "<=", "≤": "<=", "高于": ">", "低于": "<", "不低于": ">=", "不高于": "<=",
    "gt": ">", "ge": ">=", "gte": ">=", "lt": "<", "le": "<=", "lte": "<=", "above": ">", "below": "<",
    "over": ">", "under": "<", "null": "is missing", "exists": "is not missing", "∈": "in",
    "missing": "is missing", "未知": "is missing", "between": ">= and <=, in two lines",
}  # fmt: skip
_SYMBOLS = re.compile(r"[<>=!≠≥≤＜＞＝！∈]+|[^\s\d<>=!≠≥≤＜＞＝！∈]+")
_EVERY = joined(", ", Op)
_SIDES = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_TURNED = re.compile(r"(?P<value>[-+]?[0-9][0-9_.]*\s*%?)\s*(?P<op><=|>=|<|>)\s*(?P<name>[^\W\d][\w.]*)")
_GROUP_MEANT = {"and": "all", "or": "any", "not": "none", "and_": "all", "either": "any", "neither": "none"}
_FORM = "a comparison like 'amount > 30', or all:, any: or none: with a list"


def parse(data: object, vocabulary: Vocabulary = NO_WORDS) -> Condition:
    """Return the condition written as YAML data: a text, or a mapping of one of all, any, none to a list.

    What the vocabulary knows by a label becomes its id. Raises one `SpecProblem` that carries every problem with its path
    and column.
    """
    if isinstance(data, str):
        return parse_comparison(data, vocabulary)
    if isinstance(data, dict):
        return _group(data, vocabulary)
    if isinstance(data, list):
        raise SpecProblem("a list by itself", expected="all:, any: or none: above it")
    shown = said("nothing") if data is None else said("{text}", text=data)
    raise SpecProblem(said("{shown} is not a condition", shown=shown), expected=_FORM)


def _group(data: dict[str, object], vocabulary: Vocabulary) -> Condition:
    problems = [_unknown_group(key).under(key) for key in data if key not in GROUPS]
    raise_all(problems)
    if len(data) != 1:
        which = joined(" and ", (f"{key}:" for key in data)) or "an empty mapping"
        raise SpecProblem(
            said("{which} side by side", which=which) if data else which,
            expected="one of all:, any:, none:",
            loc=tuple(list(data)[1:2]),
            at_key=bool(data),
        )
    ((word, items),) = data.items()
    if not isinstance(items, list) or not items:
        what = said("'{word}:' without a list of conditions", word=word)
        raise SpecProblem(what, expected="one '- ' line per condition", loc=(word,))
    parsed: list[Condition] = []
    for index, item in enumerate(items):
        try:
            parsed.append(parse(item, vocabulary))
        except SpecProblem as problem:
            problems.append(problem.under(word, index))
    raise_all(problems)
    return GROUPS[word](tuple(parsed))


def _unknown_group(key: str) -> SpecProblem:
    near = _GROUP_MEANT.get(key.lower()) or nearest(key, GROUPS)
    what = said("'{key}:' does not join conditions", key=key)
    return SpecProblem(
        what, expected="all:, any: or none:", nearest=f"{near}:" if near else None, at_key=True
    )


def parse_comparison(text: str, vocabulary: Vocabulary = NO_WORDS) -> Comparison:
    """Return the comparison written as `name OP value`; raises `SpecProblem` with the column."""
    start = len(text) - len(text.lstrip())
    name, end = _name(text, start, vocabulary)
    at = _skip(text, end)
    match = _OPERATOR.match(text, at)
    if match is None or _is_longer(text, match.end(), match[0]):
        raise _no_operator(text, at, name)
    op = _WORDS.get(match[0]) or Op(re.sub(r"\s+", " ", match[0]))
    behind = _skip(text, match.end())
    if op in (Op.IS_MISSING, Op.IS_NOT_MISSING):
        if behind < len(text):
            raise SpecProblem(
                said("'{strip}' after '{op}'", strip=text[behind:].strip(), op=op),
                expected="nothing more",
                column_offset=behind,
            )
        return Comparison(name, op, None, start)
    return Comparison(name, op, parse_value(text, behind, op, Compared(name, vocabulary)), start)


def _name(text: str, start: int, vocabulary: Vocabulary) -> tuple[str, int]:
    """Return the id that the comparison begins with and where it ends: a label that a comparison follows, else a word."""
    for word, end in vocabulary.name_at(text, start):
        if _OPERATOR.match(text, _skip(text, end)):
            try:
                return vocabulary.id_of("name", word) or word, end
            except SpecProblem as problem:
                raise problem.shifted(start) from None
    found = NAME.match(text, start)
    if found is None:
        raise _no_name(text, start)
    return found[0], found.end()


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _is_longer(text: str, end: int, operator: str) -> bool:
    """Say whether a symbol goes on (`<>`, `>==`) where an operator seemed to end."""
    return operator[-1] in "<>=" and text[end : end + 1] != "" and text[end] in "<>=!＝＞＜"


def _no_name(text: str, start: int) -> SpecProblem:
    if not text.strip():
        return SpecProblem("the condition is empty", expected=_FORM)
    if turned := _TURNED.fullmatch(text.strip()):
        other = f"{turned['name']} {_SIDES[turned['op']]} {turned['value'].strip()}"
        return SpecProblem(
            "the name stands on the right", expected="the name first", nearest=other, column_offset=start
        )
    what, expected = said("'{text}' at the start of a comparison", text=text[start]), "a name"
    if ascii_for(text[start]):
        what, expected = say(text[start])
    return SpecProblem(what, expected=expected, column_offset=start)


def _no_operator(text: str, at: int, name: str) -> SpecProblem:
    found = _SYMBOLS.match(text, at)
    if found is None:
        return SpecProblem(
            said("no comparison after '{name}'", name=name),
            expected=said("one of {every}", every=_EVERY),
            column_offset=at,
        )
    word = found[0]
    plain = to_ascii(word).lower()
    near = plain if plain in set(Op) else _MEANT.get(word.lower()) or _MEANT.get(plain)
    near = near or nearest(text[at:].strip(), Op) or nearest(plain, Op)
    expected = None if near else said("one of {every}", every=_EVERY)
    return SpecProblem(
        said("'{word}' is not a comparison", word=word), expected=expected, nearest=near, column_offset=at
    )
