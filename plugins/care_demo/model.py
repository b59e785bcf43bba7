"""Hold what the simulator produces: versioned tables, the truth, and the list of planted dirt."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

# The published columns of every table, in order. `updated_at` is the time the source system itself claims.
_COLUMN_LISTS = {
    "customers": """customer_code name industry region city segment end_market account_manager_id
        credit_limit payment_terms_days customer_since benchmark profit_rate email phone updated_at""",
    "contacts": """contact_id customer_code name title is_main is_decision_maker phone email
        preferred_channel sms_consent birthday updated_at""",
    "contact_events": """event_id contact_id customer_code event happened_at name title is_main
        is_decision_maker note updated_at""",
    "contracts": """contract_no customer_code product_line annual_value currency signed_on starts_on
        ends_on notice_by updated_at""",
    "contract_events": """event_id contract_no customer_code event happened_at ends_on notice_by
        product_line annual_value currency note updated_at""",
    "orders": "order_no customer_code ordered_at product_line kind amount currency updated_at",
    "order_lines": """order_no line_no customer_code ordered_at kind product_line sku quantity unit_price
        amount currency updated_at""",
    "activities": """activity_id customer_code contact_id happened_at kind direction channel owner_id
        decision_maker invited attended answered tone duration_s note updated_at""",
    "market_events": """event_id customer_code industry end_market kind title competitor product_line
        price_gap_pct happened_at expires_on updated_at""",
    "tickets": """ticket_no customer_code opened_at subject priority is_complaint product_line status
        updated_at""",
    "ticket_events": """event_id ticket_no customer_code event happened_at opened_at is_complaint agent_id
        updated_at""",
    "surveys": "survey_id customer_code ticket_no answered_at kind score scale comment updated_at",
    "invoices": "invoice_no customer_code issued_on due_on amount currency updated_at",
    "payments": "payment_no invoice_no customer_code paid_on amount currency",
}
COLUMNS: dict[str, tuple[str, ...]] = {name: tuple(text.split()) for name, text in _COLUMN_LISTS.items()}

SALES_TABLES = (
    "customers", "contacts", "contact_events", "contracts", "contract_events",
    "orders", "order_lines", "activities", "market_events",
)  # fmt: skip
TICKET_TABLES = ("tickets", "ticket_events", "surveys")
FINANCE_TABLES = ("invoices", "payments")


def key_columns(table: str) -> tuple[str, ...]:
    """Name the columns that identify one record of a table."""
    return ("order_no", "line_no") if table == "order_lines" else COLUMNS[table][:1]


class Version(NamedTuple):
    """One version of one record; `visible_at` (UTC) is when its source system begins to show it."""

    visible_at: datetime
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """All versions of all records of one table, ordered by `visible_at`.

    `doubled` holds the keys that the source shows twice, byte for byte.
    """

    name: str
    versions: tuple[Version, ...]
    doubled: frozenset[tuple[Any, ...]] = frozenset()
    _moments: list[datetime] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_moments", [version.visible_at for version in self.versions])

    @property
    def columns(self) -> tuple[str, ...]:
        return COLUMNS[self.name]

    def key_of(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the identifying values of one row."""
        return values[: len(key_columns(self.name))]

    def shown(self, upto: datetime, after: datetime | None = None) -> tuple[Version, ...]:
        """Return the versions with `after < visible_at <= upto`, oldest first."""
        begin = 0 if after is None else bisect_right(self._moments, after)
        return self.versions[begin : bisect_right(self._moments, upto)]

    def state(self, upto: datetime, after: datetime | None = None) -> list[tuple[Any, ...]]:
        """Return the last visible version of each record among `shown(upto, after)`, oldest record first."""
        return self.latest(self.shown(upto, after))

    def latest(self, versions: Iterable[Version]) -> list[tuple[Any, ...]]:
        """Keep the last of the given versions of each record, in the order the records first appeared."""
        records: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for version in versions:
            records[self.key_of(version.values)] = version.values
        return list(records.values())


@dataclass(frozen=True)
class Decoy:
    """Something that looks like a symptom at a customer who stays."""

    kind: str
    on: date


@dataclass(frozen=True)
class Truth:
    """What really happened to one customer; never part of a source.

    `first_symptom_on <= last_order_on < churned_at`, all firm-local days; they may lie after the end of the
    simulated period for a customer who has only begun to leave. `last_order_on` is the last regular order:
    spare parts may follow. A customer who stays has no cause and no dates.
    """

    customer_code: str
    cause: str | None
    first_symptom_on: date | None
    last_order_on: date | None
    churned_at: date | None
    seasonal: bool
    decoys: tuple[Decoy, ...]


@dataclass(frozen=True)
class Dirt:
    """One planted flaw: its group (late, correction, duplicate, malformed), what exactly, and where.

    `mended_at` is when a good version of the same record became visible, None when never.
    """

    group: str
    kind: str
    table: str
    key: str
    visible_at: datetime
    mended_at: datetime | None = None


@dataclass(frozen=True)
class Firm:
    """A simulated firm: everything its source systems will ever show, and the truth behind it.

    `today` is the firm-local day a demo should take as its present; data after it lets the demo move on.
    """

    seed: int
    start: date
    end: date
    today: date
    tables: dict[str, Table]
    truth: tuple[Truth, ...]
    dirt: tuple[Dirt, ...]

    @property
    def identity(self) -> str:
        """Name this firm well enough to notice that a source system still shows another one."""
        sizes = ".".join(str(len(table.versions)) for table in self.tables.values())
        return f"{self.seed}/{self.start}/{self.end}/{sizes}"

    def dirt_counts(self) -> dict[tuple[str, str], int]:
        """Count the planted flaws by (group, table)."""
        return dict(Counter((flaw.group, flaw.table) for flaw in self.dirt))
