"""The shipped sources.yaml against the demo firm's three systems: everything planted is found, everything good is loaded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.demo_firm.conftest import SMALL

from care_demo.finance_files import publish_finance
from care_demo.firm import simulate
from care_demo.model import Firm
from care_demo.sales_db import publish_sales
from care_demo.span import FIRM_ZONE
from care_demo.ticket_service import publish_tickets, serve
from care_sources.connection import Connection
from care_sources.expectations import ask
from care_sources.landing import land
from carewatch.flow.checking import Verdict, check_sources
from carewatch.paths import home
from carewatch.spec.sources import load_sources
from carewatch.store import embedded
from carewatch.store.check_results import admission
from carewatch.store.check_tables import SCHEMA
from carewatch.store.conform import StreamResult, conform
from carewatch.store.database import connect

SOURCES = load_sources(home() / "config")
STREAM_OF = {table: name for name, source in SOURCES.sources.items() for table in source.all_streams()}
Loaded = dict[str, StreamResult]


class Systems:
    """The demo firm's systems, shown as they were at a moment, and the warehouse they are loaded into."""

    def __init__(self, firm: Firm, dsn: str, sales_dsn: str, folder: Path) -> None:
        self.firm, self.dsn, self.sales_dsn, self.folder = firm, dsn, sales_dsn, folder
        self.moments: list[datetime] = []
        self.verdicts: list[list[Verdict]] = []
        (folder / "tickets").mkdir()
        self.server = serve(folder / "tickets", "token")
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.ways = {
            "sales": Connection(sales_dsn),
            "tickets": Connection(self.server.url, token="token"),
            "finance": Connection(str(folder / "finance")),
        }

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def load(self, moment: datetime) -> Loaded:
        publish_sales(self.firm, self.sales_dsn, moment)
        publish_finance(self.firm, self.folder / "finance", moment)
        publish_tickets(self.firm, self.folder / "tickets", moment)
        results: Loaded = {}
        self.moments.append(moment)
        with connect(self.dsn, autocommit=True) as connection:
            connection.execute("delete from care.pinned_clock")
            connection.execute("insert into care.pinned_clock (at) values (%s)", (moment,))
            for name, source in SOURCES.sources.items():
                landed = land(
                    name, source, firm=SOURCES.firm, warehouse_dsn=self.dsn, secrets=self.ways[name],
                    pipelines_dir=self.folder / "landing", now=moment,
                )  # fmt: skip
                assert landed.warnings == ()
            verdicts = check_sources(
                connection, SOURCES, ask=partial(ask, self.dsn, SCHEMA), run_id=str(moment), now=moment
            )
            self.verdicts.append(verdicts)
            for name, source in SOURCES.sources.items():
                assert admission(connection, name, source, SOURCES.firm).waiting == ()
                for result in conform(connection, name, source, SOURCES.firm):
                    results[result.origin + " released" * result.released] = result
        return results


@pytest.fixture(scope="module")
def systems(
    module_warehouse: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Systems, Loaded, Loaded]]:
    """Load the firm's history up to a month before its end, then the rest."""
    sales_dsn = module_warehouse + "_sales"
    made = Systems(simulate(**SMALL), module_warehouse, sales_dsn, tmp_path_factory.mktemp("systems"))
    end = datetime.combine(made.firm.end, time(12), FIRM_ZONE) + timedelta(days=1)
    try:
        yield made, made.load(end - timedelta(days=30)), made.load(end)
    finally:
        made.stop()
        embedded.drop_database(sales_dsn, sales_dsn.rsplit("/", 1)[1])


