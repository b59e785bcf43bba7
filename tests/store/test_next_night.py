"""What the three domains say today counts tomorrow: tickets, chats, business lines."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta
from pathlib import Path
from textwrap import indent
from zoneinfo import ZoneInfo

import pytest
from tests.store.identity_case import SALES, SUPPORT, customer, link, order, ticket
from tests.store.landed import Landing, sources

from carewatch.measure.cut import Cut, local_midnight
from carewatch.spec.metrics import Metric
from carewatch.store.database import Connection
from carewatch.store.metrics import metrics_at

ROOT = Path(__file__).resolve().parents[2]
SHANGHAI = ZoneInfo("Asia/Shanghai")
TICKET_EVENTS = """
  ticket_events:
    from: ticket_events
    fact: ticket_event
    key: id
    customer: client
    event_at: at
    columns: {ticket_no: no, what: what}
"""


def metric(**spec: str) -> Metric:
    return Metric.model_validate({"label": "x", "window": "30 days", **spec})


def measured(landing: Landing, metrics: dict[str, Metric], day: date) -> dict[str, list[float]]:
    cut = Cut(day, local_midnight(day, SHANGHAI), landing.now, SHANGHAI)
    return {
        name: column.tolist()
        for name, column in metrics_at(landing.connection, metrics, list(metrics), cut)[1].items()
    }


@pytest.mark.req("S14")
def test_a_ticket_closed_today_counts_in_the_next_night_and_its_time_is_shown(connection: Connection) -> None:
    landing = Landing(connection, sources(sales=SALES, support=SUPPORT + TICKET_EVENTS))
    landing.take("sales", customers=[customer("C1")], id_map=[link("C1", "support", "s-1")])
    landing.take("support", tickets=[ticket("T1", "s-1", at="2026-05-31 09:00")])
    metrics = {"closed": metric(kind="count", fact="ticket_event", where="what = 'closed'")}
    today = landing.now.astimezone(SHANGHAI).date()
    assert measured(landing, metrics, today + timedelta(days=1)) == {"closed": [0.0]}
    landing.later(hours=1)
    landing.take(
        "support",
        ticket_events=[{"id": "1", "no": "T1", "client": "s-1", "at": "2026-06-01 12:30", "what": "closed"}],
    )
    assert measured(landing, metrics, today) == {"closed": [0.0]}, "tonight sees what was before midnight"
    assert measured(landing, metrics, today + timedelta(days=1)) == {"closed": [1.0]}
    shown = landing.rows(
        "select customer_id, at, source from care.timeline where kind = 'ticket' and what = 'closed'"
    )
    assert [(row[0], row[1].astimezone(SHANGHAI).isoformat(), row[2]) for row in shown] == [
        ("C1", "2026-06-01T12:30:00+08:00", "support"),
    ]  # fmt: skip


def guide(heading: str, language: str) -> str:
    """Return the first block of code of a language below a heading of the engineer's guide."""
    text = (ROOT / "docs" / "engineer.md").read_text(encoding="utf-8").split(heading, 1)[1]
    found = re.search(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.req("S6")
def test_a_chat_archive_is_loaded_by_the_contract_in_the_guide(connection: Connection) -> None:
    stream = guide("### Chat archives", "yaml")
    rows = list(csv.DictReader(io.StringIO(guide("### Chat archives", "csv"))))
    landing = Landing(connection, sources(sales=SALES + indent(stream, "  ")))
    wanted = (
        "conversation_id",
        "customer_code",
        "started_at",
        "ended_at",
        "started_by",
        "staff_id",
        "summary",
        "archive_url",
    )
    assert set(rows[0]) == set(wanted)
    landing.take("sales", customers=[customer("C1")], chats=rows)
    assert landing.waiting() == []
    assert landing.open_facts(
        "interaction", "what", "channel", "direction", "person", "elapsed", "reference"
    ) == {
        "m-1001": ("chat", "wecom", "in", "ann", 510, "https://archive.example/m-1001"),
        "m-1002": ("chat", "wecom", "out", "ann", 60, "https://archive.example/m-1002"),
    }
    assert landing.rows("select kind, what, text, personal from care.timeline where customer_id = 'C1' order by at") == [
        ("conversation", "chat", "wecom, in", "asks for a price list, https://archive.example/m-1001"),
        ("conversation", "chat", "wecom, out", "sent the price list, https://archive.example/m-1002"),
    ]  # fmt: skip


@pytest.mark.req("S166")
def test_orders_contracts_and_tickets_are_measured_by_line(connection: Connection) -> None:
    contracts = """
  contracts:
    from: contracts
    fact: contract_event
    key: no
    customer: code
    event_at: at
    columns: {contract: no, what: what, line: line, amount: amount}
"""
    landing = Landing(connection, sources(sales=SALES + contracts, support=SUPPORT))
    at = "2026-05-20 10:00"
    landing.take(
        "sales",
        customers=[customer("C1")],
        id_map=[link("C1", "support", "s-1")],
        orders=[
            order("O1", "C1", at, line="pumps"),
            order("O2", "C1", at, line="valves"),
            order("O3", "C1", at),
        ],
        contracts=[{"no": "K1", "code": "C1", "at": at, "what": "signed", "line": "pumps", "amount": "5"}],
    )
    landing.take(
        "support", tickets=[ticket("T1", "s-1", at, line="valves"), ticket("T2", "s-1", at, line="valves")]
    )
    found = measured(landing, {
        f"{fact}_{line}": metric(kind="count", fact=fact, where=f"line = '{line}'")
        for fact in ("order", "contract_event", "ticket") for line in ("pumps", "valves")
    }, date(2026, 6, 1))  # fmt: skip
    assert {name: value[0] for name, value in found.items()} == {
        "order_pumps": 1, "order_valves": 1, "contract_event_pumps": 1, "contract_event_valves": 0,
        "ticket_pumps": 0, "ticket_valves": 2,
    }  # fmt: skip
