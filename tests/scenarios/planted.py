"""Load the demo firm into a warehouse and replay its weeks, to hold what was warned of against what was planted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import numpy as np

from care_demo.finance_files import publish_finance
from care_demo.model import Firm, Truth
from care_demo.sales_db import publish_sales
from care_demo.span import FIRM_ZONE
from care_demo.ticket_service import publish_tickets, serve
from care_sources.connection import Connection as Way
from care_sources.landing import land
from carewatch.flow.backtest import Progress, replay
from carewatch.paths import home
from carewatch.spec.configuration import JudgementSpec
from carewatch.spec.loading import load
from carewatch.spec.sources import load_sources
from carewatch.store import outcomes
from carewatch.store.conform import conform
from carewatch.store.database import Connection
from carewatch.warn.hits import State

NAMES_IT: Mapping[str, frozenset[str]] = {
    "service_failure": frozenset({"complaints", "satisfaction", "tickets", "resolution", "usage"}),
    "price_competitor": frozenset({"competitor", "market", "inquiries", "order_value", "order_amount"}),
    "contact_left": frozenset({"contact", "contact_silence", "decision_maker", "events", "tone"}),
    "budget": frozenset(
        {"order_amount", "order_value", "order_frequency", "payment", "overdue", "credit", "inquiries"}
    ),
}
"""The indicators that say what is wrong, for each cause of leaving that the demo plants; silence alone names none."""


@contextmanager
def loaded(firm: Firm, dsn: str, connection: Connection) -> Iterator[None]:
    """Publish the firm's three systems as of its end and load them into the warehouse."""
    sources = load_sources(home() / "config")
    end = datetime.combine(firm.end, time(12), FIRM_ZONE) + timedelta(days=1)
    sales_dsn = f"{dsn}_sales"
    with TemporaryDirectory(prefix="care-planted-") as temporary:
        folder = Path(temporary)
        (folder / "tickets").mkdir()
        publish_sales(firm, sales_dsn, end)
        publish_finance(firm, folder / "finance", end)
        publish_tickets(firm, folder / "tickets", end)
        server = serve(folder / "tickets", "token")
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        ways = {
            "sales": Way(sales_dsn),
            "tickets": Way(server.url, token="token"),
            "finance": Way(str(folder / "finance")),
        }
        try:
            for name, source in sources.sources.items():
                land(
                    name, source, firm=sources.firm, warehouse_dsn=dsn, secrets=ways[name],
                    pipelines_dir=folder / "landing", now=end,
                )  # fmt: skip
                conform(connection, name, source, sources.firm)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
        yield


@dataclass
class Seen:
    """What the replayed weeks said of one customer: the level of each week, how many days it had been a customer, and
    the indicators that were odd.
    """

    truth: Truth
    levels: dict[date, int] = field(default_factory=dict)
    age: dict[date, float] = field(default_factory=dict)
    odd: dict[date, frozenset[str]] = field(default_factory=dict)

    def warned_as(self, indicators: Collection[str], first: date, last: date) -> bool:
        """Return whether a week of the days had a level and named one of the indicators."""
        return any(
            first <= week <= last and level > 0 and not self.odd[week].isdisjoint(indicators)
            for week, level in self.levels.items()
        )

    def warned(self, first: date, last: date) -> bool:
        return any(first <= week <= last and level > 0 for week, level in self.levels.items())


def weeks_of(
    connection: Connection, firm: Firm, first: date, last: date, progress: Progress = lambda _: None
) -> dict[str, Seen]:
    """Replay the weeks with only what was known then, by the shipped configuration; what each customer's weeks said."""
    spec: JudgementSpec = load(home() / "config").judgement
    ids = outcomes.customer_ids(connection)
    seen = {truth.customer_code: Seen(truth) for truth in firm.truth}
    for replayed in replay(connection, spec, first, last, "week", progress):
        names = np.array([rule.counts_as for rule in spec.rules.values()])
        ranks = np.array([rule.severity.rank for rule in spec.rules.values()])
        states = replayed.judged.states[:, : len(names)]
        age = replayed.judged.columns["days_since_first_order"].tolist()
        for row, (number, level) in enumerate(
            zip(replayed.customers.tolist(), replayed.level.tolist(), strict=True)
        ):
            if ids[number] in seen:
                one = seen[ids[number]]
                one.levels[replayed.day] = level
                one.age[replayed.day] = age[row]
                one.odd[replayed.day] = frozenset(names[(states[row] == State.HIT) & (ranks > 0)].tolist())
    return seen
