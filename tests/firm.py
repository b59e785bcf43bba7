"""A tiny firm whose customers' numbers a test sets like dials, and nights without Airflow.

The dials are facts of one day: a night sees those of the day before it, and a dial that was not set is unknown there.
`quiet`, `strain` and `halt` make a mild, a moderate and a severe signal, each of its own indicator, `mood` is the health
score itself, and the customer's profit rate decides the tier. The warehouse's clock stands at the moment of the night.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from tests.facts_given import GivenFacts

from carewatch.flow.advance import EVERYTHING, Advanced, Part, advance
from carewatch.flow.night import judge, measure, open_night, seal
from carewatch.spec.configuration import Configuration
from carewatch.spec.loading import load
from carewatch.spec.sources import BaseSource
from carewatch.store.database import Connection

ROOT = Path(__file__).resolve().parents[1]
MONDAY = date(2026, 6, 1)
"""A tier day, and a working day far from any holiday."""
TIER_RATES = {"A": 80.0, "B": 50.0, "C": 10.0}

_DIAL = """
  {name}:
    label: {name}
    kind: maximum
    fact: {fact}
    of: {column}
    window: 1 day
    owner: tests
"""
_RULE = """
  {name}:
    label: {name}
    severity: {severity}
    counts_as: {name}
    dimension: {dimension}
    when: {name} >= 1
    because: {{en: "{name} is {{{name}}}", zh-CN: "{name} 为 {{{name}}}"}}
"""
_SHIPPED_LEVELS = (ROOT / "config" / "levels.yaml").read_text(encoding="utf-8")

FILES: Mapping[str, str] = {
    "firm.yaml": """
version: 1
name: {en: Tiny, zh-CN: 小公司}
time_zone: Asia/Shanghai
currency: CNY
""",
    "metrics/dials.yaml": "version: 1\nmetrics:"
    + "".join(
        _DIAL.format(name=name, fact=fact, column=column)
        for name, fact, column in (
            ("quiet", "usage_day", "logins"),
            ("strain", "usage_day", "active_users"),
            ("halt", "usage_day", "seconds"),
            ("mood", "survey", "score"),
        )
    )
    + """
  profit_rate: {label: Profit rate, kind: maximum, fact: customer, of: profit_rate, window: 40 years, owner: tests}
  sales: {label: Sales, kind: sum, fact: order, of: amount, window: 365 days, owner: tests}
""",
    "health.yaml": """
version: 1
label: Mood
dimensions:
  use: {label: Use, weight: 1, metrics: {mood: {weight: 1, points: {0: 0, 100: 100}}}}
bands: {green: 70, yellow: 50}
hold_nights: 2
margin: 5
""",
    "tiers.yaml": """
version: 1
metrics: {profit_rate: {weight: 1, points: {0: 0, 100: 100}}}
cuts: {A: 70, B: 40}
otherwise: C
money: sales
""",
    "stages.yaml": """
version: 1
lost: {fact: order, within: 90 days}
dormant_when: quiet >= 99
""",
    "warnings/dials.yaml": "version: 1\nrules:"
    + "".join(
        _RULE.format(name=name, severity=severity, dimension="use")
        for name, severity in (("quiet", "mild"), ("strain", "moderate"), ("halt", "severe"))
    ),
    "levels.yaml": _SHIPPED_LEVELS.replace("hold_if_more_than: 30", "hold_if_more_than: 100"),
    "people.yaml": """
version: 1
fallback: eve
people:
  eve: {name: Eve, roles: [executive], channels: {mail: eve@tiny.example}}
  bob: {name: Bob, roles: [sales_manager], manager: eve, channels: {mail: bob@tiny.example, chat: sales}}
  ann: {name: Ann, roles: [account_manager], manager: bob, channels: {mail: ann@tiny.example}}
  lin: {name: 林小雨, roles: [account_manager], manager: bob, channels: {mail: lin@tiny.example}, language: zh-CN}
  mum: {name: Mum, roles: [account_manager], manager: bob}
  sue: {name: Sue, roles: [service], channels: {mail: sue@tiny.example}}
""",
}
"""The firm's files; calendar, notices and playbooks are the shipped ones."""
PLAYBOOKS: Mapping[str, str] = {
    f"playbooks/{path.name}": path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "include" / "playbooks").glob("*.yaml"))
}
"""The shipped playbooks, for a firm that changes some of them."""


