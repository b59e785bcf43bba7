"""What sources.yaml may say, and how its mistakes are told."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from carewatch.spec.document import SpecError, parse_document, validate
from carewatch.spec.facts import FACTS
from carewatch.spec.firm import Firm
from carewatch.spec.source_words import WORDS
from carewatch.spec.sources import SourcesFile, feeds, load_sources, plans

FIRM = Firm.model_validate({"version": 1, "name": "x", "time_zone": "Asia/Shanghai"})
GOOD = dedent("""\
    version: 1
    sources:
      sales:
        label: {en: Sales, zh-CN: 销售系统}
        owner: sales operations
        kind: database
        connection: care_sales
        schema: crm
        customers: master
        every: 1 hour
        delay: 1 hour
        fresh_within: 26 hours
        streams:
          orders:
            from: orders
            fact: order
            key: order_no
            customer: customer_code
            event_at: ordered_at
            changed_at: updated_at
            cursor: updated_at
            where: "status <> 'draft'"
            columns: {amount: total, kind: "case when total < 0 then 'credit' else 'regular' end"}
            bounds: {amount: [-10_000_000, 10_000_000]}
          customers:
            from: customers
            fact: customer
            key: code
            event_at: since
            columns: {name: name}
      shop:
        label: Shop
        owner: shop
        kind: files
        connection: ./shop
        customers: as in sales
        every: 1 day
        fresh_within: 40 days
        streams:
          invoices:
            from: "lines_*.csv"
            fact: order
            key: invoice
            customer: customer
            event_at: at
            combine: per_file
            columns: {amount: sum(quantity * price)}
          lines:
            from: "lines_*.csv"
            fact: order_line
            key: [invoice, line]
            customer: customer
            event_at: at
            columns: {product: product, quantity: quantity}
      tickets:
        label: Tickets
        owner: service
        kind: rest
        connection: care_tickets
        customers: as in sales
        every: 30 minutes
        fresh_within: 1 day
        paging: {by: link, field: next}
        streams:
          tickets:
            from: api/tickets
            fact: ticket
            key: no
            customer: customer.code
            event_at: opened_at
            columns: {ticket_no: no}
    """)


def read(text: str) -> SourcesFile:
    file, problems = validate(parse_document(text, file="sources.yaml"), SourcesFile)
    assert file is not None, "\n".join(map(str, problems))
    return file


def test_a_good_file_is_read_and_streams_of_one_file_share_a_feed() -> None:
    sources = read(GOOD).sources
    assert [plan.name for plan in plans("sales", sources["sales"], FIRM)] == ["customers", "orders"]
    (shop,) = feeds("shop", sources["shop"], FIRM)
    assert (shop.name, shop.streams) == ("invoices", ("invoices", "lines"))
    assert shop.columns == ("invoice", "customer", "at", "quantity", "price", "line", "product")
    (tickets,) = feeds("tickets", sources["tickets"], FIRM)
    assert tickets.columns == ("no", "customer.code", "opened_at")


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("amount: total", "amount: total * 2", False),
        ("status <> 'draft'", "status <> 'void'", False),
        ("10_000_000]", "20_000_000]", False),
        ("customers: master", "time_zone: UTC\n    customers: master", False),
        ("cursor: updated_at", "snapshot: true", False),
        ("cursor: updated_at", "cursor: updated_at\n        reread: 7 days", True),
        ("owner: sales operations", "owner: somebody else", True),
        ("every: 1 hour", "every: 2 hours", True),
    ],
)
def test_the_digest_of_a_feed_changes_with_what_its_rows_become(before: str, after: str, same: bool) -> None:
    old, new = (
        {feed.name: feed.digest for feed in feeds("sales", read(text).sources["sales"], FIRM)}
        for text in (GOOD, GOOD.replace(before, after))
    )
    assert (old["orders"] == new["orders"]) is same


MISTAKES = [
    (
        "kind: database",
        "kind: databse",
        "6:11: 'databse' is not a possible value; expected database or rest or files; did you mean database?",
    ),
    (
        "every: 1 hour",
        "every: 1",
        "10:12: 1 has no unit; expected elapsed time like '30 minutes', '2 hours' or '7 days'; did you mean 1 hours?",
    ),
    (
        "  sales:\n",
        "  typed:\n",
        "3:3: 'typed' is the source of what people type (care import); expected another name",
    ),
    ("every: 1 hour", "every: 1 hr", "10:14: unknown unit 'hr'; expected elapsed time like"),
    (
        "customers: master",
        "customers: mastr",
        "9:16: 'mastr' does not say whose customer keys these are; expected master, derived, mapped or 'as in <source>'; "
        "did you mean master?",
    ),
    (
        "customers: master",
        "customers: derived",
        "customers are derived, but stream 'customers' gives them; expected customers: master",
    ),
    ("fact: customer\n", "fact: order\n", "fact 'order' needs the column 'amount'"),
    (
        "customers: as in sales",
        "customers: as in sails",
        "'sails' has no customer keys of its own; expected as in sales; did you mean sales?",
    ),
    ("fact: order\n", "fact: ordr\n", "16:15: unknown fact 'ordr'; expected one of customer, contact_event"),
    (
        "{amount: total,",
        "{amuont: total,",
        "23:19: fact 'order' has no column 'amuont'; expected one of order_no, kind, amount, currency, line, due_on; did you mean amount?",
    ),
    (
        "{amount: total,",
        "{amount_original: total,",
        "'amount_original' is filled by the loader; expected amount, as the source gives it",
    ),
    (
        "{amount: total, kind",
        "{kind",
        "fact 'order' needs the column 'amount' (order amount, in the firm's currency)",
    ),
    (
        "        customer: customer_code\n",
        "",
        "fact 'order' needs 'customer', the source's key of the customer",
    ),
    (
        "bounds: {amount: [-10_000_000",
        "bounds: {amont: [-10_000_000",
        "bounds of 'amont', which is not in columns; did you mean amount?",
    ),
    ("bounds: {amount", "bounds: {kind", "'kind' is no number and has no bounds"),
    ("[-10_000_000, 10_000_000]", "[10, 1]", "the smallest value 10 is above the largest 1"),
    (
        "amount: total,",
        "amount: total::numeric,",
        "a cast is not needed in 'total::numeric'; expected the column alone, or types: {total: number}",
    ),
    ("amount: total,", "amount: now(),", "the present time is asked for"),
    (
        "amount: total,",
        "amount: sum(total),",
        "'sum(total)' has an aggregate; expected combine: per_file or per_load beside it",
    ),
    ("amount: total,", "amount: total total,", "'total total' is not one expression"),
    ("amount: total,", "amount: (select 1),", "'(SELECT 1)' is not allowed"),
    (
        "status <> 'draft'",
        "status like other",
        "a pattern is not written out in 'status like other'; expected one in quotes",
    ),
    ("status <> 'draft'", "sum(total) over () > 1", "is not allowed"),
    ("amount: total,", "amount: trim('x' from total),", "'TRIM('x' FROM total)' is not allowed"),
    ("amount: total,", "amount: total collate x,", "is not allowed"),
    ("amount: total,", "amount: pg_sleep(5),", "function 'pg_sleep' is not allowed"),
    (
        "status <> 'draft'",
        "status",
        "'status' is a text, not a condition; expected a comparison such as status <> 'draft'",
    ),
    (
        "status <> 'draft'",
        "status > other",
        "texts are compared by size in 'status > other'; expected the kind of the columns, such as types: {status: instant}",
    ),
    ("status <> 'draft'", "status ~ '('", "'(' is no regular expression"),
    (
        "sum(quantity * price)",
        "quantity * price",
        "'price' in 'quantity * price' may differ among the rows that are combined; expected an aggregate such as last(price)",
    ),
    ("sum(quantity * price)", "sum(sum(price))", "an aggregate stands inside another"),
    (
        "cursor: updated_at",
        "cursor: updated_at\n        combine: per_load",
        "'combine' needs all rows of a key in one load, and 'cursor' brings only the changed ones",
    ),
    ("cursor: updated_at", "curser: updated_at", "unknown key 'curser'; did you mean cursor?"),
    (
        "cursor: updated_at",
        "cursor: updated_at\n        snapshot: true",
        "every other row would seem deleted; expected one of the two",
    ),
    (
        "cursor: updated_at",
        "ends_at_most: 10",
        "'ends_at_most' is for streams that detect deleted rows; expected snapshot: true beside it",
    ),
    ("paging: {by: link, field: next}", "paging: {by: page}", "paging by page needs 'parameter'"),
    (
        "customers: master",
        "time_zone: Asia/Shanghi\n    customers: master",
        "unknown time zone 'Asia/Shanghi'; expected a name such as Asia/Shanghai; did you mean Asia/Shanghai?",
    ),
    (
        "connection: ./shop",
        "connection: ./shop\n    encoding: utf8000",
        "unknown encoding 'utf8000'; expected auto, utf-8, gb18030, latin-1",
    ),
    ("bounds: {amount: [-10_000_000, 10_000_000]}", "types: {totl: number}", "no expression reads 'totl'"),
]


@pytest.mark.parametrize(("before", "after", "message"), MISTAKES)
def test_a_mistake_is_told_in_one_line_with_what_was_meant(before: str, after: str, message: str) -> None:
    assert before in GOOD
    _, problems = validate(parse_document(GOOD.replace(before, after, 1), file="sources.yaml"), SourcesFile)
    told = [str(problem) for problem in problems]
    assert any(message in line for line in told), told


def test_all_mistakes_of_all_streams_are_told_at_once() -> None:
    text = (
        GOOD.replace("ordered_at", "orderd(")
        .replace("event_at: since", "event_at: min(since)")
        .replace("price", "prce(x)")
    )
    _, problems = validate(parse_document(text, file="sources.yaml"), SourcesFile)
    assert len(problems) == 3


def test_the_folder_is_read_with_the_firm_and_every_problem_of_both_files(tmp_path: Path) -> None:
    (tmp_path / "firm.yaml").write_text("version: 1\nname: Firm\ntime_zone: Asia/Shanghai\n")
    (tmp_path / "sources.yaml").write_text(GOOD)
    read_back = load_sources(tmp_path)
    assert (read_back.firm.time_zone, list(read_back.sources)) == (
        "Asia/Shanghai",
        ["sales", "shop", "tickets"],
    )
    (tmp_path / "firm.yaml").write_text("version: 1\nname: Firm\ntime_zone: Shanghai\n")
    (tmp_path / "sources.yaml").write_text(GOOD.replace("kind: rest", "kind: soap"))
    with pytest.raises(SpecError) as raised:
        load_sources(tmp_path)
    assert len(raised.value.problems) == 2


def test_closed_words_belong_to_columns_that_exist() -> None:
    for fact, column in WORDS:
        assert FACTS[fact].column(column) is not None
