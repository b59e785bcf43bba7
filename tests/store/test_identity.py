"""Keys of several systems become one customer, by codes and links; names only suggest, and nothing is rewritten."""

from __future__ import annotations

import itertools
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.store.identity_case import (
    ALIBABA,
    BAIDU,
    FINANCE,
    HUAWEI,
    SALES,
    SUPPORT,
    account,
    customer,
    customers_of,
    grouped,
    invoice,
    link,
    night,
    order,
    three_systems,
    ticket,
)  # fmt: skip
from tests.store.landed import NOW, Landing, sources

from carewatch.measure.cut import Cut
from carewatch.spec.document import parse_document, validate
from carewatch.spec.firm import Firm
from carewatch.spec.metrics import Metric
from carewatch.spec.sources import Sources, SourcesFile
from carewatch.store.database import Connection
from carewatch.store.identity import sync_priority
from carewatch.store.live_warnings import masters
from carewatch.store.metrics import attributes_at, metrics_at

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRM = Firm.model_validate({"version": 1, "name": "x", "time_zone": "Asia/Shanghai", "currency": "CNY"})
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.fixture
def landing(connection: Connection) -> Landing:
    return three_systems(connection)


FIRST_LOADS = {
    "sales": {
        "customers": [customer("C1", uscc=BAIDU), customer("C2", uscc=ALIBABA), customer("C3")],
        "orders": [order("O1", "C1"), order("O2", "C2"), order("O3", "C3")],
        "id_map": [link("C1", "support", "s-1"), link("C3", "finance", "D3")],
    },
    "finance": {
        "accounts": [account("D1", uscc=BAIDU), account("D2"), account("D3")],
        "invoices": [invoice("I1", "D1"), invoice("I2", "D2"), invoice("I3", "D3")],
    },
    "support": {"tickets": [ticket("T1", "s-1")]},
}


@pytest.mark.req("S1")
@pytest.mark.parametrize("first_to_last", list(itertools.permutations(FIRST_LOADS)))
def test_three_systems_load_and_every_row_has_one_customer(
    landing: Landing, first_to_last: tuple[str, ...]
) -> None:
    sync_priority(landing.connection, Sources(FIRM, landing.sources, {"otherwise": ["sales", "finance"]}))
    for source in first_to_last:
        landing.take(source, **FIRST_LOADS[source])
        landing.later(minutes=5)
    landing.conform("support")
    assert landing.waiting() == []
    assert sorted(map(sorted, grouped(landing))) == [
        ["finance:D1", "sales:C1", "support:s-1"], ["finance:D3", "sales:C3"],
    ]  # fmt: skip
    assert customers_of(landing, "order") == [("O1", "C1"), ("O2", "C2"), ("O3", "C3")]
    assert customers_of(landing, "invoice") == [("I1", "C1"), ("I2", "D2"), ("I3", "C3")]
    assert customers_of(landing, "ticket") == [("T1", "C1")]
    assert landing.rows("select count(*) from care.identity where known_to is not null") == [(0,)], (
        "no night has seen them apart, so they were never apart"
    )


def test_a_row_of_a_key_that_no_map_names_waits_until_one_does(landing: Landing) -> None:
    landing.take("sales", customers=[customer("C1")])
    landing.take("support", tickets=[ticket("T1", "s-1"), ticket("T2", "s-2")])
    assert landing.waiting() == [("unknown customer",), ("unknown customer",)]
    landing.later(hours=1)
    landing.take("sales", id_map=[link("C1", "support", "s-1")])
    landing.conform("support")
    assert customers_of(landing, "ticket") == [("T1", "C1")]
    assert landing.waiting("source_key") == [("T2",)]


def test_a_link_of_a_customer_who_is_not_known_yet_waits_as_well(landing: Landing) -> None:
    landing.take("sales", id_map=[link("C9", "support", "s-9")])
    assert landing.waiting() == [("unknown customer",)]
    landing.take("sales", customers=[customer("C9")])
    assert landing.waiting() == []
    assert grouped(landing) == [{"sales:C9", "support:s-9"}]


def test_what_becomes_known_after_a_night_leaves_that_night_its_customers(landing: Landing) -> None:
    landing.take("sales", customers=[customer("C1")], orders=[order("O1", "C1")])
    landing.take("finance", accounts=[account("D1")], invoices=[invoice("I1", "D1")])
    night(landing)
    seen = landing.now
    landing.later(hours=1)
    landing.take("sales", id_map=[link("C1", "finance", "D1")])
    assert grouped(landing) == [{"sales:C1", "finance:D1"}]
    metrics = {
        "rows": Metric.model_validate({"label": "x", "kind": "count", "fact": "invoice", "window": "90 days"})
    }
    counts = {}
    for cut in (seen, landing.now, seen):
        customers, columns = metrics_at(
            landing.connection, metrics, ["rows"], Cut(date(2026, 6, 2), NOW, cut, SHANGHAI)
        )
        counts[cut] = (len(customers), columns["rows"].tolist())
    assert counts == {seen: (2, [0.0, 1.0]), landing.now: (1, [1.0])}
    assert landing.rows("select count(*) from care.fact_invoice") == [(1,)], "no fact is rewritten"


