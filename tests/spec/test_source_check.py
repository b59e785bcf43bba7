"""How checks may be written, and how their mistakes are told."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from tests.store.landed import sources

from carewatch.spec.problems import SpecProblem
from carewatch.spec.source_check import (
    Between,
    Known,
    Matches,
    Newest,
    NotEmpty,
    OneOf,
    RowCount,
    SumEquals,
    Test,
    Unique,
    UsualRows,
    parse_check,
    parse_test,
)
from carewatch.tell.check_words import in_chinese

SHOP = """
customers: master
checks: {source_checks}
streams:
  customers:
    from: customers
    fact: customer
    key: code
    event_at: since
    columns: {{name: name, credit_limit: credit}}
  orders:
    from: orders
    fact: order
    key: no
    customer: code
    event_at: at
    where: "status <> 'draft'"
    columns: {{order_no: no, amount: amount, kind: kind, due_on: due}}
    checks: {checks}
"""


@pytest.mark.parametrize(
    ("text", "test", "chinese"),
    [
        ("customer is not empty", NotEmpty("customer"), "客户编号不为空"),
        ("客户 不为空", NotEmpty("客户"), " 客户 不为空"),
        ("order_no is unique", Unique(("order_no",)), "订单号唯一"),
        ('order_no, "Line No" are unique', Unique(("order_no", "Line No")), "订单号、 Line No 唯一"),
        ("kind in [regular, spare]", OneOf("kind", ("regular", "spare")), "订单种类属于 [regular、spare]"),
        ("kind is in [1, 2]", OneOf("kind", (1.0, 2.0)), "订单种类属于 [1、2]"),
        ("amount between -50_000 and 5", Between("amount", -50_000.0, 5.0), "订单金额介于 -50000 和 5"),
        ("amount 介于 0 和 5", Between("amount", 0.0, 5.0), "订单金额介于 0 和 5"),
        ("amount at least 0.5", Between("amount", 0.5, None), "订单金额不小于 0.5"),
        ("due_on at most 2030-12-31", Between("due_on", None, date(2030, 12, 31)), "交货日期不大于 2030-12-31"),
        ('kind matches "^[a-z]+$"', Matches("kind", "^[a-z]+$"), '订单种类匹配 "^[a-z]+$"'),
        ("customer is known", Known("customer"), "客户编号已知"),
        ("order_no is known in invoice.invoice_no", Known("order_no", "invoice", "invoice_no"),
         "订单号在已知的账单号之中"),
        ("rows within 50 % of usual", UsualRows(0.5), "行数与往常相差不超过 50 %"),
        ("rows between 10 and 20", RowCount(10.0, 20.0), "行数介于 10 和 20"),
        ("rows at most 5", RowCount(None, 5.0), "行数不大于 5"),
        ("newest event_at within 2 days", Newest("event_at", timedelta(days=2)), "最新的下单日期不早于 2 天前"),
        ("sum of amount equals totals.total within 0.01", SumEquals("amount", "totals", "total", 0.01),
         "订单金额合计等于 totals.total 的合计（误差 0.01）"),
    ],
)  # fmt: skip
def test_a_check_is_a_plain_sentence(text: str, test: Test, chinese: str) -> None:
    assert parse_test(text) == test
    assert in_chinese(test, "order") == chinese


@pytest.mark.parametrize(
    ("text", "said", "column"),
    [
        ("amount is emtpy", "'amount is emtpy' is not a check; did you mean amount is not empty?", 7),
        ("amount betwen 1 and 2", "'amount betwen 1 and 2' is not a check; did you mean amount between A and B?", 7),
        ("rows within 50 of usual", "'rows within 50 of usual' is not a check; did you mean rows within 50 % of usual?", 0),
        ("rows within 101 % of usual", "101 % of usual; expected more than 0 and at most 100 %", 12),
        ("amount between 5 and 1", "the smallest value 5 is above the largest 1", 15),
        ("due_on between 2026-02-30 and 2026-03-01", "there is no day 2026-02-30", 15),
        ("due_on between 1 and 2026-03-01", "a number and a date; expected two of one kind", 21),
        ("newest at within 2 dys", "unknown unit 'dys'; expected elapsed time like '30 minutes', '2 hours' or '7 days'; "
         "did you mean 2 days?", 19),
        ('kind matches "("', "'(' is no regular expression (missing ), unterminated subpattern at position 0)", 14),
        ('kind matches "(?i)a"', "'(?i)a' has a group that begins with (?; expected a plain regular expression", 14),
        ("amount ＞ 5", "full-width '＞'; expected the ASCII character '>'; did you mean amount > 5?", 7),
        ("kind in [a, 1]", "numbers and texts in one list; expected one kind; numbers as text in quotes", 8),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_column_with_what_was_meant(text: str, said: str, column: int) -> None:
    with pytest.raises(SpecProblem) as caught:
        parse_test(text)
    assert (str(caught.value), caught.value.column_offset) == (said, column)


def test_severity_and_share_have_one_form() -> None:
    assert parse_check("amount is not empty").severity == "warn"
    check = parse_check({"check": "amount is not empty", "severity": "stop", "mostly": "99.5 %"})
    assert (check.severity, check.mostly, check.holds_rows, check.can_stop) == ("stop", 99.5, True, True)
    assert parse_check(check.data()) == check
    with pytest.raises(SpecProblem) as caught:
        parse_check({"check": "amount is emty", "severity": "stopp", "mostly": 0.99, "owner": "me"})
    assert [one.loc for one in caught.value.every()] == [("owner",), ("check",), ("severity",), ("mostly",)]
    with pytest.raises(SpecProblem, match="did you mean 99 %"):
        parse_check({"check": "amount is not empty", "mostly": 0.99})
    with pytest.raises(SpecProblem, match="judges a load as a whole"):
        parse_check({"check": "rows at least 1", "mostly": "99 %"})


@pytest.mark.parametrize(
    ("check", "waits", "stops"),
    [
        ({"check": "amount is not empty", "severity": "warn"}, False, False),
        ({"check": "amount is not empty", "severity": "stop"}, True, False),
        ({"check": "amount is not empty", "severity": "stop", "mostly": "99 %"}, True, True),
        ({"check": "customer is known", "severity": "stop", "mostly": "99 %"}, False, True),
        ({"check": "rows at least 1", "severity": "stop"}, False, True),
        ({"check": "rows at least 1", "severity": "warn"}, False, False),
    ],
)
def test_a_check_of_rows_holds_rows_and_one_of_a_load_stops_the_source(
    check: dict[str, str], waits: bool, stops: bool
) -> None:
    read = parse_check(check)
    assert (read.holds_rows, read.can_stop) == (waits, stops)


def wrong(*checks: Any, every: tuple[str, ...] = ()) -> list[str]:
    """Return what is said about checks, without the file."""
    with pytest.raises(AssertionError) as caught:
        sources(
            shop=SHOP.format(checks=json.dumps(checks, ensure_ascii=False), source_checks=json.dumps(every))
        )
    return [line.split(": ", 1)[1] for line in str(caught.value).splitlines()]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("amont is not empty", "unknown value 'amont'; did you mean amount?"),
        ({"check": "amount, custmer are unique", "severity": "stop"}, "unknown value 'custmer'; did you mean customer?"),
        ("kind between 1 and 2", "'kind' is a text, not a number in 'kind between 1 and 2'; expected a number"),
        ("due_on at least 5",
         "'due_on' is a date, not a number in 'due_on at least 5'; expected dates such as 2026-01-31"),
        ("amount at least 2026-01-01", "'amount' is a number, not a date in 'amount at least 2026-01-01'; expected numbers"),
        ("amount in [many]", "'amount' is a number in 'amount in [many]'; expected numbers in the list"),
        ('amount matches "1"', "'amount' is a number in 'amount matches \"1\"'; expected a text"),
        ("newest kind within 1 day", "'kind' is a text, not a time in 'newest kind within 1 day'"),
        ("kind is known in ordr.kind", "unknown fact 'ordr' in 'kind is known in ordr.kind'; did you mean order?"),
        ("kind is known in order.kin", "fact 'order' has no column of text 'kin' in 'kind is known in order.kin'; "
         "expected one of order_no, kind, currency, line; did you mean kind?"),
    ],
)  # fmt: skip
def test_what_a_check_names_must_be_there_and_fit(check: Any, said: str) -> None:
    assert wrong(check) == [said]


def test_problems_stand_at_line_and_column() -> None:
    text = SHOP.format(
        source_checks="[]", checks='\n      - amount is not empty\n      - {check: "amont at least 0"}'
    )
    with pytest.raises(AssertionError, match=r"sources.yaml:31:21: unknown value 'amont'"):
        sources(shop=text)


def test_a_check_stands_once_and_a_whole_source_has_checks_of_loads_only() -> None:
    assert wrong("rows at least 1", {"check": "rows at least 1", "severity": "stop"}) == [
        "'rows at least 1' stands there twice"
    ]
    assert wrong("kind is known in order.kind", "kind is known in order.line") == [
        "'kind' is asked to be known twice; expected one check"
    ]
    assert wrong(every=("amount is not empty",)) == [
        "'amount is not empty' is a check of one stream; expected it under the stream; of a whole source, checks of rows "
        "or of newest event_at"
    ]
    assert wrong("sum of amount equals custmers.credit_limit") == [
        "unknown stream 'custmers'; did you mean customers?"
    ]
    assert wrong("sum of amount equals customers.credit_limt") == [
        "unknown value 'credit_limt'; did you mean credit_limit?"
    ]
    assert wrong("sum of amount equals customers.name") == ["'customers.name' is no number"]


def test_a_changed_check_makes_nothing_be_read_anew() -> None:
    from tests.store.landed import FIRM

    from carewatch.spec.sources import feeds

    texts = (SHOP.format(checks=checks, source_checks="[]") for checks in ("[]", '["amount at least 0"]'))
    before, after = (feeds("shop", sources(shop=text)["shop"], FIRM) for text in texts)
    assert [feed.digest for feed in before] == [feed.digest for feed in after]