def configure(folder: Path, files: Mapping[str, str] | None = None) -> Configuration:
    """Write the firm's files into a folder, some of them replaced or added, and load them."""
    for name, text in {**FILES, **(files or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load(folder)


def changed(name: str, *replacements: tuple[str, str]) -> dict[str, str]:
    """Return one of the firm's files with texts replaced; each of them must be there."""
    text = FILES[name]
    for old, new in replacements:
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return {name: text}


@dataclass
class TinyFirm:
    """The firm at a warehouse; `configuration` may be replaced between nights; `sources` are those that nights look at."""

    connection: Connection
    configuration: Configuration
    sources: Mapping[str, BaseSource] = field(default_factory=dict)
    facts: GivenFacts = field(init=False)

    def __post_init__(self) -> None:
        self.facts = GivenFacts(self.connection, self.configuration.firm.zone)

    def moment(self, day: date, hour: float = 2) -> datetime:
        """Return a local moment of a day."""
        midnight = datetime.combine(day, time(), self.configuration.firm.zone)
        return midnight + timedelta(hours=hour)

    def customer(self, name: str, *, owner: str | None = "ann", tier: str = "B", sales: float = 0) -> int:
        """Make a customer who has been with the firm for years; return the number."""
        since = datetime(2020, 1, 1, tzinfo=UTC)
        self.facts.belongs(name, name, since)
        self.facts.add(
            "customer", name, since, name=f"Firm {name}", owner=owner, profit_rate=TIER_RATES[tier]
        )
        if sales:
            self.facts.add("order", name, datetime(2026, 3, 2, 4, tzinfo=UTC), amount=sales)
        return self.facts.customer(name)

    def dial(self, name: str, night: date, **dials: float) -> None:
        """Set a customer's dials as the night of a day will see them."""
        noon = self.moment(night - timedelta(days=1), 12)
        columns = {"quiet": "logins", "strain": "active_users", "halt": "seconds"}
        used = {columns[dial]: value for dial, value in dials.items() if dial in columns}
        if used:
            self.facts.add("usage_day", name, noon, **used)
        if "mood" in dials:
            self.facts.add("survey", name, noon, score=dials["mood"])

    def calm(self, night: date, *names: str) -> None:
        """Let customers be well on a night: every dial is known and nothing is odd."""
        for name in names or tuple(self.facts.customers):
            self.dial(name, night, quiet=0, strain=0, halt=0, mood=90)

    def clock_at(self, now: datetime) -> None:
        """Set the warehouse's clock."""
        self.connection.execute(
            "insert into care.pinned_clock (at) values (%s) on conflict (only_row) do update set at = excluded.at",
            (now,),
        )

    def judged(self, day: date, *, now: datetime | None = None, backfill: bool = False) -> datetime:
        """Run a night up to its judgement, at two in the morning unless said otherwise; return the moment."""
        at = now or self.moment(day)
        self.clock_at(at)
        open_night(self.connection, self.configuration, day, now=at, backfill=backfill, sources=self.sources)
        measure(self.connection, day)
        judge(self.connection, day)
        return at

    def night(
        self,
        day: date,
        *,
        now: datetime | None = None,
        backfill: bool = False,
        parts: tuple[Part, ...] = EVERYTHING,
    ) -> Advanced:
        """Run a whole night."""
        at = self.judged(day, now=now, backfill=backfill)
        done = advance(self.connection, self.configuration.care, at, parts)
        seal(self.connection, day)
        return done

    def tick(self, now: datetime) -> Advanced:
        """Advance to a moment, as the clock does."""
        self.clock_at(now)
        return advance(self.connection, self.configuration.care, now)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return self.connection.execute(query.encode(), values).fetchall()

    def dump(self, *tables: str) -> dict[str, list[str]]:
        """Return the rows of tables as text, all of `care` unless named."""
        return dump(self.connection, *tables)


def _tables(connection: Connection) -> list[str]:
    """Return the tables of `care` that hold rows of their own."""
    rows = connection.execute(
        "select relname from pg_class where relnamespace = 'care'::regnamespace and relkind = 'r' order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def empty(connection: Connection) -> None:
    """Make a migrated warehouse what it was after the migrations."""
    tables = [name for name in _tables(connection) if name not in ("migration", "progress")]
    connection.execute(
        f"truncate {', '.join(f'care.{name}' for name in tables)} restart identity cascade".encode()
    )
    connection.execute(
        "update care.progress set applied_through = null, events_through = null, losses_from = null, losses_through = null"
    )


def dump(connection: Connection, *tables: str) -> dict[str, list[str]]:
    """Return the rows of tables of `care` as text, in order; all tables with rows of their own unless named."""
    return {
        name: [row[0] for row in connection.execute(f"select t::text from care.{name} t order by 1".encode())]
        for name in tables or _tables(connection)
    }
