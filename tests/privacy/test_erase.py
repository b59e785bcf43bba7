"""Erasing a customer leaves nothing of it but numbers, and nothing of anybody else changes."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pytest
from tests.firm import MONDAY
from tests.privacy.marked import Marked, key, rows_from_sales, rows_of, town

from carewatch.flow.advance import advance
from carewatch.flow.erase import Erasure, erase
from carewatch.flow.explain import UnknownCustomer
from carewatch.flow.recompute import recompute_night
from carewatch.flow.replay_warnings import replay_warnings
from carewatch.flow.review import review_quarter
from carewatch.measure.cut import Cut
from carewatch.store.database import connect
from carewatch.store.erasure import NamesTheCustomer
from carewatch.store.health import health_of_night
from carewatch.store.identity import resolve
from carewatch.store.metrics import metrics_at, metrics_of_night
from carewatch.store.nights import night_of
from carewatch.store.personal import TABLES


@dataclass
class Done:
    given: Marked
    number: int
    found_before: dict[str, set[str]]
    rows_before: dict[str, list[str]]
    rows_after_rehearsal: dict[str, list[str]]
    rehearsed: Erasure
    erased: Erasure


@pytest.fixture(scope="module")
def done(
    warehouse_server: str, module_warehouse: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Done]:
    with connect(module_warehouse, autocommit=True) as connection:
        given = town(connection, tmp_path_factory.mktemp("firm") / "config")
        found, rows = given.found(), rows_of(connection)
        rehearsed = erase(connection, given.sources, key(given), by="eve", why="asked to", dry_run=True)
        after_rehearsal = rows_of(connection)
        erased = erase(connection, given.sources, key(given), by="eve", why="asked to")
        yield Done(
            given, given.firm.facts.customers["marked"], found, rows, after_rehearsal, rehearsed, erased
        )


@pytest.mark.req("D19")
def test_marks_stood_in_every_column_that_may_hold_something_about_a_customer(done: Done) -> None:
    may = {
        f"{table}.{column}"
        for table, holds in TABLES.items()
        for column in (holds.names + " " + holds.personal).split()
    }
    assert may - {*done.found_before} == set()
    assert {what for marks in done.found_before.values() for what in marks} == {*done.given.marks}


@pytest.mark.req("D19")
def test_nothing_is_left_anywhere(done: Done) -> None:
    assert done.given.found() == {}


@pytest.mark.req("D19")
def test_a_rehearsal_says_the_same_and_changes_nothing(done: Done) -> None:
    assert done.rows_after_rehearsal == done.rows_before
    assert done.rehearsed.rows == done.erased.rows
    assert done.erased.rows["care.fact_order"] == 5 and done.erased.rows["raw_sales.orders"] == 5


@pytest.mark.req("D19")
def test_what_is_kept_of_everybody_else_is_not_touched(done: Done) -> None:
    after = rows_of(done.given.connection)
    marks = list(done.given.marks.values())
    other = ("other-1", "Firm Other", "O9", "S4", "x,y")
    shared = {
        "care.outbox",
        "care.fact_customer",
        "care.check_result",
        "care.check_report",
        "raw_sales.customers",
    }
    for table, rows in done.rows_before.items():
        told_of_both = [row for row in rows if any(m in row for m in marks) and any(o in row for o in other)]
        assert not told_of_both or table in shared, table
        kept = [row for row in rows if any(o in row for o in other) and row not in told_of_both]
        assert {*kept} <= {*after[table]}, table
    for table in (
        "metric_night",
        "health_night",
        "customer_tier",
        "tier_day",
        "night",
        "configuration",
        "person",
        "hold",
        "load",
    ):
        assert after[f"care.{table}"] == done.rows_before[f"care.{table}"], table
    counted = {table: len(rows) for table, rows in done.rows_before.items()}
    changed = {table for table, rows in after.items() if len(rows) != counted[table]}
    assert changed == {
        "care.audit", "care.ended", "care.erased_key", "care.erasure_secret", "care.notice_decision", "care.warning_event",
        "quarantine.held",
    }  # fmt: skip


@pytest.mark.req("D19")
def test_messages_that_tell_of_others_keep_what_they_say_of_them(done: Done) -> None:
    rows = {
        key: (state, message)
        for key, state, message in done.given.connection.execute(
            "select key, state, message from care.outbox"
        ).fetchall()
    }
    state, digest = rows["digest/ann/mail/2026-06-01"]
    assert state == "waiting" and "2. Firm Other (other-1) - new at level 1" in digest["text"]
    assert "1. (erased) ((erased)) - new at level 1" in digest["text"]
    state, own = rows["digest/bob/mail/2026-06-02"]
    assert (state, own) == (
        "cancelled",
        {"to": "bob@tiny.example", "kind": "digest", "erased": True, "connection": "care_mail"},
    )
    state, sent = rows["digest/bob/chat/2026-06-02"]
    assert state == "sent" and "text" not in sent and sent["erased"]
    assert rows["reminder/ann/mail/task:3/1"][0] == "sent"
    assert "Firm Other (other-1)" in rows["reminder/ann/mail/task:3/1"][1]["text"]


@pytest.mark.req("D19")
def test_its_warning_ends_as_erased_its_tasks_are_cancelled_and_nobody_is_told(done: Done) -> None:
    connection, number = done.given.connection, done.number
    warning, state, level, plan, reasons = (
        connection.execute(
            "select warning_no, state, level, plan, reasons from care.warning where customer_no = %s",
            (number,),
        ).fetchone()
        or ()
    )
    assert (state, level, plan) == ("erased", 0, "erased")
    [reason] = reasons
    assert reason["rule"] == "halt" and reason["text"] == {"en": "erased", "zh-CN": "已删除"}
    assert reason["evidence"] == {"halt": 1, "tier": "B", "score": 90, "colour": "green"}, "numbers stay"
    tasks = "select distinct t.state from care.care_task t join care.care_case using (case_no) where warning_no = %s"
    assert {row[0] for row in connection.execute(tasks, (warning,)).fetchall()} <= {"cancelled", "superseded"}
    assert connection.execute(
        "select count(*) from care.signal where state <> 'closed' and customer_no = %s", (number,)
    ).fetchone() == (0,)
    last = connection.execute(
        "select what, by, send, d.reason from care.warning_event e join care.notice_decision d on "
        "d.subject = 'warning:' || e.warning_no and d.transition = e.transition where e.warning_no = %s "
        "order by e.transition desc limit 1", (warning,),
    ).fetchone()  # fmt: skip
    assert last == ("closed", "eve", False, "the customer was erased")
    before = connection.execute("select count(*) from care.outbox").fetchone()
    done.given.firm.tick(done.given.firm.moment(MONDAY, 62))
    assert connection.execute("select count(*) from care.outbox").fetchone() == before


@pytest.mark.req("D19")
def test_reviews_and_nights_come_to_the_same_numbers(done: Done) -> None:
    given, connection = done.given, done.given.connection
    spec = given.firm.configuration.judgement
    stored = connection.execute("select numbers, report from care.review").fetchone()
    assert stored is not None and stored[0]["false_alarms"] == 1
    assert "| (erased) | 2026-01-05 | 2 | B | - | (erased) |" in stored[1]
    again, _ = review_quarter(connection, spec, date(2026, 1, 1), date(2026, 4, 1), date(2026, 6, 4))
    assert again.numbers() == stored[0]
    much_later, _ = review_quarter(connection, spec, date(2026, 4, 1), date(2026, 7, 1), date(2027, 6, 4))
    assert done.number not in {loss.customer_id for loss in much_later.missed}
    for day in (0, 1, 2):
        night = night_of(connection, MONDAY + timedelta(days=day))
        customers, columns = metrics_of_night(connection, night, spec)
        found = recompute_night(connection, night, spec)
        assert found.customers.tolist() == customers.tolist() and done.number in customers
        for name in columns:
            assert np.array_equal(found.own[name], columns[name], equal_nan=True), name
        health = health_of_night(connection, night, spec)
        assert np.array_equal(found.judged.scores.score, health["score"], equal_nan=True)
        assert np.array_equal(found.judged.states, health["rules"])
    [one] = replay_warnings(connection, [w for (w,) in connection.execute(
        "select warning_no from care.warning where customer_no = %s", (done.number,))])  # fmt: skip
    assert not [said for said in one.differences if "level" not in said], one.differences


@pytest.mark.req("D19")
def test_what_it_did_after_its_erasure_is_not_known(done: Done) -> None:
    given, connection = done.given, done.given.connection
    spec = given.firm.configuration.judgement
    with connection.transaction(force_rollback=True):
        connection.execute(
            "update care.warning set opened_day = '2026-06-01' where customer_no = %s", (done.number,)
        )
        later, _ = review_quarter(connection, spec, date(2026, 4, 1), date(2026, 7, 1), date(2027, 6, 4))
        assert [one.verdict for one in later.episodes if one.customer_no == done.number] == ["open"]
    known = given.firm.moment(MONDAY, 200)
    for days, there in ((2, True), (3, False), (5, False)):
        cut = Cut.at(MONDAY + timedelta(days=days), spec.firm.zone, known)
        customers, _ = metrics_at(connection, spec.metrics, ["quiet"], cut)
        assert (done.number in customers) is there, "a past night that is restated counts it as it did"


@pytest.mark.req("D19")
def test_later_nights_leave_it_out(done: Done) -> None:
    given = done.given
    with given.connection.transaction(force_rollback=True):
        # The day of the erasure, of which no night has been run yet.
        day = MONDAY + timedelta(days=3)
        given.firm.dial("marked", day, quiet=0, strain=0, halt=1, mood=10)
        given.firm.dial("other", day, quiet=0, strain=0, halt=0, mood=90)
        given.firm.night(day, now=given.firm.moment(day, 12))
        judged = given.firm.rows("select customer_no from care.health_night where day = %s", day)
        assert (given.firm.facts.customers["other"],) in judged and (done.number,) not in judged
        assert given.firm.rows(
            "select count(*) from care.warning where closed_at is null and customer_no = %s", done.number
        ) == [(0,)]


@pytest.mark.req("D19")
def test_what_the_source_still_sends_about_it_does_not_come_back(done: Done) -> None:
    given, landing = done.given, done.given.landing
    with given.connection.transaction(force_rollback=True):
        landing.at(given.firm.moment(MONDAY, 70))
        rows = rows_from_sales(given)
        rows["contacts"][1] |= {"role": "head of buying"}
        rows["customers"][1] |= {"updated": "2026-06-03", "name": "Firm Other & Sons"}
        results = landing.take("sales", **rows)
        baskets = [{"no": "B2", "client": given.mark("otherkey"), "at": "2026-06-02", "amount": "5"}]
        results |= landing.take("crm", baskets=baskets)
        assert {origin: result.erased for origin, result in results.items() if result.erased} == {
            "sales.customers": 1, "sales.contacts": 1, "sales.orders": 4, "sales.surveys": 3, "sales.notes": 1, "sales.talks": 1,
            "sales.documents": 1, "sales.news": 1, "sales.id_map": 1, "crm.baskets": 1,
        }  # fmt: skip
        assert results["sales.contacts"].changed == 1 and results["sales.customers"].changed == 1
        assert results["sales.customers"].ended == 0, "the snapshot does not lack what is erased"
        assert ("suspicious snapshot",) not in landing.waiting("reason")
        assert given.found() == {}
        parent = "select parent from care.fact_customer where name = 'Firm Other & Sons' and known_to is null"
        assert given.firm.rows(parent) == [(None,)]


@pytest.mark.req("D19")
def test_doing_it_again_changes_nothing(done: Done) -> None:
    given = done.given
    before = rows_of(given.connection)
    for name in (key(given), given.mark("third"), done.erased.pseudonym or ""):
        again = erase(given.connection, given.sources, name, by="eve", why="asked to")
        assert again.before is not None and not again.rows
    assert rows_of(given.connection) == before
    with pytest.raises(UnknownCustomer):
        erase(given.connection, given.sources, "nobody-9", by="eve", why="asked to")


@pytest.mark.req("D19")
def test_the_act_is_on_record_without_the_customer(done: Done) -> None:
    [(by, subject, detail)] = done.given.firm.rows(
        "select by, subject, detail from care.audit where what = 'erased'"
    )
    assert (by, subject) == ("eve", f"customer:{done.erased.pseudonym}")
    assert detail["why"] == "asked to" and detail["rows"]["care.fact_order"] == 5
    with done.given.connection.transaction(force_rollback=True), pytest.raises(NamesTheCustomer):
        erase(done.given.connection, done.given.sources, "other-1", by="eve", why="firm other asked to")


@pytest.mark.req("D19")
def test_the_list_of_erased_keys_is_an_hmac_of_the_warehouses_own_secret(done: Done) -> None:
    [(inner, outer)] = done.given.firm.rows("select inner_key, outer_key from care.erasure_secret")
    secret = bytes(byte ^ 0x36 for byte in inner)
    assert bytes(byte ^ 0x5C for byte in outer) == secret and len({*secret}) > 16
    digest = hmac.new(secret, f"sales:{key(done.given)}".encode(), "sha256").digest()
    assert done.given.firm.rows("select count(*) from care.erased_key where digest = %s", digest) == [(1,)]
    assert done.given.firm.rows("select care.is_erased('sales', %s), care.is_erased('crm', %s), care.is_erased('sales', 'other-1')",
                                key(done.given), key(done.given)) == [(True, False, False)]  # fmt: skip


@pytest.mark.req("D19")
def test_a_night_that_was_judged_before_opens_nothing_about_it_afterwards(done: Done) -> None:
    given, firm = done.given, done.given.firm
    number = firm.facts.customers["other"]
    opened = "select count(*) from care.warning where closed_at is null and customer_no = %s"
    for erases in (False, True):
        with given.connection.transaction(force_rollback=True):
            day = MONDAY + timedelta(days=4)
            firm.dial("other", day, quiet=0, strain=0, halt=1, mood=90)
            firm.judged(day)
            if erases:
                erase(given.connection, given.sources, "other-1", by="eve", why="asked to")
            advance(given.connection, firm.configuration.care, firm.moment(day))
            assert firm.rows(opened, number) == [(0 if erases else 1,)]


@pytest.mark.req("D19")
def test_digests_of_its_rows_are_emptied_and_its_keys_stay_one_customer(done: Done) -> None:
    firm = done.given.firm
    parties = "select party_no from care.party where erased_at is not null"
    hashes = f"select distinct row_hash from care.fact_order where party_no in ({parties})"
    assert firm.rows(hashes) == [("",)]
    with done.given.connection.transaction(force_rollback=True):
        done.given.connection.execute("delete from care.identity_ruling")
        resolve(done.given.connection, firm.moment(MONDAY, 80))
        whose = f"select distinct customer_no from care.identity where known_to is null and party_no in ({parties})"
        assert firm.rows(whose) == [(done.number,)], "the code and the ruling that joined them are gone"
