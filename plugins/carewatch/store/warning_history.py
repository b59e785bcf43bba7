"""Answer the question: which warnings has a customer had up to a day, and how did each one go?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from carewatch.store.database import Connection


@dataclass(frozen=True)
class PastWarning:
    """One warning of a customer as it stood at the end of a day: its events up to then, the last one's level and reasons.

    `result` is what it ended as, None while it lived.
    """

    warning_no: int
    opened_day: date
    closed_day: date | None
    result: str | None
    state: str
    level: int
    peak_level: int
    owner_id: str
    manager_id: str | None
    reasons: list[dict[str, Any]]
    events: list[dict[str, Any]]


def warnings_until(connection: Connection, customer_no: int, day: date) -> list[PastWarning]:
    """Return a customer's warnings up to the end of a day, the newest first."""
    rows = connection.execute(
        "select w.warning_no, w.opened_day, w.state, w.closed_at is not null, w.owner_id, w.manager_id, e.what, e.at, e.day, "
        "e.level, e.reasons, e.by from care.warning w join care.warning_event e using (warning_no) "
        "where w.customer_no = %s and e.day <= %s order by w.warning_no desc, e.transition",
        (customer_no, day),
    ).fetchall()
    by_number: dict[int, list[tuple[Any, ...]]] = {}
    for row in rows:
        by_number.setdefault(row[0], []).append(row)
    return [_warning(found) for found in by_number.values()]


def _warning(rows: list[tuple[Any, ...]]) -> PastWarning:
    number, opened, state, is_closed, owner, manager, *_ = rows[0]
    _, _, _, _, _, _, what, _, day, level, reasons, _ = rows[-1]
    ended = what == "closed" or (is_closed and what == "merged")
    return PastWarning(
        number, opened, day if ended else None, state if ended else None, state, level, max(row[9] for row in rows),
        owner, manager, reasons,
        [_event(row[6], row[7], row[8], row[9], row[11]) for row in rows],
    )  # fmt: skip


def _event(what: str, at: datetime, day: date, level: int, by: str) -> dict[str, Any]:
    return {"what": what, "at": at, "day": day, "level": level, "by": by}
