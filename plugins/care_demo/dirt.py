"""Plant the flaws real source systems have: late rows, corrections, duplicates and malformed rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np

from .billing import EXPORT_MINUTE
from .life import Ledger
from .model import COLUMNS, FINANCE_TABLES, SALES_TABLES, Dirt, Version, key_columns
from .span import Span, money

LATE = {"invoices": 4, "payments": 4, "ticket_events": 3, "surveys": 1, "orders": 2}
DUPLICATES = {"invoices": 3, "payments": 3, "tickets": 2, "ticket_events": 3, "surveys": 1}
CORRECTIONS = {"invoices": 5, "orders": 3, "tickets": 2, "surveys": 2}
LATE_MASTERS = 2
RECENT_BEFORE_DAYS, RECENT_AFTER_DAYS = 45, 20
UNKNOWN_CODE = "C9871"
ABSURD = Decimal("999999999.00")


class Flaw(NamedTuple):
    """One malformed row to plant; a mended one is a real record whose good version follows days later."""

    table: str
    kind: str
    column: str
    spoil: Callable[[Any], Any]
    mended: bool = False


def _text(value: str | None) -> Callable[[Any], Any]:
    return lambda _: value


def _far_future(value: Any) -> Any:
    return value + timedelta(days=400)


MALFORMED = (
    Flaw("invoices", "unparsable_amount", "amount", _text("12,3O0.00"), mended=True),
    Flaw("invoices", "unparsable_amount", "amount", _text("N/A")),
    Flaw("invoices", "unparsable_date", "issued_on", _text("2026-02-30"), mended=True),
    Flaw("invoices", "unparsable_date", "due_on", _text("30.13.2026")),
    Flaw("invoices", "missing_customer", "customer_code", _text(""), mended=True),
    Flaw("invoices", "unknown_customer", "customer_code", _text(UNKNOWN_CODE)),
    Flaw("invoices", "absurd_amount", "amount", lambda _: ABSURD, mended=True),
    Flaw("invoices", "future_date", "issued_on", _far_future),
    Flaw("payments", "unparsable_amount", "amount", _text("壹万元"), mended=True),
    Flaw("payments", "unparsable_date", "paid_on", _text("昨天")),
    Flaw("payments", "unknown_customer", "customer_code", _text(UNKNOWN_CODE)),
    Flaw("tickets", "missing_customer", "customer_code", _text(None)),
    Flaw("tickets", "unknown_customer", "customer_code", _text(UNKNOWN_CODE)),
    Flaw("tickets", "future_date", "opened_at", _far_future),
    Flaw("ticket_events", "unparsable_date", "happened_at", _text("2026-13-45T25:00:00+08:00"), mended=True),
    Flaw("ticket_events", "unknown_customer", "customer_code", _text(UNKNOWN_CODE)),
    Flaw("surveys", "unparsable_score", "score", _text("five stars"), mended=True),
    Flaw("surveys", "missing_customer", "customer_code", _text(None)),
    Flaw("orders", "future_date", "ordered_at", _far_future, mended=True),
    Flaw("activities", "unknown_customer", "customer_code", _text(UNKNOWN_CODE)),
)


def plant_dirt(
    rng: np.random.Generator, *, ledger: Ledger, span: Span
) -> tuple[list[Dirt], dict[str, set[tuple[Any, ...]]]]:
    """Spoil some rows of the ledger in place; return the list of flaws and the keys shown twice, by table.

    About half of the flaws lie around today, so that the newest nights meet them. Each touches a record of
    its own.
    """
    planter = _Planter(rng, ledger, span)
    planter.delay_masters()
    for table, count in LATE.items():
        for _ in range(count):
            planter.delay(table)
    for flaw in MALFORMED:
        planter.spoil(flaw)
    for table, count in CORRECTIONS.items():
        for _ in range(count):
            planter.correct(table)
    doubled: dict[str, set[tuple[Any, ...]]] = {
        table: {planter.double(table) for _ in range(count)} for table, count in DUPLICATES.items()
    }
    return planter.dirt, doubled


@dataclass
class _Planter:
    rng: np.random.Generator
    ledger: Ledger
    span: Span
    dirt: list[Dirt] = field(default_factory=list)
    used: set[tuple[str, Any]] = field(default_factory=set)
    _last_index: dict[str, dict[Any, list[int]]] = field(default_factory=dict)

    def _choose(self, table: str, *, single: bool = True) -> int:
        """Choose the index of an untouched record's last version, every other time one around today."""
        rows = self.ledger.rows[table]
        if table not in self._last_index:
            width = len(key_columns(table))
            index: dict[Any, list[int]] = {}
            for position, version in enumerate(rows):
                index.setdefault(version.values[:width], []).append(position)
            self._last_index[table] = index
        today = self.span.today
        recent = (self.span.at(today - RECENT_BEFORE_DAYS, 0), self.span.at(today + RECENT_AFTER_DAYS, 0))
        whole = (self.span.at(1, 0), self.span.at(self.span.days - 30, 0))
        options = [
            (key, places[-1])
            for key, places in self._last_index[table].items()
            if (table, key) not in self.used and (len(places) == 1 or not single)
        ]
        begin, end = recent if len(self.dirt) % 2 else whole
        near = [option for option in options if begin <= rows[option[1]].visible_at <= end] or options
        key, place = near[self.rng.integers(len(near))]
        self.used.add((table, key))
        return place

    def _note(
        self, group: str, kind: str, table: str, version: Version, mended: datetime | None = None
    ) -> None:
        key = "/".join(str(part) for part in version.values[: len(key_columns(table))])
        self.dirt.append(Dirt(group, kind, table, key, version.visible_at, mended))

    def delay(self, table: str) -> None:
        """Show a record days late; only the sales database stamps it with the late time."""
        place = self._choose(table)
        version = self.ledger.rows[table][place]
        late = version.visible_at + timedelta(days=int(self.rng.integers(3, 7)))
        self._rewrite(table, place, late)
        self._note("late", "late_row", table, self.ledger.rows[table][place])

    def _rewrite(self, table: str, place: int, shown: datetime) -> None:
        values = self.ledger.rows[table][place].values
        stamped = (*values[:-1], shown) if table in SALES_TABLES else values
        self.ledger.rows[table][place] = Version(shown, stamped)

    def delay_masters(self) -> None:
        """Enter the newest customers into the master only after their first invoice."""
        first_invoice: dict[str, datetime] = {}
        for version in self.ledger.rows["invoices"]:
            code = version.values[1]
            first_invoice[code] = min(first_invoice.get(code, version.visible_at), version.visible_at)
        latest = self.span.at(self.span.today, 0)
        places = [
            (version.visible_at, place)
            for place, version in enumerate(self.ledger.rows["customers"])
            if version.visible_at > self.span.at(0, 1440)
            and first_invoice.get(version.values[0], latest) < latest
        ]
        for _, place in sorted(places)[-LATE_MASTERS:]:
            code = self.ledger.rows["customers"][place].values[0]
            self._rewrite("customers", place, first_invoice[code] + timedelta(days=3))
            self.used.add(("customers", (code,)))
            self._note("late", "late_master", "customers", self.ledger.rows["customers"][place])

    def spoil(self, flaw: Flaw) -> None:
        """Spoil one column: of a real record that is mended later, or of a row nobody will ever mend."""
        rows = self.ledger.rows[flaw.table]
        place = self._choose(flaw.table, single=flaw.mended)
        good = rows[place]
        column = COLUMNS[flaw.table].index(flaw.column)
        values = list(good.values)
        values[column] = flaw.spoil(values[column])
        if not flaw.mended:
            values[0] = f"{values[0]}X"
            rows.append(Version(good.visible_at, tuple(values)))
            self._note("malformed", flaw.kind, flaw.table, rows[-1])
            return
        rows[place] = Version(good.visible_at, tuple(values))
        mended = self._new_version(flaw.table, good, days=int(self.rng.integers(2, 6)))
        rows.append(mended)
        self._note("malformed", flaw.kind, flaw.table, rows[place], mended.visible_at)

    def correct(self, table: str) -> None:
        """Show a later version of a record with one fact changed."""
        place = self._choose(table, single=table != "tickets")
        old = self.ledger.rows[table][place]
        later = self._new_version(table, old, days=int(self.rng.integers(5, 25)))
        kind, changed = self._changed(table, later)
        self.ledger.rows[table].append(changed)
        if table == "orders":
            self._follow(changed)
        self._note("correction", kind, table, changed)

    def _changed(self, table: str, version: Version) -> tuple[str, Version]:
        row = dict(zip(COLUMNS[table], version.values, strict=True))
        if table == "invoices":
            kind = "amount"
            row["amount"] = money(float(row["amount"]) * float(self.rng.uniform(0.7, 0.95)))
        elif table == "orders":
            kind = "ordered_at"
            row["ordered_at"] -= timedelta(days=int(self.rng.integers(1, 4)))
        elif table == "tickets":
            kind = "is_complaint"
            row["is_complaint"] = not row["is_complaint"]
        else:
            kind = "score"
            row["score"] = row["score"] % 5 + 1
        return kind, Version(version.visible_at, tuple(row.values()))

    def _follow(self, order: Version) -> None:
        """Give the lines of a corrected order its new date."""
        lines = self.ledger.rows["order_lines"]
        place = COLUMNS["order_lines"].index("ordered_at")
        for line in [line for line in lines if line.values[0] == order.values[0]]:
            values = (*line.values[:place], order.values[2], *line.values[place + 1 : -1], order.visible_at)
            lines.append(Version(order.visible_at, values))

    def _new_version(self, table: str, old: Version, *, days: int) -> Version:
        """Repeat a record some days later, stamped as its source system would."""
        shown = old.visible_at + timedelta(days=days)
        if table == "payments":
            return Version(shown, old.values)
        booked = shown - timedelta(minutes=EXPORT_MINUTE - 15 * 60) if table in FINANCE_TABLES else shown
        return Version(shown, (*old.values[:-1], booked))

    def double(self, table: str) -> tuple[Any, ...]:
        """Choose a record that the source shows twice."""
        version = self.ledger.rows[table][self._choose(table, single=table != "tickets")]
        self._note("duplicate", "exact_copy", table, version)
        return version.values[: len(key_columns(table))]