def rows(systems: Systems, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(systems.dsn) as connection:
        return connection.execute(query, parameters or None).fetchall()


def test_every_planted_fault_waits_and_what_was_mended_is_loaded(
    systems: tuple[Systems, Loaded, Loaded],
) -> None:
    shown, _, _ = systems
    for flaw in shown.firm.dirt:
        if flaw.group != "malformed":
            continue
        origin = f"{STREAM_OF[flaw.table]}.{flaw.table}"
        waiting = rows(
            shown,
            "select reason from quarantine.row where origin = %s and source_key = %s and state = 'waiting'",
            origin,
            flaw.key,
        )
        table = SOURCES.sources[STREAM_OF[flaw.table]].all_streams()[flaw.table].definition.table
        loaded = rows(
            shown,
            f"select 1 from {table} where origin = %s and source_key = %s and known_to is null",
            origin,
            flaw.key,
        )
        assert (bool(waiting), bool(loaded)) == (flaw.mended_at is None, flaw.mended_at is not None), flaw


def test_what_is_believed_is_what_the_systems_show(systems: tuple[Systems, Loaded, Loaded]) -> None:
    shown, _, _ = systems
    upto = datetime.combine(shown.firm.end, time(12), FIRM_ZONE) + timedelta(days=1)
    bad = {
        (flaw.table, flaw.key)
        for flaw in shown.firm.dirt
        if flaw.group == "malformed" and flaw.mended_at is None
    }
    for table in ("orders", "invoices", "payments", "tickets", "customers"):
        definition = SOURCES.sources[STREAM_OF[table]].all_streams()[table].definition
        believed = rows(
            shown,
            f"select source_key from {definition.table} where origin = %s and known_to is null",
            f"{STREAM_OF[table]}.{table}",
        )
        expected = {str(row[0]) for row in shown.firm.tables[table].state(upto)}
        assert {key for (key,) in believed} == expected - {key for name, key in bad if name == table}, table


@pytest.mark.req("S1")
def test_every_row_of_three_systems_resolves_to_one_customer(systems: tuple[Systems, Loaded, Loaded]) -> None:
    shown, _, _ = systems
    for fact in ("order", "ticket", "invoice", "payment", "interaction"):
        found = rows(
            shown,
            f"select count(*), count(c.customer_no), count(distinct f.fact_no) from care.fact_{fact} f "
            "left join care.identity i on i.party_no = f.party_no and i.known_to is null left join care.customer c using (customer_no)",
        )
        [(facts, resolved, distinct)] = found
        assert facts == resolved == distinct > 0, fact
    assert rows(shown, "select count(distinct key_space) from care.party") == [(1,)]


@pytest.mark.req("S165")
def test_answers_are_on_one_scale_and_keep_their_own(systems: tuple[Systems, Loaded, Loaded]) -> None:
    answers = rows(
        systems[0],
        "select scale, score_original::float, score::float from care.fact_survey where known_to is null",
    )
    assert answers and {scale for scale, _, _ in answers} <= {"5", "100", "nps"}
    for scale, original, score in answers:
        low, high = {"5": (1, 5), "100": (0, 100), "nps": (0, 10)}[scale]
        assert score == pytest.approx(1 + (original - low) * 4 / (high - low))


def test_late_customers_brought_their_rows_with_them(systems: tuple[Systems, Loaded, Loaded]) -> None:
    shown, _, _ = systems
    for flaw in shown.firm.dirt:
        if flaw.kind == "late_master":
            waiting = rows(
                shown,
                "select 1 from quarantine.row where state = 'waiting' and data ->> '_customer' = %s",
                flaw.key,
            )
            assert waiting == []


def test_a_load_that_brings_nothing_new_changes_nothing(systems: tuple[Systems, Loaded, Loaded]) -> None:
    shown, _, second = systems
    assert sum(result.new for result in second.values()) > 0
    upto = datetime.combine(shown.firm.end, time(12), FIRM_ZONE) + timedelta(days=1)
    again = shown.load(upto)
    assert {(result.new, result.changed, result.quarantined) for result in again.values()} == {(0, 0, 0)}


@pytest.mark.req("S10")
def test_the_shipped_checks_tell_of_the_planted_dirt_and_stop_nothing(
    systems: tuple[Systems, Loaded, Loaded],
) -> None:
    shown, _, _ = systems
    failed = {
        f"{result.stream}: {result.check_text}": result.unexpected
        for verdict in shown.verdicts[0]
        for result in verdict.results
        if result.outcome == "failed"
    }
    planted = [
        flaw for flaw in shown.firm.dirt if flaw.group == "malformed" and flaw.visible_at <= shown.moments[0]
    ]
    assert failed.keys() == {
        "tickets: customer is not empty", "invoices: amount is not empty", "invoices: invoice_no is unique",
    }  # fmt: skip
    without = [flaw for flaw in planted if (flaw.table, flaw.kind) == ("tickets", "missing_customer")]
    unread = [flaw for flaw in planted if (flaw.table, flaw.kind) == ("invoices", "unparsable_amount")]
    assert 0 < failed["tickets: customer is not empty"] <= len(without)
    assert 0 < failed["invoices: amount is not empty"] <= len(unread)
    assert {verdict.state for load in shown.verdicts for verdict in load} == {"passed"}
