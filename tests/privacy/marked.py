"""A firm with one customer whose every value is marked, planted wherever the warehouse may keep something about it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg.types.json import Jsonb
from tests.firm import MONDAY, TinyFirm, configure
from tests.store.landed import FIRM, Landing, sources, sources_text

from carewatch.flow.acts import acknowledge, close, plan
from carewatch.flow.check_report import report
from carewatch.flow.review import review_quarter
from carewatch.spec.sources import Sources
from carewatch.store import check_results, rulings
from carewatch.store.check_results import Result
from carewatch.store.database import Connection
from carewatch.store.quarantine import HeldRow, hold_back

SALES = """
customers: master
streams:
  customers:
    from: customers
    fact: customer
    key: code
    event_at: since
    changed_at: updated
    columns: {name: name, credit_code: uscc, parent: parent, industry: industry, owner: owner, email: mail,
      phone: phone, profit_rate: profit}
    snapshot: true
  contacts:
    from: contacts
    fact: contact_event
    key: [code, contact]
    customer: code
    event_at: at
    columns: {contact: contact, what: what, name: name, role: role, department: department}
  orders:
    from: orders
    fact: order
    key: no
    customer: code
    event_at: at
    columns: {order_no: no, amount: amount}
  surveys:
    from: surveys
    fact: survey
    key: no
    customer: code
    event_at: at
    columns: {score: score, comment: comment}
  notes:
    from: notes
    fact: note
    key: no
    customer: code
    event_at: at
    columns: {what: what, text: said}
  talks:
    from: talks
    fact: interaction
    key: no
    customer: code
    event_at: at
    columns: {what: what, summary: said, reference: recording}
  documents:
    from: documents
    fact: document
    key: no
    customer: code
    event_at: at
    columns: {title: title, reference: place, project: project}
  news:
    from: news
    fact: market_event
    key: no
    customer: code
    event_at: at
    columns: {what: what, title: title}
  id_map:
    from: id_map
    fact: same_customer
    key: [code, their_key]
    customer: code
    event_at: "'2020-01-01'"
    columns: {other_source: system, other_key: their_key}
"""
CRM = """
customers: mapped
streams:
  baskets:
    from: baskets
    fact: order
    key: no
    customer: max(client)
    event_at: max(at)
    combine: per_load
    columns: {amount: sum(amount)}
