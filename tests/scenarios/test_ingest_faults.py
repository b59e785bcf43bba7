"""The fault drill of loading: whatever breaks, and wherever, afterwards the facts are those of the undisturbed run."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from tests.conftest import FAST_NOT_SAFE
from tests.scenarios.ingest_worker import Job, run, start
from tests.sources.desk import cut_off, desk, hangs_up, ticket

from carewatch.store import embedded
from carewatch.store.database import connect
from carewatch.store.migrations import migrate

BOOK = """
customers: master
streams:
  customers: {from: "customers*.csv", fact: customer, key: code, event_at: since, columns: {name: name}}
  orders:
    from: "orders*.csv*"
    fact: order
    key: no
    customer: code
    event_at: at
    snapshot: true
    columns: {amount: amount}
"""
TILL = """
kind: database
schema: till
customers: derived
streams:
  orders: {from: orders, fact: order, key: no, customer: code, event_at: at, columns: {amount: amount}}
"""
TICKETS = """
kind: rest
customers: derived
attempts: 2
streams:
  tickets: {from: api/tickets, fact: ticket, key: no, customer: customer.code, event_at: at, columns: {ticket_no: no}}
"""
DAYS = (datetime(2026, 6, 1, 4, tzinfo=UTC), datetime(2026, 6, 2, 4, tzinfo=UTC))
NAMES = "{fact_no,party_no,load_id}"
tried: list[str] = []


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def facts(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all facts with the customers they belong to, what waits, and what the loads came to; numbers may have gaps."""
    found = {
        fact: rows(
            dsn,
            f"select (to_jsonb(f) - '{NAMES}'::text[])::text, p.customer_key, c.customer_id from care.fact_{fact} f "
            "join care.party p using (party_no) join care.identity i using (party_no) join care.customer c using (customer_no) "
            "order by 1",
        )
        for fact in ("customer", "order", "ticket")
    }
    found["waiting"] = rows(
        dsn, "select origin, reason, place, state, data::text from quarantine.row order by 1, 2, 3"
    )
    found["loads"] = rows(
        dsn,
        "select origin, sum(new), sum(changed), sum(quarantined), sum(ended) from care.load group by 1 order by 1",
    )
    return found


@contextmanager
def copy_of(server: str, template: str | None) -> Iterator[str]:
    name = f"test_drill_{uuid4().hex[:12]}"
    yield embedded.create_database(server, name, template=template)
    embedded.drop_database(server, name)


def stand_at(dsn: str, moment: datetime) -> None:
    """Let the warehouse's clock stand, so that what is known when can be compared."""
    with connect(dsn, autocommit=True) as connection:
        migrate(connection)
        connection.execute("delete from care.pinned_clock")
        connection.execute("insert into care.pinned_clock (at) values (%s)", (moment,))


def first_day(folder: Path) -> None:
    folder.mkdir()
    (folder / "customers.csv").write_text(
        "code,since,name\n" + "".join(f"C{n},2026-01-01,Firm {n}\n" for n in range(9))
    )
    lines = "".join(f"A{n},C{n % 9},2026-05-01,{n}\n" for n in range(60))
    (folder / "orders_1.csv").write_text(
        "no,code,at,amount\n" + lines + "bad,C1,2026-05-01,x\nlate,C9,2026-05-01,1\n"
    )
    (folder / "orders_2.csv").write_text("no,code,at,amount\nB1,C1,2026-05-02,1\nB2,C2,2026-05-02,2\n")


def second_day(folder: Path) -> None:
    """A correction, a file that went with its orders, new ones, and the customer of a row that waits."""
    text = (folder / "orders_1.csv").read_text()
    (folder / "orders_1.csv").write_text(text.replace("A7,C7,2026-05-01,7", "A7,C7,2026-05-01,77"))
    (folder / "orders_2.csv").unlink()
    with (folder / "customers.csv").open("a") as file:
        file.write("C9,2026-01-01,Firm 9\n")
    (folder / "orders_3.csv.gz").write_bytes(gzip.compress(b"no,code,at,amount\n" + b"D1,C1,2026-06-01,5\n"))


