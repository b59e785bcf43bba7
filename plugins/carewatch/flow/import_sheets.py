"""Import sheets that people typed: land, conform, say what is wrong with each row that became no fact.

All of it is one transaction: a killed import leaves nothing, a dry run is an import that is rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import Rollback

from carewatch.spec.fact_names import CUSTOMER, Language
from carewatch.spec.firm import Firm
from carewatch.spec.sources import TYPED, BaseSource
from carewatch.spec.typed import Fault, Sheet, cell_faults, missing, typed_row, typed_source
from carewatch.store import typed as store
from carewatch.store.conform import Refused, StreamResult, conform
from carewatch.store.conform_checks import UNKNOWN_CUSTOMER
from carewatch.store.database import Connection

Cells = Sequence[str | None]


@dataclass(frozen=True)
class Given:
    """A sheet with its rows: line and cells."""

    sheet: Sheet
    rows: Sequence[tuple[int, Cells]]


@dataclass(frozen=True)
class Imported:
    """What became of one sheet; `faults` are every cell that is wrong, in order, `refused` the lines that became no fact."""

    sheet: Sheet
    rows: int
    new: int
    changed: int
    same: int
    refused: tuple[int, ...]
    faults: tuple[Fault, ...]

    @property
    def good(self) -> int:
        return self.rows - len(self.refused)


def import_sheets(
    connection: Connection, firm: Firm, sources: Mapping[str, BaseSource], given: Sequence[Given], *,
    file: str, digest: str, by: str | None, language: Language, load_id: str, now: datetime, dry_run: bool = False,
) -> list[Imported]:  # fmt: skip
    """Import the sheets of one file; return what became of each.

    `file` names the file and `digest` its content; `load_id` grows from import to import. A sheet that lacks a needed
    column is refused whole. Importing a file again, or with corrections, doubles nothing.
    """
    source = typed_source(sources)
    results: list[Imported] = []
    with connection.transaction():
        whole = [one for one in given if not missing(one.sheet)]
        typed = {
            id(one): store.TypedRows(
                one.sheet.fact,
                f"{file}!{one.sheet.title}@{digest[:6]}",
                [(line, typed_row(one.sheet, cells, by)) for line, cells in one.rows],
            )
            for one in whole
        }
        store.land_typed(connection, source, firm, list(typed.values()), load_id=load_id, now=now)
        refused: list[Refused] = []
        taken = {
            result.origin.partition(".")[2]: result
            for result in conform(connection, TYPED, source, firm, load_ids=[load_id], refused=refused)
            if not result.released and result.load_id == load_id
        }
        for one in given:
            if id(one) not in typed:
                lines = tuple(line for line, _ in one.rows)
                results.append(Imported(one.sheet, len(lines), 0, 0, 0, lines, tuple(missing(one.sheet))))
                continue
            rows = typed[id(one)]
            verdicts = [
                Fault(bad.line, bad.field, bad.reason, bad.value)
                for bad in refused
                if bad.file == rows.file and bad.line is not None
            ]
            results.append(
                _judged(connection, source, firm, one.sheet, rows, taken[one.sheet.fact], verdicts, language)
            )
            store.settle_refused(connection, one.sheet.fact, load_id, by=by or "care import")
        store.drop_landing(connection)
        counts = {one.sheet.fact: {"rows": one.rows, "refused": len(one.refused)} for one in results}
        store.record(connection, now=now, by=by or "care import", file=file, counts=counts)
        if dry_run:
            raise Rollback
    return results


def _judged(
    connection: Connection, source: BaseSource, firm: Firm, sheet: Sheet, rows: store.TypedRows, taken: StreamResult,
    verdicts: Sequence[Fault], language: Language,
) -> Imported:  # fmt: skip
    lines = [fault.line for fault in verdicts]
    by_line = dict(rows.rows)
    faults: dict[tuple[int, str | None], Fault] = {}
    if lines:
        for fault in store.unreadable(connection, sheet.fact, lines, source.reading(firm)):
            faults.setdefault((fault.line, fault.column), fault)
    for line in lines:
        for fault in cell_faults(sheet.fact, line, by_line[line], language):
            faults.setdefault((fault.line, fault.column), fault)
    told = {line for line, _ in faults}
    strangers = [by_line[one.line].get(CUSTOMER) or "" for one in verdicts if one.reason == UNKNOWN_CUSTOMER]
    near = store.nearest_customers(connection, source.key_space or TYPED, strangers) if strangers else {}
    for verdict in verdicts:
        if verdict.reason == UNKNOWN_CUSTOMER:
            said = by_line[verdict.line].get(CUSTOMER) or ""
            faults[verdict.line, CUSTOMER] = replace(
                verdict, column=CUSTOMER, value=said, near=near.get(said)
            )
        elif verdict.line not in told:
            faults[verdict.line, verdict.column] = verdict
    order = {column: at for column, at in sheet.places.items()}
    ordered = sorted(faults.values(), key=lambda one: (one.line, order.get(one.column or "", -1)))
    return Imported(
        sheet, len(rows.rows), taken.new, taken.changed,
        len(rows.rows) - len(lines) - taken.new - taken.changed, tuple(lines), tuple(ordered),
    )  # fmt: skip