"""


@dataclass
class Marked:
    """The firm, its landings, and the marks that were planted: by what they stand for."""

    firm: TinyFirm
    landing: Landing
    sources: Sources
    folder: Path
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def connection(self) -> Connection:
        return self.firm.connection

    def mark(self, what: str) -> str:
        """Return a text that stands nowhere else."""
        return self.marks.setdefault(what, f"zq{len(self.marks):02d}mark{what.replace(' ', '')}")

    def found(self) -> dict[str, set[str]]:
        """Return in which columns of the warehouse which marks stand, looking at every value of every table."""
        return found(self.connection, self.marks)


def found(connection: Connection, marks: dict[str, str]) -> dict[str, set[str]]:
    """Return by `schema.table.column` the marks that stand in any of its values."""
    where: dict[str, set[str]] = defaultdict(set)
    for schema, table in connection.execute(
        "select schemaname, tablename from pg_tables where schemaname in ('care', 'quarantine', 'checking') "
        "or schemaname like 'raw\\_%' order by 1, 2"
    ).fetchall():
        rows = connection.execute(
            f'select row_to_json(t)::text from {schema}."{table}" t'.encode()
        ).fetchall()
        for (row,) in rows:
            if any(mark in row for mark in marks.values()):
                for name, value in connection.execute(
                    "select key, value from json_each_text(%s::json)", (row,)
                ).fetchall():
                    here = {what for what, mark in marks.items() if value is not None and mark in value}
                    if here:
                        where[f"{schema}.{table}.{name}"] |= here
    return dict(where)


def rows_of(connection: Connection) -> dict[str, list[str]]:
    """Return every row of every table as text."""
    tables = connection.execute(
        "select schemaname, tablename from pg_tables where schemaname in ('care', 'quarantine') "
        "or schemaname like 'raw\\_%' order by 1, 2"
    ).fetchall()
    return {
        f"{schema}.{table}": sorted(
            row[0] for row in connection.execute(f'select t::text from {schema}."{table}" t'.encode())
        )
        for schema, table in tables
    }


def town(connection: Connection, folder: Path) -> Marked:
    """Make the firm, with a history, three nights, a plan, notices, a review, checks and rows that wait."""
    firm = TinyFirm(connection, configure(folder))
    made = sources(sales=SALES, crm=CRM)
    (folder / "sources.yaml").write_text(sources_text(sales=SALES, crm=CRM), encoding="utf-8")
    landing = Landing(connection, made, datetime(2026, 5, 30, 4, tzinfo=UTC))
    given = Marked(firm, landing, Sources(FIRM, made), folder)
    _land(given)
    _nights(given)
    _acts(given)
    _elsewhere(given)
    return given


def key(given: Marked) -> str:
    return given.mark("key")


def rows_from_sales(given: Marked) -> dict[str, list[dict[str, Any]]]:
    """Return what the sales system says of the marked customer and of another one."""
    mine, mark = key(given), given.mark
    other = "other-1"
    return {
        "customers": [
            {"code": mine, "name": mark("name"), "uscc": mark("code"), "since": "2020-01-01", "updated": "2020-01-01",
             "industry": "tools", "owner": "ann", "mail": f"{mark('mail')}@buyer.example", "phone": mark("phone"), "profit": "50"},
            {"code": other, "name": "Firm Other", "since": "2020-01-01", "updated": "2020-01-01", "parent": mine,
             "industry": "tools", "owner": "ann", "mail": "other@buyer.example", "phone": "5550001", "profit": "50"},
        ],
        "contacts": [
            {"code": mine, "contact": mark("contact"), "at": "2021-01-01", "what": "joined", "name": mark("person"),
             "role": mark("role"), "department": mark("department")},
            {"code": other, "contact": "k1", "at": "2021-01-01", "what": "joined", "name": "Li Na", "role": "head"},
        ],
        "orders": [
            {"no": f"{mark('order')}{n}", "code": mine, "at": f"2026-0{n}-10 10:00", "amount": "100"} for n in range(1, 5)
        ] + [{"no": f"O{n}", "code": other, "at": f"2026-0{n}-11 10:00", "amount": "70"} for n in range(1, 6)],
        "surveys": [{"no": "S1", "code": mine, "at": "2026-05-02", "score": "2", "comment": mark("comment")},
                    {"no": "S2", "code": other, "at": "2026-05-02", "score": "4", "comment": "fine"},
                    {"no": mark("badkey"), "code": mine, "at": "2026-05-03", "score": mark("badvalue"), "comment": mark("unread")},
                    {"no": "S4", "code": other, "at": "2026-05-03", "score": "bad", "comment": "waits"},
                    {"_file": "s.csv", "_line": 9, "_fault": "too many cells", "_raw": f"S5,{mine},{mark('raw')}"},
                    {"_file": "s.csv", "_line": 10, "_fault": "too many cells", "_raw": "S6,other-1,x,y"}],
        "notes": [{"no": "N1", "code": mine, "at": "2026-05-04", "what": "price", "said": mark("note")}],
        "talks": [{"no": "T1", "code": mine, "at": "2026-05-05", "what": "call", "said": mark("summary"),
                   "recording": mark("recording")}],
        "documents": [{"no": "D1", "code": mine, "at": "2026-05-06", "title": mark("title"), "place": mark("place"),
                       "project": mark("project")}],
        "news": [{"no": "W1", "code": mine, "at": "2026-05-07", "what": "competitor", "title": mark("news")}],
        "id_map": [{"code": mine, "system": "crm", "their_key": mark("otherkey")}],
    }  # fmt: skip


def _land(given: Marked) -> None:
    landing = given.landing
    landing.take("sales", **rows_from_sales(given))
    landing.take(
        "crm",
        baskets=[
            {"no": "B1", "client": given.mark("otherkey"), "at": "2026-05-08", "amount": "5"},
            {"no": "B1", "client": given.mark("otherkey"), "at": "2026-05-08", "amount": "6"},
        ],
    )
    corrected = rows_from_sales(given)["customers"]
    corrected[0] |= {"name": given.mark("newname"), "updated": "2026-05-20"}
    landing.later(hours=1)
    landing.take("sales", customers=corrected)
    landing.connection.execute(
        "create table raw_sales.left_over (_row bigint, _dlt_load_id text, _fault text, _raw text, who text, x text)"
    )
    landing.connection.execute(
        "insert into raw_sales.left_over values (0, '1', null, null, %s, %s), (1, '1', null, null, 'other-1', 'kept')",
        (key(given), given.mark("orphan")),
    )


def _nights(given: Marked) -> None:
    firm = given.firm
    for name, customer_key in (("marked", key(given)), ("other", "other-1")):
        [(party, number)] = firm.rows(
            "select p.party_no, i.customer_no from care.party p join care.identity i using (party_no) "
            "where p.key_space = 'sales' and p.customer_key = %s and i.known_to is null", customer_key,
        )  # fmt: skip
        firm.facts.parties[name], firm.facts.customers[name] = party, number
    # The first night's warnings share a digest; on the second one has to be told alone.
    both = {"quiet": 1}, {"quiet": 1}
    for at, (mine, theirs) in enumerate((both, ({"halt": 1}, {"strain": 1}), ({"halt": 1}, {"strain": 1}))):
        night = MONDAY + timedelta(days=at)
        for name, dials in (("marked", mine), ("other", theirs)):
            firm.dial(name, night, **({"quiet": 0, "strain": 0, "halt": 0, "mood": 90} | dials))
        firm.night(night)
        firm.tick(firm.moment(night, 33))


def _acts(given: Marked) -> None:
    firm, mark = given.firm, given.mark
    now = firm.moment(MONDAY, 60)
    [(number,)] = firm.rows(
        "select warning_no from care.warning where customer_no = %s", firm.facts.customers["marked"]
    )
    acknowledge(firm.connection, number, by="ann", now=now)
    plan(firm.connection, number, by="ann", text=mark("plan"), next_date=None, now=now)
    [(other,)] = firm.rows(
        "select warning_no from care.warning where closed_at is null and customer_no = %s",
        firm.facts.customers["other"],
    )
    plan(firm.connection, other, by="ann", text="a plan for the other", next_date=None, now=now)
    close(firm.connection, other, by="ann", result="recovered", note="a note of the other", now=now)
    rulings_made(given)
    firm.connection.execute(
        "update care.warning set result_note = %s where warning_no = %s", (mark("resultnote"), number)
    )
    firm.connection.execute(
        "update care.signal set evidence = evidence || %s, fact_key = 'sales.news/' || %s where customer_no = %s",
        (Jsonb({"industry": mark("evidence")}), mark("factkey"), firm.facts.customers["marked"]),
    )
    firm.connection.execute(
        "insert into care.health_override (customer_no, colour, until_day, why, by, set_at) "
        "values (%s, 1, '2026-05-01', %s, 'ann', '2026-04-30')",
        (firm.facts.customers["marked"], mark("override")),
    )
    for table in ("warning", "warning_event"):
        firm.connection.execute(
            f"update care.{table} set reasons = jsonb_set(reasons, '{{0,text,en}}', to_jsonb(%s::text)) where warning_no = %s".encode(),
            (mark("reason"), number),
        )
    firm.connection.execute(
        "update care.outbox set answer = %s, state = 'failed' where key = 'digest/bob/mail/2026-06-02'",
        (mark("answer"),),
    )
    firm.connection.execute(
        "update care.outbox set state = 'sent' where key like 'reminder/%' or key like '%chat%'"
    )


def rulings_made(given: Marked) -> None:
    """Let a third customer go into the marked one, with a reason that names it."""
    landing, mark = given.landing, given.mark
    third = {"code": mark("third"), "name": mark("thirdname"), "since": "2020-01-01", "updated": "2020-01-01"}
    landing.take("sales", customers=[*rows_from_sales(given)["customers"], third])
    rulings.merge(given.connection, key(given), mark("third"), by="ann", why=mark("why"))


def _elsewhere(given: Marked) -> None:
    firm, mark, connection = given.firm, given.mark, given.connection
    spec = firm.configuration.judgement
    connection.execute(
        "update care.warning set opened_day = '2026-01-05' where customer_no = %s",
        (firm.facts.customers["marked"],),
    )
    # Nobody took care of it, so that the report lists it with its reasons.
    connection.execute("update care.care_task set state = 'cancelled' where state = 'done'")
    review_quarter(connection, spec, date(2026, 1, 1), date(2026, 4, 1), date(2026, 6, 4))
    sample = [
        {"key": key(given), "place": None, "values": {"name": mark("name")}},
        {"key": "other-1", "place": None, "values": {}},
    ]
    result = Result("sales", "1700000001.5", "customers", 0, "name is not empty", "warn", "failed", False, 9, 2, 0, sample,
                    {"en": "2 of 9 rows fail", "zh-CN": "9 行中有 2 行不符合"})  # fmt: skip
    check_results.save(connection, "sales", "1700000001.5", [result], run_id="r1", now=given.landing.now)
    page = report(connection, given.sources, "r1")
    assert page is not None
    check_results.keep_report(connection, "r1", page, given.landing.now)
    # A load that nobody has taken yet, one row of it held back by a check; and a key that ended.
    load = given.landing.land("sales", orders=[
        {"no": mark("untaken"), "code": key(given), "at": "2026-06-01", "amount": "1"},
        {"no": "O9", "code": "other-1", "at": "2026-06-01", "amount": "1"},
    ])  # fmt: skip
    hold_back(connection, "sales.orders", load, [
        HeldRow(0, "a check", "no", mark("untaken")), HeldRow(1, "a check", "no", "O9"),
    ])  # fmt: skip
    connection.execute(
        "insert into care.ended (origin, source_key, load_id) select origin, source_key, load_id from care.fact_order "
        "where source_key in (%s, 'O1')", (mark("order") + "1",),
    )  # fmt: skip
    connection.execute(
        "update quarantine.row set settled_why = %s where source_key = %s", (mark("settled"), mark("badkey"))
    )
