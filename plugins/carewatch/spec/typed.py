"""Answer the question: what can people type into sheets, and what does a typed row become?

What is typed is a source of its own, `typed`, with one stream for each sheet of the template. Its rows go the way of all
sources: read, checked and dated by conform. A row is told apart by its number (编号), or by what it says of whom and when.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from carewatch.spec.fact_names import (
    CUSTOMER,
    EVENT_AT,
    KEY,
    WITHDRAWN,
    Language,
    choices,
    column_label,
    columns_by_heading,
    fact_label,
    facts_by_title,
    fold,
    spellings,
    word_label,
)
from carewatch.spec.facts import FACTS, Kind
from carewatch.spec.problems import nearest
from carewatch.spec.sources import TYPED, BaseSource, FilesSource

KNOWLEDGE: Final = (
    "note", "interaction", "reasonable_reason", "market_event", "indicator_value", "document", "contact_event",
)  # fmt: skip
"""What people know and no system tells: these sheets are always offered."""

_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "note": (CUSTOMER, EVENT_AT, "what", "person"),
    "interaction": (CUSTOMER, EVENT_AT, "what", "contact", "person"),
    "reasonable_reason": (CUSTOMER, EVENT_AT, "what"),
    "market_event": (CUSTOMER, "industry", "country", EVENT_AT, "what", "title"),
    "indicator_value": (CUSTOMER, EVENT_AT, "indicator"),
    "document": (CUSTOMER, "title"),
    "contact_event": (CUSTOMER, "contact", "what", EVENT_AT),
    "customer": (CUSTOMER,),
    "contract_event": (CUSTOMER, "contract", "what", EVENT_AT),
    "order": ("order_no",),
    "order_line": ("order_no", "product"),
    "ticket": ("ticket_no",),
    "ticket_event": ("ticket_no", "what", EVENT_AT),
    "survey": (CUSTOMER, EVENT_AT, "what", "line"),
    "invoice": ("invoice_no",),
    "payment": (CUSTOMER, "invoice_no", EVENT_AT),
    "usage_day": (CUSTOMER, EVENT_AT),
}
"""The sheets in their order, and what tells the rows of each apart when they have no number."""
SHEETS: Final = tuple(_PARTS)


def typed_columns(fact: str) -> tuple[str, ...]:
    """Return the columns of a sheet in their order: whose and when, the fact's own, then number and void."""
    own = [column.name for column in FACTS[fact].columns if column.name != "amount_original"]
    return (CUSTOMER, EVENT_AT, *own, KEY, WITHDRAWN)


def needed(fact: str) -> tuple[str, ...]:
    """Return the columns of a sheet that every row must fill."""
    known = FACTS[fact]
    whose = (CUSTOMER,) if known.needs_customer else ()
    return (*whose, EVENT_AT, *(column.name for column in known.columns if column.required))


def typed_source(sources: Mapping[str, BaseSource]) -> FilesSource:
    """Return the source of what people type beside the sources that there are.

    Its customer keys are those of the customer master, else of the first source that has keys of its own; where there is
    none, the sheet of customers is the master.
    """
    owners = [name for name, source in sources.items() if source.customers == "master"]
    owners += [name for name, source in sources.items() if source.customers == "derived"]
    own = not owners
    return FilesSource.model_validate(
        {
            "label": {"en": "Typed by people", "zh-CN": "人工录入"},
            "owner": "everybody",
            "kind": "files",
            "connection": TYPED,
            "customers": "master" if own else f"as in {owners[0]}",
            "every": "1 day",
            "fresh_within": "1 day",
            "streams": {fact: _stream(fact) for fact in SHEETS if own or fact != "customer"},
        }
    )


def _stream(fact: str) -> dict[str, object]:
    columns = [name for name in typed_columns(fact) if name not in (CUSTOMER, EVENT_AT, KEY, WITHDRAWN)]
    return {
        "from": fact,
        "fact": fact,
        "key": KEY,
        "customer": CUSTOMER,
        "event_at": EVENT_AT,
        "withdrawn_when": WITHDRAWN,
        "types": {WITHDRAWN: "flag"},
        "columns": {name: name for name in columns},
    }


@dataclass(frozen=True)
class Fault:
    """Something wrong with a cell, a row or a whole sheet.

    `line` counts from 1 and is 0 for the sheet; `column` is a column of the sheet, None for the row. `reason` is conform's
    word or one of `sheet_report`; `expected` and `near` are told as they stand.
    """

    line: int
    column: str | None
    reason: str
    value: str | None = None
    expected: tuple[str, ...] = ()
    near: str | None = None


@dataclass(frozen=True)
class Sheet:
    """A sheet as it was read: where each column of its fact stands (from 0), and what stands in no column of ours."""

    title: str
    fact: str
    places: Mapping[str, int]
    strange: tuple[tuple[int, str, str | None], ...]
    head: Sequence[str]
    head_line: int


def recognise(
    title: str, head: Sequence[str], meant: str | None = None, *, head_line: int = 1
) -> Sheet | None:
    """Return which sheet of the template this is, by its title or (one that nobody knows) by its headings.

    `meant` is the fact that somebody named. A sheet is known by its headings when they name all that its rows need.
    """
    fact = meant or facts_by_title().get(fold(title))
    if fact is None:
        found = {one: _places(one, head) for one in SHEETS}
        whole = [one for one, places in found.items() if set(needed(one)) <= set(places)]
        fact = max(whole, key=lambda one: len(found[one]), default=None)
    if fact not in SHEETS:
        return None
    places = _places(fact, head)
    known = columns_by_heading(fact)
    strange = tuple(
        (at, heading, _near(fold(heading), known))
        for at, heading in enumerate(head)
        if heading and at not in places.values() and fold(heading) not in REASON_HEADINGS
    )
    return Sheet(title, fact, places, strange, tuple(head), head_line)