def chosen(points: list[str], seed: int) -> list[int]:
    """Return the points to die at: every step of the landing once, some commits and statements at random."""
    by_kind: dict[str, list[int]] = {}
    for number, point in enumerate(points):
        by_kind.setdefault(point, []).append(number)
    chance, several = (
        random.Random(seed),
        {"before a commit": 2, "after a commit": 1, "before a statement": 3},
    )
    return sorted(
        number for kind, numbers in by_kind.items() for number in chance.sample(numbers, several.get(kind, 1))
    )


@pytest.mark.slow
@pytest.mark.req("S5", "S11")
def test_a_worker_killed_anywhere_loses_nothing_and_doubles_nothing(
    warehouse_server: str, tmp_path: Path
) -> None:
    folder, template = tmp_path / "in", None
    first_day(folder)
    with copy_of(warehouse_server, None) as kept, copy_of(warehouse_server, None) as kept_again:
        for number, (moment, base) in enumerate(zip(DAYS, (kept, kept_again), strict=True)):
            if number == 1:
                # The second day begins where the undisturbed first one ended.
                embedded.drop_database(warehouse_server, urlsplit(kept_again).path[1:])
                base = embedded.create_database(
                    warehouse_server, urlsplit(kept_again).path[1:], template=template
                )
                second_day(folder)
            stand_at(base, moment)
            job = Job(BOOK, base, str(folder), tmp_path / f"day{number}", moment)
            with copy_of(warehouse_server, urlsplit(base).path[1:]) as undisturbed:
                begun = time.monotonic()
                points = run(replace(job, dsn=undisturbed))
                lasts = time.monotonic() - begun
                assert isinstance(points, list), points
                whole = facts(undisturbed)
            for stop_at in chosen(points, seed=number):
                with copy_of(warehouse_server, urlsplit(base).path[1:]) as dsn:
                    assert run(replace(job, dsn=dsn, stop_at=stop_at)) is None, "killed"
                    assert isinstance(run(replace(job, dsn=dsn)), list)
                    assert facts(dsn) == whole, points[stop_at]
                    tried.append(f"killed {points[stop_at]}")
            chance = random.Random(number)
            for _ in range(2):
                with copy_of(warehouse_server, urlsplit(base).path[1:]) as dsn:
                    worker = start(replace(job, dsn=dsn))
                    time.sleep(chance.uniform(0, lasts))
                    worker.kill()
                    worker.ends()
                    assert isinstance(run(replace(job, dsn=dsn)), list)
                    assert facts(dsn) == whole
                    tried.append("killed at a random moment")
            assert isinstance(run(job), list)
            assert facts(base) == whole
            template = urlsplit(base).path[1:]
        assert whole["loads"] == [("src.customers", 10, 0, 0, 0), ("src.orders", 63, 1, 2, 2)]


Break = Callable[[], object]


def _recovers(server: str, job: Job, break_it: Break, mend_it: Break, message: str) -> None:
    """Run a job undisturbed, and again with a fault that fails it, and after it was mended: the facts are the same."""
    with copy_of(server, None) as undisturbed, copy_of(server, None) as disturbed:
        for dsn in (undisturbed, disturbed):
            stand_at(dsn, job.now)
        assert isinstance(run(replace(job, dsn=undisturbed)), list)
        break_it()
        told = run(replace(job, dsn=disturbed))
        assert isinstance(told, str) and message in told, told
        assert facts(disturbed)["order"] == facts(disturbed)["ticket"] == []
        mend_it()
        assert isinstance(run(replace(job, dsn=disturbed)), list)
        assert facts(disturbed) == facts(undisturbed)
        assert facts(undisturbed)["order"] or facts(undisturbed)["ticket"]


@pytest.fixture
def till(warehouse_server: str) -> Iterator[str]:
    """A sales database whose connection can be cut while its rows are read."""
    with copy_of(warehouse_server, None) as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute(
                "create schema till; create table till.fault (n int);"
                "create table till.paper as select n::text as no, 'C' || n % 7 as code, date '2026-05-01' as at, n as amount "
                "from generate_series(1, 300) n;"
                "create view till.orders as select no, code, at, case when no = '200' and exists (select from till.fault) "
                "then pg_terminate_backend(pg_backend_pid())::int else amount end as amount from till.paper"
            )
        yield dsn


def test_a_database_that_goes_away_while_it_is_read(warehouse_server: str, till: str, tmp_path: Path) -> None:
    job = Job(TILL, "", till, tmp_path, DAYS[0])
    cut, mend = "insert into till.fault values (1) returning 1", "delete from till.fault returning 1"
    _recovers(warehouse_server, job, lambda: rows(till, cut), lambda: rows(till, mend), "terminat")
    tried.append("database connection cut")


