"""Write and read the state of the ticket system: one JSON line per record, oldest change first."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from .model import Firm, Table

TICKET_TABLES = ("tickets", "ticket_events", "surveys")
# A doubled record stands again one default page later, as when rows shift while a client reads page by page.
COPY_DISTANCE = 200
_FIRM_ZONE = ZoneInfo("Asia/Shanghai")


class Record(NamedTuple):
    updated_at: datetime
    body: dict[str, Any]


def publish_tickets(firm: Firm, folder: Path, upto: datetime) -> dict[str, int]:
    """Write the state the ticket system shows at `upto`; return the records per endpoint, copies included.

    Equal arguments write equal bytes; each file is replaced as a whole. Instants carry the firm's offset.
    Raises ValueError for a naive moment.
    """
    if upto.tzinfo is None:
        raise ValueError(f"publish needs an aware moment, got {upto.isoformat()} without an offset")
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name in TICKET_TABLES:
        lines = _lines(firm.tables[name], upto)
        fresh = folder / f".{name}.new"
        fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        fresh.replace(state_file(folder, name))
        written[name] = len(lines)
    return written


def state_file(folder: Path, name: str) -> Path:
    """Name the file behind one endpoint."""
    return folder / f"{name}.jsonl"


def read_state(path: Path) -> list[Record]:
    """Read one state file; a file not yet published holds nothing."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as handle:
        bodies = [json.loads(line) for line in handle]
    return [Record(datetime.fromisoformat(body["updated_at"]), body) for body in bodies]


def _lines(table: Table, upto: datetime) -> list[str]:
    updated = table.columns.index("updated_at")
    rows = sorted(table.state(upto), key=lambda row: (row[updated], table.key_of(row)))
    places = [place for place, row in enumerate(rows) if table.key_of(row) in table.doubled]
    bodies = (dict(zip(table.columns, map(_plain, row), strict=True)) for row in rows)
    lines = [json.dumps(body, ensure_ascii=False) for body in bodies]
    for place in reversed(places):
        lines.insert(place + COPY_DISTANCE, lines[place])
    return lines


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(_FIRM_ZONE).isoformat()
    return value.isoformat() if isinstance(value, date) else value
