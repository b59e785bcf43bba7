"""Checks of landed rows, asked of Great Expectations on a real warehouse: every kind on both sides of its boundary."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from tests.store.landed import FIRM, NOW, Landing, sources

from care_sources.expectations import ask
from carewatch.cli import main
from carewatch.flow.checking import Verdict, check_sources
from carewatch.paths import home
from carewatch.spec.sources import Sources
from carewatch.store.check_results import Result, admission, release, results_of
from carewatch.store.check_tables import SCHEMA
from carewatch.store.conform import conform
from carewatch.store.database import connect

SHOP = """
owner: Ms Li of sales operations
kind: {kind}
connection: ./x
customers: master
checks: {source_checks}
streams:
  customers:
    from: customers
    fact: customer
    key: code
    event_at: since
    columns: {{name: name, email: mail, credit_limit: credit}}
    checks: {customer_checks}
  orders:
    from: orders
    fact: order
    key: no
    customer: code
    event_at: at
    changed_at: updated
    where: "status <> 'draft'"
    withdrawn_when: "status = 'void'"
    columns: {{order_no: no, amount: amount, currency: currency, kind: kind, due_on: due}}
    checks: {order_checks}
  totals:
    from: totals
    fact: invoice
    key: no
    customer: code
    event_at: at
    columns: {{invoice_no: no, amount: total}}
