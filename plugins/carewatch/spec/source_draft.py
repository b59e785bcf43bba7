"""Answer the question: seen its headings and some rows, what could a table become?

A guess for a person to look at: what is unsure is said beside it, and so is what is missing and lost without it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from carewatch.spec.fact_losses import lost_without
from carewatch.spec.fact_names import (
    CUSTOMER,
    EVENT_AT,
    KEY,
    columns_by_heading,
    facts_by_title,
    fold,
    spellings,
)
from carewatch.spec.facts import FACTS, Column, Fact, Kind
from carewatch.spec.problems import SpecProblem
from carewatch.spec.source_expression import compile_expression
from carewatch.spec.source_reading import Reading, Reads, identifier, literal

Rows = Sequence[Mapping[str, str | None]]

_CHANGED = frozenset(
    (
        "updated at", "updated", "update time", "changed at", "modified at", "last modified", "modified",
        "更新时间", "修改时间", "最后修改时间", "变更时间",
    )
)  # fmt: skip
_OWN_KEY: Final = {"order": "order_no", "ticket": "ticket_no", "invoice": "invoice_no"}
"""Columns that tell the rows of a fact apart when there is one row each."""
_LOOKS_LIKE_KEY = re.compile(r"(^|[ .])(id|no|code|key|number)$|编号$|编码$|号$")
_DAY = re.compile(r"^\s*(\d{4})\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}|^\s*[12]\d{7}\s*$")
_OTHER_DAY = re.compile(r"^\s*(\d{1,2})[-/.](\d{1,2})[-/.]\d{4}")
_NUMBER = re.compile(r"^[\s¥￥$€(+-]*\d[\d,.\s]*(?:[eE][+-]?\d+)?\s*[%万千亿元)]*\s*$")
_COMMA = re.compile(r"^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$|^[+-]?\d+,\d{1,2}$")
_FLAGS = frozenset(["true", "false", "t", "f", "yes", "no", "y", "n", "1", "0", "是", "否"])
_LONG_AGO = "'2000-01-01'"


@dataclass
class Draft:
    """A stream as it could be, with what a person should look at; `columns` are SQL by the fact's column."""

    fact: str
    key: list[str] = field(default_factory=list)
    customer: str | None = None
    event_at: str | None = None
    changed_at: str | None = None
    columns: dict[str, str] = field(default_factory=dict)
    dates: str | None = None
    decimal: str | None = None
    doubts: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether everything is there that a stream needs."""
        fact = FACTS[self.fact]
        needed = all(column.name in self.columns for column in fact.columns if column.required)
        whose = self.customer is not None or not fact.needs_customer
        return bool(self.key) and self.event_at is not None and needed and whose


def draft(name: str, headings: Sequence[str], rows: Rows, *, fact: str | None = None) -> Draft:
    """Return what a table of this name with these headings could become (`fact`, when somebody knows)."""
    chosen = FACTS[fact] if fact is not None else _likeliest(name, headings, rows)
    made = Draft(chosen.name)
    if fact is None and _by_name(name) != chosen.name:
        made.doubts["fact"] = "guessed from the headings alone"
    given = _by_column(chosen, headings, rows)
    _place(made, chosen, given, headings, rows)
    for column in chosen.columns:
        heading = given.get(column.name)
        if heading is not None and column.name != "amount_original":
            _map(made, chosen, column, heading, rows)
        elif column.required:
            _stand_in(made, chosen, column)
    _forms(made, chosen, given, rows)
    used = {*given.values(), *_headings_of(made, headings)}
    made.unused = [heading for heading in headings if heading not in used]
    made.missing = [
        f"{column.name} ({column.means}): {lost_without(chosen.name, column.name)}"
        for column in chosen.columns
        if column.name not in made.columns and column.name != "amount_original"
    ]
    return made


def expression(heading: str) -> str:
    """Return a heading as the SQL that means this column: in quotation marks where its letters ask for them."""
    for text in (heading, identifier(heading)):
        try:
            compiled = compile_expression(text, want=Kind.TEXT, types={}, reading=Reading(), reads=Reads())
        except SpecProblem:
            continue
        if compiled.column == heading:
            return text
    return identifier(heading)


def _by_name(name: str) -> str | None:
    """Return the fact that a table or file is named after."""
    titles = facts_by_title()
    folded = fold(re.sub(r"[\d\W_]+", " ", name))
    found = titles.get(folded) or titles.get(folded + "s") or titles.get(folded.removesuffix("s"))
    if found is not None:
        return found
    within = [
        title
        for title in titles
        if len(title) > 1 and (f" {title} " in f" {folded} " or (title in folded and not title.isascii()))
    ]
    return titles[max(within, key=len)] if within else None


def _likeliest(name: str, headings: Sequence[str], rows: Rows) -> Fact:
    named = _by_name(name)
    return max(FACTS.values(), key=lambda fact: _likeness(fact, headings, rows) + 5 * (fact.name == named))


def _likeness(fact: Fact, headings: Sequence[str], rows: Rows) -> float:
    given = _by_column(fact, headings, rows)
    required = [column.name for column in fact.columns if column.required]
    own = [column.name for column in fact.columns if column.name in given]
    score = float(len(given)) + 2 * sum(name in given for name in required)
    # A missing word of a closed set can be written out, another value cannot; dates and customers are everywhere.
    missing = [name for name in required if name not in given]
    score -= sum(1 if spellings(fact.name, name) else 3 for name in missing)
    score -= 3 * (fact.needs_customer and CUSTOMER not in given) + 3 * (not own)
    # Of two facts that know all headings, the one with fewer columns of its own means them.
    return score - len(fact.columns) / 100


def _by_column(fact: Fact, headings: Sequence[str], rows: Rows) -> dict[str, str]:
    """Return the headings by the column that they name, the first of each; a shape that cannot be is none."""
    known, given = columns_by_heading(fact.name), dict[str, str]()
    for heading in headings:
        column = known.get(fold(heading))
        if column is None or column in given:
            continue
        kind = (
            Kind.INSTANT
            if column == EVENT_AT
            else (found.kind if (found := fact.column(column)) else Kind.TEXT)
        )
        if _fits(kind, _values(rows, heading)):
            given[column] = heading
    return given


def _place(made: Draft, fact: Fact, given: Mapping[str, str], headings: Sequence[str], rows: Rows) -> None:
    """Find what tells rows apart, whose they are, when they happened and when they changed."""
    if CUSTOMER in given:
        made.customer = expression(given[CUSTOMER])
    elif fact.needs_customer:
        made.doubts["customer"] = "no heading names the customer's key; write it here"
    changed = next((heading for heading in headings if fold(heading) in _CHANGED), None)
    made.changed_at = expression(changed) if changed else None
    when = given.get(EVENT_AT)
    if when is None:
        taken = {*given.values(), changed}
        days = [
            one
            for one in headings
            if one not in taken and _fits(Kind.INSTANT, _values(rows, one)) and _values(rows, one)
        ]
        when = days[0] if days else None
        if when is not None:
            made.doubts["event_at"] = "the first column of dates; is it when it happened?"
    if when is not None:
        made.event_at = expression(when)
    elif fact.name == "customer":
        made.event_at = _LONG_AGO
        made.doubts["event_at"] = (
            "no date of when the relation began; long ago stands in, so new customers are not seen as new"
        )
    else:
        made.doubts["event_at"] = "no heading holds dates; write when it happened here"
    made.key = [expression(one) for one in _key(made, fact, given, headings, rows)]


def _key(made: Draft, fact: Fact, given: Mapping[str, str], headings: Sequence[str], rows: Rows) -> list[str]:
    own = _OWN_KEY.get(fact.name, "")
    candidates = [given.get(own), given.get(CUSTOMER) if fact.name == "customer" else None, given.get(KEY)]
    candidates += [
        one for one in headings if _LOOKS_LIKE_KEY.search(fold(one)) and one != given.get(CUSTOMER)
    ]
    for heading in filter(None, candidates):
        if _unique(rows, [heading]):
            return [heading]
    parts = [
        given[name]
        for name in (CUSTOMER, EVENT_AT, "order_no", "product", "what", "contact", "currency")
        if name in given
    ]
    for count in range(2, len(parts) + 1):
        if _unique(rows, parts[:count]):
            made.doubts["key"] = "no single column tells rows apart; do these for good?"
            return parts[:count]
    made.doubts["key"] = "nothing tells these rows apart; ask who runs the system for a number of each row"
    return parts[:1] or list(headings[:1])


def _map(made: Draft, fact: Fact, column: Column, heading: str, rows: Rows) -> None:
    known = spellings(fact.name, column.name)
    values = sorted(set(_values(rows, heading)))
    if not known:
        made.columns[column.name] = expression(heading)
        return
    said = {value: known[fold(value)] for value in values if fold(value) in known}
    strange = [value for value in values if value not in said]
    if all(value == word for value, word in said.items()) and not strange:
        made.columns[column.name] = expression(heading)
        return
    whens = " ".join(
        f"when {expression(heading)} = {literal(value)} then {literal(word)}" for value, word in said.items()
    )
    made.columns[column.name] = (
        f"case {whens} else {expression(heading)} end" if whens else expression(heading)
    )
    if strange:
        made.doubts[column.name] = (
            f"{len(strange)} of the words in it {'is' if len(strange) == 1 else 'are'} none of {', '.join(sorted(set(known.values())))}; "
            "their rows would wait in quarantine"
        )


def _stand_in(made: Draft, fact: Fact, column: Column) -> None:
    words = sorted(set(spellings(fact.name, column.name).values()))
    if words:
        made.columns[column.name] = literal(words[0])
        made.doubts[column.name] = (
            f"no heading says it; every row would be '{words[0]}' (or {', '.join(words[1:])})"
        )
    else:
        made.doubts[column.name] = f"needed ({column.means}), and no heading names it"


def _forms(made: Draft, fact: Fact, given: Mapping[str, str], rows: Rows) -> None:
    """Find how the source writes dates and decimals, where it shows."""
    days = [
        value for heading in given.values() for value in _values(rows, heading) if _OTHER_DAY.match(value)
    ]
    parts = [(int(found[1]), int(found[2])) for value in days if (found := _OTHER_DAY.match(value))]
    if parts:
        made.dates = "mdy" if any(second > 12 for _, second in parts) else "dmy"
        if all(first <= 12 and second <= 12 for first, second in parts):
            made.doubts["dates"] = "day first or month first? The rows looked at do not tell"
    kinds = (Kind.AMOUNT, Kind.NUMBER)
    numbers = [
        value
        for column in fact.columns
        if column.kind in kinds and column.name in given
        for value in _values(rows, given[column.name])
    ]
    if any(_COMMA.match(value) for value in numbers) and not any(
        re.search(r"\.\d{1,2}$", one) for one in numbers
    ):
        made.decimal = "comma"


def _headings_of(made: Draft, headings: Sequence[str]) -> set[str]:
    written = {made.customer, made.event_at, made.changed_at, *made.key}
    return {heading for heading in headings if expression(heading) in written}


def _values(rows: Rows, heading: str) -> list[str]:
    return [value for row in rows if (value := row.get(heading)) is not None and value.strip()]


def _fits(kind: Kind, values: Sequence[str]) -> bool:
    """Return whether nearly all values could be of a kind; of none, it could."""
    match kind:
        case Kind.INSTANT | Kind.DAY:
            fitting = sum(bool(_DAY.match(value) or _OTHER_DAY.match(value)) for value in values)
        case Kind.NUMBER | Kind.AMOUNT | Kind.INTEGER:
            fitting = sum(bool(_NUMBER.match(value)) for value in values)
        case Kind.FLAG:
            fitting = sum(value.strip().lower() in _FLAGS for value in values)
        case _:
            return True
    return fitting >= 0.8 * len(values)


def _unique(rows: Rows, headings: Sequence[str]) -> bool:
    keys = [tuple((row.get(heading) or "").strip() for heading in headings) for row in rows]
    return all(any(key) for key in keys) and len(set(keys)) == len(keys)