@pytest.mark.parametrize("looked", [False, True])
def test_a_link_that_is_withdrawn_parts_what_it_joined(landing: Landing, looked: bool) -> None:
    landing.take("sales", customers=[customer("C1")], id_map=[link("C1", "finance", "D1")])
    landing.take("finance", accounts=[account("D1")])
    assert grouped(landing) == [{"sales:C1", "finance:D1"}]
    if looked:
        night(landing)
    landing.later(hours=1)
    landing.take("sales", id_map=[link("C1", "finance", "D1", void="yes"), link("C1", "finance", "D2")])
    landing.take("finance", accounts=[account("D2")], invoices=[invoice("I1", "D1"), invoice("I2", "D2")])
    assert grouped(landing) == [{"sales:C1", "finance:D2"}]
    assert customers_of(landing, "invoice") == [("I1", "finance:D1"), ("I2", "C1")]


@pytest.mark.parametrize("code", [BAIDU[:-1] + "C", BAIDU[:-1], "0" * 18, "I" + BAIDU[1:], "", "无"])
def test_a_code_that_is_none_is_kept_and_joins_nothing(landing: Landing, code: str) -> None:
    landing.take("sales", customers=[customer("C1", uscc=code)])
    landing.take("finance", accounts=[account("D1", uscc=code)])
    assert grouped(landing) == []
    assert landing.open_facts("customer", "credit_code")["C1"] == (code or None,)


def test_a_code_is_the_same_however_it_is_typed(landing: Landing) -> None:
    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in HUAWEI)
    landing.take("sales", customers=[customer("C1", uscc=BAIDU.lower()), customer("C2", uscc=full_width)])
    landing.take(
        "finance", accounts=[account("D1", uscc="9111 0000-8021 0043 3B"), account("D2", uscc=HUAWEI)]
    )
    assert grouped(landing) == [{"sales:C1", "finance:D1"}, {"sales:C2", "finance:D2"}]


def check_letter(body: str) -> str:
    """The check letter of GB 32100-2015, written independently of the warehouse's."""
    total = sum(LETTERS.index(letter) * pow(3, place, 31) for place, letter in enumerate(body))
    return LETTERS[-total % 31]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.text(alphabet=LETTERS, min_size=17, max_size=17),
    place=st.integers(0, 17),
    shift=st.integers(1, 30),
)
def test_the_check_letter_finds_every_single_slip(
    connection: Connection, body: str, place: int, shift: int
) -> None:
    assume(len(set(body)) > 2)
    code = body + check_letter(body)
    wrong = LETTERS[(LETTERS.index(code[place]) + shift) % 31]
    slipped = code[:place] + wrong + code[place + 1 :]
    row = connection.execute("select care.credit_code(%s), care.credit_code(%s)", (code, slipped)).fetchone()
    assert row == (code, None)


@pytest.mark.parametrize(("one", "other", "same"), [
    ("上海某某科技有限公司", "上海某某科技股份有限公司", True),
    ("ＡＢＣ（上海）有限公司", "abc(上海)", True),
    ("Amber Tools Co., Ltd.", "AMBER TOOLS", True),
    ("Amber Tools Limited", "Amber  Tools, Inc.", True),
    ("Amber Tools", "Amber Toys", False),
    ("Cobalt Ltd", "Balt", False),
])  # fmt: skip
def test_names_fold_by_width_case_signs_and_legal_form(
    connection: Connection, one: str, other: str, same: bool
) -> None:
    row = connection.execute("select care.folded_name(%s) = care.folded_name(%s)", (one, other)).fetchone()
    assert row == (same,)


def test_equal_names_join_nothing(landing: Landing) -> None:
    landing.take("sales", customers=[customer("C1", name="某某有限公司")])
    landing.take("finance", accounts=[account("D1", name="某某有限公司")])
    assert grouped(landing) == []


def _prefer(landing: Landing, **priority: list[str]) -> None:
    assert sync_priority(landing.connection, Sources(FIRM, landing.sources, priority))


def _attributes(landing: Landing, at: object = None) -> tuple[object, object]:
    number = landing.rows("select customer_no from care.customer where customer_id = 'C1'")[0][0]
    cut = Cut(date(2026, 6, 2), NOW, at or landing.now, SHANGHAI)  # type: ignore[arg-type]
    import numpy as np

    numbers = np.array([number], dtype=np.int32)
    found = attributes_at(landing.connection, cut, numbers, ["industry"])["industry"][0]
    return found, masters(landing.connection, [number], at or landing.now)[number].name  # type: ignore[arg-type]