"""


def shop(
    *order_checks: Any,
    customers: list[Any] | None = None,
    every: list[Any] | None = None,
    kind: str = "database",
) -> Mapping[str, Any]:
    """Return one source with checks of its orders, its customers, all its streams."""
    return sources(
        shop=SHOP.format(
            kind=kind,
            order_checks=list(order_checks),
            customer_checks=customers or [],
            source_checks=every or [],
        )
    )


@dataclass
class Checker:
    """A warehouse, and what its checks said; each source lands anew."""

    dsn: str
    connection: Any
    runs: int = 0
    landing: Landing = field(init=False)

    def begin(self, given: Mapping[str, Any], now: datetime = NOW) -> None:
        """Forget everything and begin with these sources."""
        self.connection.execute(
            "drop schema if exists raw_shop cascade; truncate care.load, care.source_check cascade; "
            "truncate quarantine.row, quarantine.held, care.party, care.customer, care.identity cascade; "
            "truncate care.fact_customer, care.fact_order, care.fact_invoice"
        )
        self.landing = Landing(self.connection, given, now)

    def land(self, **rows: Any) -> str:
        return self.landing.land("shop", **rows)

    @property
    def sources(self) -> Sources:
        return Sources(FIRM, self.landing.sources)

    def check(self) -> list[Verdict]:
        self.runs += 1
        return check_sources(
            self.connection,
            self.sources,
            ask=partial(ask, self.dsn, SCHEMA),
            run_id=f"run {self.runs}",
            now=self.landing.now,
        )

    def results(self) -> dict[str, Result]:
        return {one.check_text: one for verdict in self.check() for one in verdict.results}

    def take(self) -> dict[str, Any]:
        """Conform what may be taken."""
        admitted = admission(self.connection, "shop", self.landing.sources["shop"], FIRM)
        return {
            one.origin: one
            for one in conform(
                self.connection, "shop", self.landing.sources["shop"], FIRM, load_ids=admitted.taken
            )
        }


@pytest.fixture(scope="module")
def checker(module_warehouse: str) -> Iterator[Checker]:
    with connect(module_warehouse, autocommit=True) as connection:
        yield Checker(module_warehouse, connection)


def order(number: int, **values: Any) -> dict[str, Any]:
    common = {
        "no": f"O{number}", "code": "C1", "at": "2026-05-31T10:00:00+00:00", "updated": "2026-05-31T11:00:00+00:00",
        "status": "open", "amount": "100", "currency": "CNY", "kind": "regular", "due": "2026-06-30",
    }  # fmt: skip
    return {**common, **values}


def customer(code: str, **values: Any) -> dict[str, Any]:
    return {"code": code, "name": f"Firm {code}", "since": "2020-01-01", **values}


@pytest.mark.req("S10", "S14")
def test_every_check_of_rows_passes_and_fails_on_both_sides_of_its_boundary(checker: Checker) -> None:
    """Each check counts exactly the rows that were made to break it; nothing else in the load does."""
    checks = {
        "amount is not empty": 2,
        "order_no is unique": 2,
        "order_no, kind are unique": 2,
        "kind in [regular, spare]": 1,
        "amount between 0 and 1000": 2,
        "amount at least 0": 1,
        "amount at most 1000": 1,
        "event_at between 2026-05-31 and 2026-06-01": 1,
        "due_on between 2026-06-01 and 2026-06-30": 1,
        'status matches "^(open|closed|void|draft)$"': 1,
        "customer is known": 1,
        "currency is not empty": 0,
    }
    checker.begin(shop(*checks))
    checker.land(
        customers=[customer("C1")],
        orders=[
            order(1),
            order(2, amount="0"),
            order(3, amount="1000", due="2026-06-01"),
            order(4, amount=""),
            order(5, amount="many"),
            order(6, amount="-0.01", due="2026-05-31"),
            order(7, amount="1000.01"),
            order(8, kind="gift"),
            order(9),
            order(9, updated="2026-05-31T12:00:00+00:00"),
            # 23:59 in Shanghai is still the day before, 00:00 begins the day
            order(10, at="2026-05-30T15:59:00+00:00"),
            order(11, at="2026-05-30T16:00:00+00:00"),
            order(12, status="odd"),
            order(13, code="C9"),
            order(14, status="draft", amount="-5", kind="gift", code="C8"),
            order(15, status="void", amount="-5", kind="gift", code="C8"),
        ],
    )
    found = checker.results()
    assert {text: one.unexpected for text, one in found.items()} == checks
    assert {text for text, one in found.items() if one.outcome == "passed"} == {"currency is not empty"}
    assert found["currency is not empty"].evaluated == 14, "neither the draft nor the voided row"
    assert found["kind in [regular, spare]"].samples == [
        {"key": "O8", "place": None, "values": {"kind": "gift"}}
    ]
    assert found["amount between 0 and 1000"].message["en"].startswith("2 of 12 rows fail")
    assert "12 行中有 2 行不符合" in found["amount between 0 and 1000"].message["zh-CN"]


@pytest.mark.parametrize(("share", "outcome"), [("75 %", "passed"), ("76 %", "failed")])
def test_as_many_rows_must_pass_as_was_asked_for(checker: Checker, share: str, outcome: str) -> None:
    checker.begin(shop({"check": "kind in [regular]", "mostly": share}))
    checker.land(customers=[customer("C1")], orders=[order(1), order(2), order(3), order(4, kind="spare")])
    assert checker.results()["kind in [regular]"].outcome == outcome


@pytest.mark.req("S10", "S14")
def test_every_check_of_a_load_passes_and_fails_on_both_sides_of_its_boundary(checker: Checker) -> None:
    checks = {
        "rows between 3 and 3": "passed",
        "rows at least 4": "failed",
        "rows at most 2": "failed",
        "rows at least 3": "passed",
        "newest event_at within 18 hours": "passed",
        "newest event_at within 17 hours": "failed",
        "newest due_on within 2 days": "passed",
        "newest due_on within 1 day": "failed",
        "sum of amount equals totals.amount within 0.01": "passed",
        "sum of amount equals totals.amount": "failed",
        "sum of amount equals totals.amount within 0.009": "failed",
    }
    checker.begin(shop(*checks))
    checker.land(
        customers=[customer("C1")],
        orders=[
            order(1, due="2026-05-30", amount="0.10"), order(2, due="2026-05-30", amount="0.19"),
            order(3, due="2036-06-01", at="2027-01-01", amount="100"),
        ],
        totals=[{"no": "T1", "code": "C1", "at": "2026-05-31", "total": "100.30"}],
    )  # fmt: skip
    found = checker.results()
    assert {text: one.outcome for text, one in found.items()} == checks
    assert found["rows at least 4"].message == {"en": "3 rows", "zh-CN": "3 行"}
    assert found["newest event_at within 17 hours"].message["en"] == "the newest: 2026-05-31 10:00 UTC"
    assert found["sum of amount equals totals.amount"].message["en"] == "the sum is 100.29, the other 100.30"


@pytest.mark.parametrize(
    ("count", "outcome"), [(49, "failed"), (50, "passed"), (150, "passed"), (151, "failed")]
)
def test_a_load_brings_as_many_rows_as_usual_on_that_weekday(
    checker: Checker, count: int, outcome: str
) -> None:
    checker.begin(shop("rows within 50 % of usual"))
    for weeks in range(1, 6):
        for days, landed in ((0, 100), (1, 7)):
            read_at = NOW - timedelta(weeks=weeks, days=days)
            checker.connection.execute(
                "insert into care.load (origin, load_id, loaded_at, read_at, landed, new, changed, unchanged, repeated, "
                "filtered, quarantined) values ('shop.orders', %s, %s, %s, %s, %s, 0, 0, 0, 20, 0)",
                (f"16{weeks}{days}", read_at, read_at, landed + 20, landed),
            )
    checker.land(customers=[customer("C1")], orders=[order(number) for number in range(count)])
    found = checker.results()["rows within 50 % of usual"]
    assert found.outcome == outcome
    assert found.message["en"] == f"{count} rows; usual on a Monday: 100 (50 to 150)"
    assert found.message["zh-CN"] == f"{count} 行；周一通常为 100 行（50 至 150）"


def test_a_first_load_has_nothing_to_be_compared_with_and_stops_nothing(checker: Checker) -> None:
    checker.begin(shop({"check": "rows within 50 % of usual", "severity": "stop"}))
    checker.land(customers=[customer("C1")], orders=[order(1)])
    (verdict,) = checker.check()
    assert [one.outcome for one in verdict.results] == ["unknown"] and verdict.state == "passed"


@pytest.mark.req("S14")
def test_what_landed_in_the_same_run_is_known_already(checker: Checker) -> None:
    """A row may name what came in the same load, and what is a fact by now; nothing else."""
    checker.begin(shop("customer is known", "order_no is known in invoice.invoice_no"))
    invoice = {"code": "C1", "at": "2026-05-31", "total": "1"}
    checker.land(customers=[customer("C1")], totals=[{"no": "O1", **invoice}])
    checker.check()
    checker.take()
    checker.land(
        customers=[customer("C2")],
        orders=[order(1), order(2, code="C2"), order(3, code="C3"), order(4, code="")],
        totals=[{"no": "O2", **invoice}],
    )
    found = checker.results()
    assert {text: (one.evaluated, one.unexpected) for text, one in found.items()} == {
        "customer is known": (3, 1), "order_no is known in invoice.invoice_no": (4, 2),
    }  # fmt: skip
    assert found["customer is known"].samples == [{"key": "O3", "place": None, "values": {"customer": "C3"}}]
    assert [one["key"] for one in found["order_no is known in invoice.invoice_no"].samples] == ["O3", "O4"]


@pytest.mark.req("S8")
def test_a_failed_check_of_a_load_stops_the_source_until_one_passes(checker: Checker) -> None:
    checker.begin(shop({"check": "rows at least 2", "severity": "stop"}))
    first = checker.land(customers=[customer("C1")], orders=[order(1)])
    (verdict,) = checker.check()
    assert (verdict.state, verdict.owner) == ("stopped", "Ms Li of sales operations")
    assert checker.take() == {}, "nothing of the load became a fact"
    assert checker.landing.open_facts("order") == {}
    second = checker.land(customers=[customer("C1")], orders=[order(1), order(2)])
    states = {verdict.load_id: verdict.state for verdict in checker.check()}
    assert states == {second: "passed"}
    checker.take()
    assert set(checker.landing.open_facts("order")) == {"O1", "O2"}
    taken = checker.landing.rows("select distinct load_id from care.load order by 1")
    assert taken == [(first,), (second,)], "what had waited was taken as well"


def test_a_person_releases_what_was_stopped_and_no_more(checker: Checker) -> None:
    checker.begin(shop({"check": "rows at least 2", "severity": "stop"}))
    first = checker.land(customers=[customer("C1")], orders=[order(1)])
    checker.check()
    assert release(checker.connection, "shop", by="ann", why="a quiet day") == [first]
    second = checker.land(customers=[customer("C1")], orders=[order(2)])
    assert {verdict.load_id: verdict.state for verdict in checker.check()} == {second: "stopped"}
    checker.take()
    assert set(checker.landing.open_facts("order")) == {"O1"}
    state = "select state, released_by, released_why from care.source_check where load_id = %s"
    assert checker.landing.rows(state, first) == [("released", "ann", "a quiet day")]


def test_a_load_that_nobody_checked_waits_only_where_something_can_stop(checker: Checker) -> None:
    checker.begin(shop({"check": "rows at least 1", "severity": "stop"}))
    checker.land(customers=[customer("C1")], orders=[order(1)])
    assert checker.take() == {}
    checker.begin(shop("rows at least 1"))
    checker.land(customers=[customer("C1")], orders=[order(1)])
    assert checker.take()["shop.orders"].new == 1


def test_a_warning_stops_nothing(checker: Checker) -> None:
    checker.begin(
        shop("rows at least 2", "amount at least 500", {"check": "currency in [CNY]", "severity": "stop"})
    )
    checker.land(customers=[customer("C1")], orders=[order(1)])
    (verdict,) = checker.check()
    assert verdict.state == "passed"
    assert [one.outcome for one in verdict.results] == ["failed", "failed", "passed"]
    assert checker.take()["shop.orders"].new == 1


@pytest.mark.req("S10")
def test_rows_that_fail_wait_in_quarantine_with_place_value_and_reason_and_good_rows_go_on(
    checker: Checker,
) -> None:
    checker.begin(shop({"check": "amount between 0 and 1000", "severity": "stop"}, kind="files"))
    rows = [order(1), order(2, amount="1000.01"), order(3, amount="-1")]
    checker.land(
        customers=[customer("C1")],
        orders=[{**row, "_file": "orders_1.csv", "_line": line} for line, row in enumerate(rows, start=2)],
    )
    (verdict,) = checker.check()
    assert verdict.state == "passed" and verdict.results[0].held == 2
    result = checker.take()["shop.orders"]
    assert (result.landed, result.new, result.quarantined) == (3, 1, 2)
    assert set(checker.landing.open_facts("order")) == {"O1"}
    reason = "fails the check 'amount between 0 and 1000'"
    assert checker.landing.waiting("origin", "place", "source_key", "reason", "value") == [
        ("shop.orders", "orders_1.csv:3", "O2", reason, "1000.01"),
        ("shop.orders", "orders_1.csv:4", "O3", reason, "-1"),
    ]


def test_two_rows_that_share_a_value_wait_and_two_versions_of_one_row_do_not(checker: Checker) -> None:
    checker.begin(shop({"check": "due_on, amount are unique", "severity": "stop"}))
    later = {"updated": "2026-05-31T12:00:00+00:00"}
    checker.land(
        customers=[customer("C1")],
        orders=[
            order(1, amount="1"),
            order(2, amount="1"),
            order(3, amount="2"),
            order(3, amount="2", **later),
        ],
    )
    checker.check()
    checker.take()
    assert set(checker.landing.open_facts("order")) == {"O3"}
    assert [key for (key,) in checker.landing.waiting("source_key")] == ["O1", "O2"]


@pytest.mark.parametrize(("bad", "state"), [(1, "passed"), (2, "stopped")])
def test_too_many_rows_that_fail_stop_the_source(checker: Checker, bad: int, state: str) -> None:
    checker.begin(shop({"check": "kind in [regular]", "severity": "stop", "mostly": "90 %"}))
    orders = [order(number, kind="spare" if number < bad else "regular") for number in range(10)]
    checker.land(customers=[customer("C1")], orders=orders)
    (verdict,) = checker.check()
    assert verdict.state == state
    taken = checker.take()
    assert (taken["shop.orders"].quarantined if taken else None) == (1 if state == "passed" else None)


def test_what_cannot_be_asked_is_unknown_and_stops_where_a_failure_would(checker: Checker) -> None:
    unreadable = 'kind matches "a++"'
    for severity, state in (("warn", "passed"), ("stop", "stopped")):
        checker.begin(shop({"check": unreadable, "severity": severity}))
        checker.land(customers=[customer("C1")], orders=[order(1)])
        (verdict,) = checker.check()
        assert [one.outcome for one in verdict.results] == ["unknown"] and verdict.state == state
        assert "could not be checked" in verdict.results[0].message["en"]


def test_the_same_load_checked_twice_has_one_set_of_results(checker: Checker) -> None:
    checker.begin(shop({"check": "kind in [regular]", "severity": "stop"}, "rows at least 1"))
    checker.land(customers=[customer("C1")], orders=[order(1, kind="spare"), order(2)])
    checker.check()
    stored = (
        "select load_id, stream, position, outcome, unexpected, held from care.check_result order by 1, 2, 3"
    )
    held = "select landed_row, reason from quarantine.held"
    before = checker.landing.rows(stored), checker.landing.rows(held)
    checker.check()
    assert (checker.landing.rows(stored), checker.landing.rows(held)) == before
    assert len(before[0]) == 2 and len(before[1]) == 1
    checker.take()
    assert checker.check() == [], "what was taken is not checked again"
    assert checker.landing.rows(stored) == before[0]


@pytest.mark.req("S10")
def test_samples_of_personal_columns_are_masked(checker: Checker) -> None:
    checker.begin(shop(customers=['email matches "@"', 'name matches "^Shop"']))
    checker.land(customers=[customer("C1", mail="ann.lee AT firm.cn", name="Firm One")])
    found = checker.results()
    (sample,) = found['email matches "@"'].samples
    assert sample == {"key": "C1", "place": None, "values": {"email": "xxx.xxx xx xxxx.xx"}}
    assert found['name matches "^Shop"'].samples[0]["values"] == {"name": "Firm One"}
    stored = checker.landing.rows("select samples::text || message::text from care.check_result")
    assert not any("ann" in text for (text,) in stored)


def test_an_hour_without_a_new_file_is_no_empty_load(checker: Checker) -> None:
    checker.begin(shop({"check": "rows at least 1", "severity": "stop"}, kind="files"))
    checker.land()
    (verdict,) = checker.check()
    assert verdict.results == () and verdict.state == "passed"
    checker.begin(shop({"check": "rows at least 1", "severity": "stop"}))
    checker.land()
    (verdict,) = checker.check()
    assert verdict.state == "stopped", "a table without rows is"


def test_checks_of_a_source_hold_for_all_its_streams(checker: Checker) -> None:
    checker.begin(shop(every=["rows at least 1"]))
    checker.land(customers=[customer("C1")], orders=[order(1)])
    (verdict,) = checker.check()
    assert {one.stream: one.outcome for one in verdict.results} == {
        "customers": "passed", "orders": "passed", "totals": "failed",
    }  # fmt: skip


def test_nothing_is_left_of_the_tables_and_another_begins_where_one_was_killed(checker: Checker) -> None:
    checker.connection.execute("create schema checking; create table checking.rows_0 (a int)")
    checker.begin(shop("rows at least 1"))
    checker.land(customers=[customer("C1")], orders=[order(1)])
    assert checker.results()["rows at least 1"].outcome == "passed"
    assert checker.landing.rows("select 1 from pg_namespace where nspname = 'checking'") == []
    assert [one.outcome for one in results_of(checker.connection, f"run {checker.runs}")] == ["passed"]


def test_time_of_the_reading_counts_not_that_of_the_check(checker: Checker) -> None:
    checker.begin(shop("newest event_at within 18 hours"))
    checker.land(customers=[customer("C1")], orders=[order(1)])
    checker.landing.at(datetime(2027, 1, 1, tzinfo=UTC))
    assert checker.results()["newest event_at within 18 hours"].outcome == "passed"


@pytest.fixture
def shown(
    checker: Checker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs `care checks` on a stopped source with an odd value in a file."""
    checker.begin(
        shop(
            {"check": "kind in [regular]", "severity": "stop"},
            {"check": "rows at least 2", "severity": "stop"},
            kind="files",
        )
    )
    odd = {"kind": "<script>alert('x')</script>", "_file": "orders_1.csv", "_line": 2}
    checker.land(customers=[customer("C1")], orders=[{**order(1), **odd}])
    checker.check()
    folder = tmp_path / "config"
    shutil.copytree(home() / "config", folder)
    text = SHOP.format(
        kind="files", source_checks="[]", customer_checks="[]",
        order_checks="['kind in [regular]', {check: rows at least 2, severity: stop}]",
    )  # fmt: skip
    common = "label: {en: The shop, zh-CN: 商店}\nevery: 1 hour\nfresh_within: 1 day\n"
    (folder / "sources.yaml").write_text(
        "version: 1\nsources:\n  shop:\n" + indent(common + text, "    "), encoding="utf-8"
    )
    monkeypatch.setenv("CARE_DB", checker.dsn)

    def care(*arguments: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["checks", "--config", str(folder), *arguments])
        return code, out.getvalue(), err.getvalue()

    return care


