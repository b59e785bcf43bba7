"""A metric in a person's own SQL reads facts and nothing else: no other table, no clock, no chance, no writing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.facts_given import GivenFacts

from carewatch.measure.cut import Cut
from carewatch.measure.literal import literal_query
from carewatch.spec.document import SpecProblem
from carewatch.spec.literal import literal_facts
from carewatch.spec.metrics import Metric
from carewatch.store.database import Connection, connect
from carewatch.store.metrics import metrics_at

ZONE = ZoneInfo("Asia/Shanghai")
CUT = Cut.at(date(2026, 3, 1), ZONE)
VALUE = "select customer_no, {} as value from fact_order group by customer_no"


@pytest.fixture(scope="module")
def connection(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as opened, opened.transaction(force_rollback=True):
        facts = GivenFacts(opened, ZONE)
        facts.known("Amber")
        for day in (1, 11, 13):
            facts.add("order", "Amber", datetime(2026, 2, day, 9, tzinfo=ZONE), amount=day, kind=":day")
        yield opened


def measured(connection: Connection, sql: str) -> float:
    metrics = {"m": Metric.model_validate({"label": "m", "kind": "sql", "sql": sql})}
    return float(metrics_at(connection, metrics, ["m"], CUT)[1]["m"][0])


NOT_ONE_SELECT = [
    "", " ", ";", "-- nothing", "select", "select 1 as value; select 2", "values (1, 2)", "explain select 1", "do $$ begin end $$",
    "copy fact_order to program 'x'", "copy care.person to stdout", "vacuum", "call care.ensure_partitions('2026-01-01')",
    "set timezone = 'x'", "listen x", "prepare x as select 1", "lock table care.person", "truncate care.person",
    "insert into care.person select 1", "update care.person set active = false", "delete from care.person",
    "create table x as select 1", "drop table care.person", "alter table care.person add x int", "grant all on care.person to public",
    "merge into care.person using fact_order on true when matched then delete", "select customer_no, 1 as value from fact_order)",
    "select customer_no, 1 as value from fact_order) as x; drop table care.person; --",
]  # fmt: skip
WRITING = [
    "with x as (insert into care.person values (1) returning 1) select customer_no, 1 as value from fact_order",
    "with x as (update care.person set active = false returning 1) select customer_no, 1 as value from fact_order",
    "with x as (delete from care.person returning 1) select customer_no, 1 as value from fact_order",
    "with x as (select 1), y as (delete from care.fact_order returning 1) select customer_no, 1 as value from fact_order",
    "select customer_no, 1 as value into care.evil from fact_order",
    "select customer_no, 1 as value from fact_order for update",
    "select customer_no, 1 as value from fact_order for share",
]
OTHER_RELATIONS = [
    "select customer_no, 1 as value from care.person",
    "select customer_no, 1 as value from care.fact_order",
    "select customer_no, 1 as value from public.fact_order",
    "select customer_no, 1 as value from pg_catalog.pg_class",
    "select customer_no, 1 as value from pg_authid",
    "select customer_no, 1 as value from information_schema.tables",
    "select customer_no, 1 as value from who",
    "select customer_no, 1 as value from population",
    "select customer_no, 1 as value from pg_temp.who",
    "select customer_no, 1 as value from pass_order",
    "select customer_no, 1 as value from fact_order join care.warning using (customer_no)",
    "select customer_no, (select count(*) from care.person) as value from fact_order",
    "select customer_no, 1 as value from fact_order where exists (select 1 from care.person)",
    "select customer_no, 1 as value from fact_order union all select 1, count(*) from care.person",
    "select customer_no, 1 as value from (select 1 as customer_no from care.person) as x, fact_order",
    "select customer_no, 1 as value from fact_order, lateral (select 1 from care.person) as x",
    "select customer_no, 1 as value from generate_series(1, 9) as customer_no, fact_order",
    "select customer_no, 1 as value from unnest(array[1]) as customer_no, fact_order",
    "select customer_no, 1 as value from fact_order tablesample bernoulli (1)",
    'select customer_no, 1 as value from "care"."person"',
    'select customer_no, 1 as value from "fact_order" as "x; y"',
    # a name of WITH does not make a real table of that name readable, in another schema, before it or inside it
    "with person as (select 1 as x from fact_order) select customer_no, 1 as value from care.person",
    "with pg_authid as (select 1 as customer_no, count(*) as value from pg_authid) select customer_no, value from pg_authid",
    "with a as (select 1 as x from person), person as (select 1 as x from fact_order) select customer_no, 1 as value from person",
    "with recursive person as (select 1 as x from person) select customer_no, 1 as value from person, fact_order",
    "select x.customer_no, 1 as value from fact_order as x, person, "
    "(with person as (select 1 as y from fact_order) select 1 as z from person) as q",
    "with fact_ticket as (select customer_no from fact_order) select customer_no, 1 as value from fact_ticket",
    "with recursive r as (select customer_no, 1 as value from fact_order union all select customer_no, value + 1 from r) "
    "select customer_no, value from r",
]  # fmt: skip
HARMFUL_VALUES = [
    "now()", "max(now())", "current_date", "current_timestamp", "localtimestamp", "localtime", "clock_timestamp()",
    "statement_timestamp()", "timeofday()", "care.clock()", "pg_catalog.now()", "count(*) filter (where event_day < 'today')",
    "count(*) filter (where event_day < date 'yesterday')", "count(*) filter (where event_day < ('to' || 'day')::date)",
    "random()", "gen_random_uuid()", "pg_sleep(1)", "pg_read_file('x')", "pg_ls_dir('x')", "lo_import('x')", "lo_export(1, 'x')",
    "dblink('x', 'y')", "query_to_xml('select 1', true, true, '')", "table_to_xml('care.person', true, true, '')",
    "database_to_xml(true, true, '')", "cursor_to_xml('x', 1, true, true, '')", "set_config('a', 'b', false)",
    "current_setting('x')", "nextval('x')", "setval('x', 1)", "txid_current()", "pg_current_xact_id()", "version()",
    "current_user", "session_user", "inet_server_addr()", "has_table_privilege('x', 'select')", "to_regclass('care.person')",
    "'care.person'::regclass", "max(amount)::float8", "sum(amount::float8)", "cast(sum(amount) as real)", "max(kind)::care.person",
    "string_agg(kind, ',')", "array_agg(amount)", "percentile_cont(0.5) within group (order by amount)", "corr(amount, amount)",
    "care.ensure_partitions('2026-01-01')", "pg_advisory_lock(1)", "pg_terminate_backend(1)", "repeat('x', 1000000000)",
    "E'\\\\'", "U&'\\0041'", "$1", "?", "%s", ":night", ":Day", "@x", "sum(amount) operator(pg_catalog.+) 1",
]  # fmt: skip


@pytest.mark.parametrize(
    "sql", [*NOT_ONE_SELECT, *WRITING, *OTHER_RELATIONS, *map(VALUE.format, HARMFUL_VALUES)]
)
def test_refused_where_it_is_written(sql: str) -> None:
    with pytest.raises(SpecProblem):
        literal_facts(sql)
    with pytest.raises(ValueError, match=r"Value error|needs 'sql'"):
        Metric.model_validate({"label": "m", "kind": "sql", "sql": sql})


@pytest.mark.parametrize(
    "harm",
    [
        "now()",
        "random()",
        "pg_sleep(1)",
        "(select count(*) from care.person)",
        "query_to_xml('x', true, true, '')",
    ],
)
def test_refused_wherever_it_hides(harm: str) -> None:
    corners = (
        f"select customer_no, 1 as value from fact_order where {harm} is not null",
        f"select customer_no, 1 as value from fact_order order by {harm}",
        f"select customer_no, 1 as value from fact_order limit {harm}",
        f"select customer_no, count(*) over (partition by {harm}) as value from fact_order",
        f"select customer_no, 1 as value from fact_order group by customer_no having max({harm}) is null",
        f"select customer_no, case when true then /* quite */ {harm} end as value from fact_order",
        f"with x as (select {harm} as y from fact_order) select customer_no, 1 as value from fact_order",
        f"select customer_no, 1 as value from fact_order as a join fact_order as b on {harm} is null",
        f"select customer_no, 1 as value from (select * from fact_order where {harm} is null) as x",
        f"select customer_no, 1 as value, {harm} as other from fact_order",
        f"select customer_no, 1 as value from fact_order -- fine\n where {harm} is null",
    )
    for sql in corners:
        with pytest.raises(SpecProblem):
            literal_facts(sql)


@pytest.mark.parametrize(
    ("sql", "wrong", "nearest"),
    [
        ("select customer_no, 1 as value from fact_orders", "fact_orders", "fact_order"),
        ("select customer_no, 1 as value from Fact_Order", "Fact_Order", "fact_order"),
        ("select customer_no, 1 as value from orders", "orders", None),
        ("select customer_no, sum(amont) as value from fact_order group by 1", "amont", "amount"),
        ("select o.customer, 1 as value, customer_no from fact_order as o", "customer", "customer_no"),
        ("select customer_no, sum(score) as value from fact_order group by 1", "score", None),
        ("select customer_no, coun(*) as value from fact_order group by 1", "coun", "count"),
        ("select customer_no, :nigth as value from fact_order", "nigth", None),
        ("select customer_no, 1 as valeu from fact_order", "value", None),
        ("select 1 as value from fact_order", "customer_no", None),
        ("select * from fact_order", "value", None),
        ("select 1 as customer_no, 2 as value", "fact", None),
    ],
)
def test_a_mistake_is_told_in_words_with_the_nearest(sql: str, wrong: str, nearest: str | None) -> None:
    with pytest.raises(SpecProblem) as caught:
        literal_facts(sql)
    assert wrong in caught.value.what and "\n" not in caught.value.sentence()
    assert nearest is None or caught.value.nearest == nearest
    assert all(problem.loc == ("sql",) for problem in caught.value.every())


@pytest.mark.parametrize(
    ("sql", "facts", "value"),
    [
        (VALUE.format("count(*)"), ["order"], 3),
        (VALUE.format("max(:day - event_day)"), ["order"], 28),
        (VALUE.format("count(*) filter (where event_at < :cut - interval '17 days')"), ["order"], 2),
        (VALUE.format("count(*) filter (where kind = ':day')"), ["order"], 3),
        (VALUE.format("count(*) filter (where kind <> 'order now or never; drop table x --')"), ["order"], 3),
        (VALUE.format("avg(amount)") + ";", ["order"], 25 / 3),
        ("select customer_no, max(gap) as value from (select customer_no, event_day - lag(event_day) over "
         "(partition by customer_no order by event_day) as gap from fact_order) as g group by customer_no", ["order"], 10),
        ("with recent as (select * from fact_order where event_day > :day - 20), counted as (select customer_no, count(*) as n "
         "from recent group by customer_no) select customer_no, n as value from counted", ["order"], 2),
        ("select o.customer_no, count(distinct o.source_key) - count(t.ticket_no) as value from fact_order as o "
         "left join fact_ticket as t on t.customer_no = o.customer_no group by o.customer_no", ["order", "ticket"], 3),
        ("select customer_no, sum(n) as value from (select customer_no, 1 as n from fact_order union all "
         "select customer_no, 5 from fact_survey) as both_of_them group by customer_no", ["order", "survey"], 3),
        ("select customer_no, 1 as value from fact_order where exists (select 1 from fact_order as x where x.amount > 12) "
         "group by customer_no", ["order"], 1),
    ],
)  # fmt: skip
def test_what_is_allowed_runs(connection: Connection, sql: str, facts: list[str], value: float) -> None:
    assert literal_facts(sql) == facts
    assert measured(connection, sql) == pytest.approx(value, rel=1e-15, abs=0)


def test_the_nights_time_goes_in_as_literals_and_comments_stay_out() -> None:
    sql = "select customer_no, :day as value /* :cut */ from fact_order where event_at < :cut and kind = ':day' -- :day"
    query = literal_query(sql, day="date '2026-03-01'", cut="timestamptz '2026-02-28 16:00:00+00'")
    assert query == (
        "SELECT customer_no, CAST('2026-03-01' AS DATE) AS value FROM fact_order "
        "WHERE event_at < CAST('2026-02-28 16:00:00+00' AS TIMESTAMPTZ) AND kind = ':day'"
    )


def test_nothing_a_literal_metric_may_say_changes_a_row(connection: Connection) -> None:
    before = connection.execute("select count(*), sum(amount) from care.fact_order").fetchone()
    assert measured(connection, VALUE.format("count(*)")) == 3
    assert connection.execute("select count(*), sum(amount) from care.fact_order").fetchone() == before