@pytest.mark.req("S4")
def test_of_two_values_the_source_first_in_priority_wins_and_the_other_is_kept(landing: Landing) -> None:
    _prefer(landing, otherwise=["sales", "finance"], industry=["finance", "sales"])
    landing.take(
        "sales", customers=[customer("C1", uscc=BAIDU, industry="tools", owner="ann", name="Long name")]
    )
    landing.take("finance", accounts=[account("D1", uscc=BAIDU, industry="trade", name="Short", credit="7")])
    assert _attributes(landing) == ("trade", "Long name")
    assert landing.rows("select owner, credit_limit::integer from care.customer_master") == [("ann", 7)], (
        "a source without a value leaves the word to the next"
    )
    assert landing.rows("select industry from care.fact_customer where known_to is null order by 1") == [
        ("tools",), ("trade",),
    ]  # fmt: skip
    night(landing)
    before = landing.now
    landing.later(hours=1)
    _prefer(landing, otherwise=["finance"], industry=["sales"])
    assert _attributes(landing) == ("tools", "Short")
    assert _attributes(landing, before) == ("trade", "Long name"), "a night that was keeps its priority"
    assert not sync_priority(
        landing.connection, Sources(FIRM, landing.sources, {"otherwise": ["finance"], "industry": ["sales"]})
    )


def test_without_priority_the_order_of_the_file_decides(landing: Landing) -> None:
    landing.take("finance", accounts=[account("D1", uscc=BAIDU, industry="trade")])
    landing.take("sales", customers=[customer("C1", uscc=BAIDU, industry="tools")])
    _prefer(landing)
    assert landing.rows("select industry from care.customer_master") == [("tools",)]


def _problems(priority: str, *replacements: tuple[str, str]) -> list[str]:
    from textwrap import indent

    common = "    label: x\n    owner: x\n    kind: files\n    connection: ./x\n    every: 1 hour\n    fresh_within: 1 day\n"
    text = "version: 1\nsources:\n" + "".join(
        f"  {name}:\n{common}{indent(body.strip(chr(10)), '    ')}\n"
        for name, body in (("sales", SALES), ("finance", FINANCE), ("support", SUPPORT))
    )
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    _, problems = validate(parse_document(text + priority, file="sources.yaml"), SourcesFile)
    return [str(problem).split(": ", 1)[1] for problem in problems]


@pytest.mark.parametrize(("priority", "said"), [
    ("priority: {otherwise: [sales, finance]}\n", None),
    ("priority: {industri: [sales]}\n", "did you mean industry?"),
    ("priority: {otherwise: [sale]}\n", "'sale' says nothing about customers: it has no stream with 'fact: customer'"),
    ("priority: {name: [sale]}\n", "did you mean sales?"),
    ("priority: {name: [support]}\n", "'support' says nothing about customers"),
    ("priority: {name: [sales, finance, sales]}\n", "'sales' stands twice in one list"),
    ("priority: {name: []}\n", ""),
])  # fmt: skip
def test_a_mistake_in_priority_is_named(priority: str, said: str | None) -> None:
    found = _problems(priority)
    assert found == [] if said is None else any(said in line for line in found), found


def test_an_id_map_to_a_source_that_is_none_is_named() -> None:
    assert _problems("", ("other_source: system", "other_source: \"'finance'\"")) == []
    found = _problems("", ("other_source: system", "other_source: \"'finanse'\""))
    assert len(found) == 1 and "did you mean finance?" in found[0]


def test_a_mapped_source_gives_no_customers_itself() -> None:
    found = _problems(
        "",
        ("fact: ticket", "fact: customer"),
        ("columns: {ticket_no: no, line: line}", "columns: {name: no}"),
    )
    assert any("customers are mapped, but stream 'tickets' gives them" in line for line in found)


def test_a_chain_of_links_is_one_customer_whatever_its_length(landing: Landing) -> None:
    many = 200
    landing.take("sales", customers=[customer(f"C{n:03}") for n in range(many)])
    landing.take("finance", accounts=[account(f"D{n:03}") for n in range(many)])
    landing.later(hours=1)
    links = [
        link(f"C{n:03}", "finance", f"D{(n + shift) % many:03}") for n in range(many) for shift in (0, 1)
    ]
    landing.take(
        "sales", id_map=[one for one in links if one["their_key"] != "D000" or one["code"] == "C000"]
    )
    assert [len(keys) for keys in grouped(landing)] == [2 * many]
    assert landing.rows("select count(*) from care.customer where customer_no in (select customer_no from care.identity "
                        "where known_to is null)") == [(1,)]  # fmt: skip


def test_two_systems_may_use_one_key_for_different_customers(connection: Connection) -> None:
    landing = Landing(connection, sources(sales=SALES, finance=FINANCE, support=SUPPORT))
    landing.take("sales", customers=[customer("X")])
    landing.take("finance", accounts=[account("X")])
    assert grouped(landing) == []