REASON_HEADINGS: Final = frozenset({"problem", "问题"})
"""Headings of the column in which a file of refused rows says what is wrong."""


def _places(fact: str, head: Sequence[str]) -> dict[str, int]:
    known, typed = columns_by_heading(fact), typed_columns(fact)
    places: dict[str, int] = {}
    for at, heading in enumerate(head):
        column = known.get(fold(heading)) if heading else None
        if column in typed:
            places.setdefault(column, at)
    return places


def missing(sheet: Sheet) -> list[Fault]:
    """Return the needed columns that the sheet has no heading for."""
    spare = [heading for _, heading, _ in sheet.strange]
    return [
        Fault(0, column, "no such column", near=_near_heading(sheet.fact, column, spare))
        for column in needed(sheet.fact)
        if column not in sheet.places
    ]


def typed_row(sheet: Sheet, cells: Sequence[str | None], by: str | None) -> dict[str, str | None]:
    """Return a row by column, words of closed sets as rules ask for them, with the key that tells it apart."""
    row = {column: _cell(cells, at) for column, at in sheet.places.items()}
    for column, value in row.items():
        if value:
            row[column] = spellings(sheet.fact, column).get(fold(value), value)
    if by is not None and FACTS[sheet.fact].column("person") is not None:
        row["person"] = row.get("person") or by
    row[KEY] = row.get(KEY) or _key(sheet.fact, row)
    return row


def _cell(cells: Sequence[str | None], at: int) -> str | None:
    value = cells[at] if at < len(cells) else None
    return value.strip() or None if value else None


def _key(fact: str, row: Mapping[str, str | None]) -> str:
    """Return the key of a row without a number; one date written in two ways makes one key."""
    parts = ((_even_date if part == EVENT_AT else fold)(row.get(part) or "") for part in _PARTS[fact])
    return "/".join(part.replace("\\", "\\\\").replace("/", "\\/") for part in parts)


def _even_date(text: str) -> str:
    even = fold(text)
    if re.fullmatch(r"\d{5}", even):
        return (date(1899, 12, 30) + timedelta(days=int(even))).isoformat()
    numbers = [part.lstrip("0") or "0" for part in re.findall(r"\d+", even)]
    if len(numbers) >= 3 and len(numbers[0]) == 4:
        numbers = [numbers[0], *(part.zfill(2) for part in numbers[1:])]
        while len(numbers) > 3 and numbers[-1] == "00":
            numbers.pop()
    return "-".join(numbers)


def cell_faults(fact: str, line: int, row: Mapping[str, str | None], language: Language) -> Iterable[Fault]:
    """Yield what can be seen of a row without the warehouse: needed cells that are empty, words nobody knows."""
    for column in needed(fact):
        if not row.get(column):
            yield Fault(line, column, "a needed value is missing")
    for column, value in row.items():
        spelt = spellings(fact, column)
        if value and spelt and value not in spelt.values():
            yield unknown_word(fact, line, column, value, language)


def unknown_word(fact: str, line: int, column: str, value: str, language: Language) -> Fault:
    """Return the fault of a word that a closed set does not have, with the words that it has."""
    spelt = spellings(fact, column)
    near = _near(fold(value), spelt)
    return Fault(
        line, column, "unknown word", value, choices(fact, column, language),
        word_label(spelt[near], language) if near else None,
    )  # fmt: skip


def _near(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice most like a word; of Chinese ones, which are short, half the letters are enough."""
    known = list(choices)
    near = nearest(word, known)
    if near is None and not word.isascii():
        near = next(iter(difflib.get_close_matches(word, known, n=1, cutoff=0.5)), None)
    return near


def _near_heading(fact: str, column: str, spare: Sequence[str]) -> str | None:
    """Return the heading of the sheet that was probably meant for a column that it lacks."""
    known = columns_by_heading(fact)
    return next((one for one in spare if known.get(_near(fold(one), known) or "") == column), None)


def offered(sources: Mapping[str, BaseSource]) -> tuple[list[str], dict[str, str]]:
    """Return the facts that a template offers, and those it leaves out with the stream that already brings them."""
    given = {
        stream.fact: f"{name}.{stream_name}"
        for name, source in sources.items()
        for stream_name, stream in source.all_streams().items()
    }
    if any(source.key_space is None for source in sources.values()):
        given.setdefault("customer", "the source of customers")
    left = {fact: given[fact] for fact in SHEETS if fact in given and fact not in KNOWLEDGE}
    return [fact for fact in SHEETS if fact not in left], left


def is_date(fact: str, column: str) -> bool:
    """Return whether a column holds dates or moments."""
    own = FACTS[fact].column(column)
    return column == EVENT_AT or (own is not None and own.kind in (Kind.DAY, Kind.INSTANT))


def labels(fact: str, language: Language) -> tuple[str, dict[str, str]]:
    """Return the title of a sheet and the heading of each of its columns."""
    return fact_label(fact, language), {
        column: column_label(fact, column, language) for column in typed_columns(fact)
    }
