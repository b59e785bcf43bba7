"""Three systems with keys of their own, whose customers are partly the same."""

from __future__ import annotations

from typing import Any

from tests.store.landed import Landing, sources

BAIDU, ALIBABA, HUAWEI = "91110000802100433B", "91330100799655058B", "914403001922038216"

SALES = """
customers: master
streams:
  customers:
    from: customers
    fact: customer
    key: code
    event_at: since
    changed_at: updated
    columns: {name: name, credit_code: uscc, industry: industry, owner: owner, parent: parent, credit_limit: credit}
  orders:
    from: orders
    fact: order
    key: no
    customer: code
    event_at: at
    columns: {order_no: no, amount: amount, line: line}
  id_map:
    from: id_map
    fact: same_customer
    key: [code, system, their_key]
    customer: code
    event_at: "'2020-01-01'"
    withdrawn_when: void = 'yes'
    columns: {other_source: system, other_key: their_key}
"""
FINANCE = """
customers: master
streams:
  accounts:
    from: accounts
    fact: customer
    key: account
    event_at: opened
    changed_at: updated
    columns: {name: name, credit_code: uscc, industry: industry, credit_limit: credit}
  invoices:
    from: invoices
    fact: invoice
    key: no
    customer: account
    event_at: at
    columns: {invoice_no: no, amount: amount}
"""
SUPPORT = """
customers: mapped
streams:
  tickets:
    from: tickets
    fact: ticket
    key: no
    customer: client
    event_at: at
    columns: {ticket_no: no, line: line}
"""


def three_systems(connection: Any) -> Landing:
    """Return landings of a sales, a finance and a support system."""
    return Landing(connection, sources(sales=SALES, finance=FINANCE, support=SUPPORT))


def customer(code: str, **more: str | None) -> dict[str, Any]:
    return {"code": code, "name": f"Firm {code}", "since": "2026-01-01", "updated": "2026-01-01", **more}


def account(no: str, **more: str | None) -> dict[str, Any]:
    return {"account": no, "name": f"Firm {no}", "opened": "2026-01-02", "updated": "2026-01-02", **more}


def order(no: str, code: str, at: str = "2026-05-01 10:00", **more: str) -> dict[str, Any]:
    return {"no": no, "code": code, "at": at, "amount": "10", **more}


def invoice(no: str, account_no: str) -> dict[str, Any]:
    return {"no": no, "account": account_no, "at": "2026-05-02", "amount": "10"}


def ticket(no: str, client: str, at: str = "2026-05-03 09:00", **more: str) -> dict[str, Any]:
    return {"no": no, "client": client, "at": at, **more}


def link(code: str, system: str, their_key: str, **more: str) -> dict[str, Any]:
    return {"code": code, "system": system, "their_key": their_key, **more}


def grouped(landing: Landing) -> list[set[str]]:
    """Return the keys that are one customer now, as `source:key`, those with others only."""
    rows = landing.rows(
        "select array_agg(p.key_space || ':' || p.customer_key) from care.identity i join care.party p using (party_no) "
        "where i.known_to is null group by i.customer_no having count(*) > 1 order by min(i.party_no)"
    )
    return [set(row[0]) for row in rows]


def customers_of(landing: Landing, fact: str) -> list[tuple[str, str]]:
    """Return every open fact's key with the id of its customer."""
    return landing.rows(
        f"select f.source_key, c.customer_id from care.fact_{fact} f join care.identity i using (party_no) "
        "join care.customer c using (customer_no) where f.known_to is null and i.known_to is null order by 1"
    )


def night(landing: Landing) -> None:
    """Let a night look at everything known now."""
    landing.rows(
        "insert into care.configuration values ('f', 'judgement', '{}', now()) on conflict do nothing returning 1"
    )
    landing.rows(
        "insert into care.night (day, event_cut, knowledge_cut, judgement, care, code_version, opened_at) "
        "select coalesce(max(day), '2026-06-01') + 1, %s, %s, 'f', 'f', '1', now() from care.night returning 1",
        landing.now, landing.now,
    )  # fmt: skip
