"""The views for reports say what a small lived firm implies, expose nothing personal, and are described in two languages."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from tests.firm import MONDAY, TinyFirm, changed, configure

from carewatch.commands.views_command import page
from carewatch.flow.acts import close
from carewatch.flow.restate import restate
from carewatch.paths import home
from carewatch.spec.facts import FACTS, Kind, Privacy
from carewatch.store import embedded
from carewatch.store.database import connect
from carewatch.store.migrations import migrate
from carewatch.store.personal import privacy_of_column
from carewatch.store.views import views

DAY = timedelta(days=1)
SECRET = "Zyxwvut"


@pytest.fixture(scope="module")
def lived(warehouse_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TinyFirm]:
    """Return a firm of five customers with five nights.

    K1 is odd from the first night and closed as a false alarm; K2 is odd on the second and falls asleep on the fourth; K3
    rises; K4 falls asleep without a warning; K5 is well, and on the
    last night nobody knows how it feels. K2 and K4 had not bought for 90 days on the days of their
    falling asleep.
    """
    dsn = embedded.create_database(warehouse_server, f"test_bi_{uuid.uuid4().hex[:12]}")
    with connect(dsn, autocommit=True) as connection:
        migrate(connection)
        stages = changed(
            "stages.yaml",
            (
                "dormant_when: quiet >= 99",
                "dormant_when: quiet >= 99\nstages: {dormant: {label: asleep}, here: {label: here}}",
            ),
        )
        firm = TinyFirm(connection, configure(tmp_path_factory.mktemp("bi"), stages))
        for name, sales in (("K1", 700), ("K2", 200), ("K3", 60), ("K4", 40), ("K5", 0)):
            firm.customer(
                name, tier="A" if name == "K1" else "B", sales=sales, owner="lin" if name == "K3" else "ann"
            )
        for name, last in (("K2", 87), ("K4", 88)):
            for back in (100, last):
                firm.facts.add("order", name, firm.moment(MONDAY - back * DAY, 12), amount=0)
        odd = {
            "K1": (1, 1, 1, 1, 1),
            "K2": (0, 1, 1, 99, 99),
            "K3": (0, 0, 1, 1, 1),
            "K4": (0, 0, 99, 99, 99),
            "K5": (0,) * 5,
        }
        _personal(firm)
        for number in range(5):
            for name, quiet in odd.items():
                firm.dial(
                    name,
                    MONDAY + number * DAY,
                    quiet=quiet[number],
                    strain=0,
                    halt=int(name == "K3" and number == 3),
                    **({} if name == "K5" and number == 4 else {"mood": 75 if name == "K1" else 90}),
                )
            firm.night(MONDAY + number * DAY)
            if number == 0:
                [(first,)] = firm.rows("select warning_no from care.warning")
                close(
                    connection, first, by="ann", result="false_alarm", note=SECRET, now=firm.moment(MONDAY, 9)
                )
        yield firm
    embedded.drop_database(warehouse_server, dsn.rpartition("/")[2])


def _personal(firm: TinyFirm) -> None:
    """Write a word into every personal column of every fact."""
    for fact in FACTS.values():
        personal = {
            one.name: SECRET for one in fact.columns if one.privacy in (Privacy.PERSONAL, Privacy.SECRET)
        }
        if personal:
            needed = {
                one.name: _value(one.kind)
                for one in fact.columns
                if one.required and one.name not in personal
            }
            firm.facts.add(fact.name, "K5", firm.moment(MONDAY - 9 * DAY), **needed | personal)


def _value(kind: Kind) -> object:
    return {Kind.TEXT: "x", Kind.DAY: date(2026, 1, 1)}.get(kind, 1)


def rows(
    firm: TinyFirm, view: str, columns: str, where: str = "true", order: str = "1"
) -> list[tuple[Any, ...]]:
    return firm.rows(f"select {columns} from bi.{view} where {where} order by {order}")


@pytest.mark.req("S156", "S138")
def test_customers_today(lived: TinyFirm) -> None:
    columns = (
        "customer_id, name, tier, value_score, colour, score, risk, stage, stage_since, dormant, owner_id, warning_no, "
        "warning_level, warning_state, warning_opened, value_at_stake::int"
    )
    none = (None,) * 5
    day = {number: MONDAY + (number - 1) * DAY for number in range(1, 6)}
    assert rows(lived, "customers", columns) == [
        ("K1", "Firm K1", "A", 80, "green", 75, 25, "here", day[1], False, "ann", *none),
        ("K2", "Firm K2", "B", 50, "green", 90, 10, "dormant", day[4], True, "ann", *none),
        ("K3", "Firm K3", "B", 50, "green", 90, 10, "here", day[1], False, "lin", 3, 1, "open", day[3], 60),
        ("K4", "Firm K4", "B", 50, "green", 90, 10, "dormant", day[3], True, "ann", *none),
        ("K5", "Firm K5", "B", 50, "grey", None, None, "here", day[1], False, "ann", *none),
    ]
    assert rows(lived, "customers", "distinct day") == [(MONDAY + 4 * DAY,)]


@pytest.mark.req("S59", "S156")
@pytest.mark.parametrize("view", ["customers", "health_history"])
def test_risk_stands_beside_the_score(lived: TinyFirm, view: str) -> None:
    assert rows(lived, view, "distinct score, risk") == [(75, 25), (90, 10), (None, None)]


@pytest.mark.req("S156")
def test_every_night_and_every_number(lived: TinyFirm) -> None:
    assert rows(lived, "health_history", "count(*), count(distinct day)") == [(25, 5)]
    last = MONDAY + 4 * DAY
    seen = "customer_id, score, risk, colour, tier, model, known_share, dormant"
    assert rows(lived, "health_history", seen, f"day = '{last}' and customer_id <> 'K4'") == [
        ("K1", 75, 25, "green", "A", "default", 1, False),
        ("K2", 90, 10, "green", "B", "default", 1, True),
        ("K3", 90, 10, "green", "B", "default", 1, False),
        ("K5", None, None, "grey", "B", "default", 0, False),
    ]
    assert rows(lived, "metrics", "value", f"customer_id = 'K5' and metric = 'mood' and day = '{last}'") == [
        (None,)
    ]
    assert rows(lived, "metrics", "day, value", "customer_id = 'K2' and metric = 'quiet'") == [
        (MONDAY + number * DAY, value) for number, value in enumerate((0, 1, 1, 99, 99))
    ]
    assert rows(lived, "metrics", "count(*)", f"day = '{MONDAY}'") == [
        (5 * len(lived.configuration.judgement.metrics),)
    ]


@pytest.mark.req("S156")
def test_a_restated_night_shows_what_it_was_last_restated_to(lived: TinyFirm) -> None:
    last = MONDAY + 4 * DAY
    with lived.connection.transaction(force_rollback=True):
        lived.connection.execute("update care.fact_survey set score = 60 where score = 75")
        lived.clock_at(lived.moment(last, 12))
        calendar = lived.configuration.care.work
        [done] = restate(lived.connection, last, last, sources={}, calendar=calendar)
        assert done.revision == 1 and len(done.changed) == 1
        mood = f"customer_id = 'K1' and metric = 'mood' and day = '{last}'"
        assert rows(lived, "metrics", "value", mood) == [(60,)]
        for view in ("customers", "health_history"):
            of_today = f"customer_id = 'K1' and day = '{last}'"
            assert rows(lived, view, "score, colour", of_today) == [(60, "yellow")]


@pytest.mark.req("S156")
def test_signals_and_warnings_with_their_life(lived: TinyFirm) -> None:
    opened = rows(
        lived, "warnings", "customer_id, opened_day, peak_level, result, owner_id", order="warning_no"
    )
    assert opened[0] == ("K1", MONDAY, 1, "false_alarm", "ann")
    assert ("K2", MONDAY + DAY, 1, "lost", "ann") in opened
    assert any(one[:3] == ("K3", MONDAY + 2 * DAY, 2) and one[3] is None for one in opened)
    assert rows(lived, "warnings", "count(*)") == lived.rows("select count(*) from care.warning")
    day = {number: MONDAY + (number - 1) * DAY for number in range(1, 6)}
    signals = "customer_id, rule, severity, counts_as, dimension, state, first_day, opened_day, last_true_day, closed_day"
    assert rows(lived, "signals", signals, order="signal_no") == [
        ("K1", "quiet", "mild", "quiet", "use", "open", day[1], day[1], day[5], None),
        ("K2", "quiet", "mild", "quiet", "use", "closed", day[2], day[2], day[3], day[4]),
        ("K3", "quiet", "mild", "quiet", "use", "open", day[3], day[3], day[5], None),
        ("K3", "halt", "severe", "halt", "use", "closed", day[4], day[4], day[4], day[5]),
    ]
    stands = "customer_id, level, peak_level, priority, state, result, tier, value_at_stake::int, risk, closed_at is null, tasks"
    assert rows(lived, "warnings", stands, order="warning_no") == [
        ("K1", 0, 1, "medium", "false_alarm", "false_alarm", "A", 700, 0.25, False, 1),
        ("K2", 0, 1, "low", "lost", "lost", "B", None, pytest.approx(0.1), False, 1),
        ("K3", 1, 2, "low", "open", None, "B", 60, pytest.approx(0.1), True, 3),
    ]
    assert rows(lived, "notices", "subject, transition, receiver_id, sent_on, kind, channel, delivery", order="1, 2, 3") == [
        ("task:4", 1, "lin", True, "reminder", "mail", "waiting"),
        ("task:5", 1, "lin", True, "reminder", "mail", "waiting"),
        ("warning:1", 1, "ann", True, "digest", "mail", "waiting"),
        ("warning:1", 2, "ann", False, None, None, None),
        ("warning:2", 1, "ann", True, "digest", "mail", "waiting"),
        ("warning:2", 2, "ann", False, None, None, None),
        ("warning:3", 1, "lin", True, "digest", "mail", "waiting"),
        ("warning:3", 2, "bob", True, "digest", "mail", "waiting"),
        ("warning:3", 2, "lin", True, "digest", "mail", "waiting"),
        ("warning:3", 3, "lin", False, None, None, None),
    ]  # fmt: skip
    assert rows(
        lived, "tasks", "warning_no, step, role, owner_id, state, kept, reminders", order="task_no"
    ) == [
        (1, "first_call", "owner", "ann", "cancelled", None, 0),
        (2, "first_call", "owner", "ann", "cancelled", None, 0),
        (3, "first_call", "owner", "lin", "superseded", None, 0),
        (3, "first_call", "owner", "lin", "open", False, 1),
        (3, "plan", "owner", "lin", "open", False, 1),
        (3, "visit", "owner", "lin", "open", None, 0),
    ]
    with lived.connection.transaction(force_rollback=True):
        at = lived.moment(day[5], 9)
        lived.connection.execute(
            "update care.care_task set state = 'done', settled_at = case step when 'plan' then %s else %s end "
            "where state = 'open' and step <> 'visit'", (at, at + timedelta(hours=1)),
        )  # fmt: skip
        called = rows(lived, "warnings", "tasks, tasks_done, first_contact_at", "customer_id = 'K3'")
        assert called == [(3, 2, at + timedelta(hours=1))], "a plan is no contact"
    assert rows(lived, "tasks", "count(*), count(distinct warning_no)") == lived.rows(
        "select count(*), count(distinct case_no) from care.care_task"
    )
    assert rows(lived, "notices", "count(*)") == lived.rows("select count(*) from care.notice_decision")


@pytest.mark.req("S156")
def test_a_task_kept_its_promise_or_not(lived: TinyFirm) -> None:
    with lived.connection.transaction(force_rollback=True):
        [(task,)] = lived.rows("select min(task_no) from care.care_task where state = 'open'")
        assert rows(lived, "tasks", "kept", f"task_no = {task}") in ([(None,)], [(False,)])
        for at, kept in (("due_at", True), ("due_at + interval '1 second'", False)):
            lived.connection.execute(
                f"update care.care_task set state = 'done', settled_at = {at} where task_no = {task}".encode()
            )
            assert rows(lived, "tasks", "kept", f"task_no = {task}") == [(kept,)]


@pytest.mark.req("S84")
def test_alarms_per_rule_with_what_became_of_them(lived: TinyFirm) -> None:
    [quiet] = rows(
        lived,
        "rules",
        "customers, hits_last_night, share_last_night::float, warnings, lost, false_alarms, right_share::float",
        "rule = 'quiet'",
    )
    assert quiet[:3] == (5, 2, 0.4), "K1 and K3; who sleeps is clear"
    assert quiet[4:] == (1, 1, 0.5), "K2 was lost, K1 a false alarm"
    [counted] = lived.rows(
        "select count(*) from care.warning_event e, jsonb_array_elements(e.reasons) r where what = 'opened' and r ->> 'rule' = 'quiet'"
    )
    assert quiet[3] == counted[0] >= 3
    assert rows(lived, "rules", "hits_last_night", "rule = 'strain'") == [(0,)]


@pytest.mark.req("S150")
def test_alarms_per_owner_and_week(lived: TinyFirm) -> None:
    found = {
        one[:2]: one[2:]
        for one in rows(
            lived, "alarms_per_owner_week", "week, owner_id, opened, rose, opened_level_1, opened_level_2"
        )
    }
    assert found[MONDAY, "lin"] == (1, 1, 1, 0)
    ann = lived.rows("select count(*) from care.warning where owner_id = 'ann'")[0][0]
    assert found[MONDAY, "ann"] == (ann, 0, ann, 0)
    sent = rows(lived, "alarms_per_owner_week", "sum(messages)")
    assert sent[0][0] == lived.rows("select count(*) from care.outbox")[0][0]


@pytest.mark.req("S150")
def test_alarms_are_counted_by_level_in_the_week_they_came_and_messages_in_theirs(lived: TinyFirm) -> None:
    columns = "week, opened, opened_level_1, opened_level_2, opened_level_3, messages"
    moved = (
        "update care.warning_event e set level = %s, day = day + 7 from care.warning w "
        "where w.warning_no = e.warning_no and e.what = 'opened' and w.owner_id = 'lin' returning e.warning_no"
    )
    [(messages,)] = lived.rows("select count(*) from care.outbox where receiver = 'lin'")
    for level in (1, 2, 3):
        with lived.connection.transaction(force_rollback=True):
            assert len(lived.rows(moved, level)) == 1
            counted = [int(level == one) for one in (1, 2, 3)]
            assert rows(lived, "alarms_per_owner_week", columns, "owner_id = 'lin'") == [
                (MONDAY, 0, 0, 0, 0, messages),
                (MONDAY + 7 * DAY, 1, *counted, 0),
            ]
    with lived.connection.transaction(force_rollback=True):
        lived.rows("update care.outbox set state = 'cancelled' where receiver = 'lin' returning key")
        assert rows(lived, "alarms_per_owner_week", "messages", "owner_id = 'lin'") == [(0,)]


@pytest.mark.req("S83")
def test_lead_time_of_each_lost_customer(lived: TinyFirm) -> None:
    assert rows(
        lived, "lead_times", "customer_id, lost_day, first_warning_day, lead_days, missed, churn_type"
    ) == [
        ("K2", MONDAY + 3 * DAY, MONDAY + DAY, 2, False, "latent"),
        ("K4", MONDAY + 2 * DAY, None, None, True, "latent"),
    ]


@pytest.mark.req("S67")
def test_concentration_adds_up(lived: TinyFirm) -> None:
    assert rows(
        lived, "concentration", "place, customer_id, money::int, money_percent::float, money_percent_up_to_here::float, brings_80_percent"
    ) == [
        (1, "K1", 700, 70, 70, True), (2, "K2", 200, 20, 90, True), (3, "K3", 60, 6, 96, False), (4, "K4", 40, 4, 100, False),
    ]  # fmt: skip


@pytest.mark.req("S70", "S156")
def test_the_other_views_answer(lived: TinyFirm) -> None:
    lived.connection.execute(
        "insert into quarantine.row (origin, load_id, reason, field, value, data, caught_at) "
        "select 'a.b', 'l', 'not a date', 'day', %s, '{}', now() from generate_series(1, 3)",
        (SECRET,),
    )
    lived.connection.execute(
        "insert into care.load (origin, load_id, loaded_at, landed, new, changed, unchanged, repeated, filtered, quarantined) "
        "values ('a.b', 'l', now(), 9, 6, 0, 0, 0, 0, 3)"
    )
    assert rows(lived, "quarantine", "stream, reason, state, rows") == [("a.b", "not a date", "waiting", 3)]
    assert rows(lived, "sources", "source, stream, loads, landed, quarantined, held_last_night") == [
        ("a", "a.b", 1, 9, 3, False)
    ]
    assert rows(lived, "loads", "stream, new") == [("a.b", 6)]
    assert rows(lived, "tier_transitions", "count(*)") == [(0,)]
    with lived.connection.transaction(force_rollback=True):
        lived.connection.execute(
            "insert into care.held_source (night, source, owner, reason, known_until, facts) "
            "select night_no, 'a', 'it', '{}', null, '{}' from care.night where day = %s", (MONDAY + 4 * DAY,),
        )  # fmt: skip
        assert rows(lived, "sources", "held_last_night") == [(True,)]


def test_the_reader_reads_the_views_and_nothing_else(lived: TinyFirm) -> None:
    with lived.connection.transaction(force_rollback=True):
        lived.connection.execute("set local role care_reader")
        for view in views(lived.connection):
            lived.connection.execute(f"select * from bi.{view.name}".encode()).fetchall()
        for table in ("care.fact_customer", "care.warning", "quarantine.row"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), lived.connection.transaction():
                lived.connection.execute(f"select from {table}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege), lived.connection.transaction():
            lived.connection.execute("delete from bi.loads")


@pytest.mark.req("D19")
def test_nothing_personal_leaves_through_a_view(lived: TinyFirm) -> None:
    assert SECRET in str(lived.rows("select * from care.fact_contact_event")), "there is something to find"
    for view in views(lived.connection):
        assert SECRET not in str(lived.rows(f"select * from bi.{view.name}")), view.name
    used = lived.rows(
        "select distinct view_name, table_schema || '.' || table_name, column_name from information_schema.view_column_usage "
        "where view_schema = 'bi' and table_schema in ('care', 'quarantine')"
    )
    bare = {
        (view, table, column)
        for view, table, column in used
        if privacy_of_column(table, column) in (Privacy.PERSONAL, Privacy.SECRET)
    }
    assert bare == set()
    inner = lived.rows(
        "select distinct view_name, table_schema || '.' || table_name, column_name from information_schema.view_column_usage "
        "where view_schema = 'care' and view_name in ('health', 'newest_night', 'opened_on', 'customer_class', 'class_transition', "
        "'metric_names', 'rule_names', 'judgement_names')"
    )
    taken = {one for one in inner if privacy_of_column(*one[1:]) in (Privacy.PERSONAL, Privacy.SECRET)}
    canonical = {
        (view, "care.configuration", "canonical")
        for view in ("metric_names", "rule_names", "judgement_names")
    }
    assert taken == {("opened_on", "care.warning_event", "reasons")} | canonical, (
        "of these only names of rules and metrics"
    )


def test_every_view_and_column_is_described_in_two_languages_and_the_page_is_fresh(lived: TinyFirm) -> None:
    found = views(lived.connection)
    for view in found:
        for text in (view.says, *(column.means for column in view.columns)):
            assert text["en"].isascii() and text["en"] and text["zh-CN"] and not text["zh-CN"].isascii(), (
                view.name,
                text,
            )
    written = (home() / "docs" / "bi.md").read_text(encoding="utf-8")
    assert written == page(found), "write it: care views --page > docs/bi.md"
