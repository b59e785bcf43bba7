"""A piece of SQL from a person is one harmless expression over known columns, or it is refused in plain words.

What is allowed also runs on PostgreSQL; what tries to break out of its place in a query never gets there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.facts_given import GivenFacts

from carewatch.measure.compile import compile_metrics
from carewatch.measure.cut import Cut
from carewatch.spec.document import SpecProblem
from carewatch.spec.fragment import canonical, check_condition, check_expression
from carewatch.spec.metrics import Metric
from carewatch.store.database import Connection, connect
from carewatch.store.metrics import BadMetric, metrics_at

COLUMNS = {"amount", "kind", "line", "event_day", "source_key", "main"}
ZONE = ZoneInfo("Asia/Shanghai")
CUT = Cut.at(date(2026, 3, 1), ZONE)


@pytest.fixture(scope="module")
def connection(module_warehouse: str) -> Iterator[Connection]:
    with connect(module_warehouse, autocommit=True) as opened, opened.transaction(force_rollback=True):
        facts = GivenFacts(opened, ZONE)
        for name, amount, kind in (("Amber", 10, "regular"), ("Birch", 20, "it's"), ("Cedar", 30, "spare")):
            facts.known(name)
            facts.add(
                "order",
                name,
                datetime(2026, 2, 10, 9, tzinfo=ZONE),
                amount=amount,
                kind=kind,
                line="back\\slash",
            )
        yield opened


def metric(**spec: object) -> Metric:
    return Metric.model_validate(
        {"label": "m", "kind": "sum", "fact": "order", "of": "amount", "window": "30 days", **spec}
    )


def measured(connection: Connection, **spec: object) -> list[float]:
    metrics = {"m": metric(**spec)}
    return [float(value) for value in metrics_at(connection, metrics, ["m"], CUT)[1]["m"]]


NOT_ONE_EXPRESSION = [
    "", " ", "amount +", "amount)", "(amount", "amount; select 1", "amount; drop table care.person", "amount, kind",
    "amount from care.person", "amount where true", "amount group by 1", "amount having true", "amount order by 1",
    "amount limit 1", "amount offset 1", "amount fetch first 1 row only", "amount for update", "amount into care.evil",
    "amount union select 1", "distinct amount", "amount window w as ()", "with x as (select 1) select 1",
    "insert into care.person values (1)", "delete from care.person", "drop table care.person", "amount as x", "amount x", "*",
    "care.person.*", "'open", "amount = amount) or (1=1", "amount) from care.fact_order --", "(amount, kind)",
]  # fmt: skip
QUERIES = [
    "(select 1)", "(select max(amount) from care.fact_order)", "exists (select 1)", "amount in (select 1)",
    "amount = any (select 1)", "amount > (with x as (delete from care.person returning 1) select 1)",
    "array(select 1)", "(table care.person)", "(values (1))",
]  # fmt: skip
NOT_ALLOWED = [
    "sum(amount)", "count(*)", "avg(amount) filter (where true)", "row_number() over ()", "max(amount) over ()",
    "pg_sleep(10)", "pg_read_file('x')", "pg_catalog.lower(kind)", "care.clock()", "lo_import('x')", "dblink('x', 'y')",
    "query_to_xml('select 1', true, true, '')", "set_config('a', 'b', true)", "current_setting('a')", "nextval('x')",
    "random()", "rand()", "random(1, 2)", "gen_random_uuid()", "uuid()", "setseed(1)", "version()", "inet_server_addr()",
    "current_user", "session_user", "user", "current_schema", "current_catalog", "generate_series(1, 3)",
    "unnest(array[1, 2])", "regexp_split_to_table(kind, ',')", "repeat(kind, 1000000000)", "lpad(kind, 1000000000)",
    "no_such_function(kind)", "age(event_day)", "amount::float8", "cast(amount as real)", "kind::regclass", "kind::care.person",
    "amount::int[]", "kind::jsonb", "sqrt(amount)", "amount ^ 0.5", "array[amount]", "row(amount)",
    "amount operator(pg_catalog.+) 1", "kind collate \"C\" < 'a'", "kind -> 'a'", ":day", "$1", "?", "@amount", "%(x)s",
    "{{ amount }}", "{% raw %}", "E'\\\\'", "U&'\\0041'", "B'1'", "X'1F'", "$$text$$", "$tag$text$tag$", "N'x'",
]  # fmt: skip
PRESENT_TIME = [
    "now()", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "clock_timestamp()",
    "statement_timestamp()", "transaction_timestamp()", "timeofday()", "'now'::date", "date 'today'", "timestamp 'now'",
    "event_day < 'today'", "event_day >= ' Yesterday '", "event_day < 'tomorrow 10:00'", "event_day < 'today allballs'",
    "event_day < ('to' || 'day')::date", "event_day < cast(concat('to', 'day') as date)", "event_day < upper('today')::date",
    "event_day > current_date - 30", "amount > extract(epoch from now())", "coalesce(event_day, current_date)",
]  # fmt: skip


@pytest.mark.parametrize("text", [*NOT_ONE_EXPRESSION, *QUERIES, *NOT_ALLOWED, *PRESENT_TIME])
def test_refused_as_expression_and_as_condition(text: str) -> None:
    for check in (check_expression, check_condition):
        with pytest.raises(SpecProblem):
            check(text, COLUMNS)


@pytest.mark.parametrize("text", [*NOT_ONE_EXPRESSION, *QUERIES, *NOT_ALLOWED, *PRESENT_TIME])
def test_refused_in_the_place_it_is_written(text: str) -> None:
    for key in ("of", "where"):
        with pytest.raises(ValueError, match="Value error"):
            metric(**{key: text})


@pytest.mark.parametrize("text", NOT_ALLOWED[:8])
def test_hidden_in_a_comment_a_case_or_a_corner_it_is_still_refused(text: str) -> None:
    corners = (
        f"case when amount > 0 then {text} end", f"amount + /* harmless */ {text}", f"coalesce(null, nullif(1, {text}))",
        f"kind = 'a' or not ({text} is null)", f"amount -- a note\n + {text}", f"amount in (1, {text})",
    )  # fmt: skip
    for corner in corners:
        with pytest.raises(SpecProblem):
            check_expression(corner, COLUMNS)


@pytest.mark.parametrize(
    ("text", "wrong", "nearest"),
    [
        ("amont", "amont", "amount"),
        ("Amount", "Amount", "amount"),
        ("\"Kind\" = 'a'", "Kind", "kind"),
        ("amount + event_at", "event_at", "event_day"),
        ("knd = 'regular'", "knd", "kind"),
        ("kind = regular", "regular", None),
        ("zzz", "zzz", None),
        ("coalesc(kind)", "coalesc", "coalesce"),
        ("lwer(kind)", "lwer", "lower"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(text: str, wrong: str, nearest: str | None) -> None:
    with pytest.raises(SpecProblem) as caught:
        check_expression(text, COLUMNS)
    assert f"'{wrong}'" in caught.value.what and caught.value.nearest == nearest


@pytest.mark.parametrize(
    "text",
    ["f.amount", "care.fact_order.amount", "fact_order.amount", "who.customer_no", "ctid", "xmin", "f"],
)
def test_only_the_facts_own_columns_are_known(text: str) -> None:
    with pytest.raises(SpecProblem):
        check_expression(text, COLUMNS)


ALLOWED = {
    "kind = 'regular'": "f.kind = 'regular'",
    "coalesce(kind, 'regular') <> 'spare' AND amount > 0": "COALESCE(f.kind, 'regular') <> 'spare' AND f.amount > 0",
    "kind in ('a', 'b') or line like 'v%'": "f.kind IN ('a', 'b') OR f.line LIKE 'v%'",
    "not main": "NOT f.main",
    "amount between 1 and 2": "f.amount BETWEEN 1 AND 2",
    "kind is null": "f.kind IS NULL",
    "kind is distinct from 'a'": "f.kind IS DISTINCT FROM 'a'",
    "event_day >= date '2026-01-01'": "f.event_day >= CAST('2026-01-01' AS DATE)",
    "event_day > '2026-01-01'": "f.event_day > '2026-01-01'",
    "extract(month from event_day) = 2": "EXTRACT(MONTH FROM f.event_day) = 2",
    "kind ~ '^reg'": "f.kind ~ '^reg'",
    "case when amount > 5 then true else false end": "CASE WHEN f.amount > 5 THEN TRUE ELSE FALSE END",
    "kind = 'it''s' -- a note": "f.kind = 'it''s'",
    "kind /* why not */ = 'now or never'": "f.kind = 'now or never'",
    "line = 'back\\slash'": "f.line = 'back\\slash'",
    "kind = 'a; drop table care.person --'": "f.kind = 'a; drop table care.person --'",
    "(amount > 1);": "(f.amount > 1)",
}


@pytest.mark.parametrize("text", ALLOWED)
def test_allowed_conditions_become_canonical_and_run(connection: Connection, text: str) -> None:
    check_condition(text, COLUMNS)
    assert canonical(text, table="f") == ALLOWED[text]
    if "main" not in text:
        assert len(measured(connection, where=text)) == 3


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ("amount", [10, 20, 30]),
        ("amount * 2 - 1", [19, 39, 59]),
        ("greatest(amount - 15, 0)", [0, 5, 15]),
        ("case when kind = 'spare' then amount else 0 end", [0, 0, 30]),
        ("length(kind)", [7, 4, 5]),
        ("round(amount / 3, 1)", [3.3, 6.7, 10]),
        ("amount::bigint % 7", [3, 6, 2]),
        ("abs(-amount)", [10, 20, 30]),
        ("event_day - make_date(2026, 2, 1)", [9, 9, 9]),
    ],
)
def test_allowed_expressions_run(connection: Connection, of: str, expected: list[float]) -> None:
    assert measured(connection, of=of) == expected


@pytest.mark.parametrize(
    "text",
    [
        "amount",
        "1",
        "'text'",
        "amount + 1",
        "kind || 'x'",
        "lower(kind)",
        "event_day + 1",
        "null",
        "interval '1 day'",
    ],
)
def test_a_value_is_no_condition(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a condition|not yes or no"):
        metric(where=text)


@pytest.mark.parametrize(
    ("fact", "of"),
    [
        ("order", "kind"),
        ("order", "event_day"),
        ("order", "source_key"),
        ("invoice", "due_on"),
        ("interaction", "invited"),
    ],
)
def test_only_numbers_are_added_up(fact: str, of: str) -> None:
    with pytest.raises(ValueError, match=f"'{of}' holds"):
        metric(fact=fact, of=of)
    with pytest.raises(ValueError, match=f"'\\({of}\\)' holds"):
        metric(fact=fact, of=f"({of})")
    assert metric(kind="distinct", fact=fact, of=of).of == of


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_of_a_metric_are_finite(value: float) -> None:
    for key in ("empty", "per"):
        with pytest.raises(ValueError, match="finite"):
            metric(**{key: value})
    with pytest.raises(ValueError, match="finite"):
        Metric.model_validate({"label": "m", "kind": "change", "metric": "x", "at_least": value})


@given(st.text(alphabet="abkind'\"\\;-/*$() =\n{}%:", max_size=40))
@example("'\\' or true --'")
@example("$a$'$a$")
@example("*/ or true /*")
def test_a_text_of_any_signs_stays_inside_its_quotes(connection: Connection, content: str) -> None:
    quoted = "'" + content.replace("'", "''") + "'"
    check_condition(f"kind = {quoted}", COLUMNS)
    back = connection.execute(f"select {canonical(quoted, table='f')}".encode()).fetchone()
    assert back == (content,)
    assert measured(connection, where=f"kind = {quoted}") == [0, 0, 0]


TOKENS = (
    "kind", "amount", "=", ">", "'a'", "1", "(", ")", "or", "and", "not", "true", "false", "is null", "--", "/*", "*/", ";",
    "'", "\n",
)  # fmt: skip


@given(st.lists(st.sampled_from(TOKENS), max_size=9).map(" ".join))
@example("true) or (true")
@example("true or true --")
def test_whatever_is_accepted_selects_no_row_that_its_own_filter_leaves_out(
    connection: Connection, text: str
) -> None:
    """A text that closed the brackets around it would let rows in that `false` keeps out."""
    try:
        guarded, shut = metric(where=text), metric(where=f"false and ({text}\n)")
    except ValueError:
        return
    sql = canonical(str(guarded.where), table="f")
    program = compile_metrics({"m": guarded}, CUT)
    assert f"and ({sql})) as v0" in program.passes["pass_order"]
    try:
        with connection.transaction():
            left = measured(connection, where=shut.where)
    except BadMetric:
        return  # such as a text that stands where true or false is needed
    assert left == [0, 0, 0]