@pytest.mark.req("S8", "S10")
def test_the_page_of_a_run_needs_nothing_else_and_says_everything_in_both_languages(
    shown: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    code, out, _ = shown("--html", str(file))
    assert code == 1, "a source is stopped"
    assert "answered for by Ms Li of sales operations: stopped" in out
    assert "failed  orders: rows at least 2 (stops): 1 rows" in out
    html = file.read_text(encoding="utf-8")
    for needed in (
        "The shop", "商店", "rows at least 2", "行数不小于 2", "STOPPED", "已暂停", "orders_1.csv:2", "1 of 1 rows fail (100.0 %)",
        "Ms Li of sales operations", "--release shop",
    ):  # fmt: skip
        assert needed in html
    assert "<script" not in html and "&lt;script&gt;" in html
    assert not re.search(r"https?:|//|src=|href=|url\(|@import", html)


def test_the_command_tells_runs_and_lets_a_source_through_with_a_reason(
    shown: Callable[..., tuple[int, str, str]], checker: Checker
) -> None:
    run_id = f"run {checker.runs}"
    assert run_id in shown("--runs")[1].splitlines()[0]
    told = json.loads(shown("--json", "--run", run_id)[1])
    assert [one["outcome"] for one in told["results"]] == ["failed", "failed"]
    assert shown("--run", f"run{checker.runs}")[0] == 2
    assert shown("--release", "shop") == (2, "", "say why with --why REASON: it is kept with your name\n")
    assert shown("--release", "shpo", "--why", "x")[2] == "there is no source 'shpo'; did you mean shop?\n"
    assert shown("--release", "shop", "--why", "a quiet day")[0] == 0
    assert checker.take()["shop.orders"].quarantined == 1, "what a check holds back waits all the same"
    assert shown("--release", "shop", "--why", "again") == (2, "", "nothing of shop is stopped\n")
    assert shown()[0] == 0