def test_a_wrong_password_fails_plainly_and_is_not_told(
    warehouse_server: str, till: str, tmp_path: Path
) -> None:
    parts = urlsplit(till)
    wrong = urlunsplit(parts._replace(netloc=f"{parts.username}:not-the-one@{parts.hostname}:{parts.port}"))
    with copy_of(warehouse_server, None) as dsn:
        stand_at(dsn, DAYS[0])
        told = run(Job(TILL, dsn, wrong, tmp_path, DAYS[0]))
        assert isinstance(told, str) and told.startswith("SourceError: src: "), told
        assert "not-the-one" not in told
        assert isinstance(run(Job(TILL, dsn, till, tmp_path, DAYS[0])), list)
        assert len(facts(dsn)["order"]) == 300
    tried.append("wrong password")


@pytest.mark.parametrize("misdeed", [cut_off, hangs_up])
def test_a_service_that_is_cut_off_in_the_middle_of_a_page(
    warehouse_server: str, tmp_path: Path, misdeed: Any
) -> None:
    with desk() as service:
        service.items = [ticket(number) for number in range(6)]
        service.allowed = lambda *_: True

        def cut() -> None:
            service.misdeeds = [None, misdeed, misdeed]

        def mend() -> None:
            service.misdeeds = []

        _recovers(
            warehouse_server, Job(TICKETS, "", service.url, tmp_path, DAYS[0]), cut, mend, "SourceError"
        )
    tried.append("service cut off")


def test_a_file_that_is_broken_half_way(warehouse_server: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    first_day(folder)
    whole = gzip.compress((folder / "orders_1.csv").read_bytes())
    (folder / "orders_1.csv").unlink()
    with copy_of(warehouse_server, None) as undisturbed, copy_of(warehouse_server, None) as disturbed:
        job = Job(BOOK, "", str(folder), tmp_path / "work", DAYS[0])
        for dsn, content in ((disturbed, whole[: len(whole) // 2]), (disturbed, whole), (undisturbed, whole)):
            stand_at(dsn, DAYS[0])
            (folder / "orders_1.csv.gz").write_bytes(content)
            assert isinstance(run(replace(job, dsn=dsn)), list)
        found, expected = facts(disturbed), facts(undisturbed)
        assert [row[2] for row in found["waiting"] if row[3] == "dropped"] == ["orders_1.csv.gz:0"]
        keys = [
            [(row[0].partition('"source_key"')[2][:8], *row[1:]) for row in one["order"]]
            for one in (found, expected)
        ]
        assert sorted(keys[0]) == sorted(keys[1])
        assert len(keys[0]) == 62
    tried.append("file broken half-way")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["before the load is complete", "before a commit"])
def test_a_warehouse_that_is_restarted_during_a_load(tmp_path: Path, where: str) -> None:
    folder, place = tmp_path / "in", tmp_path / "warehouse"
    first_day(folder)
    server = embedded.start(place, settings=FAST_NOT_SAFE)
    try:
        dsns = [embedded.create_database(server, name) for name in ("undisturbed", "disturbed")]
        for dsn in dsns:
            stand_at(dsn, DAYS[0])
        job = Job(BOOK, dsns[0], str(folder), tmp_path / "work", DAYS[0])
        points = run(job)
        assert isinstance(points, list), points
        stop_at = len(points) - 1 - points[::-1].index(where)
        worker = start(replace(job, dsn=dsns[1], stop_at=stop_at, waits=True))
        assert worker.pipe.recv() == where
        embedded.stop(place)
        assert embedded.start(place, settings=FAST_NOT_SAFE) == server
        worker.pipe.send("go on")
        assert isinstance(worker.ends(), str), "it failed"
        assert isinstance(run(replace(job, dsn=dsns[1])), list)
        assert facts(dsns[1]) == facts(dsns[0])
    finally:
        embedded.destroy(place)
    tried.append(f"warehouse restarted {where}")


def test_the_drill_says_how_many_faults_it_tried(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        kinds = {kind: tried.count(kind) for kind in dict.fromkeys(tried)}
        print(
            f"\nfaults tried: {len(tried)}; " + ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        )
