"""The data contract of every fact, as a page for data engineers (docs/facts.md), written from the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from carewatch.spec.fact_losses import WITHOUT_FACT, lost_without
from carewatch.spec.fact_names import column_label, fact_label
from carewatch.spec.facts import FACTS, SQL_TYPE, Column, Erased, Fact, Kind

_KINDS: Final = {
    Kind.TEXT: "as it stands, without blanks around it; an empty one is missing",
    Kind.INTEGER: "digits with an optional sign; groups of thousands (1,234) are read too",
    Kind.NUMBER: "the same, with a fraction or an exponent; the source's `decimal:` says point or comma. "
    "86万, 1.2亿, 30% (as 30), (1,234) as -1,234, full width",
    Kind.AMOUNT: "the same, with ¥, 元, RMB or CNY, which say nothing of `currency`; exact, never a float; "
    "converted into the firm's currency at the event day's rate",
    Kind.FLAG: "true, t, yes, y, 1, 是, or false, f, no, n, 0, 否",
    Kind.DAY: "2025-12-31, also with / or . or 年月日, 20251231, 45909 (Excel's count), 2025-W37 (its Monday); "
    "the source's `dates:` may say dmy or mdy",
    Kind.INSTANT: "a day with a time; without an offset it is in the source's time zone, without a time its midnight",
}
_OPENING: Final = """\
# Facts: the data contract

Written from `plugins/carewatch/spec/facts.py` by `care schema`; a test keeps it fresh. Do not edit it by hand.

A fact is something that happened at a customer. A source's stream says in `sources.yaml` which fact its rows become
(`fact:`), what tells rows apart for good (`key:`), whose they are (`customer:`), when they happened (`event_at:`) and
where each column below comes from (`columns:`). Only columns marked *needed* must be there; a column that nobody fills
is empty in every row, and the table says what is lost without it. A value that cannot be read sends its row to
`quarantine.row`, with the reason.

Every fact is the table `care.fact_<name>` and carries, beside its own columns:

| column | means |
|---|---|
| `fact_no` | our number |
| `party_no` | the source's customer (`care.party`); customers are grouped when they are read, so a merge rewrites nothing |
| `origin`, `source_key` | `source.stream`, and the source's key of the row |
| `event_at`, `event_day` | when it happened: the moment, and the day in the firm's time zone |
| `known_from`, `known_to` | from when until (exclusive) when we believed this version; open while `known_to` is empty |
| `known_assumed` | `known_from` was assumed at the first load of history: event time plus the source's `delay` |
| `changed_at` | when the source says that it wrote this version, where the stream has `changed_at:` |
| `row_hash`, `load_id` | a digest of the values, and the load that brought them |

A correction closes the old version and adds a new one. A night counts a version when `event_at` is before its event cut
and its knowledge cut lies in [`known_from`, `known_to`).

`class` says who may see a value (listings and errors show of a `personal` one only its shape) and what `care erase` leaves of
it: nothing (`gone`), a key that leads nowhere (`pseudonym`), or the value itself.

`where:` and `of:` of a metric may name the fact's own columns, `event_day` and `source_key`; a metric in SQL reads
`fact_<name>` with `customer_no`, `event_at`, `event_day`, `source_key` and the fact's own columns.

## Kinds of column

| kind | PostgreSQL | read from |
|---|---|---|
"""


def facts_guide() -> str:
    """Return the page in Markdown."""
    kinds = "".join(f"| {kind} | `{SQL_TYPE[kind]}` | {means} |\n" for kind, means in _KINDS.items())
    return _OPENING + kinds + "".join("\n" + "".join(_fact(fact)) for fact in FACTS.values())


def _fact(fact: Fact) -> Iterator[str]:
    yield f"## {fact.name}\n\n{fact_label(fact.name, 'zh-CN')}: {fact.means[0].upper()}{fact.means[1:]}."
    yield "" if fact.needs_customer else " It need not concern a single customer."
    yield f" Without this fact: {WITHOUT_FACT[fact.name]}."
    yield "\n\n| column | 名称 | kind | | class | means | lost without it |\n|---|---|---|---|---|---|---|\n"
    yield from (_column(fact, column) for column in fact.columns)


def _class(column: Column) -> str:
    fate = {Erased.KEPT: "", Erased.PSEUDONYM: ", pseudonym", Erased.GONE: ", gone"}
    return f"{column.privacy}{fate[column.erased]}"


def _column(fact: Fact, column: Column) -> str:
    needed = "needed" if column.required else ""
    called = column_label(fact.name, column.name, "zh-CN")
    filled = column.name == "amount_original" and fact.column("amount") is not None
    lost = (
        "filled by the loader"
        if filled
        else "the row"
        if column.required
        else lost_without(fact.name, column.name)
    )
    shown = (f"`{column.name}`", called, column.kind, needed, _class(column), column.means, lost)
    return f"| {' | '.join(shown)} |\n"
